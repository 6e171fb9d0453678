"""`cri-switch` with one fault: `python -m tests.faults.runner NODE STEP after|inside -- migrate -f FILE --yes`;
`none --` is the command as it is.

The product has no hook for it: the flow's names are replaced in this process. `after` fails when the step is done and
checkpointed, `inside` right after its first change of the node or by the API (a step without a change has no inside:
it fails after its end, and says so).
"""

from __future__ import annotations

import sys
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


def after(node: str, step: str) -> None:
    """Fail once the step of the node has ended."""
    task = getattr(flow_module, step)

    def wrapped(attempt: Any, *args: Any, **kwargs: Any) -> Any:
        result = task(attempt, *args, **kwargs)
        if attempt.node.name == node:
            raise Fault(f"injected after {step}")
        return result

    setattr(flow_module, step, wrapped)


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
        node, step, when = sys.argv[1:cut]
        {"after": after, "inside": inside}[when](node, step)
    return run(sys.argv[cut + 1 :])


if __name__ == "__main__":
    sys.exit(main())
