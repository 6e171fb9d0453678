"""deployments/prefect.yaml, filled in with a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Migration


def filled(source: Any, migration: Migration, root: Path, storage: str) -> Any:
    """deployments/prefect.yaml with the values of its {{ }}.

    Raises:
        SettingsError: a setting has {{ in it, which Prefect would resolve (to a secret, possibly).
    """
    settings = migration.model_dump(mode="json")
    if "{{" in migration.model_dump_json():
        raise SettingsError(
            "a setting contains {{, which Prefect takes for a template",
            state="nothing was registered",
            next_step="write it in another way and run the same command again",
        )
    values = {
        "{{ name }}": migration.metadata.name,
        "{{ migration }}": settings,
        "{{ root }}": str(root),
        "{{ storage }}": storage,
    }

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        return values.get(value, value) if isinstance(value, str) else value

    return fill(source)


def deployment_names(wanted: Any) -> list[str]:
    """`migrate-cluster/NAME`: the flow has its function's name with dashes."""
    return [
        f"{each['entrypoint'].rpartition(':')[2].replace('_', '-')}/{each['name']}" for each in wanted["deployments"]
    ]
