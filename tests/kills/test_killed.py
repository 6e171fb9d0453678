"""SIGKILL in four steps, in five ways, resumed in three, on the real cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.kills.cells import CANCELS, CHAINS, Cancel
from tests.kills.chain import Chain
from tests.kills.record import judge, note
from tests.support.invariants import Promise
from tests.support.kept import kept

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CHAINS)
def test_the_next_run_goes_on(chain: Chain, site: Site, output: Path, name: str) -> None:
    chain.ground.slow_packages()
    before = {node: len(chain.ground.package_runs(node)) for node in chain.ground.nodes}
    with kept(site.directory / "admin.conf", output / "kills" / f"{name}-api.jsonl", Promise()):
        chain.go(CHAINS[name])
    judge(chain, output, "lab")
    for node in chain.ground.nodes:
        runs = chain.ground.package_runs(node)[before[node] :]
        installs, removals = [[run for run in runs if run.startswith(verb)] for verb in ("Install", "Remove")]
        assert len(removals) == 1, f"{node}: {runs}"
        assert len(installs) == (1 if node == "w2" else 0), f"{node}: {runs}"


def test_a_cancelled_run_ends_and_the_next_goes_on(chain: Chain, site: Site, output: Path) -> None:
    chain.ground.slow_packages()
    rows = []
    with kept(site.directory / "admin.conf", output / "kills" / "cancelled-api.jsonl", Promise()):
        for wanted in CANCELS:
            chain.start(wanted.started)
            chain.reach(wanted.cell)
            rows.append(_cancelled(chain, wanted))
        chain.start("run")
        chain.finish()
    wrong = [*chain.twice(), *chain.ground.left()]
    judged = "nothing done twice, nothing left" if not wrong else "not as expected"
    note(output, [row | {"cluster": "lab", "migration": judged} for row in rows])
    assert not wrong, "\n".join(wrong)


def _cancelled(chain: Chain, wanted: Cancel) -> dict[str, object]:
    row = chain.cancel(wanted)
    assert row["end"] == "Cancelled, says where each node stands", row
    return row
