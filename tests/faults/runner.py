"""`cri-switch` with one fault: `python -m tests.faults.runner NODE STEP WHEN [LAB-COMMAND...] -- migrate -f FILE`;
`none --` is the command as it is.

The product has no hook for it: names are replaced in this process.
NODE may be several, with commas (not for `inside`). WHEN:

- `after`: the step fails when it is done and checkpointed;
- `inside`: right after its first change of the node or by the API (a step without a change has no inside: it fails
  after its end, and says so);
- `kill`: this process is killed when the step is done;
- `then`: nothing is injected here, only LAB-COMMAND (`python -m tests.lab ...`, one word each, `--` as `@@`) breaks
  something when the step is done. With `after` and `kill` it comes first too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cri_switch.cli.engine import prepare

prepare()

import flows.migrate_node as flow_module  # noqa: E402
from cri_switch.cli.main import run  # noqa: E402
from cri_switch.cluster.client import Cluster  # noqa: E402
from cri_switch.model.errors import NotProven  # noqa: E402
from cri_switch.node import action  # noqa: E402
from tasks.step import stands  # noqa: E402


class Fault(NotProven):
    """What is injected."""


def after(node: str, step: str, also: Sequence[str] = (), *, end: Callable[[str], None] | None = None) -> None:
    """Fail once the step of the node has ended; `end` does something else than to fail."""
    task = getattr(flow_module, step)

    def wrapped(attempt: Any, *args: Any, **kwargs: Any) -> Any:
        result = task(attempt, *args, **kwargs)
        if attempt.node.name in node.split(","):
            if also:
                subprocess.run([sys.executable, "-m", "tests.lab", *also], check=True)
            (end or _fail)(step)
        return result

    setattr(flow_module, step, wrapped)


def _fail(step: str) -> None:
    raise Fault(f"injected after {step}")


def _die(_step: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def inside(node: str, step: str) -> None:
    """Fail once, right after the step's first change: a command or a file on the node, a mutation by the API."""
    one: Any = action._one
    call: Any = Cluster._call
    fired: list[str] = []

    def fire(what: str) -> None:
        if stands().get(node) == f"{step} (not finished)" and not fired:
            fired.append(what)
            raise Fault(f"injected inside {step} after {what}"[:300])

    def on_node(connection: Any, part: Any, *rest: Any) -> Any:
        answer = one(connection, part, *rest)
        if connection.node == node and isinstance(part, action.Do | action.Put):
            fire(str(part))
        return answer

    def by_api(cluster: Any, method: str, path: str, *rest: Any, **named: Any) -> Any:
        answer = call(cluster, method, path, *rest, **named)
        if method != "GET" and "/leases/" not in path:
            fire(f"{method} {path}")
        return answer

    setattr(action, "_one", on_node)  # noqa: B010
    setattr(Cluster, "_call", by_api)  # noqa: B010
    after(node, step)


def main() -> int:
    """Run the rest of the command line with the fault."""
    cut = sys.argv.index("--")
    if sys.argv[1:cut] != ["none"]:
        node, step, when, *also = [word.replace("@@", "--") for word in sys.argv[1:cut]]
        if when == "inside":
            inside(node, step)
        else:
            after(node, step, also, end={"after": _fail, "kill": _die, "then": lambda _step: None}[when])
    return run(sys.argv[cut + 1 :])


if __name__ == "__main__":
    sys.exit(main())
