"""`cri-switch demo`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli.demo import DEFAULT_FAULT, Options
from cri_switch.cli.demo import demo as show
from cri_switch.cli.options import Debug, Output


def demo(
    *,
    nodes: Annotated[int, Parameter(help="Nodes of the simulated cluster, all counted.")] = Options.nodes,
    control_planes: Annotated[int, Parameter(help="How many of them are control plane.")] = Options.control_planes,
    speed: Annotated[float, Parameter(help="Simulated seconds that pass in a real one.")] = Options.speed,
    fault: Annotated[
        str, Parameter(help="What goes wrong on one node, or none; a wrong name lists them.")
    ] = DEFAULT_FAULT,
    ui: Annotated[bool, Parameter(negative=(), help="Start Prefect's server, and keep it up until Ctrl-C.")] = False,
    output: Output = "table",
    debug: Debug = False,  # noqa: ARG001 (`main` looks at it)
) -> None:
    """Migrate a simulated cluster by the real flow: nothing real is touched, nothing but this program is needed."""
    show(Options(nodes=nodes, control_planes=control_planes, speed=speed, fault=fault, ui=ui, output=output))
