"""`cri-switch facts NODE`."""

from __future__ import annotations

from cri_switch.cli import talk
from cri_switch.cli.node_facts import flat, node_facts
from cri_switch.cli.options import Debug, File, Output
from cri_switch.cli.tables import table
from cri_switch.cluster.client import Cluster
from cri_switch.cluster.inventory import inventory
from cri_switch.model.errors import UsageError
from cri_switch.model.migration_id import migration_id
from cri_switch.model.settings_file import load_migration
from cri_switch.node.ssh import SshConnection


def facts(node: str, /, *, file: File, output: Output = "table", debug: Debug = False) -> None:  # noqa: ARG001
    """What one node says of itself; read-only."""
    migration = load_migration(file)
    api = Cluster.open(migration.spec.cluster)
    ref = next((each for each in inventory(api) if each.name == node), None)
    if ref is None:
        raise UsageError(f"the cluster has no node {node}", next_step="kubectl get nodes")
    connection = SshConnection.open(ref, migration.spec.ssh)
    try:
        found = node_facts(connection, ref, migration, migration_id(migration, api.uid()))
    finally:
        connection.close()
    talk.show(found, table(("FACT", "VALUE"), flat(found)), output)
