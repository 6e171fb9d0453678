"""Docker's data, by an administrator's word: what no migration step does."""

from __future__ import annotations

from cri_switch.model.errors import NotProven
from cri_switch.node.action import Action, Do, Until
from cri_switch.node.command import plain, sudo
from cri_switch.node.docker_data import docker_data
from cri_switch.node.fact import Fact

_SECONDS = 1800.0


def delete_docker_data(node: str) -> Action:
    """Delete Docker's data root, never across a mount.

    Raises: NotProven where it must stay, each reason a line; nothing was deleted.
    """
    data = yield from docker_data()
    if not data.exists:
        return f"{data.root} is not there"
    if data.refusals:
        raise NotProven(
            "\n".join(f"{node}: {line}" for line in data.refusals),
            state="Docker's data are as they were",
            next_step="copy away what is needed and delete that, then run cri-switch cleanup again",
        )
    words = ("rm", "-rf", "--one-file-system", "--", data.root)
    yield Do(sudo(*words, timeout=_SECONDS), f"delete {data.root}")
    gone: Fact[bool] = Fact(
        f"{data.root} is gone", plain("stat", "-c", "%n", "--", data.root, ok=(0, 1)), lambda result: result.rc == 1
    )
    yield Until(gone, lambda yes: yes, f"{data.root} is gone", 10)
    return f"deleted {data.root}"
