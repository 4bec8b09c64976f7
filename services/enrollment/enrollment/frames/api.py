"""The HTTP door to the frozen frames and to the progress against them (F34, O65, O69)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, status

from enrollment.frames import rules, store
from enrollment.frames.progress import by_unit
from enrollment.frames.schemas import (
    CensusProgress,
    ChangedPage,
    EntryPage,
    FrameDifference,
    FrameNamed,
    FramePage,
    FrameShown,
    Series,
)
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.problems import problem

router = APIRouter(prefix="/enrollment/v1/census", tags=["census"])

Reader = Annotated[
    Caller, allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection")
]
Freezer = Annotated[Caller, allow("agency", "leading-group")]
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]
StreetAsked = Annotated[
    str | None, Query(max_length=40, description="街道(乡镇) · street or township")
]
FrameAsked = Annotated[
    int | None,
    Query(ge=0, le=2**31 - 1, description="底册版本,不填为最近一版,0 为现时底册 · 0: as it is now"),
]
ToAsked = Annotated[date | None, Query(description="截至日期 · up to and including; none: today")]
With = Annotated[
    int, Query(alias="with", ge=1, le=2**31 - 1, description="另一版本 · the other version")
]
Change = Literal["added", "removed", "moved", "changed"]


@router.post("/frames", status_code=status.HTTP_201_CREATED, summary="底册定版 · freeze the frame")
async def freeze_frame(
    asked: FrameNamed, caller: Freezer, tx: Tx, runtime: RuntimeDep, response: Response
) -> FrameShown:
    """What stands in the frame now becomes the next version, of all units; progress is counted
    against the latest one. Refused while there is nothing in it."""
    if caller.units is not None:
        raise problem("forbidden-unit", unit="*")
    version = await store.begin(tx)
    count = await store.freeze_entries(tx, version)
    if not count:
        raise problem("conflict", reason="底册为空,不能定版 · there is nothing in the frame")
    frame: dict[str, Any] = {
        "name": asked.name,
        "frozen_at": runtime.clock.now(),
        "frozen_by": caller.subject,
        "entry_count": count,
        "sha256": await store.entries_digest(tx, version),
    }
    await store.keep_frame(tx, version, **frame)
    response.headers["Location"] = f"{router.prefix}/frames/{version}"
    return FrameShown.model_validate({**frame, "version": version})


@router.get("/frames", summary="底册各版 · frozen versions, the latest first")
async def list_frames(
    _: Reader, tx: ReadTx, page: PageDep, request: Request, response: Response
) -> FramePage:
    """The frame as it is now is not among them: see ``/census/units``."""
    after = page.after(int)
    rows = await store.list_frames(tx, after[0] if after else None, page.limit + 1)
    shown = page.of(rows, lambda row: (row["version"],), request, response)
    return FramePage.model_validate(shown)


@router.get("/frames/{version}", summary="一版底册 · a frozen version")
async def get_frame(version: int, _: Reader, tx: ReadTx) -> FrameShown:
    """Never changes."""
    return FrameShown.model_validate(await _frame(tx, version))


@router.get("/frames/{version}/entries", summary="底册内对象与走访 · its entries and their visits")
async def list_frame_entries(
    version: int,
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    street: StreetAsked = None,
    kind: Annotated[str | None, Query(max_length=40, description="普查对象类别 · kind")] = None,
    visited: Annotated[bool | None, Query(description="计为已走访 · counts as visited")] = None,
    outcome: Annotated[str | None, Query(max_length=40, description="走访结果 · outcome")] = None,
    gone: Annotated[bool | None, Query(description="定版后撤销 · taken out since")] = None,
    visited_from: Annotated[date | None, Query(description="走访日期起 · visited from")] = None,
    visited_to: Annotated[date | None, Query(description="走访日期止 · visited up to")] = None,
    outside: Annotated[
        bool, Query(description="改列底册外对象 · those outside it instead")
    ] = False,
) -> EntryPage:
    """By unit and number, where they stood when frozen, with the visit as it is known now."""
    await _frame(tx, version)
    equal = {"street": street, "kind": kind, "visited": visited, "outcome": outcome, "gone": gone}
    after = page.after(str)
    rows = await store.list_entries(
        tx,
        version,
        equal,
        units_asked(caller, unit),
        outside=outside,
        visited_from=visited_from,
        visited_to=visited_to,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    shown = page.of(rows, lambda row: (row["entry"],), request, response)
    return EntryPage.model_validate(shown)


@router.get("/frames/{version}/difference", summary="两版差异 · what changed between two versions")
async def get_frame_difference(
    version: int, other: With, caller: Reader, tx: SnapshotTx, unit: UnitAsked = None
) -> FrameDifference:
    """From the earlier to the later one, whichever is asked first."""
    earlier, later = await _both(tx, version, other)
    changes = await store.count_changes(tx, earlier, later, units_asked(caller, unit))
    totals = dict.fromkeys((rules.ADDED, rules.REMOVED, rules.MOVED, rules.CHANGED), 0)
    for one in changes:
        totals[one["change"]] += one["entries"]
    return FrameDifference.model_validate(
        {"earlier": earlier, "later": later, "totals": totals, "changes": changes}
    )


@router.get("/frames/{version}/difference/entries", summary="有变化的对象 · which entries changed")
async def list_frame_changes(
    version: int,
    other: With,
    caller: Reader,
    tx: SnapshotTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: UnitAsked = None,
    change: Annotated[Change | None, Query(description="变化 · kind of change")] = None,
) -> ChangedPage:
    """By unit and number."""
    earlier, later = await _both(tx, version, other)
    after = page.after(str)
    rows = await store.list_changes(
        tx,
        earlier,
        later,
        units_asked(caller, unit),
        change,
        after[0] if after else None,
        page.limit + 1,
    )
    shown = page.of(rows, lambda row: (row["entry"],), request, response)
    return ChangedPage.model_validate(shown)


@router.get("/progress", summary="普查进度 · visited of the frame, persons found, by reason")
async def get_census_progress(
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    unit: UnitAsked = None,
    frame: FrameAsked = None,
    to: ToAsked = None,
) -> CensusProgress:
    """By unit and street (O65, O69), against the latest frozen frame; entries added since stand
    beside it. What was taken back counts nowhere; an entry visited again counts on the later day.
    """
    plan, to = runtime.plan, to or runtime.clock.today()
    basis = await _basis(tx, frame)
    visits, found = await store.progress_rows(tx, basis["version"], units_asked(caller, unit), to)
    return CensusProgress.model_validate(
        {
            **by_unit(visits, found, [one.code for one in plan.units]),
            "census_from": plan.calendar.census_from.value,
            "census_to": plan.calendar.census_to.value,
            "to": to,
            "basis": basis,
            "definitions": [rules.VISITED_RATE_SHOWN],
        }
    )


@router.get("/progress/series", summary="逐日(旬)进度 · by day or dekad, and to date")
async def get_census_series(
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    by: Annotated[Literal["day", "dekad"], Query(description="按日或旬 · by")] = "dekad",
    unit: UnitAsked = None,
    frame: FrameAsked = None,
    to: ToAsked = None,
) -> Series:
    """Entries of the frame visited and persons found, up to ``to``."""
    basis = await _basis(tx, frame)
    to = to or runtime.clock.today()
    rows = await store.days(tx, basis["version"], units_asked(caller, unit), to)
    steps = [step._asdict() for step in rules.series(rows, by, runtime.plan.cutoffs)]
    return Series.model_validate({"basis": basis, "items": steps})


async def _basis(tx: ReadTx, version: int | None) -> dict[str, Any]:
    """The version asked for; else the latest one, else (and for 0) the live frame."""
    if version:
        return {**await _frame(tx, version), "kind": "frozen"}
    found = None if version == 0 else await store.find_frame(tx, None)
    return rules.LIVE if found is None else {**found, "kind": "frozen"}


async def _frame(tx: ReadTx, version: int) -> dict[str, Any]:
    found = await store.find_frame(tx, version) if 0 < version < 2**31 else None
    if found is None:
        raise problem("not-found")
    return found


async def _both(tx: ReadTx, version: int, other: int) -> tuple[int, int]:
    for one in (version, other):
        await _frame(tx, one)
    return min(version, other), max(version, other)
