"""The run itself: killed in the middle, started again, finished; and nothing was done twice."""

from __future__ import annotations

import re

from cri_switch.cluster.lease_holder import DURATION
from cri_switch.model.errors import LockHeld
from tests.e2e.look import checkpoints
from tests.e2e.migration import Migrated
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site
from tests.support.invariants import judge

_STEPS = [
    "cordon", "drain", "stop_kubelet", "stop_docker", "install_runtime", "configure_runtime", "start_runtime",
    "configure_kubelet", "start_kubelet", "verify_node", "uncordon", "settle",
]  # fmt: skip
_ALL = {"stage", *_STEPS, "remove_docker"}


def test_the_killed_run_was_in_its_first_drain(migrated: Migrated) -> None:
    """Else what follows proves nothing."""
    entries = migrated.journal_at_kill[migrated.first_worker]
    last = [entry for entry in entries if entry["event"] != "opened"][-1]
    assert (last["step"], last["event"]) == ("drain", "started"), entries
    assert (1, "stage") in checkpoints.completions(entries)
    assert (1, "cordon") in checkpoints.completions(entries)


def test_watch_tells_the_killed_run_from_the_finished_one(migrated: Migrated) -> None:
    assert migrated.killed_exit_code == 1
    assert migrated.exit_code == 0


def test_no_completed_step_was_executed_twice(site: Site, migrated: Migrated) -> None:
    for name in site.nodes:
        entries = checkpoints.journal(site, name)
        done = checkpoints.completions(entries)
        assert {step for _, step in done if step != "open_attempt"} == _ALL, name
        assert {attempt for attempt, _ in done} == {1}, f"{name}: {done}"
        twice = {key: count for key, count in done.items() if count != 1 and key[1] != "open_attempt"}
        assert not twice, f"{name}: {twice}"
        begun = {step: count for (_, step), count in checkpoints.starts(entries).items() if count != 1}
        killed = {"drain": 2} if name == migrated.first_worker else {}
        assert begun == killed, f"{name}: {begun}"


def test_the_journal_of_the_killed_run_is_kept_and_continued(site: Site, migrated: Migrated) -> None:
    for name, then in migrated.journal_at_kill.items():
        assert checkpoints.journal(site, name)[: len(then)] == then


def test_the_results_of_completed_steps_were_used_not_written_again(pipeline: Pipeline, migrated: Migrated) -> None:
    now = checkpoints.results(pipeline.server.storage)
    kept = {name: state for name, state in migrated.results_at_kill.items() if re.search(r"\.1-\d+\.", name)}
    assert len([name for name in kept if name.endswith(".stage")]) == 3, sorted(migrated.results_at_kill)
    assert [name for name in kept if name.endswith(".cordon")], sorted(kept)
    assert not [name for name in kept if name.endswith(".drain")], sorted(kept)
    rewritten = {name for name, state in kept.items() if now.get(name) != state}
    assert not rewritten


def test_the_steps_ran_in_the_articles_order(site: Site, migrated: Migrated) -> None:
    for name in site.nodes:
        done = [e["step"] for e in checkpoints.journal(site, name) if e["event"] in ("done", "noop")]
        assert [step for step in done if step in _STEPS] == _STEPS, name


def test_workers_went_first_then_the_control_plane_and_docker_went_last(site: Site, migrated: Migrated) -> None:
    def when(name: str, step: str, event: str) -> float:
        times = [e["time"] for e in checkpoints.journal(site, name) if e["step"] == step and e["event"] == event]
        return float(times[-1])

    settled = [when(name, "settle", "done") for name in site.workers]
    assert settled == sorted(settled)
    assert when(site.workers[1], "stop_kubelet", "started") > settled[0]
    assert when(site.control_plane, "stop_kubelet", "started") > settled[-1]
    end = when(site.control_plane, "settle", "done")
    assert all(when(name, "remove_docker", "started") > end for name in site.nodes)


def test_the_cluster_was_never_squeezed(site: Site, migrated: Migrated) -> None:
    """By the API's own record of both runs: DESIGN.md rule 4."""
    verdict = judge(migrated.api.lines())
    assert verdict.broken == []
    assert verdict.switched == [*site.workers, site.control_plane]
    assert [turn.node for turn in verdict.turns] == verdict.switched, "out once each, also the killed one"
    assert all(turn.ended for turn in verdict.turns), verdict.turns
    assert verdict.most_out == 1
    assert verdict.waited >= set(verdict.switched[1:]), "what is drained is kept off those that wait"
    assert len([title for title in verdict.taken if title.startswith("lab/web-")]) >= 2, verdict.taken


def test_the_second_run_took_the_lease_of_the_killed_one(migrated: Migrated) -> None:
    """By the Lease's own changes: one holder after the other, renewed through the API's outage, free at the end."""
    killed, second, last = migrated.api.holders()
    assert killed.split("/")[0] == second.split("/")[0], "another migration"
    assert killed.split("/")[1] != second.split("/")[1], "one run"
    assert last == ""
    assert migrated.api.longest_unrenewed() < DURATION


def test_whoever_came_meanwhile_was_refused_with_the_holder(migrated: Migrated) -> None:
    killed, second, _ = migrated.api.holders()
    for who, holder in (("another migration", killed), ("the command line beside the deployment", second)):
        done = migrated.refused[who]
        assert done.returncode == LockHeld.exit_code, done.stderr
        assert f"is held by {holder} since 20" in done.stderr.replace("\n", " "), done.stderr
        assert "state: nothing was touched" in done.stderr


def test_every_node_has_a_subflow_with_a_task_for_each_step(site: Site, pipeline: Pipeline, migrated: Migrated) -> None:
    subflows = {run["name"]: run for run in pipeline.server.subflows(migrated.run_id)}
    assert set(subflows) == set(site.nodes)
    for name, run in subflows.items():
        assert run["state_name"] == "Completed", name
        tasks = {task["name"].removesuffix(f" {name}"): task["state_name"] for task in _tasks(pipeline, run["id"])}
        for step in _STEPS:
            cached = name == migrated.first_worker and step == "cordon"
            assert tasks.get(step.replace("_", "-")) == ("Cached" if cached else "Completed"), f"{name} {step}: {tasks}"


def test_the_report_says_before_and_after(site: Site, pipeline: Pipeline, migrated: Migrated) -> None:
    rows = [line.split(" | ") for line in pipeline.report().splitlines() if line.startswith("| ")][1:]
    assert {row[0].strip("| ") for row in rows} == set(site.nodes)
    for row in rows:
        assert row[3].startswith("docker://20.10.5"), row
        assert row[4].startswith("containerd://1.4.13"), row
        assert row[5] == "migrated", row
        assert float(row[6]) > 0, row


def _tasks(pipeline: Pipeline, run_id: str) -> list[dict[str, str]]:
    return pipeline.server.task_runs(run_id)
