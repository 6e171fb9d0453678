"""sudo on a node: which programs its rule allows."""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import dataclass

SECURE_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
REFUSED = "sudo: a password is required"
_RULE = re.compile(r"^\S+ ALL=\(root\) NOPASSWD:( SETENV:)? (/\S+)$", re.M)


@dataclass(frozen=True)
class Rules:
    """Paths that may be run, those that also take variables, and folders all of whose programs may."""

    paths: frozenset[str]
    setenv: frozenset[str]
    folders: frozenset[str]

    def allow(self, program: str, *, variables: bool) -> bool:
        """Whether `sudo -n [VAR=value] program` goes through; the program is known to be there."""
        names = [program] if program.startswith("/") else [f"{folder}/{program}" for folder in SECURE_PATH]
        if variables:
            return any(name in self.setenv or posixpath.dirname(name) in self.folders for name in names)
        return any(name in self.paths or posixpath.dirname(name) in self.folders for name in names)


@functools.lru_cache(maxsize=16)
def rules(text: str) -> Rules:
    """A file of sudoers.d as deployments/sudoers is written."""
    found = _RULE.findall(text)
    plain = frozenset(path for _setenv, path in found if not path.endswith("/*"))
    setenv = frozenset(path for given, path in found if given and not path.endswith("/*"))
    folders = frozenset(path.removesuffix("/*") for given, path in found if given and path.endswith("/*"))
    return Rules(plain, setenv, folders)
