"""Where the migration stood, by `status` and by the nodes' Events: Prefect is not asked."""

from __future__ import annotations

import json

from tests.e2e.migration import Migrated
from tests.e2e.site import Site

_STORY = ["DrainStarted", "Drained", "RuntimeSwitched", "NodeSettled", "DockerRemovalStarted", "DockerRemoved"]


def test_after_the_kill_it_says_who_holds_the_lease_and_what_is_half_done(site: Site, migrated: Migrated) -> None:
    found = migrated.status_at_kill
    assert found["holder"] == migrated.api.holders()[0]
    nodes = {node["name"]: node for node in found["nodes"]}
    first = nodes.pop(migrated.first_worker)
    assert first["phase"] == ("migrating" if found["running"] else "half-done")
    assert (first["step"], first["event"], first["cordon"]) == ("drain", "started", "cri-switch")
    assert first["runtime"].startswith("docker://")
    assert {node["phase"] for node in nodes.values()} == {"waiting"}
    assert nodes[site.control_plane]["cordon"] == "an administrator"


def test_watched_every_node_was_seen_under_way_and_then_migrated(site: Site, migrated: Migrated) -> None:
    """`status -w` lives through the outage of the only API server and ends with the run."""
    first, *_, last = migrated.watched
    assert (first["running"], last["running"], last["holder"]) == (True, False, "")
    assert {node["phase"] for node in last["nodes"]} == {"migrated"}
    assert all(node["runtime"].startswith("containerd://") for node in last["nodes"])
    for name in site.nodes:
        phases = [node["phase"] for found in migrated.watched for node in found["nodes"] if node["name"] == name]
        changes = [phase for phase, before in zip(phases, ["", *phases], strict=False) if phase != before]
        assert changes[-3:] == ["migrating", "switched", "migrated"], f"{name}: {changes}"


def test_the_nodes_events_tell_the_story(site: Site, migrated: Migrated) -> None:
    listed = json.loads(site.kubectl("get", "events", "-n", "default", "-o", "json"))["items"]
    mine = [event for event in listed if event["source"].get("component") == "cri-switch"]
    for name in site.nodes:
        told = [event for event in mine if event["involvedObject"]["name"] == name]
        told.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        story = [event["reason"] for event in told]
        assert story == (["DrainStarted", *_STORY] if name == migrated.first_worker else _STORY), name
        described = site.kubectl("describe", "node", name).partition("\nEvents:")[2]
        assert all(f"  {reason}  " in described for reason in _STORY), described
