"""The kubelet's flags in an environment file of systemd, edited token by token."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from cri_switch.render.environment_file import VARIABLES, assignments, ignored_lines
from cri_switch.render.errors import RenderError
from cri_switch.render.flag_words import Flag, flags_in, normal
from cri_switch.render.version import minor_of

FLAGS_FILE = "/var/lib/kubelet/kubeadm-flags.env"

_DOCKERSHIM_PREFIXES = ("network-plugin", "cni-", "docker")
_DOCKERSHIM = frozenset(
    {"image-pull-progress-deadline", "experimental-dockershim", "experimental-dockershim-root-directory"}
)
_CARRIED = ("cni-conf-dir", "cni-bin-dir", "pod-infra-container-image", "cgroup-driver")


def switch_flags(text: str, *, endpoint: str, kubelet_version: str, path: str = FLAGS_FILE) -> str:
    """The file's text with the flags for a remote runtime at `endpoint`; unchanged where they are right already.

    By version (kubelet's changelogs 1.24, 1.27, 1.35): up to 1.23 `--container-runtime=remote` and the endpoint; from
    1.24 the endpoint (a `--container-runtime=remote` stays until 1.26); from 1.27 no `--container-runtime`; from 1.35
    no `--pod-infra-container-image`. dockershim's flags go always. New flags are appended; everything else, spacing
    and comments included, stays as it is.

    Raises: RenderError for broken quoting, a missing or doubled variable, an endpoint that would need quotes.
    """
    if not re.fullmatch(r"[A-Za-z0-9/._:@-]+", endpoint):
        raise RenderError(path, 0, f"the endpoint {endpoint!r} cannot be written as a flag")
    minor = minor_of(kubelet_version, path)
    found = list(assignments(text, path))
    if not found:
        line = next(iter(ignored_lines(text)), 0)
        raise RenderError(path, line, f"no line sets {' or '.join(VARIABLES)}", next_step=f"look at it: cat {path}")
    main = min(found, key=lambda one: VARIABLES.index(one.variable))
    wanted = {"container-runtime": "remote"} if minor <= 23 else {}
    wanted["container-runtime-endpoint"] = endpoint
    for one in reversed(found):
        raw = _edit(one.raw, wanted if one is main else {}, minor)
        text = text[: one.start] + raw + text[one.end :]
    return text


def flag_value(text: str, name: str, path: str = FLAGS_FILE) -> str | None:
    """The value of a flag that counts (the last one), "true" for a bare one, None where it is not given."""
    value = None
    for one in sorted(assignments(text, path), key=lambda one: VARIABLES.index(one.variable)):
        for flag in flags_in(one.raw):
            if flag.name == normal(name):
                value = flag.value
    return value


def carried(text: str, path: str = FLAGS_FILE) -> dict[str, str]:
    """The flags whose values must move into the runtime's configuration, as found.

    >>> carried('KUBELET_KUBEADM_ARGS="--cni-bin-dir=/x --pod-infra-container-image=k8s.gcr.io/pause:3.2"')
    {'cni-bin-dir': '/x', 'pod-infra-container-image': 'k8s.gcr.io/pause:3.2'}
    """
    values = {name: flag_value(text, name, path) for name in _CARRIED}
    return {name: value for name, value in values.items() if value is not None}


def dropped(text: str, path: str = FLAGS_FILE) -> dict[str, str]:
    """dockershim's own flags that go and that nothing is made of, by name, in the order of the file."""
    flags = [flag for one in assignments(text, path) for flag in flags_in(one.raw)]
    return {flag.name: flag.value for flag in flags if is_dropped(flag.name)}


def is_dropped(name: str) -> bool:
    """Whether a flag was dockershim's own, and nothing is made of it."""
    return _of_dockershim(name) and name not in _CARRIED


def network_of_docker(text: str, *, elsewhere: Collection[str], kubelet_version: str, path: str = FLAGS_FILE) -> bool:
    """Whether dockershim gives the pods Docker's own bridge, as it does without `--network-plugin` (up to 1.23).

    `elsewhere` are the names of the flags that other places set. A kubelet that has another runtime already has not.

    Raises: RenderError, as switch_flags does.
    """
    tells = ("network-plugin", "container-runtime-endpoint")
    if minor_of(kubelet_version, path) >= 24 or any(name in elsewhere for name in tells):
        return False
    return all(flag_value(text, name, path) is None for name in tells)


def _edit(raw: str, wanted: dict[str, str], minor: int) -> str:
    flags = flags_in(raw)
    right = {name for name, value in wanted.items() if (given := _values(flags, name)) and set(given) == {value}}
    for flag in reversed(flags):
        if _goes(flag, minor, lambda name: name in right):
            raw = _cut(raw, flag.start, flag.end)
    missing = [f"--{name}={value}" for name, value in wanted.items() if name not in right]
    if not missing:
        return raw
    return " ".join([*([raw.rstrip()] if raw.strip() else []), *missing])


def _goes(flag: Flag, minor: int, right: Callable[[str], bool]) -> bool:
    if flag.name == "container-runtime":
        return minor >= 27 or not (right(flag.name) or (minor >= 24 and flag.value == "remote"))
    if flag.name == "container-runtime-endpoint":
        return not right(flag.name)
    if flag.name == "pod-infra-container-image":
        return minor >= 35
    return _of_dockershim(flag.name)


def _of_dockershim(name: str) -> bool:
    return name in _DOCKERSHIM or name.startswith(_DOCKERSHIM_PREFIXES)


def _values(flags: list[Flag], name: str) -> list[str]:
    return [flag.value for flag in flags if flag.name == name]


def _cut(raw: str, start: int, end: int) -> str:
    """Without a span and the blanks that belong to it: those after it, or at the end those before it."""
    rest = raw[end:].lstrip()
    return raw[:start] + rest if rest else raw[:start].rstrip()
