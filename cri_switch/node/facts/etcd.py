"""The local etcd of a kubeadm control plane, as its static pod's manifest describes it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

import yaml

MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"


@dataclass(frozen=True)
class EtcdPod:
    """How to speak to it: paths are inside the container but `host_data_dir`; `flags` are all of the command line's."""

    data_dir: str
    host_data_dir: str
    endpoint: str
    flags: dict[str, str]

    @property
    def credentials(self) -> tuple[str, ...]:
        """etcdctl's flags: the member's own certificate serves as a client's (kubeadm makes it for both)."""
        words = [f"--endpoints={self.endpoint}"]
        for option, flag in (("--cacert", "trusted-ca-file"), ("--cert", "cert-file"), ("--key", "key-file")):
            if flag in self.flags:
                words.append(f"{option}={self.flags[flag]}")
        return tuple(words)


def parse_etcd_manifest(text: str) -> EtcdPod:
    """The manifest's first container's --flag=value words and the hostPath behind its data directory.

    Raises: ValueError when it is not a pod with a data directory on the host.
    """
    try:
        pod = yaml.safe_load(text)
        container = pod["spec"]["containers"][0]
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        flags: dict[str, str] = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
        data_dir = flags["data-dir"].rstrip("/")
        hosts = {v["name"]: v["hostPath"]["path"] for v in pod["spec"].get("volumes", ()) if "hostPath" in v}
        mounts = {m["mountPath"].rstrip("/"): hosts[m["name"]] for m in container["volumeMounts"] if m["name"] in hosts}
    except (yaml.YAMLError, KeyError, TypeError, IndexError, AttributeError) as problem:
        raise ValueError(f"not etcd's static pod as kubeadm writes it: {problem!r}") from problem
    above = [path for path in mounts if data_dir == path or data_dir.startswith(f"{path}/")]
    if not above:
        raise ValueError(f"its data directory {data_dir} is not on the host")
    mount = max(above, key=len)
    host = posixpath.join(mounts[mount].rstrip("/"), posixpath.relpath(data_dir, mount))
    urls = (flags.get("listen-client-urls") or "https://127.0.0.1:2379").split(",")
    local = [url for url in urls if "127.0.0.1" in url or "localhost" in url]
    return EtcdPod(data_dir, posixpath.normpath(host), (local or urls)[0], flags)
