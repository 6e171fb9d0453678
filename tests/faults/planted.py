"""Secrets, and names that a shell would stumble over, in the files that a node's Docker and kubelet read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.e2e.site import Site

DAEMON = "/etc/docker/daemon.json"
_DROP_INS = "/etc/systemd/system/docker.service.d"
_CONFIG = """version = 2
[plugins."io.containerd.grpc.v1.cri".registry.configs."registry.example:5000".auth]
  username = "robot"
  password = "{mark}-config-toml"
"""
_SHELL = "$(touch pwned)`touch pwned`'; touch pwned; \\\"x"


def files(daemon: str, mark: str) -> Mapping[str, str]:
    """Path -> content, of one node; every one has the mark or a hostile name."""
    auth = {"auths": {"registry.example": {"auth": f"{mark}-kubelet"}}}
    labels = [f"registry-token={mark}-daemon", "of=$(touch pwned)\"'; touch pwned"]
    return {
        DAEMON: json.dumps({**json.loads(daemon), "labels": labels}),
        f"{_DROP_INS}/http-proxy.conf": (
            f'[Service]\nEnvironment="HTTPS_PROXY=http://proxy:{mark}-proxy@10.77.0.9:3128"\n'
            'Environment="NO_PROXY=10.0.0.0/8,registry"\n'
        ),
        f"{_DROP_INS}/20-$(touch pwned)'; touch pwned; \"x.conf": f'[Service]\nEnvironment="HOSTILE={_SHELL}"\n',
        f"{_DROP_INS}/30-two\nlines.conf": "[Service]\nEnvironment=LINES=2\n",
        "/etc/systemd/system/log-in.service": (
            f"[Service]\nExecStart=/usr/bin/docker login -u robot -p {mark}-unit registry.example\n"
        ),
        "/var/lib/kubelet/config.json": json.dumps(auth),
        "/root/.docker/config.json": json.dumps(auth),
    }


@contextmanager
def planted(site: Site, mark: str) -> Iterator[dict[str, list[str]]]:
    """Node -> paths; the files are as before in the end."""
    with ExitStack() as back:
        paths: dict[str, list[str]] = {}
        for node in site.nodes:
            written = dict(files(site.root(node, "cat", DAEMON), mark))
            if site.code(node, "test", "-e", "/etc/containerd/config.toml") and node == "w1":
                written["/etc/containerd/config.toml"] = _CONFIG.format(mark=mark)
            paths[node] = list(written)
            back.callback(site.root, node, "systemctl", "daemon-reload")
            for path, text in written.items():
                before = site.read(node, path)
                if before is None:
                    back.callback(site.root, node, "rm", "-f", "--", path)
                else:
                    back.callback(site.write, node, path, before)
                site.write(node, path, text)
                site.root(node, "chmod", "0600", "--", path)
            site.root(node, "systemctl", "daemon-reload")
        yield paths
