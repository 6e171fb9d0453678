"""What the administrator calls the cluster."""

from __future__ import annotations

from pathlib import Path

import yaml

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import ClusterAccess


def cluster_name(access: ClusterAccess) -> str:
    """The cluster's name in the kubeconfig, of the context that is used: as `kubectl config view --minify` has it.

    Raises:
        SettingsError: there is no such context.
    """
    path = Path(access.kubeconfig).expanduser()
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = access.context or config["current-context"]
        return next(str(each["context"]["cluster"]) for each in config["contexts"] if each["name"] == context)
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration) as problem:
        raise SettingsError(
            f"{path}: the name of the cluster cannot be read: {type(problem).__name__} {problem}".rstrip(),
            state="nothing was touched",
            next_step=f"kubectl config view --minify --kubeconfig {path}",
        ) from problem
