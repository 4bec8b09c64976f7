"""What a person found can turn out to be, and how the counts of a run add up. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

RULE_VERSION: Final = "comparison-2"
"""Of the decisions in ``store``; sealed with every run."""

NEW: Final = "new"
ALREADY: Final = "already-insured"
INELIGIBLE: Final = "ineligible"
ELSEWHERE: Final = "insured-elsewhere"
CONFLICT: Final = "conflict"
UNCLEAR: Final = "unclear"
REPEATED: Final = "repeated"

CAUSES: Final[Mapping[str, tuple[str, ...]]] = {
    NEW: ("not-in-register",),
    ALREADY: ("before-finding", "after-finding"),
    INELIGIBLE: ("too-young", "too-old"),
    ELSEWHERE: ("claimed", "transferred-out"),
    CONFLICT: ("name-differs", "employer-differs", "died-in-register", "ended-in-register"),
    UNCLEAR: ("several-in-register", "perhaps-repeated", "post-unknown"),
    REPEATED: ("same-number",),
}
"""Outcome → by which rule, in the order of the lists."""

OUTCOMES: Final = tuple(CAUSES)

_SUMS: Final = ("able_to_pay", "eligible", "potential")


def tallied(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts of a run or of a unit. ``rows``: lines counted by outcome, cause, reason,
    ``can_pay``, ``eligible`` and ``potential``, their number as ``lines``.

    Reasons and abilities are those of the persons not found in the register (``new``); every
    number is the length of the list of lines that the same filter gives.
    """
    outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
    causes: dict[str, Counter[str]] = {outcome: Counter() for outcome in OUTCOMES}
    reasons: Counter[str] = Counter()
    sums: Counter[str] = Counter(dict.fromkeys(_SUMS, 0))
    for row in rows:
        lines, outcome = row["lines"], row["outcome"]
        outcomes[outcome] += lines
        causes[outcome][row["cause"]] += lines
        if outcome == NEW:
            reasons[row["reason"]] += lines
            sums["able_to_pay"] += lines if row["can_pay"] else 0
            sums["eligible"] += lines if row["eligible"] else 0
        sums["potential"] += lines if row["potential"] else 0
    return {
        "compared": sum(outcomes.values()),
        "outcomes": dict(outcomes),
        "causes": {outcome: dict(sorted(found.items())) for outcome, found in causes.items()},
        "new_by_reason": dict(sorted(reasons.items())),
        "new_able_to_pay": sums["able_to_pay"],
        "new_eligible": sums["eligible"],
        "potential": sums["potential"],
    }


def added(counted: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of several units together."""
    total = tallied(())
    for one in counted:
        total = _added(total, one)
    return total


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys((*one, *other))
    return {name: _plus(one.get(name), other.get(name)) for name in names}


def _plus(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        return _added(one or {}, other or {})
    return (one or 0) + (other or 0)
