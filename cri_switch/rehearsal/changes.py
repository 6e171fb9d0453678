"""Which programs change a node, and which only look."""

from __future__ import annotations

_READS = {
    "systemctl": ("show", "is-active", "is-enabled", "is-failed", "cat", "list-units", "list-unit-files", "status"),
    "docker": ("ps", "inspect", "images", "info", "version", "image", "volume"),
    "ctr": ("version", "images", "-n", "containers", "tasks"),
}
_CHANGES = ("apt-get", "apt-mark", "dd", "install", "cp", "mv", "rm", "rmdir", "ln", "chown", "chmod", "systemd-run")


def changes(argv: tuple[str, ...]) -> bool:
    """Whether a program changes something on the node (its journal apart, which is the pipeline's own)."""
    program, rest = argv[0], argv[1:]
    if any("/var/lib/cri-switch" in word for word in rest) and program in ("dd", "install", "rm"):
        return False
    if program == "systemctl":
        return bool(rest) and rest[0] not in _READS["systemctl"]
    if program == "docker":
        return bool(rest) and rest[0] in ("stop", "rm", "kill", "rmi", "load")
    if program == "ctr":
        return "import" in rest or "rm" in rest or "delete" in rest
    if program in ("iptables", "ip6tables"):
        return any(word in ("-A", "-D", "-F", "-X", "-P", "-I") for word in rest)
    return program in _CHANGES
