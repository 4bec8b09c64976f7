"""Routes that show records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import CallerDep
from shared.deliveries import store
from shared.deliveries.api.asking import DeliveryId, RecordNo, feed_of, visible
from shared.deliveries.feed import Disposition, Feed
from shared.deliveries.judge import StoredSegment, judge_segment, records_of
from shared.deliveries.processing import task_of
from shared.deliveries.receipts import timestamp
from shared.deliveries.records import select, shown, versions
from shared.deliveries.store import DeliveryRow, linked
from shared.deliveries.tables.kept import notes_for
from shared.deliveries.texts import described
from shared.dependencies import ReadTx, RuntimeDep
from shared.paging import PageDep
from shared.problems import problem
from shared.runtime import Runtime


def add_records(router: APIRouter, feeds: Mapping[str, Feed]) -> None:
    """How each record ended, and one record as it may be shown."""

    @router.get(
        "/deliveries/{id}/records",
        tags=["records"],
        summary="逐条处置结果 · how each record ended",
    )
    async def list_records(
        delivery_id: DeliveryId,
        request: Request,
        response: Response,
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: ReadTx,
        page: PageDep,
        disposition: Annotated[
            Disposition | None, Query(description="处置 · applied, duplicate, rejected, held")
        ] = None,
    ) -> dict[str, Any]:
        row = await visible(conn, caller, delivery_id)
        after = page.after(int)
        found = await records_after(
            conn, row, after[0] if after else 0, disposition, page.limit + 1
        )
        numbers = [no for no, _ in found]
        problems = await store.problems_of(conn, row.id, numbers, len(numbers))
        feed = feed_of(feeds, row.feed)
        notes = await notes_for(conn, runtime, feed, row, numbers)
        return page.of(
            found,
            lambda record: (record[0],),
            request,
            response,
            lambda record: {
                "no": record[0],
                "disposition": record[1],
                "problems": described(feed, problems.get(record[0], ())),
                **notes.get(record[0], {}),
            },
        )

    @router.get(
        "/deliveries/{id}/records/{no}",
        tags=["records"],
        summary="一条记录(个人信息已遮盖) · one record, personal fields masked",
    )
    async def get_record(
        delivery_id: DeliveryId,
        no: RecordNo,
        caller: CallerDep,
        runtime: RuntimeDep,
        conn: ReadTx,
    ) -> dict[str, Any]:
        row = await visible(conn, caller, delivery_id)
        segment = await store.find_segment_of_record(conn, row.id, no)
        if segment is None:
            raise problem("not-found")
        return await _record(conn, runtime, feed_of(feeds, row.feed), row, segment, no)


async def records_after(
    conn: AsyncConnection,
    row: DeliveryRow,
    after_no: int,
    disposition: Disposition | None,
    limit: int,
) -> list[tuple[int, Disposition]]:
    """A page of records; where few end the way asked for, chunk after chunk is looked through."""
    found: list[tuple[int, Disposition]] = []
    while len(found) < limit:
        chunks = await store.chunks_from(conn, row.id, after_no + 1, 20)
        if not chunks:
            break
        found += select(chunks, after_no, disposition, limit - len(found))
        first_no, packed = chunks[-1]
        after_no = first_no + len(packed) - 1
    return found


async def _record(
    conn: AsyncConnection,
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    segment: StoredSegment,
    no: int,
) -> dict[str, Any]:
    text = dict(records_of(runtime.secrecy, str(row.id), row.reader, segment))[no]
    ended = await records_after(conn, row, no - 1, None, 1)
    how = ended[0][1] if ended and ended[0][0] == no else None
    problems = await store.problems_of(conn, row.id, [no], 1)
    history: list[Mapping[str, Any]] = []
    if how in (Disposition.APPLIED, Disposition.DUPLICATE) and not row.dry_run:
        # The key is not kept with each record: judging is pure and gives it again.
        task = task_of(runtime, feed, row, segment, frozenset({no}))
        keys = [key for _, key, _, _ in judge_segment(task, runtime.plan, runtime.secrecy).rows]
        known = await store.versions_of(conn, feed.name, keys[0]) if keys else []
        if known or how is Disposition.APPLIED:
            history = versions(known, str(row.id), no)
    decided = await linked.resolutions_of(conn, row.id, no)
    return {
        "delivery": str(row.id),
        "no": no,
        "disposition": how,
        "withdrawn": row.withdrawn_at is not None,
        "resolutions": [{**one, "resolved_at": timestamp(one["resolved_at"])} for one in decided],
        "content": shown(feed, text),
        "problems": described(feed, problems.get(no, ())),
        **(await notes_for(conn, runtime, feed, row, [no])).get(no, {}),
        "versions": history,
    }
