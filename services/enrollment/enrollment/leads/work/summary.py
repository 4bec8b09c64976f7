"""Groups of leads that are alike added up by unit, each sum the length of a list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from enrollment.leads.work.rules import CLOSED, LEVELS, STAGES, Limits, age_buckets
from enrollment.leads.work.store.lists import Group


def summed(groups: Sequence[Group], limits: Limits, units: Collection[str]) -> dict[str, Any]:
    """Sums of all, and of each of ``units`` in their order, then of those not among them."""
    by_unit: dict[str, list[Group]] = {unit: [] for unit in units}
    for group in groups:
        by_unit.setdefault(group.unit, []).append(group)
    return {
        "as_of": limits.today,
        "total": _sums("", groups, limits),
        "units": [_sums(unit, some, limits) for unit, some in by_unit.items()],
    }


def _sums(unit: str, groups: Sequence[Group], limits: Limits) -> dict[str, Any]:
    standing = [group for group in groups if group.stage not in CLOSED]
    return {
        "unit": unit,
        "standing": _count(standing),
        "stages": {
            stage: _count([group for group in groups if group.stage == stage]) for stage in STAGES
        },
        "ages": {
            bucket.code: _count([group for group in standing if group.age_no == no])
            for no, bucket in enumerate(age_buckets(limits.age_steps))
        },
        "never_contacted": _count([group for group in standing if group.never_contacted]),
        "overdue": _count([group for group in standing if group.overdue]),
        "levels": {
            level: _count([group for group in standing if group.level_no == no])
            for no, level in enumerate(LEVELS, 1)
        },
        "excluding": _count([group for group in standing if group.excluding]),
        "officers": _officers(standing),
    }


def _officers(standing: Sequence[Group]) -> list[dict[str, Any]]:
    found: dict[str | None, list[Group]] = {}
    for group in standing:
        found.setdefault(group.officer, []).append(group)
    return [
        {
            "officer": officer,
            "officer_name": max(group.officer_name or "" for group in some) or None,
            "standing": _count(some),
            "overdue": _count([group for group in some if group.overdue]),
        }
        for officer, some in sorted(found.items(), key=lambda item: item[0] or "")
    ]


def _count(groups: Sequence[Group]) -> int:
    return sum(group.leads for group in groups)
