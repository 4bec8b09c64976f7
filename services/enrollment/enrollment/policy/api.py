"""The HTTP door to policy: the catalogue of rules, decisions, parameters by day (F25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from enrollment.policy import schemas
from enrollment.policy.rules import RULES, Decision, Rule, codes_of, decide, read_inputs
from enrollment.policy.rules.case import CANNOT_DECIDE, find_clause, values_of
from shared.auth import Caller, allow
from shared.dependencies import RuntimeDep
from shared.plan import Plan
from shared.problems import field_error, problem

router = APIRouter(prefix="/enrollment/v1/policy", tags=["policy"])

Reader = Annotated[
    Caller,
    allow(
        "agency",
        "unit",
        "labour",
        "labour-inspection",
        "leading-group",
        "supervision",
        "auditor",
        "tax",
        "industry-commerce",
        "quality-supervision",
    ),
]


@router.get("/rules", summary="政策规则目录 · the rules, their inputs, parameters and clauses")
async def list_rules(caller: Reader, runtime: RuntimeDep) -> schemas.Catalogue:
    plan = runtime.plan
    return schemas.Catalogue.model_validate(
        {
            "plan_version": plan.version,
            "rules": [_catalogued(plan, rule) for rule in RULES.values()],
        }
    )


@router.post("/decisions", summary="按政策规则判定 · decide by a rule")
async def decide_by_rule(
    caller: Reader, runtime: RuntimeDep, question: schemas.Question
) -> schemas.DecisionShown:
    """Changes nothing and keeps nothing. What is wrong with an input is a problem (422); what is
    not there is named by the decision, whose outcome is then `cannot-decide`."""
    rule = RULES.get(question.rule)
    errors = []
    if rule is None:
        errors.append(field_error("code-unknown", "/rule", {"value": question.rule}))
    on = _day(question.on)
    if on is None:
        errors.append(field_error("type-wrong", "/on", {"expected": "YYYY-MM-DD"}))
    values: dict[str, Any] = {}
    if rule is not None:
        values, faults = read_inputs(rule, question.inputs, runtime.plan)
        errors += [
            field_error(fault.code, f"/inputs/{_token(fault.name)}", fault.params)
            for fault in faults
        ]
    if errors or rule is None or on is None:
        raise problem("parameter-invalid", errors=errors, count=len(errors))
    return _shown(decide(runtime.plan, rule, on, values))


@router.get("/parameters", summary="政策参数 · dated parameters in force on a day")
async def list_parameters(
    caller: Reader,
    runtime: RuntimeDep,
    on: Annotated[date | None, Query(description="日期，默认今天 · the day; default today")] = None,
) -> schemas.Parameters:
    plan, day = runtime.plan, on or runtime.clock.today()
    found = {
        one.name: [
            value
            for value in values_of(plan, one.name)
            if (value.from_on or day) <= day <= (value.to_on or day)
        ]
        for one in plan.parameters
    }
    return schemas.Parameters.model_validate(
        {
            "plan_version": plan.version,
            "on": day,
            "items": [value._asdict() for values in found.values() for value in values],
            "without_value": [name for name, values in found.items() if not values],
        }
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year < 2900 else None


def _token(name: str) -> str:
    return name[:60].replace("~", "~0").replace("/", "~1")


def _shown(decision: Decision) -> schemas.DecisionShown:
    told = {
        name: value if isinstance(value, bool | int | str) else str(value)
        for name, value in decision.inputs.items()
    }
    return schemas.DecisionShown.model_validate(
        {**asdict(decision), "inputs": told}
        | {
            "months": [row._asdict() for row in decision.months],
            "clauses": [one._asdict() for one in decision.clauses],
            "parameters": [one._asdict() for one in decision.parameters],
            "missing": [one._asdict() for one in decision.missing],
        }
    )


def _catalogued(plan: Plan, rule: Rule) -> dict[str, Any]:
    values = {name: values_of(plan, name) for name in rule.parameters}
    clauses = [find_clause(plan, number) for number in rule.clauses]
    undecided = {CANNOT_DECIDE: ("无法判定", "cannot be decided")}
    return {
        "name": rule.name,
        "version": rule.version_id,
        "zh": rule.zh,
        "en": rule.en,
        "inputs": [{**one._asdict(), "codes": _codes(codes_of(one, plan))} for one in rule.inputs],
        "outcomes": _codes({**rule.outcomes, **undecided}),
        "parameters": [value._asdict() for found in values.values() for value in found],
        "parameters_unknown": [name for name, found in values.items() if not found],
        "clauses": [one._asdict() for one in clauses if one is not None],
    }


def _codes(codes: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [{"code": code, "zh": zh, "en": en} for code, (zh, en) in codes.items()]
