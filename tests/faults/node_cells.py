"""The node's part alone, without the engine: the switch up to a step, perhaps a fault, the undo, then a comparison.

`python -m tests.lab exec --name NAME -- python -m tests.faults.node_cells SETTINGS NODE [CELL...]`, one line of JSON a
cell. A cell is a step's name (fail after it), or `step/fault`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.inventory import inventory
from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.settings_file import load_migration
from cri_switch.node.action import Action, perform
from cri_switch.node.actions.carry_images import import_images, stage_images
from cri_switch.node.actions.configure_kubelet import configure_kubelet
from cri_switch.node.actions.configure_runtime import configure_runtime
from cri_switch.node.actions.install_runtime import install_runtime
from cri_switch.node.actions.note_before import note_before
from cri_switch.node.actions.restore import forget
from cri_switch.node.actions.retire_docker import retire_docker
from cri_switch.node.actions.start_kubelet import start_kubelet
from cri_switch.node.actions.start_runtime import start_runtime
from cri_switch.node.actions.stop_docker import stop_docker
from cri_switch.node.actions.stop_kubelet import stop_kubelet
from cri_switch.node.actions.undo import undo
from cri_switch.node.pool import ConnectionPool
from cri_switch.node.ssh import SshConnection
from tests.faults.standing import runs_once, standing

STEPS = (
    "nothing",
    "stage",
    "stop_kubelet",
    "stop_docker",
    "install_runtime",
    "configure_runtime",
    "start_runtime",
    "configure_kubelet",
    "start_kubelet",
    "retire_docker",
)


def actions(migration: Migration, attempt: Attempt) -> dict[str, list[Callable[[], Action]]]:
    """The node's actions by step."""
    mine, version = attempt.migration_id, attempt.node.kubelet_version
    return {
        "nothing": [],
        "stage": [lambda: stage_images(migration, attempt)],
        "stop_kubelet": [lambda: stop_kubelet(migration)],
        "stop_docker": [lambda: stop_docker(migration, migration_id=mine)],
        "install_runtime": [lambda: install_runtime(migration, attempt)],
        "configure_runtime": [lambda: configure_runtime(migration, migration_id=mine, kubelet_version=version)],
        "start_runtime": [lambda: start_runtime(migration), lambda: import_images(migration, attempt)],
        "configure_kubelet": [lambda: configure_kubelet(migration, migration_id=mine, kubelet_version=version)],
        "start_kubelet": [lambda: start_kubelet(migration)],
        "retire_docker": [lambda: retire_docker(migration)],
    }


def cell(migration: Migration, lab: str, node: str, name: str, number: int) -> dict[str, Any]:
    """One cell: what was found afterwards that was not so before, and the undo's seconds."""
    step, _, fault = name.partition("/")
    ref = next(each for each in inventory(Cluster.open(migration.spec.cluster)) if each.name == node)
    attempt = Attempt(cluster_uid="c", migration_id="faults", node=ref, number=number)
    connection = ConnectionPool(SshConnection.open).get(ref, migration.spec.ssh)
    before = standing(lab, node)
    perform(connection, note_before("faults", migration.spec.target.package, {}))
    for done in STEPS[: STEPS.index(step) + 1]:
        for action in actions(migration, attempt)[done]:
            perform(connection, action())
    if step in ("start_kubelet", "retire_docker"):
        time.sleep(8)  # its pods are made
    if fault:
        FAULTS[fault](lab, node)
    started = time.monotonic()
    said = perform(connection, undo(migration, attempt)).summary
    seconds = time.monotonic() - started
    again = perform(connection, undo(migration, attempt))
    after = standing(lab, node)
    perform(connection, forget("faults", number))
    wrong = {key: [value, after.get(key)] for key, value in before.items() if after.get(key) != value}
    twice = runs_once(lab, node)
    return {
        "node": node, "cell": name, "seconds": round(seconds, 1), "differs": wrong, "pods": twice,
        "second undo": again.lines, "said": said,
    }  # fmt: skip


def _broken_config(lab: str, node: str) -> None:
    from tests.faults.standing import root

    root(
        lab, node, "sh", "-c", "echo 'version = [' > /etc/containerd/config.toml; systemctl restart containerd; sleep 2"
    )


def _no_crictl(lab: str, node: str) -> None:
    from tests.faults.standing import root

    root(lab, node, "sh", "-c", "mv $(command -v crictl) /root/crictl.away")


FAULTS: dict[str, Callable[[str, str], None]] = {"broken-config": _broken_config, "no-crictl": _no_crictl}


def main() -> int:
    """All cells asked for."""
    settings, lab, node, *names = sys.argv[1:]
    migration = load_migration(settings)
    bad = 0
    for number, name in enumerate(names or STEPS, 1):
        found = cell(migration, lab, node, name, int(time.time()) % 100000 + number)
        print(json.dumps(found), flush=True)
        bad += bool(found["differs"] or found["second undo"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
