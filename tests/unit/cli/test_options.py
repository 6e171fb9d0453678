"""Flags and the file are the one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cri_switch.cli.main import run
from cri_switch.cli.options import Choosing
from cri_switch.model.errors import UsageError
from cri_switch.model.migration import Migration


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


def test_without_flags_nothing_changes() -> None:
    given = migration(max_unavailable=2, ramp="1,2", window={"start": "22:00", "end": "02:00"})
    assert Choosing().applied(given) == given


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (Choosing(max_unavailable="0"), "--max-unavailable: "),
        (Choosing(max_unavailable="many"), "--max-unavailable: "),
        (Choosing(limit=["w1,"], max_unavailable=""), "--max-unavailable: "),
        (Choosing(ramp="1,5,20%"), "ramp needs max_unavailable too"),
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
