"""Debian packages made from Debian's own: a self-contained Docker, and containerd with docker.com's config.toml.

Facts: docker-engine of docker.com brought its own containerd and runc until 18.06; a containerd of docker.com's brings
a config.toml with `disabled_plugins = ["cri"]`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from tests.lab.assets.base import extract
from tests.lab.assets.debian import run

_HERE = Path(__file__).parent
_PRIVATE = "usr/lib/docker-engine/bin"
_CONTAINERD = ("containerd", "containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2", "ctr")


def docker_engine(debian: int, deb: Path, runc_wrapper: Path | None, scratch: Path, target: Path) -> Path:
    """Repack docker.io's files as `docker-engine`, with a containerd and a runc of its own.

    With a wrapper, it takes the place of the private runc, which stays beside it as runc.real.
    """
    tree = scratch / "docker-engine"
    run(["dpkg-deb", "-R", str(deb), str(tree)])
    private = tree / _PRIVATE
    private.mkdir(parents=True)
    containerd = extract(debian, "containerd", scratch / "containerd-files")
    runc = extract(debian, "runc", scratch / "runc-files")
    for program in _CONTAINERD:
        if (containerd / "usr/bin" / program).exists():
            shutil.copy2(containerd / "usr/bin" / program, private / program)
    shutil.copy2(runc / "usr/sbin/runc", private / ("runc.real" if runc_wrapper else "runc"))
    if runc_wrapper:
        shutil.copy2(runc_wrapper, private / "runc")
    unit = next(file for file in tree.glob("**/docker.service") if "systemd" in file.parts)
    unit.write_text(engine_unit(unit.read_text()))
    control = tree / "DEBIAN/control"
    control.write_text(engine_control(control.read_text()))
    return _pack(tree, target)


def engine_unit(text: str) -> str:
    """docker.service without the system's containerd, and with the private programs first on its PATH."""
    text = text.replace(" containerd.service", "").replace(" --containerd=/run/containerd/containerd.sock", "")
    path = f"/{_PRIVATE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return text.replace("[Service]\n", f"[Service]\nEnvironment=PATH={path}\n", 1)


def engine_control(text: str) -> str:
    """docker.io's control file as docker-engine's: it needs no containerd, runc or tini of the system."""
    fields = _fields(text)
    own = {"containerd", "runc", "tini"}
    for name in ("Depends", "Recommends", "Suggests"):
        kept = [part for part in re.split(r",\s*", fields.get(name, "")) if part and part.split()[0] not in own]
        fields[name] = ", ".join(kept)
    fields |= {
        "Package": "docker-engine",
        "Conflicts": "docker.io, docker-ce, docker-ce-cli",
        "Replaces": "docker.io",
    }
    for name in ("Built-Using", "Breaks", "Source", "Static-Built-Using"):
        fields.pop(name, None)
    return _control(fields)


def containerd_of_docker(deb: Path, scratch: Path, target: Path) -> Path:
    """Repack Debian's containerd with docker.com's config.toml, in a slightly higher version."""
    tree = scratch / "containerd"
    run(["dpkg-deb", "-R", str(deb), str(tree)])
    shutil.copyfile(_HERE / "files/containerd-io.toml", tree / "etc/containerd/config.toml")
    control = tree / "DEBIAN/control"
    fields = _fields(control.read_text())
    fields["Version"] += "+dockercom1"
    control.write_text(_control(fields))
    return _pack(tree, target)


def _pack(tree: Path, target: Path) -> Path:
    conffiles = (tree / "DEBIAN/conffiles").read_text().split() if (tree / "DEBIAN/conffiles").exists() else []
    lines = []
    for file in sorted(file for file in tree.rglob("*") if file.is_file() and not file.is_symlink()):
        name = file.relative_to(tree)
        if name.parts[0] != "DEBIAN" and f"/{name}" not in conffiles:
            lines.append(f"{hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()}  {name}\n")
    (tree / "DEBIAN/md5sums").write_text("".join(lines))
    run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(target)])
    fields = _fields((tree / "DEBIAN/control").read_text())
    return target / f"{fields['Package']}_{fields['Version']}_{fields['Architecture']}.deb"


def _fields(text: str) -> dict[str, str]:
    """A control file's fields, with a field's further lines kept in its value."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1].isspace():
            fields[name] += f"\n{line}"
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def _control(fields: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
