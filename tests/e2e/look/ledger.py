"""The StatefulSet's files: lines of a pod's UID and a time, one a second."""

from __future__ import annotations

from itertools import groupby

from tests.e2e.site import Site
from tests.lab.workloads import LEDGER, homes

_FILE = f"{LEDGER}/lines"


def lines(site: Site) -> dict[str, list[str]]:
    """Node with a volume -> the file's whole lines."""
    out = {}
    for node in [home.spec.name for home in homes(site.lab)]:
        text = site.read(node, _FILE)
        assert text is not None, f"{node} has no {_FILE}"
        out[node] = text.split("\n")[:-1]
    return out


def lost(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Files that do not begin with all that they held before."""
    return [node for node in before if after[node][: len(before[node])] != before[node]]


def interleaved(after: list[str]) -> list[str]:
    """UIDs that wrote again after another had begun: two pods wrote at once."""
    runs = [uid for uid, _ in groupby(line.split()[0] for line in after)]
    return sorted({uid for uid in runs if runs.count(uid) > 1})
