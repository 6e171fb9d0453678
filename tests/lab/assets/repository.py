"""The signed package repository of a lab: the only package source that its machines have.

Two suites, and a machine has one of them in its sources: `stable` for Debian's docker.io, `engine` for the
self-contained docker-engine with a containerd as docker.com packages it.
Facts: node.md D (dpkg-scanpackages, a Release by hand, gpg).
"""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.assets.base import base
from tests.lab.assets.cache import digest, entry, scratch
from tests.lab.assets.debian import run
from tests.lab.assets.engine import containerd_of_docker, docker_engine
from tests.lab.assets.kubernetes import kubernetes
from tests.lab.assets.runc import wrapper_needed

KEYRING = "cri-switch-lab.gpg"
SUITES = {"docker.io": "stable", "docker-engine": "engine"}
_HERE = Path(__file__).parent
# Which parts of the pool a suite shows: the runtimes differ, the rest is common.
_PARTS = {"stable": ("common", "stable"), "engine": ("common", "engine")}
_OWN_OF_STABLE = ("docker.io_", "containerd_")


def apt_repository(debian: int) -> Path:
    """The repository's directory, to be served by http: dists/, pool/ and the keyring `cri-switch-lab.gpg`.

    A machine's line: `deb [signed-by=/usr/share/keyrings/cri-switch-lab.gpg] http://SERVER:PORT SUITE main`,
    with the suite of SUITES for its Docker.
    """
    inputs = {
        "base": base(debian).name,
        "own": digest(_HERE / "engine.py", _HERE / "repository.py", _HERE / "files"),
        "wrapper": kubernetes().name if wrapper_needed() else None,
    }
    return entry(f"repository{debian}", inputs, lambda target: _build(target, debian))


def _build(target: Path, debian: int) -> None:
    pool = {part: target / "pool" / part for part in ("common", "stable", "engine")}
    for folder in pool.values():
        folder.mkdir(parents=True)
    for part in ("files", "runtimes"):
        for deb in (base(debian) / part).glob("*.deb"):
            own = deb.name.startswith(_OWN_OF_STABLE)
            # Without the %3a of an epoch: a web server would take it for an escape.
            shutil.copyfile(deb, pool["stable" if own else "common"] / deb.name.replace("%3a", "-"))
    wrapper = kubernetes() / "runcwrapper" if wrapper_needed() else None
    with scratch("engine") as work:
        docker, containerd = (next(pool["stable"].glob(f"{name}*.deb")) for name in _OWN_OF_STABLE)
        docker_engine(debian, docker, wrapper, work, pool["engine"])
        containerd_of_docker(containerd, work, pool["engine"])
    for suite, parts in _PARTS.items():
        _index(target, suite, parts)
    _sign(target)


def _index(target: Path, suite: str, parts: Sequence[str]) -> None:
    """Write a suite's Packages and Release."""
    dist = target / "dists" / suite
    binary = dist / "main/binary-amd64"
    binary.mkdir(parents=True)
    packages = b"".join(_scan(target, f"pool/{part}") for part in parts)
    (binary / "Packages").write_bytes(packages)
    (binary / "Packages.gz").write_bytes(gzip.compress(packages, mtime=0))
    files = [binary / "Packages", binary / "Packages.gz"]
    (dist / "Release").write_text(release(suite, {str(f.relative_to(dist)): f.read_bytes() for f in files}))


def _scan(target: Path, folder: str) -> bytes:
    command = ["dpkg-scanpackages", "--multiversion", folder, "/dev/null"]
    return subprocess.run(command, cwd=target, check=True, capture_output=True).stdout


def release(suite: str, files: dict[str, bytes]) -> str:
    """The text of a Release file."""
    sums = [f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n" for name, data in files.items()]
    return (
        f"Origin: cri-switch lab\nLabel: cri-switch lab\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\n"
        f"Components: main\nDate: {email.utils.formatdate(usegmt=True)}\nSHA256:\n{''.join(sums)}"
    )


def _sign(target: Path) -> None:
    """Sign every suite with a new key, whose secret half is thrown away: the repository never changes again."""
    with tempfile.TemporaryDirectory(prefix="lab-gpg-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--yes"]
        try:
            key = ["--passphrase", "", "--quick-generate-key", "cri-switch lab", "rsa3072", "sign", "never"]
            run([*gpg, "--pinentry-mode", "loopback", *key])
            run([*gpg, "--output", str(target / KEYRING), "--export"])
            for suite in _PARTS:
                dist = target / "dists" / suite
                run([*gpg, "--clearsign", "--output", str(dist / "InRelease"), str(dist / "Release")])
        finally:
            run(["gpgconf", "--homedir", home, "--kill", "all"])
