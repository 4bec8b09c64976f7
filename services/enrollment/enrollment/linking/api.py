"""The HTTP door to who is whom: pairs, conflicts, and an employer's keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.linking import answers
from enrollment.linking.intake import deciding
from enrollment.linking.intake.deciding import Order, conflict_tag, keys_tag, link_tag
from enrollment.linking.intake.matching import make_all_due
from enrollment.linking.schemas import (
    ConflictDetail,
    ConflictOrder,
    ConflictPage,
    KeysShown,
    LinkDetail,
    LinkOrder,
    LinkPage,
    MatchingShown,
    PartedShown,
    PartOrder,
)
from enrollment.linking.store import conflicts, links, matching
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import ReadTx, RuntimeDep, SnapshotTx, Tx
from shared.paging import PageDep
from shared.problems import problem
from shared.versions import SeenDep, set_etag

router = APIRouter(prefix="/enrollment/v1/identity", tags=["identity"])

Reader = Annotated[Caller, allow("agency", "auditor")]
Officer = Annotated[Caller, allow("agency")]


@router.get("/links", summary="单位关联 · pairs of employers that are or may be one")
async def list_links(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    status: Literal["suggested", "linked", "confirmed", "refused", "split"] | None = None,
    unit: Annotated[str | None, Query(description="任一方的填报单位 · of either side")] = None,
    rule: Annotated[str | None, Query(max_length=50, description="认定规则 · rule")] = None,
    employer: Annotated[str | None, Query(max_length=20, description="employer_id")] = None,
    score_from: Annotated[int | None, Query(ge=0, le=1000, description="最低分")] = None,
    score_to: Annotated[int | None, Query(ge=0, le=1000, description="最高分")] = None,
) -> LinkPage:
    after = page.after(int)
    rows = await links.list_links(
        tx,
        units=units_asked(caller, unit),
        status=status,
        rule=rule,
        employer_id=employer,
        score_from=score_from,
        score_to=score_to,
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    shown = page.of(rows, lambda row: (row["id"],), request, response, answers.with_signs)
    return LinkPage.model_validate(shown)


@router.get("/links/{link_id}", summary="关联对照 · a pair side by side, with evidence and words")
async def get_link(link_id: int, caller: Reader, tx: SnapshotTx, response: Response) -> LinkDetail:
    row = await links.find_link(tx, link_id)
    if row is None:
        raise problem("not-found")
    _require_either(caller, row["left_unit"], row["right_unit"])
    set_etag(response, link_tag(link_id), row["revision"])
    return await _link_detail(tx, row)


@router.post(
    "/links/{link_id}/decisions",
    summary="关联处理 · confirm, refuse or split a pair",
    responses={409: {"description": "link-decided · both-in-register · nothing-to-part"}},
)
async def decide_link(
    link_id: int,
    order: LinkOrder,
    caller: Officer,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> LinkDetail:
    """Leads, and figures with them, follow in the same transaction; records that come later go to
    the right employer."""
    given = Order(caller, order.decision, order.reason, seen)
    row = await deciding.decide_link(tx, runtime, link_id, given)
    set_etag(response, link_tag(link_id), row["revision"])
    return await _link_detail(tx, row)


@router.get("/conflicts", summary="号码冲突 · records that name numbers of two employers")
async def list_key_conflicts(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    status: Literal["open", "resolved"] | None = None,
    unit: Annotated[str | None, Query(description="任一方的填报单位 · of either side")] = None,
) -> ConflictPage:
    after = page.after(int)
    rows = await conflicts.list_conflicts(
        tx,
        units=units_asked(caller, unit),
        resolved=None if status is None else status == "resolved",
        after=after[0] if after else None,
        limit=page.limit + 1,
    )
    return ConflictPage.model_validate(page.of(rows, lambda row: (row["id"],), request, response))


@router.get("/conflicts/{conflict_id}", summary="号码冲突详情 · a conflict with both employers")
async def get_key_conflict(
    conflict_id: int, caller: Reader, tx: SnapshotTx, response: Response
) -> ConflictDetail:
    row = await conflicts.find_conflict(tx, conflict_id)
    if row is None:
        raise problem("not-found")
    _require_either(caller, row["owner_unit"], row["employer_unit"])
    return await _conflict_detail(tx, row, response)


@router.post(
    "/conflicts/{conflict_id}/decisions",
    summary="冲突处理 · keep the key, move it, or merge the two",
    responses={409: {"description": "link-decided · both-in-register · nothing-to-part"}},
)
async def decide_key_conflict(
    conflict_id: int,
    order: ConflictOrder,
    caller: Officer,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
    response: Response,
) -> ConflictDetail:
    given = Order(caller, order.decision, order.reason, seen)
    await deciding.decide_conflict(tx, runtime, conflict_id, given)
    row = await conflicts.find_conflict(tx, conflict_id)
    if row is None:
        raise problem("not-found")
    return await _conflict_detail(tx, row, response)


@router.get("/employers/{employer_id}/keys", summary="单位号码 · an employer's keys, how they came")
async def get_keys(
    employer_id: str, caller: Reader, tx: SnapshotTx, response: Response
) -> KeysShown:
    found = await links.find_keys(tx, employer_id)
    if found is None:
        raise problem("not-found")
    caller.require_unit(found["unit"])
    set_etag(response, keys_tag(employer_id), found["link_revision"])
    found["decisions"] = await links.decisions_of(tx, f"employer:{employer_id}")
    return KeysShown.model_validate(found)


@router.post(
    "/employers/{employer_id}/keys/part",
    status_code=201,
    summary="按号码拆分 · keys that are another employer's become one of their own",
    responses={409: {"description": "nothing-to-part"}},
)
async def part_keys(
    employer_id: str,
    order: PartOrder,
    caller: Officer,
    seen: SeenDep,
    tx: Tx,
    runtime: RuntimeDep,
) -> PartedShown:
    given = Order(caller, "part", order.reason, seen)
    new = await deciding.part_employer(tx, runtime, employer_id, order.keys, given)
    return PartedShown(employer_id=new)


@router.get("/matching", summary="比对进度 · how many employers wait to be compared")
async def get_matching(
    caller: Annotated[Caller, allow("agency", "auditor", "operator")], tx: ReadTx
) -> MatchingShown:
    due, joining = await matching.count_due(tx)
    return MatchingShown(due=due, joining=joining)


@router.post("/matching", status_code=202, summary="全部重新比对 · compare all employers again")
async def match_all(
    caller: Annotated[Caller, allow("operator")], runtime: RuntimeDep
) -> MatchingShown:
    """After the thresholds changed. The work is done by the service's workers; what people have
    decided on the same evidence stays."""
    due, joining = await make_all_due(runtime)
    return MatchingShown(due=due, joining=joining)


async def _link_detail(tx: AsyncConnection, row: dict[str, Any]) -> LinkDetail:
    left, right = await answers.sides_of(tx, row["left_id"], row["right_id"])
    said = answers.verdict_of(row)
    shown = {
        **answers.with_signs(row),
        "left_name": left["name"],
        "right_name": right["name"],
        "left": left,
        "right": right,
        "zh": said.zh,
        "en": said.en,
        "decisions": await links.decisions_of(tx, f"link:{row['id']}"),
    }
    return LinkDetail.model_validate(shown)


async def _conflict_detail(
    tx: AsyncConnection, row: dict[str, Any], response: Response
) -> ConflictDetail:
    set_etag(response, conflict_tag(row["id"]), row["revision"])
    owner, employer = await answers.sides_of(tx, row["owner_id"], row["employer_id"])
    decisions = await links.decisions_of(tx, f"conflict:{row['id']}")
    return ConflictDetail.model_validate(
        {**row, "owner": owner, "employer": employer, "decisions": decisions}
    )


def _require_either(caller: Caller, one: str, other: str) -> None:
    if not caller.may_read_unit(one):
        caller.require_unit(other)
