"""The HTTP door to feedback: a department sees what became of its own feeds' records only."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from enrollment.leads.feedback import rules, store
from enrollment.leads.feedback.rules import Outcome
from enrollment.leads.feedback.schemas import Feedback, FeedbackPage
from enrollment.leads.feedback.store import RowsWanted
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx
from shared.paging import PageDep
from shared.periods import LOCAL, PeriodError
from shared.problems import problem
from shared.runtime import Runtime

router = APIRouter(prefix="/enrollment/v1/leads/feedback", tags=["leads"])

_SENDERS = ("tax", "industry-commerce", "quality-supervision")
Reader = Annotated[
    Caller,
    allow(
        "agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection", *_SENDERS
    ),
]
Feed = Annotated[str, Query(max_length=40, description="报送项目 · feed")]
Period = Annotated[
    str | None,
    Query(max_length=10, description="期间 · month or dekad its records were recorded in; all"),
]
Unit = Annotated[str | None, Query(description="填报单位 · reporting unit")]


@router.get("", summary="扩面资源反馈 · what became of a feed's records")
async def get_feedback(
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    feed: Feed,
    period: Period = None,
    unit: Unit = None,
) -> Feedback:
    """Counts, conversion and days to enrol."""
    wanted = _wanted(caller, runtime, feed, period, unit)
    tally = await store.tally(tx, wanted)
    counts = await store.outcomes(tx, wanted)
    conversion = None
    if tally.leads:
        exact = Decimal(tally.leads_enrolled) / tally.leads
        conversion = exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return Feedback(
        feed=feed,
        period=period,
        rows=tally.rows,
        opened=tally.opened,
        joined=tally.joined,
        outcomes={outcome: counts.get(outcome, 0) for outcome in rules.OUTCOMES},
        leads=tally.leads,
        leads_enrolled=tally.leads_enrolled,
        conversion=conversion,
        days_to_enrol_median=tally.days_median,
        days_to_enrol_p90=tally.days_p90,
    )


@router.get("/rows", summary="扩面资源反馈明细 · each record and what became of it")
async def list_feedback_rows(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    feed: Feed,
    period: Period = None,
    unit: Unit = None,
    outcome: Annotated[Outcome | None, Query(description="结果 · what became of it")] = None,
    part: Annotated[
        Literal["opened", "joined"] | None, Query(description="立项或并入 · part in the lead")
    ] = None,
) -> FeedbackPage:
    """In order of delivery and number."""
    wanted = _wanted(caller, runtime, feed, period, unit)
    after = page.after(str, int, str)
    rows = await store.list_rows(
        tx,
        wanted,
        outcome=outcome,
        part=part,
        after=None if after is None else (after[0], after[1], after[2]),
        limit=page.limit + 1,
    )
    return FeedbackPage.model_validate(
        page.of(rows, lambda row: (row.delivery_id, row.record_no, row.subject), request, response)
    )


def _wanted(
    caller: Caller, runtime: Runtime, feed: str, period: str | None, unit: str | None
) -> RowsWanted:
    """The records asked for. Raises ``forbidden-feed`` for a feed another department sends."""
    if caller.is_any(*_SENDERS):
        own = [
            planned.name
            for planned in runtime.plan.feeds
            if caller.department in planned.departments
        ]
        if feed not in own:
            raise problem(
                "forbidden-feed",
                department=caller.department,
                feed=feed,
                allowed=", ".join(own),
            )
    units = units_asked(caller, unit)
    if period is None:
        return RowsWanted(feed, units=units)
    try:
        first_on, last_on = rules.days_of(period)
    except PeriodError as error:
        raise problem("period-invalid", period=period, reason=str(error)) from error
    return RowsWanted(
        feed,
        datetime.combine(first_on, time.min, LOCAL),
        datetime.combine(last_on + timedelta(days=1), time.min, LOCAL),
        units,
    )
