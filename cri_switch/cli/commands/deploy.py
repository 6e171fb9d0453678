"""`cri-switch deploy`."""

from __future__ import annotations

import sys

from cri_switch.cli.engine import prepare
from cri_switch.cli.options import Debug, File
from cri_switch.model.settings_file import load_migration


def deploy(*, file: File, debug: Debug = False) -> None:  # noqa: ARG001 (`main` looks at it)
    """Register the deployments plan-cluster, migrate-cluster and rollback-node/NAME with this file's settings."""
    migration = load_migration(file)
    prepare()
    from cri_switch.cli.deploy import deploy as register  # noqa: PLC0415

    for name in register(migration):
        sys.stdout.write(name + "\n")
