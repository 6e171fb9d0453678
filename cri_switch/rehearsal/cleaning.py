"""Docker's data: they go from a node that is switched, and only where a person has typed `cleanup`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cri_switch.rehearsal.changes import changes
from cri_switch.rehearsal.outages import proven
from cri_switch.rehearsal.world import World


@dataclass
class Cleaning:
    """`tell` hears of data that are deleted otherwise; `asked` says that a person typed `cleanup`."""

    world: World
    tell: Callable[[str], None]
    asked: bool = False

    def program(self, name: str, argv: tuple[str, ...]) -> bool:
        """Whether a program on a node belongs to the cleanup, which also may write what it does into its own files."""
        deletes = argv[0] == "rm" and self.world.machines[name].docker.root in argv
        if deletes and not self.asked:
            self.tell(f"Docker's data are deleted from {name}, and no person has asked for that")
        if deletes and not proven(self.world, name):
            self.tell(f"Docker's data are deleted from {name}, which is not proven")
        return self.asked and (deletes or not changes(argv)) and proven(self.world, name)
