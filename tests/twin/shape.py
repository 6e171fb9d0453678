"""What of a command and of its answer is the same on every node: names, ids, paths and numbers are taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from cri_switch.node.facts.packages import KNOWN

_WORDS = (
    (re.compile(r"cri-switch-[\w-]+\.service"), "JOB"),
    (re.compile(r"^(?!cri-switch)[a-z-]+\.(service|socket)$"), "UNIT"),
    (re.compile(r"^https?://.*"), "URL"),
    (re.compile(r"--(endpoints|cacert|cert|key)=\S+"), r"--\1=..."),
    (re.compile(r"^(if=)?/dev/(null|stdin)$"), r"\1DEV-\2"),
    (re.compile(r"^(--reference=|of=)?/\S*$"), r"\1PATH"),
    (re.compile(r"^etc/kubernetes\S*$"), "PATH"),
    (re.compile(r"^(sha256:)?[0-9a-f]{12,64}$"), "ID"),
    (re.compile(r"^s=[0-9a-f]+;\S+$"), "CURSOR"),
    (re.compile(r"^\d+\.\d+\.\d+\.\d+(/\d+)?$"), "ADDRESS"),
    (re.compile(r"^\d+(,\d+)*(\.\d+)?$"), "N"),
    (re.compile(r"^net(\.[\w-]+)+=\S+$"), "SYSCTL"),
    (re.compile(r"^(?!--)\S+/\S+:[\w.-]+$"), "IMAGE"),
    (re.compile(r"^(overlay|br_netfilter)$"), "MODULE"),
    (re.compile(r"^[\w.-]+=[\d.]+[~+-]\S+$"), "PACKAGE"),
)
_VARYING = (
    (re.compile(r"/var/lib/cri-switch/[^/ ]+"), "/var/lib/cri-switch/MIGRATION"),
    (re.compile(r"\.cri-switch-[0-9a-f]{12}"), ".cri-switch-TEMP"),
    (re.compile(r"cri-switch-\w+-(\d+)-([a-z-]+?)-[0-9a-f]{8}\.service"), r"cri-switch-\1-\2.service"),
    (re.compile(r"cri-switch-\d{8}T\d{6}Z"), "cri-switch-TIME"),
    (re.compile(r"/proc/\d+"), "/proc/PID"),
    (re.compile(r"/var/(log/pods|log/containers|lib/cni/[a-z-]+|lib/docker/containers)/\S+"), r"/var/\1/ENTRY"),
    (re.compile(r"^(sha256:)?[0-9a-f]{12,64}$"), "ID"),
    (re.compile(r"^s=[0-9a-f]+;\S+$"), "CURSOR"),
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+(/\d+)?"), "ADDRESS"),
    (re.compile(r"^\d+(,\d+)*$"), "N"),
    (re.compile(r"^(?!--)[^\s=]+/[^\s=]+:[\w.-]+$"), "IMAGE"),
    (re.compile(r"^([a-z.-]+)=\d[\w.]*[~+-]\S+$"), r"\1=VERSION"),
)
_TIME = re.compile(r'^time="[^"]*" ')
_PROGRAM_PATH = re.compile(r"/opt/cni/bin/|/usr/lib/cni/")
_PACKAGES = frozenset(KNOWN)
_PHRASES = (
    "No such file or directory", "Not a directory", "Is a directory", "command not found", "a password is required",
    "Unable to locate package", "no packages found matching", "No such container", "No such object", "No such image",
    "Cannot connect to the Docker daemon", "not found", "does not exist", "not loaded", "could not be found",
    "connection refused", "Failed to connect", "is masked", "no such file or directory", "Invalid argument",
    "Operation not permitted", "Permission denied", "No chain/target/match by that name", "Bad rule",
    "Cannot find device",
    "No such process", "not mounted", "invalid option", "unrecognized option",
    "already exists", "Near line", "panic: ", "Bad built-in chain name", "no mount point specified",
    "context deadline exceeded", "proceeding anyway", "cannot stat", "cannot open", "successfully committed proposal",
)  # fmt: skip
_FREE = {"labels", "annotations", "Labels", "digests", "tags", "runtimeHandlers", "imageSpec", "mounts"}
_EXACT = {"LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "ExecMainStatus", "Id"}


def shape(argv: Sequence[str]) -> str:
    """One line; several ids (or paths, or units, ...) in a row are one."""
    words = " ".join(argv).split()
    words = ["CNI-PLUGIN" if _PROGRAM_PATH.match(words[0]) else words[0], *(_word(word) for word in words[1:])]
    if words[0] in ("iptables", "ip6tables") and "-t" in words:
        verb = next(number for number, word in enumerate(words) if re.fullmatch("-[DFX]", word))
        words = [*words[: verb + 1], "RULE" if words[verb] == "-D" else "CHAIN"]
    return " ".join(key for key, _same in groupby(words))


def use(argv: Sequence[str]) -> str:
    """A command with its own paths, units and packages, and only what differs between two clusters taken out."""
    words = []
    for word in " ".join(argv).split():
        for pattern, name in _VARYING:
            word = pattern.sub(name, word)  # noqa: PLW2901
        words.append(word)
    return " ".join(key for key, _same in groupby(words))


def _word(word: str) -> str:
    for pattern, name in _WORDS:
        word = pattern.sub(name, word)
    return "PACKAGE" if word in _PACKAGES else word


def said(text: str) -> str:
    """What a complaint comes to: "", the phrase that the pipeline could read, or its last line's shape."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    if lines[-1].startswith('{"level":'):
        return "log"
    lines[-1] = _TIME.sub("", lines[-1])
    found = next((phrase for phrase in _PHRASES if phrase in text), None)
    return found or shape(lines[-1].split())


def answer(argv: Sequence[str], text: str) -> frozenset[str]:
    """The forms of an answer's parts: keys and types of JSON, `systemctl show`'s names and states, columns."""
    if not text.strip():
        return frozenset()
    if argv[0] in ("cat", "tar", "journalctl"):
        return frozenset({"text"})
    if argv[0].endswith("tables-save"):  # which rules are there just then is how the node stands, not a form
        return frozenset(line.split()[0] if line[0] in "*-C" else line[0] for line in text.splitlines() if line)
    if argv[:2] == ("systemctl", "show"):
        return frozenset(_property(line) for line in text.splitlines() if "=" in line)
    try:
        return frozenset(_keys("", json.loads(text)))
    except ValueError:
        pass
    try:
        return frozenset(key for line in text.splitlines() if line.strip() for key in _keys("", json.loads(line)))
    except ValueError:
        return frozenset(_columns(line) for line in text.splitlines() if line.strip())


def _property(line: str) -> str:
    name, _equals, value = line.partition("=")
    if value.startswith("cri-switch-"):
        return f"{name}=JOB"
    return line if name in _EXACT else f"{name}={_kind(value)}"


def _keys(path: str, value: Any) -> Iterable[str]:
    match value:
        case dict():
            yield f"{path}{{}}"
            for key, inner in value.items():
                if key in _FREE:
                    yield f"{path}.{key}"
                else:
                    yield from _keys(f"{path}.{key}", inner)
        case list():
            yield f"{path}[]"
            for inner in value:
                yield from _keys(f"{path}[]", inner)
        case None:
            yield f"{path}:null"
        case bool():
            yield f"{path}:bool"
        case int() | float():
            yield f"{path}:number"
        case _:
            yield f"{path}:text"


def _columns(line: str) -> str:
    """`N ID /path word`: the classes of the line's columns, equal ones in a row once; free text at its end is `...`."""
    kinds = [_kind(word) for word in line.split()]
    return " ".join(key for key, _same in groupby(kinds[:12]))


def _kind(word: str) -> str:
    if not word:
        return "-"
    if re.fullmatch(r"-?\d+(\.\d+)?[A-Za-z%]{0,3}", word):
        return "N"
    if re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", word):
        return "ID"
    return "PATH" if word.startswith("/") else "word"
