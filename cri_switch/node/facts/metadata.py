"""The cloud metadata address: where it swallows packets, each start of the kubelet waits for it (node.md)."""

from __future__ import annotations

from cri_switch.node.command import plain
from cri_switch.node.fact import Fact

METADATA_BLACKHOLED: Fact[bool] = Fact(
    "the metadata address 169.254.169.254",
    plain("curl", "-s", "-o", "/dev/null", "-m", "2", "http://169.254.169.254/", ok=range(256)),
    lambda result: result.rc == 28,
)
"""curl's 28 is a timeout; an answer, a refusal and an unreachable route are all quick."""
