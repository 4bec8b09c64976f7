"""The HTTP door to golden records: whose word counts, and who contradicts it (F16)."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from enrollment.golden import rules, store
from enrollment.golden.rules import Ranks, Sighting
from enrollment.golden.schemas import (
    ConflictCount,
    ConflictPage,
    ConflictShown,
    FieldShown,
    FormerWord,
    Kind,
    RecordShown,
    SettingAside,
    SightingShown,
    Status,
    Word,
)
from enrollment.golden.store import asking
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.crypto import mask_within
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep
from shared.periods import local_date
from shared.problems import problem
from shared.versions import SeenDep, set_etag

router = APIRouter(prefix="/enrollment/v1", tags=["golden records"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]
Officer = Annotated[Caller, allow("agency", "unit")]
StatusAsked = Annotated[Status, Query(description="open 待核 · set-aside 已搁置 · gone 已消除")]
UnitAsked = Annotated[str | None, Query(description="填报单位 · reporting unit")]


@router.get("/employers/conflicts", summary="各部门信息冲突 · where departments contradict")
async def list_conflicts(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    kind: Annotated[Kind | None, Query(description="冲突种类 · kind")] = None,
    unit: UnitAsked = None,
    status: StatusAsked = "open",
    employer: Annotated[str | None, Query(description="employer_id")] = None,
) -> ConflictPage:
    """In the order they were found. A conflict belongs to the unit of its golden record."""
    after = page.after(int)
    rows = await asking.list_conflicts(
        tx,
        units=units_asked(caller, unit),
        kind=kind,
        status=status,
        employer_id=employer,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return ConflictPage.model_validate(
        page.of(rows, lambda row: (row["conflict_id"],), request, response)
    )


@router.get("/employers/conflicts/summary", summary="信息冲突计数 · conflicts counted")
async def count_conflicts(
    caller: Reader, tx: ReadTx, unit: UnitAsked = None, status: StatusAsked = "open"
) -> list[ConflictCount]:
    """By unit and kind: as many as the list has with the same filters."""
    rows = await asking.count_conflicts(tx, units=units_asked(caller, unit), status=status)
    return [ConflictCount.model_validate(row) for row in rows]


@router.get("/employers/conflicts/{conflict_id}", summary="一项冲突 · one conflict")
async def get_conflict(
    conflict_id: int, caller: Reader, tx: ReadTx, response: Response
) -> ConflictShown:
    row = await asking.find_conflict(tx, conflict_id)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    set_etag(response, f"conflict:{conflict_id}", row["version"])
    return ConflictShown.model_validate(row)


@router.post("/employers/conflicts/{conflict_id}/set-aside", summary="搁置冲突 · set aside")
async def set_conflict_aside(
    conflict_id: int,
    body: SettingAside,
    caller: Officer,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> ConflictShown:
    """The departments may go on saying different things; it is listed again as soon as one of them
    says something else. Only an open conflict can be set aside."""
    row = await asking.find_conflict(tx, conflict_id, lock=True)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    seen.require(f"conflict:{conflict_id}", row["version"])
    if row["status"] != "open":
        raise problem("conflict-not-open", status=row["status"])
    now = runtime.clock.now()
    await asking.set_aside(tx, conflict_id, mask_within(body.reason), caller.subject, now)
    row = await asking.find_conflict(tx, conflict_id)
    if row is None:
        raise problem("not-found")
    set_etag(response, f"conflict:{conflict_id}", row["version"])
    return ConflictShown.model_validate(row)


@router.get("/employers/{employer_id}/record", summary="单位主档 · golden record of an employer")
async def get_golden_record(
    employer_id: str, caller: Reader, tx: ReadTx, runtime: RuntimeDep
) -> RecordShown:
    """Every field with who says so, since when, by which record; what the others say; what stood
    before; and the contradictions."""
    employer = await asking.find_shown(tx, employer_id)
    if employer is None:
        raise problem("not-found")
    caller.require_unit(employer["unit"])
    sightings = await store.around(tx, [employer_id])
    sightings.sort(key=lambda one: one.subject)
    former: dict[str, list[FormerWord]] = defaultdict(list)
    for row in await asking.history_of(tx, employer_id):
        former[row["field"]].append(FormerWord.model_validate(row))
    ranks = runtime.plan.field_ranks(local_date(runtime.clock.now()))
    return RecordShown(
        **employer,
        fields=[
            field
            for name in rules.FIELDS
            if (field := _field(name, sightings, ranks, former[name])) is not None
        ],
        sources=[SightingShown.model_validate(one) for one in sightings],
        conflicts=[
            ConflictShown.model_validate(row)
            for row in await asking.list_conflicts(tx, employer_id=employer_id)
        ],
    )


def _field(
    field: str, sightings: list[Sighting], ranks: Ranks, history: list[FormerWord]
) -> FieldShown | None:
    speaking = rules.said(sightings, field, ranks)
    if not speaking:
        return None
    words = [_word(one, field) for one in speaking]
    return FieldShown(
        field=field,
        believed=words[0],
        others=words[1:],
        differs=len({word.value for word in words}) > 1,
        history=history,
    )


def _word(one: Sighting, field: str) -> Word:
    shown: dict[str, Any] = {**one._asdict(), "value": rules.text_of(rules.value_of(one, field))}
    return Word.model_validate(shown)
