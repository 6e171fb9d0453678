"""`cri-switch preflight`."""

from __future__ import annotations

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare
from cri_switch.cli.in_process import refuse_errors, run_flow
from cri_switch.cli.options import AS_SET, Choosing, Debug, File, Output
from cri_switch.model.finding import Findings
from cri_switch.model.settings_file import load_migration
from cri_switch.render.findings import findings_text


def preflight(*, file: File, choosing: Choosing = AS_SET, output: Output = "table", debug: Debug = False) -> None:
    """Look at the cluster and at every node that would be switched, and print all findings. Changes nothing.

    The exit code is 3 when errors are left.
    """
    migration = choosing.applied(load_migration(file))
    prepare()
    from flows.preflight_cluster import preflight_cluster  # noqa: PLC0415

    found = run_flow(preflight_cluster, migration, Findings, debug)
    talk.show(found, findings_text(found.findings), output)
    refuse_errors(found.findings)
