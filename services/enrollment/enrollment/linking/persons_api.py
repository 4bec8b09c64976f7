"""The HTTP door to identity numbers told with two names (F15).

The number itself is read at ``/persons/{person_id}``, where every reading is logged.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.linking.schemas import PersonNameDetail, PersonNameOrder, PersonNamePage
from enrollment.linking.store import links, person_names
from enrollment.register.intake.judging import unsealed
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.crypto import Secrecy
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.paging import PageDep
from shared.problems import problem
from shared.versions import SeenDep, set_etag

router = APIRouter(prefix="/enrollment/v1/identity/person-names", tags=["identity"])

Reader = Annotated[Caller, allow("agency", "auditor")]


def _tag(name_id: int) -> str:
    return f"person-name:{name_id}"


@router.get("", summary="一号两名 · identity numbers told with two names, masked")
async def list_person_names(
    caller: Reader,
    tx: ReadTx,
    runtime: RuntimeDep,
    page: PageDep,
    request: Request,
    response: Response,
    status: Literal["open", "same", "different"] | None = None,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
) -> PersonNamePage:
    after = page.after(int)
    rows = await person_names.list_names(
        tx,
        units=units_asked(caller, unit),
        status=status,
        after=after[0] if after else 0,
        limit=page.limit + 1,
    )
    return PersonNamePage.model_validate(
        page.of(
            rows,
            lambda row: (row["id"],),
            request,
            response,
            lambda row: _masked(row, runtime.secrecy),
        )
    )


@router.get("/{name_id}", summary="一号两名详情 · one of them, with what was decided")
async def get_person_name(
    name_id: int, caller: Reader, tx: ReadTx, runtime: RuntimeDep, response: Response
) -> PersonNameDetail:
    row = await person_names.find(tx, name_id)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    return await _detail(tx, row, runtime.secrecy, response)


@router.post("/{name_id}/decisions", summary="一号两名处理 · the same person, or a wrong number")
async def decide_person_name(
    name_id: int,
    order: PersonNameOrder,
    caller: Annotated[Caller, allow("agency")],
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> PersonNameDetail:
    """What an officer found is kept; the register is put right by an application or a new list."""
    row = await person_names.find(tx, name_id, lock=True)
    if row is None:
        raise problem("not-found")
    caller.require_unit(row["unit"])
    seen.require(_tag(name_id), row["revision"])
    await person_names.decide(tx, name_id, order.decision)
    who = (caller.subject, caller.department)
    now = runtime.clock.now()
    about = f"person-name:{name_id}"
    await links.log_decision(tx, [about], order.decision, order.reason, who, now, [{}])
    decided = {**row, "status": order.decision, "revision": row["revision"] + 1}
    return await _detail(tx, decided, runtime.secrecy, response)


async def _detail(
    tx: AsyncConnection, row: dict[str, Any], secrecy: Secrecy, response: Response
) -> PersonNameDetail:
    set_etag(response, _tag(row["id"]), row["revision"])
    decisions = await links.decisions_of(tx, f"person-name:{row['id']}")
    return PersonNameDetail.model_validate({**_masked(row, secrecy), "decisions": decisions})


def _masked(row: dict[str, Any], secrecy: Secrecy) -> dict[str, Any]:
    before = unsealed(bytes(row["sealed_before"]), row["person_key"], secrecy).name
    told = unsealed(bytes(row["sealed_told"]), row["person_key"], secrecy).name
    return {
        **row,
        "name_before": _mask(before),
        "name_told": _mask(told),
    }


def _mask(name: str) -> str:
    """The surname's character; where surnames agree the two are told apart by the records."""
    return name[:1] + "*" * (len(name) - 1)
