"""The pipeline's flows on simulated nodes, in virtual time, every command taken down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flows.plan_cluster
import flows.preflight_cluster
import flows.rollback_node
from cri_switch.model.errors import CriSwitchError, NotProven
from cri_switch.model.migration import Migration
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.connection import MemoryConnection
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless
from tests.twin.tape import Tape


class Rehearsed(Engineless):
    """One world of its own; what a flow raises is kept in `problems`."""

    def __init__(self, spec: ClusterSpec, directory: Path, tape: Tape, **settings: Any) -> None:
        clock = VirtualClock()
        world = build(spec, clock)
        clock.passed = world.tick
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(world, directory)
        self.tape, self.settings, self.problems = tape, settings, list[str]()

    def play(
        self,
        name: str,
        *,
        fault: tuple[str, str] | None = None,
        error: type[CriSwitchError] = NotProven,
        upset: Callable[[], None] = lambda: None,
    ) -> World:
        """One run: `preflight`, `plan`, `migrate`, `rollback NODE`."""
        self.tape.run, self.tape.fault, self.tape.error, self.tape.upset = name, fault, error, upset
        self.tape.stages.clear()
        migration = self.migration(**self.settings)
        verb, *words = name.partition("#")[0].split()
        with self.tape.listening(MemoryConnection):
            try:
                if verb == "migrate":
                    self.run(migration)
                else:
                    self._flow(verb, words, migration)
            except CriSwitchError as problem:
                self.problems.append(f"{name}: {type(problem).__name__}: {problem}")
        for _ in range(60):
            self.world.clock.sleep(1.0)
        return self.world

    def _flow(self, verb: str, words: Sequence[str], migration: Migration) -> None:
        logging.getLogger("rehearsal").setLevel(logging.CRITICAL)
        with self._without_engine():
            flows_of: dict[str, Callable[[], Any]] = {
                "preflight": lambda: flows.preflight_cluster.preflight_cluster(migration),
                "plan": lambda: flows.plan_cluster.plan_cluster(migration, diff=True),
                "rollback": lambda: flows.rollback_node.rollback_node(migration, words[0]),
            }
            flows_of[verb]()
