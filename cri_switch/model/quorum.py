"""Whether a control-plane node may go out now, and which one first: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def quorum_problem(member: int, voters: Collection[int], healthy: Collection[int]) -> str:
    """Why etcd's member `member` must not stop, or "". Ids are etcd's; 0 is a node without a member.

    A single member has no quorum to lose (the API is away meanwhile, as the plan says). Two never may: the one that
    is left could not write.
    """
    if not member or set(voters) == {member}:
        return ""
    return lost_quorum(len(set(voters)), len((set(healthy) & set(voters)) - {member}))


def lost_quorum(voters: int, left: int) -> str:
    """Why `left` members that answer are too few of so many that vote, or ""; one alone has no quorum to lose."""
    needed = voters // 2 + 1
    if voters <= 1 or left >= needed:
        return ""
    return f"etcd would lose its quorum: {left} of {voters} members would be left, {needed} must be"


def leader_last(nodes: Sequence[str], leads: Mapping[str, bool]) -> list[str]:
    """The same order, but etcd's leader at the end: it then moves once in the whole run, not with every node."""
    return sorted(nodes, key=lambda node: leads.get(node, False))
