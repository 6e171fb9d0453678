"""Set the kubelet's flags for the new runtime."""

from __future__ import annotations

from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Put, read
from cri_switch.node.facts.kubelet_flags import KUBELET_UNIT, docker_requirements, foreign_flags, kubelet_extra
from cri_switch.node.files import file_fact
from cri_switch.node.originals import keep_original
from cri_switch.render.kubelet_flags import switch_flags

_EDIT = "edit it by hand, systemctl daemon-reload, then run the same again"


def configure_kubelet(migration: Migration, *, migration_id: str, kubelet_version: str) -> Action:
    """The article's edit of kubeadm-flags.env, token by token; the original is kept first.

    systemd reads the file at the kubelet's next start, without a daemon-reload.

    Raises:
        NotProven: the flags file is missing, another place sets another runtime, or the unit requires Docker.
        RenderError: the flags file cannot be understood.
    """
    path, endpoint = migration.spec.kubelet.flags_file, migration.spec.target.endpoint
    file = yield from read(file_fact(path))
    if file.text is None:
        raise NotProven(
            f"the kubelet's flags file {path} does not exist",
            next_step="name the right one in spec.kubelet.flags_file (systemctl cat kubelet shows it)",
            finding="FlagsFileMissing",
        )
    unit = yield from read(KUBELET_UNIT)
    if needs := docker_requirements(unit):
        what = f"the kubelet's unit cannot run without Docker: {'; '.join(needs)}"
        raise NotProven(what, next_step=_EDIT, finding="KubeletNeedsDocker")
    others = foreign_flags(unit, (yield from read(kubelet_extra(unit, path))))
    wrong = [one.line for one in others if not one.agrees(endpoint)]
    if wrong:
        what = f"the kubelet gets flags of another runtime elsewhere: {'; '.join(wrong)}"
        raise NotProven(what, next_step=_EDIT, finding="KubeletFlagElsewhere")
    text = switch_flags(file.text, endpoint=endpoint, kubelet_version=kubelet_version, path=path)
    if text == file.text:
        return f"{path} had the flags already"
    yield from keep_original(migration_id, path)
    yield Put(path, text.encode("utf-8", "surrogateescape"), "set the kubelet's runtime", expect=file.sha256)
    return f"{path} names {endpoint}"
