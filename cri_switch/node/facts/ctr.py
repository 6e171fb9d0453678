"""What containerd runs, and whether its CRI plugin is loaded, by ctr."""

from __future__ import annotations

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


def containerd_tasks(namespace: str) -> Fact[tuple[str, ...] | None]:
    """Ids of running tasks in a containerd namespace (moby is Docker's, k8s.io the CRI's).

    None where no containerd answers. Ask only where ctr is installed (`has_program`).

    Raises:
        RemoteCommandFailed: ctr refuses for any other reason.
    """

    def parse(result: Result) -> tuple[str, ...] | None:
        if result.rc == 0:
            return tuple(result.stdout.split())
        gone = ("no such file or directory", "connection refused", "context deadline exceeded")
        if any(text in result.stderr for text in gone):
            return None
        raise RemoteCommandFailed(
            f"ctr -n {namespace} tasks ls: {result.stderr.strip()}",
            rc=result.rc,
            stderr=result.stderr,
            next_step=f"on the node: sudo ctr -n {namespace} tasks ls",
        )

    return Fact(f"tasks of {namespace}", sudo("ctr", "-n", namespace, "tasks", "ls", "-q", ok=(0, 1)), parse)


def _cri_plugin(result: Result) -> str:
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) > 2 and words[1] in ("cri", "runtime") and "cri" in f"{words[0]}.{words[1]}":
            return words[-1]
    return result.stderr.strip() or "not loaded"


CRI_PLUGIN: Fact[str] = Fact("containerd's CRI plugin", sudo("ctr", "plugins", "ls", ok=(0, 1)), _cri_plugin)
"""`ok`, `error`, `skip`, or why it cannot be told (containerd 1.x: plugin cri; 2.x: io.containerd.cri.v1 runtime)."""
