"""The filters of lists, counts and assignments: the same words everywhere."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query

from enrollment.leads.work import rules
from enrollment.leads.work.intake import limits_of
from enrollment.leads.work.rules import AgeBucket, Limits, Wanted
from enrollment.leads.work.schemas import Level, Stage, WantedGiven
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import RuntimeDep
from shared.problems import field_error, problem

READERS: Final = ("agency", "unit", "leading-group", "supervision", "auditor", "labour-inspection")
Reader = Annotated[Caller, allow(*READERS)]
Officer = Annotated[Caller, allow("agency", "unit")]
Logger = Annotated[Caller, allow("agency", "unit", "leading-group")]


async def filters_asked(
    unit: Annotated[
        str | None, Query(max_length=20, description="承办单位 · unit that works on it")
    ] = None,
    stage: Annotated[
        Stage | None, Query(description="阶段;不填为全部在办 · every standing one if not said")
    ] = None,
    assignee: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=80,
            description="经办人:me 本人、none 未指定 · officer's subject, me, none",
        ),
    ] = None,
    age: Annotated[
        str | None,
        Query(max_length=20, description="在办天数档,如 11-30 · age bucket by lead-age-steps"),
    ] = None,
    overdue: Annotated[bool | None, Query(description="逾期 · overdue")] = None,
    never_contacted: Annotated[
        bool | None, Query(description="发现后从未联系 · found but never contacted")
    ] = None,
    level: Annotated[Level | None, Query(description="升级至 · level an overdue one is at")] = None,
    excluding: Annotated[
        bool | None, Query(description="排除申请待审核 · an exclusion waits for review")
    ] = None,
    kind: Annotated[str | None, Query(max_length=40, description="线索类别 · kind")] = None,
    q: Annotated[
        str | None, Query(min_length=1, max_length=40, description="名称包含 · part of the name")
    ] = None,
) -> WantedGiven:
    """Dependency reading the filters of leads as work."""
    return WantedGiven.model_construct(
        unit=unit,
        stage=stage,
        assignee=assignee,
        age=age,
        overdue=overdue,
        never_contacted=never_contacted,
        level=level,
        excluding=excluding,
        kind=kind,
        q=q,
    )


FiltersDep = Annotated[WantedGiven, Depends(filters_asked)]


async def limits_now(runtime: RuntimeDep) -> Limits:
    """Dependency giving the plan's limits of today."""
    return limits_of(runtime.plan, runtime.clock.today())


LimitsDep = Annotated[Limits, Depends(limits_now)]


def wanted_of(asked: WantedGiven, caller: Caller, limits: Limits) -> Wanted:
    """The filters as asked by this caller, confined to the units it may see.

    Problems: ``forbidden-unit``; ``parameter-invalid`` for an age that is no bucket of the plan.
    """
    officer = {"me": caller.subject, "none": ""}.get(asked.assignee or "", asked.assignee)
    return Wanted(
        units_asked(caller, asked.unit),
        asked.stage,
        officer,
        None if asked.age is None else _bucket(asked.age, limits),
        asked.overdue,
        asked.never_contacted,
        asked.level,
        asked.excluding,
        asked.kind,
        asked.q,
    )


def _bucket(code: str, limits: Limits) -> AgeBucket:
    buckets = {bucket.code: bucket for bucket in rules.age_buckets(limits.age_steps)}
    if code not in buckets:
        error = field_error("pattern-mismatch", "query/age", {"expected": ", ".join(buckets)})
        raise problem("parameter-invalid", errors=[error], count=1)
    return buckets[code]
