"""`cri-switch plan`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.cli.in_process import planned, show_plan
from cri_switch.cli.offline import offline_plan
from cri_switch.cli.options import AS_SET, Choosing, Debug, FileOrNone, Output
from cri_switch.cli.saved_plan import save_plan
from cri_switch.model.errors import PreflightError, UsageError
from cri_switch.model.settings_file import load_migration

_UNTOUCHED = "nothing was touched"
_HELP = "cri-switch plan --help"


def plan(
    *,
    file: FileOrNone = None,
    node_root: Annotated[Path | None, Parameter(help="Plan one node from a copy of its files, offline.")] = None,
    kubelet_version: Annotated[str | None, Parameter(help="With --node-root: the node's kubelet, v1.20.2.")] = None,
    target: Annotated[str, Parameter(help="With --node-root: the target runtime.")] = "containerd",
    target_version: Annotated[str | None, Parameter(help="With --node-root: its version, 1.4.13.")] = None,
    diff: Annotated[bool, Parameter(negative=(), help="Show what would change in every file.")] = False,
    out: Annotated[Path | None, Parameter(help="Save the plan, for migrate --plan FILE.")] = None,
    choosing: Choosing = AS_SET,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Print which nodes would be switched, in which order, and why the others would not. Changes nothing.

    With --node-root no cluster is asked: what would change in one node's files is printed.
    """
    if node_root is not None:
        if (
            file is not None
            or kubelet_version is None
            or target_version is None
            or choosing != AS_SET
            or out is not None
        ):
            raise UsageError(
                "--node-root goes with --kubelet-version and --target-version, without -f, --out and flags that choose",
                state=_UNTOUCHED,
                next_step=_HELP,
            )
        _offline(node_root, kubelet_version, target, target_version, diff, output)
        return
    if file is None:
        raise UsageError("plan needs --file FILE (-f), or --node-root DIR", state=_UNTOUCHED, next_step=_HELP)
    if kubelet_version is not None or target_version is not None:
        what = "--kubelet-version and --target-version go with --node-root only: -f asks the cluster's nodes"
        raise UsageError(what, state=_UNTOUCHED, next_step=_HELP)
    words = ["--plan", str(out)] if out is not None else ["-f", file, *choosing.words()]
    command = shlex.join(["cri-switch", "migrate", *words, "--yes"])
    mended = shlex.join(["cri-switch", "preflight", "-f", file, *choosing.words()])
    found = planned(choosing.applied(load_migration(file)), debug, command, mended, diff=diff)
    try:
        show_plan(found, output)
    except PreflightError:
        if out is not None:
            talk.say(f"Not saved in {out}: errors stand in the way")
        raise
    if out is not None:
        save_plan(found, out)
        talk.say(f"Saved in {out}")


def _offline(root: Path, kubelet: str, target: str, version: str, diff: bool, output: talk.Output) -> None:
    found = offline_plan(root, kubelet_version=kubelet, target=target, target_version=version)
    talk.show(found.data(), found.text(diff=diff), output)
    if found.errors:
        names = ", ".join(sorted({finding.name for finding in found.errors}))
        count = "1 finding stands" if len(found.errors) == 1 else f"{len(found.errors)} findings stand"
        raise PreflightError(f"{count} in the way: {names}", next_step="mend it on the node and plan again")
