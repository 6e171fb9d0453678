"""How whole migrations are drawn, of which each takes a second or more."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


def drawing(examples: int, *, same: bool) -> settings:
    """So many, the `same` ones in each run or others; one that fails is shown as it is, not made smaller."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=same,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
