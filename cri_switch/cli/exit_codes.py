"""What the process ends with, and what it means."""

from __future__ import annotations

EXIT_CODES: dict[int, str] = {
    0: "every chosen node is on the new runtime; plan, preflight: all clear",
    1: "something else failed",
    2: "the command line is wrong",
    3: "wrong settings, or a check says no: also of a node that does not answer",
    4: "the API, or the node of rollback or facts, does not answer or let us in",
    5: "rollback: the node could not be drained; it serves on the new runtime",
    6: "something that must hold does not: a deadline, a backup, the plan",
    7: "a node did not reach the new runtime, as by a drain that was blocked",
    8: "somebody else holds the cluster's Lease",
    9: "the window closed before the last node",
    10: "a person did not approve",
    130: "interrupted",
}
"""What the process ends with; README and `--help` show it."""


def exit_code_lines() -> str:
    """`--help`'s last part."""
    return "\n".join(["Exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())])
