"""Tables are like kubectl's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cri_switch.cli.tables import report_table, table
from cri_switch.model.report import NodeReport, Report


def test_a_report_has_before_and_after_and_seconds_per_step() -> None:
    report = Report(
        migration="prod",
        migration_id="m",
        cluster_uid="u",
        target="containerd",
        nodes=[
            NodeReport(
                name="w1",
                role="worker",
                runtime_before="docker://20.10.5",
                runtime_after="containerd://1.4.13",
                outcome="migrated",
                kubelet_version="v1.20.2",
                out_of_service_seconds=31.25,
                cordoned_seconds=0,
                steps={"cordon": 0.5, "drain": 12.0},
            ),
            NodeReport(name="w2", role="worker", runtime_before="docker://20.10.5", outcome="failed", reason="a\nb"),
        ],
        moved=["w3 joined"],
        warnings=["slow"],
        backup="/b",
    )
    text = report_table(report)
    assert [line.split() for line in text.splitlines()[1:3]] == [
        ["w1", "worker", "v1.20.2", "docker://20.10.5", "containerd://1.4.13", "migrated", "31.2s", "0.0s", "<none>"],
        ["w2", "worker", "<none>", "docker://20.10.5", "<none>", "failed", "<none>", "<none>", "a", "b"],
    ]
    for line in ("STEP     w1", "drain    12.0s", "The cluster changed: w3 joined", "Warning: slow", "Backup: /b"):
        assert line in text.splitlines()


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=6))
def test_one_line_a_row_and_columns_stand_under_their_titles(rows: list[list[str]]) -> None:
    lines = table(["A", "B", "C"], rows).split("\n")
    assert len(lines) == len(rows) + 1
    second = lines[0].index("B")
    for line, row in zip(lines[1:], rows, strict=True):
        assert line[second:].startswith(" ".join(row[1].split()) or "<none>")
        assert line == line.rstrip()
