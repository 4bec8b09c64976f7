"""Routes for tables: a department's own headings, templates, the sender's table annotated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from shared.auth import Caller, CallerDep
from shared.deliveries import store
from shared.deliveries.feed import Feed
from shared.deliveries.readers import TABLE_FORMS
from shared.deliveries.seeing import may_see, require_content
from shared.deliveries.store import tables as table_store
from shared.deliveries.tables.annotated import annotated_table
from shared.deliveries.tables.characters import heading_key
from shared.deliveries.tables.fields import field_specs
from shared.deliveries.tables.template import CSV_TYPE, XLSX_TYPE, csv_template, xlsx_template
from shared.dependencies import ReadTx, RuntimeDep, Tx
from shared.problems import problem

FeedName = Annotated[str, Path(alias="feed", description="报送项目 · feed")]
DeliveryId = Annotated[UUID, Path(alias="id", description="报送编号 · delivery")]
_MAX_HEADING = 60


class HeadingMapping(BaseModel):
    """Headings of a department's own tables and the fields they stand for."""

    headings: dict[str, str] = Field(
        max_length=500,
        description="本部门表格的列名 → 字段 · heading of your tables → field of the record",
    )


class SavedMapping(HeadingMapping):
    """A mapping with when and by whom it was saved; ``saved_at`` null where there is none."""

    feed: str
    department: str
    saved_at: str | None
    saved_by: str | None


def add_tables(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    """Add the routes to a receiving service's router."""
    _add_mapping(router, feeds)
    _add_template(router, feeds)
    _add_annotated(router, feeds)


def _feed(feeds: Mapping[str, Feed], name: str) -> Feed:
    if name not in feeds:
        raise problem("feed-unknown", feed=name[:60], known=", ".join(sorted(feeds)))
    return feeds[name]


def _own(feeds: Mapping[str, Feed], name: str, caller: Caller) -> Feed:
    feed = _feed(feeds, name)
    if caller.department not in feed.departments:
        allowed = ", ".join(sorted(feed.departments))
        raise problem(
            "forbidden-feed", department=caller.department, feed=feed.name, allowed=allowed
        )
    return feed


def _view(feed: Feed, caller: Caller, saved: table_store.SavedMapping | None) -> SavedMapping:
    return SavedMapping(
        feed=feed.name,
        department=caller.department,
        headings=saved.headings if saved else {},
        saved_at=saved.saved_at.isoformat() if saved else None,
        saved_by=saved.saved_by if saved else None,
    )


def _add_mapping(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    path = "/feeds/{feed}/mapping"

    @router.get(
        path, tags=["feeds"], summary="本部门表格列名的对应 · headings your department mapped"
    )
    async def get_mapping(name: FeedName, caller: CallerDep, conn: ReadTx) -> SavedMapping:
        feed = _own(feeds, name, caller)
        return _view(feed, caller, await table_store.find_mapping(conn, name, caller.department))

    @router.put(path, tags=["feeds"], summary="保存列名对应 · save headings for later tables")
    async def put_mapping(
        name: FeedName, given: HeadingMapping, caller: CallerDep, runtime: RuntimeDep, conn: Tx
    ) -> SavedMapping:
        feed = _own(feeds, name, caller)
        _check(given.headings, feed)
        headings = {heading.strip(): field for heading, field in given.headings.items()}
        now = runtime.clock.now()
        await table_store.save_mapping(conn, name, caller.department, headings, now, caller.subject)
        return _view(feed, caller, table_store.SavedMapping(headings, now, caller.subject))

    @router.delete(path, tags=["feeds"], summary="删除列名对应 · forget it", status_code=204)
    async def delete_mapping(name: FeedName, caller: CallerDep, conn: Tx) -> Response:
        _own(feeds, name, caller)
        await table_store.delete_mapping(conn, name, caller.department)
        return Response(status_code=204)


def _check(headings: Mapping[str, str], feed: Feed) -> None:
    known = {one.encode_name for one in _fields(feed)}
    seen: dict[str, str] = {}
    for heading, field in headings.items():
        reason = ""
        if not heading_key(heading) or len(heading) > _MAX_HEADING:
            reason = f"列名 {heading[:60]} 为空或过长 · an empty or overlong heading"
        elif field not in known:
            reason = f"没有字段 {field[:60]} · there is no such field"
        elif seen.setdefault(heading_key(heading), field) != field:
            reason = f"列名 {heading} 出现两次 · the heading stands twice"
        if reason:
            raise problem("mapping-invalid", reason=reason)


def _fields(feed: Feed) -> Any:
    return msgspec.structs.fields(feed.record)


def _add_template(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    @router.get(
        "/feeds/{feed}/template",
        tags=["feeds"],
        summary="填报模板(XLSX 或 CSV) · a template to fill in",
        response_class=Response,
    )
    async def get_template(
        name: FeedName,
        caller: CallerDep,
        runtime: RuntimeDep,
        form: Annotated[Literal["xlsx", "csv"], Query(alias="format")] = "xlsx",
        lang: Annotated[Literal["zh", "en"], Query(description="说明的语言 · of the notes")] = "zh",
    ) -> Response:
        feed = _feed(feeds, name)
        specs = field_specs(feed, runtime.plan)
        if form == "xlsx":
            body, kind = xlsx_template(feed, specs, lang), XLSX_TYPE
        else:
            body, kind = csv_template(feed, specs), CSV_TYPE
        return Response(
            body,
            media_type=kind,
            headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'},
        )


def _add_annotated(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    @router.get(
        "/deliveries/{id}/annotated",
        tags=["deliveries"],
        summary="所报表格加注处置与问题 · your table with what became of each row",
        response_class=StreamingResponse,
    )
    async def get_annotated(
        delivery_id: DeliveryId,
        caller: CallerDep,
        runtime: RuntimeDep,
        lang: Annotated[Literal["zh", "en"], Query(description="语言 · language")] = "zh",
    ) -> Response:
        async with runtime.database.read() as conn:
            row = await store.find_delivery(conn, delivery_id)
        if row is None or not may_see(caller, row):
            raise problem("delivery-unknown", delivery=delivery_id)
        require_content(caller, row, bool(_feed(feeds, row.feed).protected))
        if row.reader not in TABLE_FORMS:
            raise problem("not-a-table", delivery=delivery_id, content_type=row.content_type)
        parts = await annotated_table(runtime, _feed(feeds, row.feed), row, lang)
        kind, suffix = (XLSX_TYPE, "xlsx") if row.reader == "xlsx" else (CSV_TYPE, "csv")
        return StreamingResponse(
            parts,
            media_type=kind,
            headers={
                "Content-Disposition": f'attachment; filename="{row.feed}-{row.period}.{suffix}"',
                "Cache-Control": "private, no-store",
            },
        )
