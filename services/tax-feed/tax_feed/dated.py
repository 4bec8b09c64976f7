"""The plan's dated parameters in the types that are reckoned with. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from shared.plan import Plan


def rate_on(plan: Plan, name: str, on: date) -> Decimal:
    """A rate in force on a day, exactly, such as ``0.20``. PlanLookupError where none is."""
    return Decimal(str(plan.parameter(name, on).value))


def days_on(plan: Plan, name: str, on: date) -> int:
    """A limit in days in force on a day. PlanLookupError where none is."""
    return int(str(plan.parameter(name, on).value))
