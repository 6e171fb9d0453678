"""Write containerd's configuration, as the kubelet and Docker were set."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Put, read
from cri_switch.node.actions.hold_up import hold_up
from cri_switch.node.command import sudo
from cri_switch.node.facts.containerd import CONTAINERD_VERSION, dumped_config, systemd_cgroup
from cri_switch.node.facts.docker import DOCKER_CGROUP_DRIVER
from cri_switch.node.facts.kubelet import CONFIG, parse_kubelet_config
from cri_switch.node.facts.packages import policy
from cri_switch.node.facts.programs import has_program
from cri_switch.node.facts.units import units
from cri_switch.node.files import RemoteFile, file_fact
from cri_switch.node.flags import CNI_BIN_DIR, CNI_CONF_DIR, flags_before
from cri_switch.node.originals import keep_original
from cri_switch.render.containerd_config import CONFIG_TOML, ContainerdWish, configure_containerd
from cri_switch.render.containerd_registry import reads_hosts_toml
from cri_switch.render.containerd_schema import CRI_NAMES
from cri_switch.render.crictl_yaml import CRICTL_YAML, crictl_yaml
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.hosts_toml import CERTS_D, hosts_files, ours
from cri_switch.render.pause_image import default_pause_image
from cri_switch.render.registries import registries_of
from cri_switch.render.version import major_minor


def configure_runtime(migration: Migration, *, migration_id: str, kubelet_version: str) -> Action:
    """config.toml, hosts.toml (where that config.toml has it read), crictl.yaml, what Docker held up in the kernel.

    Originals are kept first. The new config.toml is shown to containerd before it is written; the restart is
    start_runtime's, which sees that the file is newer than the process.

    Raises:
        NotProven: the cgroup drivers of the kubelet and of Docker differ, or containerd refuses the result.
        RenderError: a file cannot be understood.
    """
    installed = yield from read(has_program("containerd"))
    version = yield from (read(CONTAINERD_VERSION) if installed else _candidate(migration.spec.target.package))
    config = yield from read(file_fact(CONFIG_TOML))
    flags = yield from flags_before(migration_id, migration.spec.kubelet.flags_file)
    driver = yield from cgroup_driver(flags)
    registries = registries_of(parse_daemon_json((yield from read(file_fact(DAEMON_JSON))).text))
    wish = ContainerdWish(
        version=version,
        sandbox_image=flags.get("pod-infra-container-image") or default_pause_image(kubelet_version),
        systemd_cgroup=driver == "systemd",
        bin_dir=flags.get("cni-bin-dir", CNI_BIN_DIR).split(",")[0],
        conf_dir=flags.get("cni-conf-dir", CNI_CONF_DIR),
        registries=registries,
    )
    text = configure_containerd(config.text, wish)
    if text != config.text and installed:
        dumped = yield from read(dumped_config(text))
        if off := CRI_NAMES.intersection(dumped.get("disabled_plugins") or ()):
            raise NotProven(
                f"something that {CONFIG_TOML} imports disables {', '.join(sorted(off))}",
                state=f"{CONFIG_TOML} was not touched",
                next_step="take it out there: the kubelet needs containerd's CRI plugin",
                finding="ContainerdConfigNotTaken",
            )
        taken = systemd_cgroup(dumped)
        # containerd 1.4's dump leaves runc's options out: None there says nothing (seen with 1.4.13, not with 1.6.20)
        if taken is (not wish.systemd_cgroup) or (taken is None and (major_minor(version) or (0, 0)) >= (1, 6)):
            raise NotProven(
                f"containerd would not take the cgroup driver {driver} from the new {CONFIG_TOML}",
                state=f"{CONFIG_TOML} was not touched",
                next_step="compare it with `containerd config default`, and look at what it imports",
                finding="ContainerdConfigNotTaken",
            )
    done = yield from _put(migration_id, config, text)
    remarks = []
    for name, wanted in (hosts_files(registries) if reads_hosts_toml(text) else {}).items():
        file = yield from read(file_fact(posixpath.join(CERTS_D, name)))
        if file.text is None or ours(file.text):
            done += yield from _put(migration_id, file, wanted)
        elif file.text != wanted:
            remarks.append(f"{file.path} is an administrator's and was left alone")
    crictl = yield from read(file_fact(CRICTL_YAML))
    done += yield from _put(migration_id, crictl, crictl_yaml(crictl.text, migration.spec.target.endpoint))
    done += yield from hold_up(migration_id)
    if registries.inexpressible:
        remarks.append(f"containerd has no words for these of daemon.json: {', '.join(registries.inexpressible)}")
    summary = f"wrote {', '.join(done)}" if done else "containerd was configured already"
    return "; ".join([f"{summary} (cgroup driver {driver}, pause image {wish.sandbox_image})", *remarks])


def _candidate(package: str) -> Generator[Part, Any, str]:
    """The version that apt would install: what a dry run plans for, where install_runtime has not run."""
    offered = (yield from read(policy(package))).candidate
    found = re.search(r"\d+\.\d+\.\d+", offered)
    if not found:
        raise NotProven(
            f"containerd is not installed, and no package source has {package}",
            next_step="on the node: apt-get update; apt-cache policy " + package,
            finding="ContainerdCandidateMissing",
        )
    return found[0]


def cgroup_driver(flags: dict[str, str]) -> Generator[Part, Any, str]:
    """The kubelet's cgroup driver: its flag, else its config.yaml, else cgroupfs; Docker must say the same while up.

    Raises:
        NotProven: they differ, or it is neither of the two that there are: a wrong driver is silent on containerd, so
            it is never guessed.
    """
    config = parse_kubelet_config((yield from read(file_fact(CONFIG))).text)
    driver = flags.get("cgroup-driver") or config.cgroup_driver or "cgroupfs"
    if driver not in ("cgroupfs", "systemd"):
        raise NotProven(
            f"the kubelet's --cgroup-driver={driver} is not cgroupfs or systemd",
            state="containerd's configuration was not touched",
            next_step="look where it is set: systemctl cat kubelet, /var/lib/kubelet/kubeadm-flags.env",
            finding="CgroupDriversDiffer",
        )
    docker = (yield from read(units("docker.service")))["docker.service"]
    if docker.active:
        dockers = yield from read(DOCKER_CGROUP_DRIVER)
        if dockers and dockers != driver:
            raise NotProven(
                f"the kubelet's cgroup driver is {driver}, Docker's is {dockers}",
                state="containerd's configuration was not touched",
                next_step=f"set cgroupDriver in {CONFIG} to what the kubelet really uses, then run the same again",
                finding="CgroupDriversDiffer",
            )
    return driver


def _put(migration_id: str, file: RemoteFile, wanted: str) -> Generator[Part, Any, list[str]]:
    if file.text == wanted:
        return []
    yield from keep_original(migration_id, file.path)
    yield from make_directory(posixpath.dirname(file.path))
    content = wanted.encode("utf-8", "surrogateescape")
    yield Put(file.path, content, f"configure {posixpath.basename(file.path)}", expect=file.sha256)
    return [file.path]


def make_directory(path: str) -> Generator[Part, Any, None]:
    """The directory for a file of ours; only below /etc/containerd one may be missing."""
    if path.startswith("/etc/containerd"):
        yield Do(sudo("mkdir", "-p", "--", path), f"make {path}")
