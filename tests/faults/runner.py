"""`cri-switch` with one fault: `python -m tests.faults.runner NODE STEP after|inside -- migrate -f FILE --yes`;
`none --` is the command as it is.

The product has no hook for it: the flow's names are replaced in this process. `after` fails when the step is done and
checkpointed, `inside` right after its first change (a step without a change in the node fails after its last).
"""

from __future__ import annotations

import sys
from typing import Any

from cri_switch.cli.engine import prepare

prepare()

import flows.migrate_node as flow_module  # noqa: E402
from cri_switch.cli.main import run  # noqa: E402
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
    """Fail once, right after the step's first change on the node."""
    one: Any = action._one
    fired: list[action.Part] = []

    def wrapped(connection: Any, part: Any, *rest: Any) -> Any:
        answer = one(connection, part, *rest)
        here = connection.node == node and stands().get(node) == f"{step} (not finished)"
        if here and isinstance(part, action.Do | action.Put) and not fired:
            fired.append(part)
            raise Fault(f"injected inside {step} after {part}"[:300])
        return answer

    setattr(action, "_one", wrapped)  # noqa: B010
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
