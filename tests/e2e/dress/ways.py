"""Nodes that are reached in wrong ways, credentials that lack rights, and settings that fit nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.dress.ghosts import Ghost, haunted
from tests.e2e.dress.hanger import Hanger
from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.e2e.wait import until

_ACCOUNT = "system:serviceaccount:cri-switch:cri-switch"
_RULE = "/etc/sudoers.d/cri-switch"
_PLANE = {"node-role.kubernetes.io/control-plane": ""}


@contextmanager
def at_odds(site: Site, directory: Path) -> Iterator[Path]:
    """The settings file. w1 has no rule for sudo, another machine answers for w2, and five nodes have no machine of
    their own: two are read off w2's (`old`, `odd`), the others are not reached in three ways.
    """
    w1, w2 = site.workers
    there = site.address(w2)
    ghosts = (
        Ghost("old", there, kubelet="v1.24.3"),
        Ghost("odd", there, _PLANE, kubelet="next"),
        *(Ghost(name, there) for name in ("moved", "stranger", "lost")),
    )
    with ExitStack() as stack:
        small = directory / "small"
        small.mkdir(parents=True)
        stack.callback(subprocess.run, ["umount", str(small)], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "dressed", str(small)], check=True)
        stack.enter_context(_fewer_rights(site))
        stack.enter_context(haunted(site, *ghosts))
        Hanger(site, w1, stack).hide(_RULE)
        yield write(directory / "migration.yaml", _settings(site, directory))


def _settings(site: Site, directory: Path) -> dict[str, object]:
    key, lab = site.directory / "id_ed25519", (site.directory / "known_hosts").read_text().splitlines()
    (directory / "known_hosts").write_text("\n".join([*lab, f"moved {lab[0].partition(' ')[2]}"]) + "\n")
    (directory / "hosts.yaml").write_text("all: {hosts: {cp1: {}, w1: {}, w2: {}, gone: {}}}\n")
    (directory / "ssh_config").write_text(
        f"Host w2\n  HostName {site.address(site.control_plane)}\n"
        "Host stranger\n  User nobody\n"
        "Host moved\n  HostKeyAlias moved\n"
        "Host lost\n  CanonicalizeHostname yes\n  CanonicalizeFallbackLocal no\n"
        f"Host *\n  User ops\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
    )
    document = settings(site)
    spec = document["spec"]
    spec["ssh"] = {
        "config_file": str(directory / "ssh_config"),
        "known_hosts": str(directory / "known_hosts"),
        "inventory": str(directory / "hosts.yaml"),
    }
    spec["backup"] = {"directory": str(directory / "small")}
    spec["nodes"] = {"exclude": ["w99"]}
    spec["hold_daemonsets"] = ["nobody/none"]
    spec["ignore_preflight_errors"] = ["Nope"]
    spec["spread"] = "topology.kubernetes.io/zone"
    spec["kubelet"] = {"flags_file": "/etc/kubernetes/nowhere.env"}
    spec["target"]["package"] = "nowhere"
    return document


@contextmanager
def _fewer_rights(site: Site) -> Iterator[None]:
    """The pipeline's account may not list CronJobs."""
    role = json.loads(site.kubectl("get", "clusterrole", "cri-switch", "-o", "json"))
    fewer = [rule for rule in role["rules"] if "cronjobs" not in rule.get("resources", [])]
    assert len(fewer) < len(role["rules"])

    def rules(given: object) -> None:
        patch = [{"op": "replace", "path": "/rules", "value": given}]
        site.kubectl("patch", "clusterrole", "cri-switch", "--type=json", "-p", json.dumps(patch))

    def may() -> bool:
        return site.kubectl("auth", "can-i", "list", "cronjobs.batch", f"--as={_ACCOUNT}", check=False).strip() == "yes"

    try:
        rules(fewer)
        until("the right to be gone", lambda: not may(), 60)
        yield
    finally:
        rules(role["rules"])
        until("the right to be back", may, 60)
