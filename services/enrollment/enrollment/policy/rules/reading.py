"""Inputs as they were told become inputs as a rule takes them, with everything wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from enrollment.policy.rules.case import Rule
from enrollment.policy.rules.terms import Fault, Input, Words
from shared.money import MAX_FEN
from shared.periods import Month, PeriodError
from shared.plan import Plan

EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2899, 12, 31)
"""So early that adding a lifetime still is a day the product knows."""


def read_inputs(
    rule: Rule, told: Mapping[str, Any], plan: Plan
) -> tuple[dict[str, Any], list[Fault]]:
    """Inputs as the rule takes them, and everything wrong with what was told. What is null was not
    told; what is not told is no fault, the decision names it."""
    known = {one.name: one for one in rule.inputs}
    faults = [Fault(name, "field-unknown", {"field": name}) for name in told if name not in known]
    values: dict[str, Any] = {}
    for name, one in known.items():
        value = told.get(name)
        if value is not None:
            read = _READERS[one.kind](one._replace(codes=codes_of(one, plan)), value)
            if isinstance(read, Fault):
                faults.append(read)
            else:
                values[name] = read
    if not faults and rule.check is not None:
        faults = rule.check(values)
    return values, faults


def codes_of(one: Input, plan: Plan) -> Mapping[str, Words]:
    """The codes the input takes: its own, and those of the plan's lists it names."""
    listed = [code for name in one.lists for code in plan.codes(name)]
    return {**one.codes, **{code.code: (code.zh, code.en) for code in listed}}


def _read_date(one: Input, value: Any) -> date | Fault:
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except (TypeError, ValueError):
        day = None
    if day is None:
        return Fault(one.name, "type-wrong", {"expected": "YYYY-MM-DD"})
    if not EARLIEST <= day <= LATEST:
        return Fault(one.name, "value-out-of-range", {"minimum": EARLIEST, "maximum": LATEST})
    return day


def _read_month(one: Input, value: Any) -> Month | Fault:
    try:
        return Month.parse(value)
    except (TypeError, PeriodError):
        return Fault(one.name, "type-wrong", {"expected": "YYYY-MM"})


def _read_fen(one: Input, value: Any) -> int | Fault:
    if isinstance(value, bool) or not isinstance(value, int):
        return Fault(one.name, "type-wrong", {"expected": "integer fen"})
    if not 0 <= value <= MAX_FEN:
        return Fault(one.name, "value-out-of-range", {"minimum": 0, "maximum": MAX_FEN})
    return value


def _read_code(one: Input, value: Any) -> str | Fault:
    if not isinstance(value, str):
        return Fault(one.name, "type-wrong", {"expected": "code"})
    if value not in one.codes:
        return Fault(one.name, "code-unknown", {"value": value[:40]})
    return value


def _read_flag(one: Input, value: Any) -> bool | Fault:
    if isinstance(value, bool):
        return value
    return Fault(one.name, "type-wrong", {"expected": "true or false"})


_READERS: Final[Mapping[str, Callable[[Input, Any], Any]]] = {
    "date": _read_date,
    "month": _read_month,
    "fen": _read_fen,
    "code": _read_code,
    "flag": _read_flag,
}
