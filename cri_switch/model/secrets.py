"""Secrets in texts that are shown: values of keys that name one, and what stands before the @ of an address."""

from __future__ import annotations

import re

from cri_switch.model.secret_tables import sections_masked, table_masked
from cri_switch.model.secret_values import MASK, KeyFound, value_masked

_WORD = (
    r"secret|token|(?<!by)(?<!com)pass(?!-?through|ive|ing)|credential|(?:api|private)[-_.]?key"
    r"|(?:auth|authorization|[-_.]key(?:-data)?)(?![\w.-])|auths(?=\\?[\"']?[ \t]*[:=]\s*\{)"
    r"|(?<![\w-])auths?\.(?!username\b)(?=[\w.-]+[ \t]*=)"
)
_NAME = rf"[\w.-]*(?:{_WORD})[\w.-]*"
_KEY = re.compile(
    rf"(?<![\w.-])(?P<key>{_NAME})(?P<close>\\?[\"'])?[ \t]*(?P<sep>=|:(?!//))[ \t]*"
    rf"|\bname[\"']?[ \t]*:[ \t]*[\"']?(?P<named>{_NAME})[\"']?,?\s+[\"']?value[\"']?(?P<is>:)[ \t]*",
    re.I,
)
_HARMLESS = re.compile(r"(?:file|path|dir|ttl|name|config|policy|webhook|stdin)$", re.I)
_BRACE = re.compile(r"\s*(?=\{)")
_URL = re.compile(r"://([^\s\"'<>]+)@")
_PORT = re.compile(r"[^:]*:\d{1,5}")
_OTHERS = (
    # user:password@host without a scheme; no image@sha256:..., no system:node:NAME@CLUSTER of a kubeconfig.
    (
        re.compile(r"(?<![\w/@:.%+-])((?!system:)[\w.%+-]+:)(?!//|\d{1,5}/)[^\s\"']+@(?!sha\d+:)(?=[\w\[])"),
        rf"\1{MASK}@",
    ),
    # A command line: docker login -u me -p SECRET, --password SECRET; curl -u me:SECRET.
    (re.compile(r"(\blogin\b[^\n|;&]*?\s-p[\s=]\s*[\"']?)[^\s\"']+", re.I), rf"\1{MASK}"),
    (re.compile(rf"(--[\w-]*(?:{_WORD})[ \t]+[\"']?)(?!-)[^\s\"']+", re.I), rf"\1{MASK}"),
    (re.compile(r"(\bcurl\b[^\n|;&]*?\s(?:-u|--user)[\s=]\s*[\"']?[^\s:\"']+:)[^\s\"']+"), rf"\1{MASK}"),
    (re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]+(?=-----END)"), rf"\1{MASK}"),
)


def masked(text: str) -> str:
    """A file's text (TOML, JSON, YAML, systemd's, a command line) with its secrets as `***`."""
    return _elsewhere(_values(sections_masked(text, _names_table), prose=False))


def masked_words(text: str) -> str:
    """A sentence that may quote a file: `name: value` is prose there, `name=value` and addresses are not."""
    return _elsewhere(_values(text, prose=True))


def masked_host(text: str) -> str:
    """A registry as somebody wrote it, `user:password@host`, with or without a scheme, without what is before the @."""
    scheme, mark, rest = text.rpartition("://")
    _user, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{MASK}@{host}" if at else text


def _values(text: str, *, prose: bool) -> str:
    parts, done = [], 0
    for match in _KEY.finditer(text):
        found = KeyFound(
            match["key"] or match["named"], match["close"] or "", match["sep"] or match["is"], match.start()
        )
        if match.start() < done or _HARMLESS.search(found.name) or (prose and found.separator == ":"):
            continue
        if _names_table(found.name) and (brace := _BRACE.match(text, match.end())):
            start = brace.end()
            end, shown = table_masked(text, start)
        else:
            start, end, shown = value_masked(text, found, match.end(), prose=prose)
        parts += [text[done:start], shown]
        done = end
    return "".join([*parts, text[done:]])


def _names_table(name: str) -> bool:
    """Whether all in a table of this name is secret; Kubernetes' `authorization` has modes in it."""
    secret = re.fullmatch(rf"{_NAME}|auths", name, re.I) is not None
    return secret and not _HARMLESS.search(name) and name.lower() != "authorization"


def _elsewhere(text: str) -> str:
    text = _URL.sub(lambda match: f"://{_without_user(match[1])}@", text)
    for pattern, shown in _OTHERS:
        text = pattern.sub(shown, text)
    return text


def _without_user(before: str) -> str:
    """What stands between `://` and the last @: user and password, or an address with an @ in its path."""
    head, slash, path = before.partition("/")
    user, at, host = head.rpartition("@")
    if slash and at:
        return f"{_user(user)}@{host}/{path}"
    return before if slash and (":" not in head or _PORT.fullmatch(head)) else _user(before)


def _user(text: str) -> str:
    name, colon, _password = text.partition(":")
    return f"{name}:{MASK}" if colon and "@" not in name else MASK
