"""Flags and the file are the one model."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from cri_switch.cli.drain_flags import DrainFlags
from cri_switch.cli.main import run
from cri_switch.cli.options import AS_SET, Choosing
from cri_switch.model.errors import UsageError
from cri_switch.model.migration import Drain, Migration


def migration(**spec: Any) -> Migration:
    base = {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "d"}}
    return Migration.model_validate({"metadata": {"name": "m"}, "spec": {**base, **spec}})


def test_flags_stand_before_the_file() -> None:
    found = (
        Choosing(
            limit=["w1,w2", "w3"],
            exclude=["w2"],
            selector="disk=ssd",
            role="worker",
            max_unavailable="20%",
            ramp="1,2",
            spread="topology.kubernetes.io/zone",
            ignore_preflight_errors=["barepod,LiveRestore"],
        )
        .applied(migration(nodes={"limit": ["x"], "exclude": ["cp1"]}, ignore_preflight_errors=["EtcdQuorum"]))
        .spec
    )
    assert found.nodes.model_dump() == {
        "limit": ["w1", "w2", "w3"],
        "exclude": ["cp1", "w2"],
        "selector": "disk=ssd",
        "role": "worker",
    }
    assert (found.max_unavailable, found.ramp, found.spread) == ("20%", "1,2", "topology.kubernetes.io/zone")
    assert found.ignore_preflight_errors == ["EtcdQuorum", "barepod", "LiveRestore"]


def test_the_drains_flags_are_its_settings() -> None:
    assert [each.name for each in fields(DrainFlags)] == list(Drain.model_fields)
    flags = Choosing(
        drain=DrainFlags(force=True, delete_emptydir_data=False, grace_period=0, timeout=30, pod_selector="app!=agent")
    )
    given = migration(drain={"delete_emptydir_data": True, "disable_eviction": True, "timeout": 60})
    assert flags.applied(given).spec.drain == Drain(
        force=True, disable_eviction=True, grace_period=0, timeout=30, pod_selector="app!=agent"
    )
    assert flags.words() == [
        "--force", "--delete-emptydir-data=false", "--grace-period=0", "--timeout=30", "--pod-selector=app!=agent",
    ]  # fmt: skip


def test_a_ramp_is_bounded_by_the_file_too() -> None:
    found = Choosing(ramp="1,5,20%").applied(migration(max_unavailable="20%")).spec
    assert (found.ramp, found.max_unavailable) == ("1,5,20%", "20%")


@pytest.mark.parametrize(
    ("words", "drain"),
    [
        (["--force", "--grace-period", "0", "--timeout=5"], {"force": True, "grace_period": 0, "timeout": 5.0}),
        (["--grace-period=-1", "--delete-emptydir-data=false"], {"grace_period": -1, "delete_emptydir_data": False}),
        (["--disable-eviction", "--skip-wait-for-delete-timeout", "9"],
         {"disable_eviction": True, "skip_wait_for_delete_timeout": 9}),
        (["--pod-selector", "app=web"], {"pod_selector": "app=web"}),
    ],
)  # fmt: skip
def test_they_are_typed_as_for_kubectl(words: list[str], drain: dict[str, Any]) -> None:
    heard: list[Choosing] = []

    def command(*, choosing: Choosing = AS_SET) -> None:
        heard.append(choosing)

    App(default_command=command)(words, exit_on_error=False, result_action="return_value")
    assert heard[0].drain.given() == drain
    heard.clear()
    App(default_command=command)(
        Choosing(drain=DrainFlags(**drain)).words(), exit_on_error=False, result_action="return_value"
    )
    assert heard[0].drain.given() == drain, "what is said next can be typed"


def test_without_flags_nothing_changes() -> None:
    given = migration(max_unavailable=2, ramp="1,2", window={"start": "22:00", "end": "02:00"})
    assert Choosing().applied(given) == given


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (Choosing(max_unavailable="0"), "--max-unavailable: "),
        (Choosing(max_unavailable="many"), "--max-unavailable: "),
        (Choosing(limit=["w1,"], max_unavailable=""), "--max-unavailable: "),
        (Choosing(ramp="1,5,20%"), "--ramp needs --max-unavailable too: no batch is larger"),
        (Choosing(drain=DrainFlags(grace_period=-2)), "--grace-period: "),
        (Choosing(drain=DrainFlags(timeout=-1)), "--timeout: "),
        (Choosing(ramp="x", max_unavailable="2"), "--ramp: "),
        (Choosing(spread="a zone"), "--spread: "),
        (Choosing(ignore_preflight_errors=["BarePods,Bogus!"]), "no finding is called BarePods; near it: BarePod"),
    ],
)
def test_what_is_refused(flags: Choosing, said: str) -> None:
    with pytest.raises(UsageError) as found:
        flags.applied(migration())
    assert said in found.value.what


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        "apiVersion: cri-switch/v1alpha1\nkind: Migration\nmetadata: {name: m}\n"
        "spec: {cluster: {kubeconfig: nosuch}, backup: {directory: b}}\n"
    )
    assert run(["preflight", "-f", str(file), "--limit", "w1", "--ignore-preflight-errors", "Bar"]) == 2
    assert "near it: BarePod" in capsys.readouterr().err
    assert run(["migrate", "-f", str(file), "--role", "master"]) == 2
    assert "--role" in capsys.readouterr().err
