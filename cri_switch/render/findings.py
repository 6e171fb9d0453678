"""Findings as kubeadm prints them, like ones together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cri_switch.model.finding import Finding

_MANY = 5
IGNORE = (
    "[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`"
)


def findings_text(findings: Sequence[Finding]) -> str:
    """Warnings, then errors (what matters most comes last), each with its `fix:`; then how an error is ignored."""
    errors = [each for each in findings if each.level == "error"]
    lines = finding_lines(findings)
    warnings = f"{len(findings)} warning{'' if len(findings) == 1 else 's'}"
    head = "[preflight] Some fatal errors occurred:" if errors else f"[preflight] {warnings}:"
    if not findings:
        return "[preflight] Nothing found."
    return "\n".join([head, *lines, *([IGNORE] if errors else [])])


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """Each group as `\t[LEVEL Name]: summary` and `\t\tfix: remedy`, warnings first."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        groups.setdefault(_key(each), []).append(each)
    lines: dict[tuple[str, str, str], list[list[Finding]]] = {}
    for group in groups.values():
        first = group[0]
        alone = first.level == "error" and len(group) <= _MANY
        for part in [[each] for each in group] if alone else [group]:
            lines.setdefault((first.level, first.name, first.remedy), []).append(part)
    answer = []
    for (level, name, _remedy), parts in sorted(lines.items(), key=lambda each: each[0][0] != "warning"):
        shown = parts if level == "error" or len(parts) <= _MANY else parts[: _MANY - 1]
        for part in shown:
            answer += [f"\t{line}" for line in _line(part).splitlines()]
        if len(shown) < len(parts):
            rest = [each.object or each.node or each.summary for part in parts[len(shown) :] for each in part]
            answer.append(f"\t[{level.upper()} {name}]: the same for {len(rest)} more: {_some(rest)}")
    return answer


def _key(finding: Finding) -> tuple[str, ...]:
    """What is said of each node alone is one line where it is the same."""
    if finding.node and finding.summary.startswith(f"{finding.node}: "):
        return (finding.level, finding.name, finding.summary.removeprefix(f"{finding.node}: "), finding.remedy)
    return (finding.level, finding.name, finding.summary, finding.remedy, finding.node)


def _line(group: Sequence[Finding]) -> str:
    first = group[0]
    if len(group) == 1:
        return first.line()
    text = first.summary.removeprefix(f"{first.node}: ")
    head = f"[{first.level.upper()} {first.name}]: {_some([each.node for each in group])}: {text}"
    return f"{head}\n\tfix: {first.remedy}" if first.remedy else head


def _some(names: Sequence[str]) -> str:
    ordered = sorted(set(names))
    return ", ".join(ordered if len(ordered) <= _MANY else [*ordered[:_MANY], f"and {len(ordered) - _MANY} more"])
