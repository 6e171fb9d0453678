"""Enable and start containerd, and wait until its CRI is ready."""

from __future__ import annotations

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Until, read
from cri_switch.node.command import sudo
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.ctr import CRI_PLUGIN
from cri_switch.node.facts.programs import has_program
from cri_switch.node.facts.runtime_status import runtime_status
from cri_switch.node.facts.times import modified
from cri_switch.node.facts.units import units
from cri_switch.render.containerd_config import CONFIG_TOML

_NEXT = "on the node: journalctl -u containerd -n 50; sudo crictl info"


def start_runtime(migration: Migration) -> Action:
    """The article's enable, start and status, and its restart where the configuration is newer than the process.

    The process is as old as its socket, which containerd makes anew at each start. RuntimeReady is what counts:
    NetworkReady may still be false while no pod network is configured. Without crictl, ctr is asked for the plugin.
    """
    socket = migration.spec.target.endpoint.removeprefix("unix://")
    unit = (yield from read(units(UNIT)))[UNIT]
    done = []
    if not unit.enabled:
        yield Do(sudo("systemctl", "enable", UNIT), "enable containerd")
        done.append("enabled")
    if not unit.active:
        yield Do(sudo("systemctl", "start", UNIT, timeout=120), "start containerd")
        done.append("started")
    else:
        written = yield from read(modified(CONFIG_TOML, socket))
        if written.get(CONFIG_TOML, 0.0) >= written.get(socket, 0.0):
            yield Do(sudo("systemctl", "restart", UNIT, timeout=120), "restart containerd: its configuration is newer")
            done.append("restarted with the new configuration")
    status = runtime_status(migration.spec.target.endpoint)
    seconds = migration.spec.timeouts.runtime_ready
    if (yield from read(has_program("crictl"))):
        yield Until(status, lambda now: now.ready, "containerd's CRI ready", seconds, next_step=_NEXT)
        how = "RuntimeReady"
    else:
        yield Until(CRI_PLUGIN, lambda now: now == "ok", "containerd's CRI plugin ok", seconds, next_step=_NEXT)
        how = "no crictl on the node: its CRI plugin is ok by ctr"
    return f"containerd {' and '.join(done) or 'ran already'}, {how}"
