"""A unified diff of a file before and after, with secrets masked."""

from __future__ import annotations

import difflib
import re

_MASK = "***"
_KEY = r"(?:password|passwd|secret|token|auth|identitytoken|registrytoken|apikey|api_key)[\"']?\s*[:=]\s*"
_SECRETS = (
    re.compile(r"(?P<keep>://[^/\s:@\"']*:)[^@\s\"']+(?=@)"),  # user:password@ in a URL
    re.compile(r"(?P<keep>://)[^/\s:@\"'*]+(?=@)"),  # a token in the user's place
    re.compile(rf"(?P<keep>{_KEY}(?P<quote>[\"']))(?:\\.|(?!(?P=quote))[^\\\n])+", re.I),
    re.compile(rf"(?P<keep>{_KEY})(?!\s*[{{\[\"'])[^\s\"',}}]+", re.I),
    re.compile(r"(?P<keep>Authorization[\"']?\s*[:=]\s*\[?\s*[\"']?(?:Basic|Bearer)\s+)[A-Za-z0-9+/._=-]+", re.I),
    # A command line: docker login -u me -p SECRET, --password SECRET, --password=SECRET.
    re.compile(r"(?P<keep>\blogin\b[^\n|;&]*?\s(?:-p|--password)[\s=]\s*[\"']?)(?!\*\*\*)[^\s\"']+", re.I),
    re.compile(r"(?P<keep>--(?:[a-z-]*password|[a-z-]*token|[a-z-]*secret)[\s=]\s*[\"']?)(?!\*\*\*|-)[^\s\"']+", re.I),
)


def masked(text: str) -> str:
    """The text with passwords in URLs, and values of keys that name a secret, as `***`."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found["keep"] + _MASK, text)
    return text


def masked_host(text: str) -> str:
    """A registry as somebody wrote it, `user:password@host`, with or without a scheme, without what is before the @."""
    scheme, mark, rest = text.rpartition("://")
    _user, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{_MASK}@{host}" if at else text


def unified(path: str, before: str | None, after: str) -> str:
    """`diff -u` of one file; a file that does not exist yet is compared with /dev/null."""
    lines = difflib.unified_diff(
        masked(before or "").splitlines(keepends=True),
        masked(after).splitlines(keepends=True),
        fromfile="/dev/null" if before is None else f"a{path}",
        tofile=f"b{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
