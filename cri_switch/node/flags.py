"""The kubelet's flags as they were with Docker, also after they were switched."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Part, read
from cri_switch.node.facts.kubelet_flags import KUBELET_UNIT, foreign_flags, kubelet_extra
from cri_switch.node.files import file_fact
from cri_switch.node.home import folder
from cri_switch.render.kubelet_flags import flag_value

CNI_BIN_DIR, CNI_CONF_DIR = "/opt/cni/bin", "/etc/cni/net.d"

_NAMES = ("cni-bin-dir", "cni-conf-dir", "cni-cache-dir", "pod-infra-container-image", "cgroup-driver")


def flags_before(migration_id: str, flags_file: str) -> Generator[Part, Any, dict[str, str]]:
    """dockershim's flags, by name: of the flags file, or of its kept original once it was switched (they go by that).

    Flags in the unit come before it, flags in the administrator's environment files after it, as 10-kubeadm.conf has
    it. A file that does not exist has none: configure_kubelet is the one to refuse it.
    """
    unit = yield from read(KUBELET_UNIT)
    values = {flag.name: flag.value for flag in foreign_flags(unit, "")}
    text = (yield from read(file_fact(flags_file))).text or ""
    if flag_value(text, "container-runtime-endpoint", flags_file) is not None:
        text = (yield from read(file_fact(f"{folder(migration_id)}/originals{flags_file}"))).text or text
    given = {name: flag_value(text, name, flags_file) for name in _NAMES}
    values |= {name: value for name, value in given.items() if value is not None}
    extra = yield from read(kubelet_extra(unit, flags_file))
    values |= {flag.name: flag.value for flag in foreign_flags("", extra)}
    return {name: value for name, value in values.items() if name in _NAMES}
