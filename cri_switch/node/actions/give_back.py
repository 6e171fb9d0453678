"""Give back the network attachments of sandboxes that are gone."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from cri_switch.node.action import Do, Part
from cri_switch.node.command import Command, sudo
from cri_switch.render.cni_cache import Attachment


def give_back(
    found: Sequence[Attachment], pids: Mapping[str, int], bin_dir: str
) -> Generator[Part, Any, tuple[list[str], list[str]]]:
    """CNI DEL of each attachment, then its cache file goes; answers (given back, failed: plugin and its answer).

    `pids` has the pause container's process for sandboxes that live: their network namespace makes the DEL exact. An
    attachment whose plugin fails keeps its file: the verification reports what it leaves, and the next run tries again.
    """
    given: list[str] = []
    failed: list[str] = []
    for one in found:
        pid = pids.get(one.container_id, 0)
        env = one.environment(netns=f"/proc/{pid}/ns/net" if pid else "", bin_dir=bin_dir)
        problems = []
        for call in () if one.loopback else one.calls:
            command = Command(
                (f"{bin_dir}/{call.plugin}",),
                stdin=call.stdin.encode(),
                env=env,
                timeout=60,
                ok=frozenset(range(256)),
            )
            result = yield Do(command, f"give back {one.network} of sandbox {one.container_id:.12}")
            if result.rc:
                answer = (result.stdout.strip() or result.stderr.strip())[:300]
                problems.append(f"{call.plugin} of {one.container_id:.12}: exit code {result.rc}: {answer}")
        if problems:
            failed += problems
            continue
        yield Do(sudo("rm", "-f", "--", one.path), f"forget {one.network} of sandbox {one.container_id:.12}")
        if not one.loopback:
            given.append(one.container_id)
    return given, failed
