"""Where the kubelet gets flags beside its flags file, and what its unit needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cri_switch.node.command import plain, sudo
from cri_switch.node.fact import Fact

KUBELET_UNIT: Fact[str] = Fact(
    "kubelet's unit and drop-ins", plain("systemctl", "cat", "kubelet.service", ok=(0, 1)), lambda r: r.stdout
)
"""As systemd reads it: each file after a `# /path` line; "" without such a unit."""

_KNOWN = ("/etc/default/kubelet", "/etc/sysconfig/kubelet")
_ENVIRONMENT = re.compile(r"\s*EnvironmentFile\s*=\s*-?(.*?)\s*$")


def environment_files(unit: str, flags_file: str) -> tuple[str, ...]:
    """The environment files beside the flags file: those that the unit or its drop-ins name, and the usual two.

    One with a wildcard or a specifier in its name (systemd.exec(5)) is not looked for.
    """
    named: list[str] = []
    for line in unit.splitlines():
        if match := _ENVIRONMENT.match(line):
            path = match[1].strip("\"'")
            named = [*named, path] if path else []
    plainly = [path for path in named if path.startswith("/") and not set(path) & set("*?[%")]
    return tuple(path for path in dict.fromkeys((*plainly, *_KNOWN)) if path != flags_file)


def kubelet_extra(unit: str, flags_file: str) -> Fact[str]:
    """`path:line` of every line of those files."""
    command = sudo("grep", "-s", "-H", ".", "--", *environment_files(unit, flags_file), ok=(0, 1, 2))
    return Fact("kubelet's environment files", command, lambda result: result.stdout)


_FLAG = re.compile(
    r"(?<![\w-])--(container[-_]runtime(?:[-_]endpoint)?|network[-_]plugin(?:[-_]mtu)?|cni[-_](?:bin|conf|cache)[-_]dir"
    r"|cgroup[-_]driver|pod[-_]infra[-_]container[-_]image|image[-_]pull[-_]progress[-_]deadline|docker[\w-]*"
    r"|experimental[-_]dockershim[\w-]*)(?:[= ][\"']?([^\s\"']+))?(?=[\s\"']|$)"
)


@dataclass(frozen=True)
class ForeignFlag:
    """A flag of the kubelet that is set elsewhere than in the flags file; `line` is `path: literal line`."""

    name: str
    value: str
    line: str

    def agrees(self, endpoint: str) -> bool:
        """Whether it does no harm with a remote runtime at this endpoint (dockershim's flags are ignored there)."""
        if self.name == "container-runtime":
            return self.value == "remote"
        if self.name == "network-plugin":  # what another one made of the pods' network, no CRI runtime makes
            return self.value == "cni"
        return self.name != "container-runtime-endpoint" or self.value == endpoint


def foreign_flags(unit: str, extra: str) -> tuple[ForeignFlag, ...]:
    """Flags that name the runtime, or what it needs, or were dockershim's, in the order they count.

    In KUBELET_UNIT, and in the other environment files as kubelet_extra has them.
    """
    lines = []
    path = "kubelet.service"
    for line in unit.splitlines():
        if line.startswith("# /"):
            path = line[2:].strip()
        elif not line.lstrip().startswith(("#", ";")):
            lines.append((path, line.strip()))
    for line in extra.splitlines():
        name, _colon, text = line.partition(":")
        if not text.lstrip().startswith("#"):
            lines.append((name, text.strip()))
    return tuple(
        ForeignFlag(match[1].replace("_", "-"), match[2] or "", f"{name}: {text}")
        for name, text in lines
        for match in _FLAG.finditer(text)
    )


_REQUIREMENT = re.compile(r"^\s*(Requires|BindsTo|Requisite|PartOf)\s*=.*\b(docker|cri-docker)\.(service|socket)")


def docker_requirements(unit: str) -> tuple[str, ...]:
    """Lines by which the kubelet cannot run without Docker's units, as `path: line` (Wants= and After= do no harm)."""
    found = []
    path = "kubelet.service"
    for line in unit.splitlines():
        if line.startswith("# /"):
            path = line[2:].strip()
        elif _REQUIREMENT.match(line) or (re.match(r"\s*ExecStartPre\s*=", line) and re.search(r"\bdocker\b", line)):
            found.append(f"{path}: {line.strip()}")
    return tuple(found)
