"""What was read off a node, for its checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cri_switch.render.kubelet_flags import FLAGS_FILE


@dataclass(frozen=True)
class Store:
    """The filesystem that holds a directory, in bytes."""

    mount: str
    size: int
    free: int


@dataclass(frozen=True)
class NodeState:
    """Facts of one node. `flags_text` is None where the file is missing, a version is "" where there is none.

    `os_like` is os-release's ID_LIKE; `foreign_containers` are names of Docker's containers that are not Kubernetes',
    `etcd_containers` those of them that are etcd; `containerd_candidate` is what would run: the installed version, else
    the one apt would install from `containerd_source`, and `packages_known` that this was told; `would_remove` are
    packages that apt would remove for it. `foreign_flags` and `kubelet_needs_docker` are `path: line`, and so are, by
    name, `dropped_elsewhere`, dockershim's own flags that are not in the flags file. `environment_files` are the
    kubelet's others, by path. `cni_configs` are told where `network_of_docker` says that no `--network-plugin` is set.
    `clock_skew` is the node's clock less ours and `clock_error` by how much that may be wrong, in seconds.
    `sudo_programs` is None
    where sudo allows all. `image_bytes` is the size of the images in use, layers that they share counted twice.
    `eviction` are the kubelet's hard thresholds as it has them (`10%`, `1Gi`), `stores` the filesystems by directory.
    `proxy_not_carried` are names of variables, `registry_certs` registries that Docker has certificates for.
    `settings` are the texts of JSON and YAML files that are read and not edited, by path.
    `hosts_toml` are the texts, by path, of those files that are there and that daemon.json's registries would go to.
    """

    node: str
    os_id: str
    os_version: str = ""
    os_like: tuple[str, ...] = ()
    kubelet_version: str = ""
    flags_file: str = FLAGS_FILE
    flags_text: str | None = None
    kubelet_needs_docker: tuple[str, ...] = ()
    foreign_flags: tuple[str, ...] = ()
    dropped_elsewhere: Mapping[str, str] = field(default_factory=dict)
    environment_files: Mapping[str, str] = field(default_factory=dict)
    network_of_docker: bool = False
    cni_conf_dir: str = "/etc/cni/net.d"
    cni_configs: tuple[str, ...] = ()
    docker_active: bool = True
    docker_package: str = ""
    daemon_json: str | None = None
    config_toml: str | None = None
    crictl_yaml: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    hosts_toml: Mapping[str, str] = field(default_factory=dict)
    live_restore: bool = False
    swarm_active: bool = False
    proxy_not_carried: tuple[str, ...] = ()
    registry_certs: tuple[str, ...] = ()
    cri_dockerd_active: bool = False
    foreign_containers: tuple[str, ...] = ()
    etcd_containers: tuple[str, ...] = ()
    packages_known: bool = True
    containerd_candidate: str = ""
    containerd_source: str = ""
    would_remove: tuple[str, ...] = ()
    containerd_programs: tuple[str, ...] = ()
    pending_packages: tuple[str, ...] = ()
    held_packages: tuple[str, ...] = ()
    missing_programs: tuple[str, ...] = ()
    sudo_programs: frozenset[str] | None = None
    metadata_blackholed: bool = False
    selinux_enforcing: bool = False
    apparmor: bool = False
    clock_skew: float = 0.0
    clock_error: float = 0.0
    stale_mounts: tuple[str, ...] = ()
    image_bytes: int = 0
    docker_root: str = "/var/lib/docker"
    stores: Mapping[str, Store] = field(default_factory=dict)
    eviction: Mapping[str, str] = field(default_factory=dict)
    host_lines: tuple[str, ...] = ()
    socket_processes: tuple[str, ...] = ()
