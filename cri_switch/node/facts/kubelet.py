"""What is set for the kubelet, where, and since when it runs."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field

from cri_switch.model.disk_thresholds import IMAGE_GC_HIGH
from cri_switch.model.errors import NotProven
from cri_switch.node.command import Command, Result, plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.render.errors import RenderError
from cri_switch.render.yaml_text import parse_mapping

CONFIG = "/var/lib/kubelet/config.yaml"
_UNIX_UTC = "%a %Y-%m-%d %H:%M:%S UTC"


def _started(result: Result) -> float:
    text = result.stdout.strip().partition("=")[2]
    if not text or text == "n/a":
        return 0.0
    return dt.datetime.strptime(text, _UNIX_UTC).replace(tzinfo=dt.UTC).timestamp()


def unit_started(unit: str) -> Fact[float]:
    """When a unit's main process was started: seconds since the epoch by the node's clock, whole; 0 for never."""
    show = ("systemctl", "show", "-p", "ExecMainStartTimestamp", unit)
    return Fact(f"start of {unit}", Command(show, sudo=False, env=(("TZ", "UTC"),)), _started)


def _pause_image(result: Result) -> str:
    config = json.loads(result.stdout).get("config") if result.stdout.startswith("{") else None
    image = str((config or {}).get("sandboxImage") or "")
    if not image:
        raise NotProven(
            f"the node's pause image cannot be told: {result.stderr.strip()[:300] or 'crictl info names none'}",
            next_step="name an image that the node has in spec.verify_image",
        )
    return image


PAUSE_IMAGE: Fact[str] = Fact("pause image", sudo("crictl", "info", ok=(0, 1, 127)), _pause_image)
"""The image that the runtime makes its sandboxes of, so that the node has it (crictl by /etc/crictl.yaml)."""

KUBELET_STARTED = unit_started("kubelet.service")
"""A heartbeat at or after this is of this kubelet (heartbeats have whole seconds too)."""


def command_line(pid: int) -> Fact[tuple[str, ...]]:
    """The arguments of a process that runs; empty for one that has gone."""
    return Fact(
        f"command line of {pid}",
        plain("cat", f"/proc/{pid}/cmdline", ok=(0, 1)),
        lambda result: tuple(word for word in result.stdout.split("\0") if word),
    )


@dataclass(frozen=True)
class KubeletConfig:
    """What matters here of the KubeletConfiguration; "" where it is not set."""

    cgroup_driver: str = ""
    endpoint: str = ""
    eviction_hard: dict[str, str] = field(default_factory=dict, hash=False)
    image_gc_high: int = IMAGE_GC_HIGH


def parse_kubelet_config(text: str | None) -> KubeletConfig:
    """Read config.yaml; a file that is not there sets nothing.

    Raises:
        RenderError: it is not YAML with a mapping at the top, or one of these keys is of the wrong kind.
    """
    document = parse_mapping(text, CONFIG)
    driver = document.get("cgroupDriver") or ""
    if driver not in ("", "cgroupfs", "systemd"):
        raise RenderError(CONFIG, _line_of(text, "cgroupDriver"), f"cgroupDriver {driver!r} is not cgroupfs or systemd")
    if not isinstance(document.get("evictionHard") or {}, dict):
        raise RenderError(CONFIG, _line_of(text, "evictionHard"), "evictionHard is not a mapping")
    collects = document.get("imageGCHighThresholdPercent", IMAGE_GC_HIGH)
    if not isinstance(collects, int):
        raise RenderError(CONFIG, _line_of(text, "imageGCHigh"), "imageGCHighThresholdPercent is not a number")
    return KubeletConfig(
        str(driver),
        str(document.get("containerRuntimeEndpoint") or ""),
        {str(name): str(value) for name, value in (document.get("evictionHard") or {}).items()},
        collects,
    )


def _line_of(text: str | None, key: str) -> int:
    """The first line that begins with this key; 0 where it is written otherwise."""
    lines = enumerate((text or "").splitlines(), start=1)
    return next((number for number, line in lines if line.lstrip(" \"'").startswith(key)), 0)
