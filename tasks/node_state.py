"""What the checks want to know of a node, read over ssh in as few commands as may be."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, TypeVar

from cri_switch.checks.state import NodeState, Store
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.node.facts.docker import DOCKER_IDS, Container, docker_containers
from cri_switch.node.facts.docker_info import DOCKER_INFO, DockerInfo
from cri_switch.node.facts.docker_pulls import REGISTRY_CERTS, proxy_not_carried
from cri_switch.node.facts.etcd import MANIFEST
from cri_switch.node.facts.files_below import files_below
from cri_switch.node.facts.host_docker import HOST_DOCKER, SOCKET_CLIENTS
from cri_switch.node.facts.kubelet import CONFIG, parse_kubelet_config
from cri_switch.node.facts.kubelet_flags import (
    KUBELET_UNIT,
    ForeignFlag,
    docker_requirements,
    environment_files,
    foreign_flags,
)
from cri_switch.node.facts.machine import CLOCK, parse_os_release
from cri_switch.node.facts.metadata import METADATA_BLACKHOLED
from cri_switch.node.facts.paths import existing
from cri_switch.node.facts.programs import places
from cri_switch.node.facts.room import room
from cri_switch.node.facts.sudo_rule import SUDO_RULE
from cri_switch.node.facts.texts import texts
from cri_switch.node.facts.units import units
from cri_switch.node.flags import CNI_CONF_DIR
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.crictl_yaml import CRICTL_YAML
from cri_switch.render.docker_daemon import DAEMON_JSON, DockerSettings, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.hosts_toml import CERTS_D, hosts_files
from cri_switch.render.kubelet_flags import flag_value, is_dropped, network_of_docker
from cri_switch.render.registries import registries_of
from tasks.docker_use import image_bytes, socket_processes
from tasks.guarded import Guarded
from tasks.package_state import package_state

T = TypeVar("T")
D = TypeVar("D")

_OS, _MOUNTS, _MACHINE_ID = "/etc/os-release", "/proc/self/mounts", "/etc/machine-id"
_SELINUX, _APPARMOR = "/sys/fs/selinux/enforce", "/sys/module/apparmor/parameters/enabled"
_PROGRAMS = ("crictl", "ping", "pgrep")
"""What is run without a second way, beside what every Debian has; a package of its own brings each."""
_ON_CONTROL_PLANES = ("curl",)
_CONTAINERD = ("/usr/bin/containerd", "/usr/local/bin/containerd", "/opt/bin/containerd")
_CNI_CONFIGS = (".conf", ".conflist", ".json")
"""What libcni takes for one."""


class Reading:
    """One node's facts; what several checks need is read once.

    A question that fails is a problem of `guarded`, and what it asked for is as where nothing is wrong. Raises what
    the connection raises where the files and units that all else hangs on cannot be read.
    """

    def __init__(self, connection: Connection, node: NodeRef, migration: Migration, guarded: Guarded) -> None:
        self.connection, self.node, self.spec, self._guarded = connection, node, migration.spec, guarded
        system = (_OS, _MOUNTS, _MACHINE_ID, _SELINUX, _APPARMOR)
        self.unit = self._ask(KUBELET_UNIT, "")
        flags_file = self.spec.kubelet.flags_file
        self.extra_files = environment_files(self.unit, flags_file)
        self.settings_files = (
            DAEMON_JSON, CONFIG, MANIFEST, CONFIG_TOML, CRICTL_YAML, *self.extra_files, flags_file,
        )  # fmt: skip
        self.texts = texts(*system, *self.settings_files).read(connection)
        found = units("docker.service", "cri-docker.service").read(connection)
        self.docker_active = found["docker.service"].active
        self.cri_dockerd_active = found["cri-docker.service"].active
        self.info: DockerInfo | None = None
        self.containers: tuple[Container, ...] | None = None
        if self.docker_active:
            self.info = self._ask(DOCKER_INFO, None)
        if self.info is not None:  # a dockerd that does not answer is asked once
            self.containers = guarded.attempt(
                DOCKER_IDS.name, lambda: docker_containers(DOCKER_IDS.read(connection)).read(connection), None
            )
        self.docker_root = self.info.root if self.info else self._docker_settings().data_root
        paths = ("/var/lib", "/var/lib/containerd", "/var/lib/etcd", self.docker_root)
        self.room = self._ask(room(*dict.fromkeys(paths)), {})

    def _ask(self, fact: Fact[T], otherwise: D) -> T | D:
        return self._guarded.ask(fact, self.connection, otherwise)

    def hashes(self) -> dict[str, str]:
        """The sha256 of the settings that a migration reads or writes, of those that are there, and the unit's."""
        there = {path: self.texts[path] for path in self.settings_files if path in self.texts}
        there |= {"kubelet.service with its drop-ins": self.unit} if self.unit else {}
        return {
            path: hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() for path, text in there.items()
        }

    def state(self) -> NodeState:
        """All that check_node_state looks at."""
        connection, spec, system = self.connection, self.spec, parse_os_release(self.texts.get(_OS, ""))
        extras = {path: self.texts[path] for path in self.extra_files if path in self.texts}
        extra = "".join(f"{path}:{line}\n" for path, text in extras.items() for line in text.splitlines() if line)
        flags = foreign_flags(self.unit, extra)
        programs = (*_PROGRAMS, *(_ON_CONTROL_PLANES if self.node.role == "control-plane" else ()))
        there = self._ask(existing(*places(*programs), *_CONTAINERD), places(*programs))
        foreign = [each for each in self.containers or () if not each.kubernetes]
        skew, error = self._guarded.attempt(CLOCK.name, self._clock, (0.0, 0.0))
        return NodeState(
            node=self.node.name,
            os_id=system.id,
            os_version=system.version,
            os_like=system.id_like,
            kubelet_version=self.node.kubelet_version,
            flags_file=spec.kubelet.flags_file,
            flags_text=self.texts.get(spec.kubelet.flags_file),
            kubelet_needs_docker=docker_requirements(self.unit),
            foreign_flags=tuple(each.line for each in flags if not each.agrees(spec.target.endpoint)),
            dropped_elsewhere={each.name: each.line for each in flags if is_dropped(each.name)},
            environment_files=extras,
            docker_active=self.docker_active,
            daemon_json=self.texts.get(DAEMON_JSON),
            config_toml=self.texts.get(CONFIG_TOML),
            crictl_yaml=self.texts.get(CRICTL_YAML),
            settings={path: self.texts[path] for path in (DAEMON_JSON, CONFIG) if path in self.texts},
            hosts_toml=self._hosts_toml(),
            live_restore=self.info is not None and self.info.live_restore,
            swarm_active=self.info is not None and self.info.swarm,
            proxy_not_carried=self._guarded.attempt("proxy variables", lambda: proxy_not_carried(connection), ()),
            registry_certs=self._ask(REGISTRY_CERTS, ()),
            cri_dockerd_active=self.cri_dockerd_active,
            foreign_containers=tuple(each.name for each in foreign),
            etcd_containers=tuple(each.name for each in foreign if re.search(r"\betcd", f"{each.name} {each.image}")),
            containerd_programs=tuple(path for path in there if path in _CONTAINERD),
            missing_programs=tuple(name for name in programs if not set(places(name)) & set(there)),
            sudo_programs=self._ask(SUDO_RULE, None),
            metadata_blackholed=self._ask(METADATA_BLACKHOLED, False),
            selinux_enforcing=self.texts.get(_SELINUX, "").strip() == "1",
            apparmor=self.texts.get(_APPARMOR, "").strip() == "Y",
            clock_skew=skew,
            clock_error=error,
            stale_mounts=tuple(
                line.split()[1]
                for line in self.texts.get(_MOUNTS, "").splitlines()
                if "containerd" in line and "tmpmounts" in line
            ),
            image_bytes=self._guarded.attempt(
                "images in use", lambda: image_bytes(self.containers or (), connection), 0
            ),
            docker_root=self.docker_root,
            stores={path: Store(each.mount, each.size, each.free) for path, each in self.room.items()},
            eviction=self._guarded.attempt(
                CONFIG, lambda: parse_kubelet_config(self.texts.get(CONFIG)).eviction_hard, {}
            ),
            host_lines=tuple(f"{each.path}: {each.line}" for each in self._ask(HOST_DOCKER, ())),
            socket_processes=self._guarded.attempt(
                SOCKET_CLIENTS.name, lambda: socket_processes(connection) if self.docker_active else (), ()
            ),
            **self._network(flags),
            **package_state(spec.target.package, connection, self._guarded),
        )

    def _network(self, elsewhere: Sequence[ForeignFlag]) -> dict[str, Any]:
        """Whose the pods' network is; where it seems to be Docker's, CNI configurations are looked for."""
        path, given = self.spec.kubelet.flags_file, {each.name: each.value for each in elsewhere}
        version = self.node.kubelet_version
        try:
            text = self.texts[path]
            if not network_of_docker(text, elsewhere=given, kubelet_version=version, path=path):
                return {}
            conf_dir = given.get("cni-conf-dir") or flag_value(text, "cni-conf-dir", path) or CNI_CONF_DIR
        except (KeyError, RenderError):  # no flags file, or one that is not understood: told by a check
            return {}
        files = [PurePosixPath(each.path) for each in self._ask(files_below((conf_dir,)), ())]
        here = PurePosixPath(conf_dir)
        configs = [str(each) for each in files if each.parent == here and each.suffix in _CNI_CONFIGS]
        return {"network_of_docker": True, "cni_conf_dir": conf_dir, "cni_configs": tuple(sorted(configs))}

    def _docker_settings(self) -> DockerSettings:
        """Docker's defaults where daemon.json is not understood, which a check tells."""
        try:
            return parse_daemon_json(self.texts.get(DAEMON_JSON))
        except RenderError:
            return DockerSettings()

    def _hosts_toml(self) -> dict[str, str]:
        names = hosts_files(registries_of(self._docker_settings()))
        return self._ask(texts(*(f"{CERTS_D}/{name}" for name in names)), {}) if names else {}

    @property
    def machine_id(self) -> str:
        """ "" where the machine has none."""
        return self.texts.get(_MACHINE_ID, "").strip()

    def _clock(self) -> tuple[float, float]:
        """The node's clock less ours, and by how much that may be wrong: half of the way there and back."""
        before = time.time()
        there = CLOCK.read(self.connection)
        after = time.time()
        return there - (before + after) / 2, (after - before) / 2
