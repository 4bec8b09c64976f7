"""The plan as data: targets, units, obligations, due rules and dated parameters of one city."""

from shared.plan.cascade import CascadeCheck, check_cascade
from shared.plan.document import PlanError
from shared.plan.due import Due
from shared.plan.load import load_plan
from shared.plan.model import Ower, Plan, PlanLookupError
from shared.plan.records import (
    Chasing,
    Feed,
    LateReason,
    Measure,
    Obligation,
    PlanValueError,
    RegistrationType,
    Target,
    Unit,
    Value,
)

__all__ = [
    "CascadeCheck",
    "Chasing",
    "Due",
    "Feed",
    "LateReason",
    "Measure",
    "Obligation",
    "Ower",
    "Plan",
    "PlanError",
    "PlanLookupError",
    "PlanValueError",
    "RegistrationType",
    "Target",
    "Unit",
    "Value",
    "check_cascade",
    "load_plan",
]
