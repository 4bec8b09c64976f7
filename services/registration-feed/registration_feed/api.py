"""What may be read of registered enterprises (O49–O52): by those who push it, and by those who
follow it up."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import RowMapping

from registration_feed import rules, store
from registration_feed.schemas import EnterpriseDetails, EnterprisePage, Event
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep
from shared.identifiers import Kind, read
from shared.paging import PageDep
from shared.plan import Plan
from shared.problems import problem

PREFIX = "/registration-feed/v1"

FeedName = Literal["business-licences", "organisation-codes"]
_SENDERS = {"industry-commerce": "business-licences", "quality-supervision": "organisation-codes"}

router = APIRouter(prefix=PREFIX, tags=["enterprises"])

Reader = Annotated[
    Caller,
    allow(
        *_SENDERS,
        "agency",
        "unit",
        "leading-group",
        "labour-inspection",
        "auditor",
        "operator",
    ),
]


@router.get(
    "/enterprises",
    response_model=EnterprisePage,
    summary="登记单位清单 · enterprises as registered",
)
async def list_enterprises(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    feed: Annotated[FeedName, Query(description="报送项目 · feed")] = "business-licences",
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    event: Annotated[Event | None, Query(description="登记事项 · latest event")] = None,
    commitment_letter: Annotated[
        bool | None,
        Query(description="是否已审验承诺书；false 即漏审清单(O49) · false lists missing letters"),
    ] = None,
    notified: Annotated[
        bool | None,
        Query(description="是否已告知参保；false 即未告知清单(O50) · false lists those not told"),
    ] = None,
    employer_key: Annotated[
        str | None, Query(max_length=80, description="单位键 · employer key, oc:…")
    ] = None,
) -> dict[str, Any]:
    """In order of number. ``commitment_letter=false`` lists those registered without the
    enrolment commitment letter having been checked (O49), ``notified=false`` those that were not
    told to enrol (O50)."""
    _require_feed(caller, feed)
    if unit is not None:
        caller.require_unit(unit)
    after = page.after(str)
    rows = await store.list_enterprises(
        tx,
        feed,
        {
            "unit": unit,
            "event": event,
            "commitment_letter": commitment_letter,
            "employer_key": employer_key,
        },
        caller.units,
        notified,
        after[0] if after else None,
        page.limit + 1,
    )
    return page.of(
        rows,
        lambda row: (row["natural_key"],),
        request,
        response,
        lambda row: _shown(row, runtime.plan),
    )


@router.get(
    "/enterprises/{feed}/{number}",
    response_model=EnterpriseDetails,
    summary="一户登记单位及其历次内容 · one enterprise and what stood before",
)
async def get_enterprise(
    feed: FeedName, number: str, caller: Reader, tx: ReadTx, runtime: RuntimeDep
) -> dict[str, Any]:
    """By licence number or organisation code (with or without its hyphen); 404 also for one of
    a unit the token does not cover."""
    _require_feed(caller, feed)
    kind: Kind = "org-code" if feed == "organisation-codes" else "licence-no"
    row = await store.find_enterprise(tx, feed, read(kind, number).normal or number)
    if row is None or not caller.may_read_unit(row["unit"]):
        raise problem("not-found")
    earlier = await store.earlier_versions(tx, feed, row["natural_key"])
    return {**_shown(row, runtime.plan), "feed": feed, "earlier": earlier}


def _require_feed(caller: Caller, feed: str) -> None:
    """A registering department reads what it pushes itself."""
    own = _SENDERS.get(caller.department)
    if own is not None and own != feed:
        raise problem(
            "forbidden",
            department=caller.department,
            allowed=", ".join(sorted(d for d, pushed in _SENDERS.items() if pushed == feed)),
        )


def _shown(row: RowMapping, plan: Plan) -> dict[str, Any]:
    """With the last day to enrol, by the limit in force on the day of the licence."""
    licensed_on = row["licensed_on"]
    limit = int(str(plan.parameter("registration-limit", licensed_on).value))
    return {**row, "number": row["natural_key"], "enrol_by": rules.enrol_by(licensed_on, limit)}
