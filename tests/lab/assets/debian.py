"""Debian roots and package sources for the lab, from the mirror that this machine itself uses."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.assets.cache import scratch

_SUITES = {11: "bullseye", 12: "bookworm", 13: "trixie"}
_APT = Path("/etc/apt")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# What a chroot needs to run programs, in a mount namespace of its own: nothing stays mounted behind it.
_ENTER = """set -e
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec chroot "$0" "$@"
"""


def suite(debian: int) -> str:
    """The suite's name of a release number."""
    try:
        return _SUITES[debian]
    except KeyError:
        raise ValueError(f"unknown Debian release {debian}; known: {sorted(_SUITES)}") from None


@functools.cache
def mirror() -> str:
    """The Debian mirror of this machine's own apt sources: the one that serves `main` of a known suite."""
    for file in [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]:
        if file.is_file() and (found := debian_uri(file.read_text())):
            return found
    raise RuntimeError(f"no Debian mirror in {_APT}/sources.list or {_APT}/sources.list.d")


def debian_uri(text: str) -> str | None:
    """The first mirror in the text of a sources file, one-line or deb822, that has Debian itself."""
    names = "|".join(_SUITES.values())
    one_line = re.search(rf"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(?:{names})\s+(?:.*\s)?main\b", text, re.M)
    if one_line:
        return one_line.group(1)
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(\w[\w-]*):\s*(.*)$", stanza, re.M))
        suites, components = fields.get("Suites", "").split(), fields.get("Components", "").split()
        if "deb" in fields.get("Types", "").split() and "main" in components and set(suites) & set(_SUITES.values()):
            return str(fields["URIs"].split()[0])
    return None


def apt_options() -> list[str]:
    """This machine's own options of how to fetch (a proxy, validity of dates), for an apt of another root."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    wanted = re.findall(r'^(Acquire::(?:Check-[\w-]+|https?::Proxy)) "([^"]+)";$', dump, re.M)
    return [f'{name} "{value}"' for name, value in wanted]


# What mmdebstrap leaves of this machine in a root: how to fetch, what not to unpack, names and addresses.
_FORGET = """set -e
cd "$1"
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/hostname etc/resolv.conf
rm -rf var/lib/apt/lists/* etc/apt/sources.list etc/apt/sources.list.d/*
printf '127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost\\n' > etc/hosts
"""


def bootstrap(target: Path, debian: int, packages: str, *, variant: str = "minbase", hooks: Sequence[str] = ()) -> None:
    """Make a root directory of a release with mmdebstrap; hooks are its shell hooks, with the root as $1.

    Nothing of this machine stays in it, no package source either.
    """
    options = [f"--aptopt={option}" for option in apt_options()]
    customize = [f"--customize-hook={hook}" for hook in [*hooks, _FORGET]]
    run(
        [
            "mmdebstrap", "--quiet", "--mode=root", f"--variant={variant}", f"--include={','.join(packages.split())}",
            f"--keyring={_KEYRING}", '--aptopt=Apt::Install-Recommends "false"', *options,
            '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/doc/*',
            '--dpkgopt=path-exclude=/usr/share/locale/*', *customize,
            suite(debian), str(target), f"deb {mirror()} {suite(debian)} main",
        ]
    )  # fmt: skip


def in_root(root: Path, script: str) -> None:
    """Run a shell script in a root directory, with /proc and /dev, and without a network."""
    namespaces = ["--mount", "--propagation=private", "--net"]
    run(["unshare", *namespaces, "sh", "-c", _ENTER, str(root), "/bin/sh", "-ec", script])


def fetch(target: Path, debian: int, *arguments: str) -> None:
    """Run an `apt-get source` or `download` of a release, with apt files of our own: the machine's stay as they are."""
    with scratch("apt") as private:
        for folder in ("lists/partial", "cache/archives/partial", "parts"):
            (private / folder).mkdir(parents=True)
        line = f"{mirror()} {suite(debian)} main"
        (private / "sources.list").write_text(f"deb {line}\ndeb-src {line}\n")
        own = [
            f"Dir::Etc::sourcelist={private}/sources.list", f"Dir::Etc::sourceparts={private}/parts",
            f"Dir::State::lists={private}/lists", f"Dir::Cache={private}/cache", "APT::Sandbox::User=root",
            *(option.replace(' "', "=").rstrip('"') for option in apt_options()),
        ]  # fmt: skip
        options = [part for option in own for part in ("-o", option)]
        run(["apt-get", "-q", *options, "update"])
        run(["apt-get", "-q", *options, *arguments], cwd=target)


def run(command: Sequence[str], *, cwd: Path | None = None) -> str:
    """Run a program and answer its output; a failure carries the end of what it said."""
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:300]}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout
