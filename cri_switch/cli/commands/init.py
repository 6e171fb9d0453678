"""`cri-switch init`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli.init import STDOUT, Wish
from cri_switch.cli.init import init as begin
from cri_switch.cli.options import Debug
from cri_switch.model.errors import UsageError


def init(
    *,
    file: Annotated[
        str, Parameter(name=["--file", "-f"], allow_leading_hyphen=True, help="Where to write; - is stdout.")
    ] = "migration.yaml",
    kubeconfig: Annotated[str, Parameter(help="By default $KUBECONFIG or ~/.kube/config.")] = "",
    context: Annotated[str, Parameter(help="Its context; by default the current one.")] = "",
    name: Annotated[str, Parameter(help="Name of the migration; by default made of the context's.")] = "",
    user: Annotated[str, Parameter(help="User on the nodes; by default what ssh_config says.")] = "",
    ssh_config: Annotated[str, Parameter(help="ssh_config that names the nodes; by default ~/.ssh/config.")] = "",
    inventory: Annotated[str, Parameter(name=["--inventory", "-i"], help="Ansible or Kubespray inventory.")] = "",
    force: Annotated[bool, Parameter(negative=(), help="Write over a file that is there.")] = False,
    debug: Debug = False,  # noqa: ARG001 (`main` looks at it)
) -> None:
    """Write a commented settings file of what is found."""
    if file.startswith("-") and file != STDOUT:
        raise UsageError(f"-f takes a file, not {file}", next_step="cri-switch init --help")
    begin(Wish(file, kubeconfig, context, name, user, ssh_config, inventory, force))
