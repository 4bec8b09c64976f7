"""The plan as reporting shows it."""

from __future__ import annotations

from datetime import date

from reporting.figures.schemas import Answer, MeasureDefinition
from reporting.progress.schemas import CascadeShown, TargetShown


class UnitShown(Answer):
    """A reporting unit with where its being one comes from."""

    code: str
    zh: str
    en: str
    kind: str
    within: str | None
    source: str
    status: str


class UnitTarget(Answer):
    """One unit's target."""

    unit: str
    target: TargetShown


class MeasureTargets(Answer):
    """A measure with its targets and the sum check of the breakdown (O21)."""

    name: str
    quantity: str
    measure: MeasureDefinition
    targets: list[UnitTarget]
    cascade: list[CascadeShown]


class PlanShown(Answer):
    """Which plan is at work."""

    version: str
    zh: str
    en: str
    document_number: str
    issued_on: date
    campaign_from: date
    campaign_to: date
    opening_on: date
    cutoff_days: list[int]
    units: list[UnitShown]
    measures: list[MeasureTargets]
