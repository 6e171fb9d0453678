"""Which programs a node has."""

from __future__ import annotations

import posixpath

from cri_switch.node.command import plain
from cri_switch.node.fact import Fact

FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin")
"""The PATH that sshd gives a user, and part of sudo's."""


def places(*names: str) -> tuple[str, ...]:
    """Where programs of these names may lie."""
    return tuple(posixpath.join(folder, name) for name in names for folder in FOLDERS)


def has_program(name: str) -> Fact[bool]:
    """Whether the login user's PATH has a program.

    Asked without sudo: of a program that is not there, sudo says that a password is required, as of one that its rule
    does not allow.
    """
    return Fact(f"{name} is installed", plain(name, "--version", ok=range(256)), lambda result: result.rc != 127)
