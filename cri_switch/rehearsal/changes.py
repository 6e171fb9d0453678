"""Which programs only look at a node; all others change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_OWN = "/var/lib/cri-switch"
_ON_FILES = ("chmod", "chown", "dd", "install", "mkdir", "mv", "rm")
_COPIES = ("cp",)
_LOOKS = (
    "apt-cache", "cat", "containerd", "curl", "date", "df", "dpkg-query", "grep", "ip6tables-save", "iptables-save",
    "journalctl", "ls", "pgrep", "ping", "readlink", "sha256sum", "sleep", "ss", "stat", "true",
)  # fmt: skip
_SYSTEMCTL = ("cat", "is-active", "is-enabled", "is-failed", "list-unit-files", "list-units", "show", "status")
_CRICTL = ("--version", "images", "info", "inspect", "inspecti", "inspectp", "pods", "ps", "version")
_CTR = ("--version", "version", "info", "ls")
_DOCKER = ("--version", "images", "info", "inspect", "ps", "version")
_ETCD = ({"endpoint", "health"}, {"endpoint", "status"}, {"member", "list"}, {"snapshot", "status"})


def changes(argv: tuple[str, ...]) -> bool:
    """Whether a program changes something on the node (the pipeline's own directory there apart)."""
    return writes(argv) and not _inside(argv[0], argv[1:])


def writes(argv: tuple[str, ...]) -> bool:
    """Whether a program changes anything on the node."""
    program, rest = argv[0], argv[1:]
    return program not in _LOOKS and not (program in _READS and _READS[program](rest))


def _etcdctl(rest: Sequence[str]) -> bool:
    return "exec" in rest and "etcdctl" in rest and any(words <= set(rest) for words in _ETCD)


def _crictl(rest: Sequence[str]) -> bool:
    verb = rest[2:3] if rest[:1] == ("--runtime-endpoint",) else rest[:1]
    return verb[0] in _CRICTL or _etcdctl(rest)


def _ctr(rest: Sequence[str]) -> bool:
    """`[-n NAMESPACE] [NOUN] VERB`."""
    words = rest[2:] if rest[:1] == ("-n",) else rest
    return any(word in _CTR for word in words[:2])


_READS: dict[str, Callable[[tuple[str, ...]], bool]] = {
    "apt-get": lambda rest: "-s" in rest,
    "apt-mark": lambda rest: rest[0].startswith("show"),
    "crictl": _crictl,
    "ctr": _ctr,
    "docker": lambda rest: rest[0] in _DOCKER or _etcdctl(rest),
    "find": lambda rest: "-delete" not in rest,
    "systemctl": lambda rest: rest[0] in _SYSTEMCTL,
    "tar": lambda rest: "-c" in rest and "-f" not in rest,
}


def _inside(program: str, rest: Sequence[str]) -> bool:
    """Whether all that is written lies in the pipeline's own directory; a copy writes its last operand."""
    paths = [word.removeprefix("of=") for word in rest if word.startswith(("/", "of="))]
    written = paths[-1:] if program in _COPIES else [path for path in paths if not path.startswith("/dev/")]
    known = program in (*_ON_FILES, *_COPIES)
    return known and bool(written) and all(f"{path}/".startswith(f"{_OWN}/") for path in written)
