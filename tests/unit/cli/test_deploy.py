"""deployments/prefect.yaml, filled in."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cri_switch.cli.deploy import ROOT, SOURCE
from cri_switch.cli.deployment_file import deployment_names, filled
from cri_switch.cli.engine import SETTINGS
from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec


def migration(**spec: Any) -> Migration:
    access = ClusterAccess(kubeconfig="/k")
    return Migration(metadata=Metadata(name="prod"), spec=Spec(cluster=access, backup=Backup(directory="/b"), **spec))


def test_nothing_is_left_to_fill_in() -> None:
    source = yaml.safe_load((ROOT / SOURCE).read_text())
    wanted = filled(source, migration(), ROOT, "/results")
    assert "{{" not in yaml.safe_dump(wanted)
    assert deployment_names(wanted) == ["plan-cluster/prod", "migrate-cluster/prod", "rollback-node/prod"]
    for each in wanted["deployments"]:
        assert Migration.model_validate(each["parameters"]["migration"]) == migration()
        assert each["work_pool"]["job_variables"]["env"]["PREFECT_LOCAL_STORAGE_PATH"] == "/results"
        assert (ROOT / each["entrypoint"].partition(":")[0]).is_file()
    assert wanted["pull"][0]["prefect.deployments.steps.set_working_directory"]["directory"] == str(ROOT)


def test_a_setting_that_prefect_would_resolve_is_refused() -> None:
    with pytest.raises(SettingsError):
        filled({}, migration(verify_image="{{ prefect.blocks.secret.x }}"), ROOT, "/results")


def test_the_services_have_the_settings_of_the_command() -> None:
    text = (ROOT / "deployments/systemd/cri-switch.env").read_text()
    there = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    for name, value in SETTINGS.items():
        if "EPHEMERAL" not in name:
            assert there.get(name) == value, name
