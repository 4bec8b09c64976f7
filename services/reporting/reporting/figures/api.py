"""The way into every number: its value, who makes it, and the ledger lines behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import lookup, schemas, views
from reporting.figures.rules import FigureId
from reporting.figures.store import members, reading, standing
from reporting.figures.store.reading import Span
from reporting.trust import store as names
from shared.auth import Caller, CallerDep, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx
from shared.paging import Page, PageDep
from shared.plan import Plan
from shared.problems import problem

router = APIRouter(prefix=views.API, tags=["figures"])

PERSON_READERS = ("agency", "auditor", "leading-group")
"""May open person measures of every unit; a unit may open its own (pseudonymous ids only)."""


async def segment_filters(
    status: Annotated[str | None, Query(max_length=40)] = None,
    worker_class: Annotated[str | None, Query(max_length=40)] = None,
    ownership: Annotated[str | None, Query(max_length=40)] = None,
    trade: Annotated[str | None, Query(max_length=40)] = None,
    lead_kind: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, str]:
    """The segments asked for; a dimension a measure does not have matches nothing."""
    asked = {
        "status": status,
        "worker_class": worker_class,
        "ownership": ownership,
        "trade": trade,
        "lead_kind": lead_kind,
    }
    return {name: value for name, value in asked.items() if value is not None}


COUNTED_UP_TO: Final = 500
"""Members counted without being asked to."""

FiltersDep = Annotated[dict[str, str], Depends(segment_filters)]


@router.get("/figures/{figure_id}", summary="一个指标 · one figure")
async def read_figure(
    figure_id: str, _: CallerDep, runtime: RuntimeDep, tx: SnapshotTx, filters: FiltersDep
) -> schemas.Figure:
    """指标数值及其口径 · a figure's value and what it means."""
    figure = lookup.get_figure(figure_id, runtime.plan)
    span = await lookup.span_of(tx, figure, runtime.plan, filters)
    measure = figure.measure
    return schemas.Figure(
        id=str(figure),
        value=await reading.value_of(tx, span),
        quantity=measure.quantity,
        measure=views.measure_definition(measure, runtime.plan),
        unit=views.unit_name(figure.unit, runtime.plan),
        period=str(figure.period),
        kind=figure.kind,
        window=schemas.WindowDays(after_on=span.window.after_on, up_to_on=span.window.up_to_on),
        filters=filters,
        plan_version=runtime.plan.version,
        links=views.figure_links(figure, filters),
        as_of=await marks_of(tx),
    )


@router.get("/figures/{figure_id}/members", summary="指标由谁构成 · who makes the figure")
async def list_figure_members(
    figure_id: str,
    caller: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    filters: FiltersDep,
    page: PageDep,
    request: Request,
    response: Response,
    count: Annotated[
        bool, Query(description="一并给出成员总数 · count all members, however many")
    ] = False,
) -> schemas.MemberPage:
    """指标由谁构成 · the subjects whose net quantity is not zero; they make the figure.

    ``count`` 在首页给出；金额与本旬指标超过 500 个成员时须以 ``count=true`` 请求 ·
    comes with the first page; for money and single dekads, beyond 500 members, with ``count=true``.
    """
    figure = _opened(figure_id, caller, runtime.plan)
    span = await lookup.span_of(tx, figure, runtime.plan, filters)
    after = page.after(str)
    rows = await members.members_of(tx, span, after[0] if after else None, page.limit + 1)
    value = await reading.value_of(tx, span)
    cut, cursor = page.cut(rows, lambda row: (row.subject,))
    known = await names.employer_names(tx, [row.subject for row in cut])
    return schemas.MemberPage(
        figure=str(figure),
        value=value,
        sum=value,
        count=None if after else await _count(tx, span, value, exactly=count),
        items=[
            schemas.Member(
                subject=row.subject,
                quantity=row.quantity,
                name=known.get(row.subject),
                entries=views.member_entries_link(figure, row.subject, filters),
            )
            for row in cut
        ],
        next=page.link(cursor, request, response),
    )


@router.get("/figures/{figure_id}/entries", summary="指标的分录 · the figure's entries")
async def list_figure_entries(
    figure_id: str,
    caller: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    filters: FiltersDep,
    page: PageDep,
    request: Request,
    response: Response,
) -> schemas.EntryPage:
    """指标的每一笔 · the ledger lines that sum to the figure, each with its fact and record."""
    figure = _opened(figure_id, caller, runtime.plan)
    span = await lookup.span_of(tx, figure, runtime.plan, filters)
    rows = await reading.entries_of(tx, span, _entry_cursor(page), page.limit + 1)
    value = await reading.value_of(tx, span)
    return _entry_page(figure, value, rows, _Answering(page, request, response))


@router.get(
    "/figures/{figure_id}/members/{subject:path}/entries",
    summary="一名成员的分录 · one member's entries",
)
async def list_member_entries(
    figure_id: str,
    subject: str,
    caller: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    filters: FiltersDep,
    page: PageDep,
    request: Request,
    response: Response,
) -> schemas.EntryPage:
    """某一对象在指标中的每一笔 · one subject's lines within the figure; ``value`` is its part."""
    figure = _opened(figure_id, caller, runtime.plan)
    span = await lookup.span_of(tx, figure, runtime.plan, filters)
    rows = await reading.entries_of_subject(tx, span, subject, _entry_cursor(page), page.limit + 1)
    value = await reading.value_of_subject(tx, span, subject)
    return _entry_page(figure, value, rows, _Answering(page, request, response))


@router.get(
    "/rebuild",
    summary="指标重建进度 · how a rebuild stands",
    dependencies=[allow("operator", "auditor")],
)
async def read_rebuild(tx: ReadTx) -> schemas.RebuildStanding | None:
    """正在进行或最近一次的重建 · the running rebuild, else the last one; null before the first."""
    found = await standing.read(tx)
    return None if found is None else views.rebuild_standing(found)


async def marks_of(tx: AsyncConnection) -> list[schemas.MarkPosition]:
    """Positions applied so far: the cut the figures belong to."""
    return [
        schemas.MarkPosition(producer=producer, partition=partition, position=position)
        for producer, partition, position in await reading.marks(tx)
    ]


def _opened(figure_id: str, caller: Caller, plan: Plan) -> FigureId:
    """The figure, if the caller may see who makes it: problems ``forbidden``, ``forbidden-unit``.

    A unit sees its own only, whatever the measure; person measures are for those who work with
    persons.
    """
    figure = lookup.get_figure(figure_id, plan)
    if figure.measure.personal:
        caller.require(*PERSON_READERS, "unit")
    caller.require_unit(figure.unit)
    return figure


async def _count(tx: AsyncConnection, span: Span, value: int, *, exactly: bool) -> int | None:
    """How many members there are; None when that would cost more than the page itself."""
    # Each member of such a figure weighs exactly 1, so the value is their number.
    if span.measure.counts_subjects and span.from_ever:
        return value
    if exactly:
        return await members.count_members(tx, span)
    count = await members.count_members(tx, span, COUNTED_UP_TO + 1)
    return count if count <= COUNTED_UP_TO else None


class _Answering(NamedTuple):
    page: Page
    request: Request
    response: Response


def _entry_page(
    figure: FigureId, value: int, rows: Sequence[reading.Entry], answering: _Answering
) -> schemas.EntryPage:
    page, request, response = answering
    cut, cursor = page.cut(rows, lambda row: (row.effective_on.isoformat(), row.id))
    return schemas.EntryPage(
        figure=str(figure),
        value=value,
        items=[views.entry(row) for row in cut],
        next=page.link(cursor, request, response),
    )


def _entry_cursor(page: Page) -> tuple[date, int] | None:
    after = page.after(str, int)
    if after is None:
        return None
    try:
        return date.fromisoformat(after[0]), after[1]
    except ValueError:
        raise problem("cursor-invalid") from None
