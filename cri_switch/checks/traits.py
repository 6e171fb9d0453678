"""Findings of pods that have something in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cri_switch.checks.owner import Obj, Owners, controller_of, owner_of
from cri_switch.checks.pods import name_of
from cri_switch.model.finding import Finding


def by_owner(
    level: str,
    name: str,
    leaving: Sequence[Obj],
    known: Owners,
    trait: Callable[[Obj], list[str]],
    text: str,
    remedy: str = "",
) -> list[Finding]:
    """One finding for each owner with a pod that has the trait; `{}` in the text is what the pods have."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for pod in leaving:
        if traits := trait(pod):
            all_traits, pods = found.setdefault(owner_of(pod, known).name, (set(), set()))
            all_traits.update(traits)
            pods.add(name_of(pod))
    return [
        Finding(
            "error" if level == "error" else "warning",
            name,
            f"{owner} {text.format(', '.join(sorted(traits)))}",
            object=owner,
            detail=f"pods: {', '.join(sorted(pods))}; {', '.join(sorted(traits))}",
            remedy=remedy,
        )
        for owner, (traits, pods) in sorted(found.items())
    ]


def of_pod(level: str, name: str, pod: Obj, text: str, remedy: str) -> Finding:
    """The finding of one pod, with its node and its owner's kind."""
    controller = controller_of(pod)
    title = f"{pod['metadata'].get('namespace', 'default')}/Pod/{pod['metadata']['name']}"
    detail = f"on {pod['spec'].get('nodeName')}" + (f", owned by {controller['kind']}" if controller else "")
    return Finding(
        "error" if level == "error" else "warning", name, f"{title} {text}", object=title, detail=detail, remedy=remedy
    )
