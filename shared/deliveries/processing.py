"""One unit of work on a feed: a chunk, a dry run, or held records judged again.

Each is one transaction: state, dispositions, facts and progress together, or nothing. Whatever
kills the process, the next one finds the last committed chunk and goes on after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto import mask_within
from shared.database import sent_together
from shared.deliveries import store
from shared.deliveries.apply import Result, apply_judged, apply_prepared, problem_codes
from shared.deliveries.effects import EffectSoFar
from shared.deliveries.feed import ApplyContext, Disposition, Feed, RowProblem
from shared.deliveries.following import (
    Removals,
    begin_withdrawals,
    find_removals,
    note_named,
    superseded_by,
)
from shared.deliveries.fresh import Preparing
from shared.deliveries.judge import Judged, JudgePool, JudgeTask, Judging, StoredSegment
from shared.deliveries.linking import link_receipt, sealed
from shared.deliveries.numbers import Remarks
from shared.deliveries.receipts import (
    CODES,
    FIRST_PROBLEMS,
    Counts,
    ReceiptFacts,
    digest,
    merged,
    pack,
    receipt_of,
)
from shared.deliveries.remarks import keep_remarks
from shared.deliveries.spool import open_segment
from shared.deliveries.store import DeliveryRow
from shared.deliveries.store import held as held_store
from shared.deliveries.store.withdrawals import find_withdrawal
from shared.deliveries.texts import described
from shared.events.registry import delivery_fact
from shared.periods import local_date
from shared.runtime import Runtime
from shared.telemetry import current_traceparent

DRY_RUN_PROBLEMS: Final = 10_000
"""A dry run keeps the details of so many refused records; its counts are complete."""


Save = Callable[[AsyncConnection, DeliveryRow], Awaitable[None]]


def task_of(
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    segment: StoredSegment,
    only: frozenset[int] | None = None,
) -> JudgeTask:
    """What judging that segment of the delivery takes; the same at every repetition."""
    return JudgeTask(
        delivery=row.info,
        today=local_date(row.received_at),
        reader=row.reader,
        segment=segment,
        max_record_bytes=runtime.settings.max_record_bytes,
        record=feed.record,
        judge=feed.judge,
        only=only,
    )


def judging_of(
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    segment: StoredSegment,
    pool: JudgePool,
    *,
    all_new: bool,
    data: bytes | None = None,
) -> Judging:
    """Begin to judge a segment. ``all_new``: its keys are expected to be, so that it pays to
    have the rows prepared. ``data``: the segment opened, where it is at hand.
    """
    task = task_of(runtime, feed, row, segment)
    if feed.fresh is None or row.dry_run or row.mode == "replace" or not all_new:
        return Judging(pool, task, None)
    traceparent = current_traceparent() or row.traceparent
    preparing = Preparing(feed.fresh, runtime.outbox, runtime.clock.now(), traceparent)
    if data is None:
        data = open_segment(runtime.secrecy, str(row.id), segment.no, segment.body)
    return Judging(pool, task, preparing, data)


async def process_chunk(
    conn: AsyncConnection,
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    judging: Judging,
    save: Save = store.save_progress,
) -> DeliveryRow:
    """Apply the next chunk; after the last one make the receipt. Returns the row as saved.
    ``save``: the last statements, which say what came of it. Raises NotNew."""
    now = runtime.clock.now()
    segment = judging.segment
    result = await _applied(ApplyContext(conn, runtime, row.info, feed, now), judging)
    packed = pack(segment.record_count, segment.first_record_no, result.dispositions)
    await _write_details(conn, row, result, now)
    await keep_remarks(conn, runtime.secrecy, row.id, segment, result.remarks)
    if row.mode == "replace":
        await note_named(conn, row, await judging.whole())
    row = _counted(row, row.counts + Counts.of(packed), result.problems)
    row = replace(row, next_chunk=segment.no + 1, status="judging")
    async with sent_together(conn):
        await runtime.outbox.write_packed(conn, result.blocks)
        await store.write_chunk(conn, row.id, segment.no, segment.first_record_no, packed)
        if row.next_chunk == row.chunk_count:
            row = await finish(conn, runtime, feed, row)
        await save(conn, row)
    return row


async def _applied(ctx: ApplyContext, judging: Judging) -> Result:
    """The chunk's rows in the state and their facts in the outbox, or still to be written to it;
    the quick way where there is one for them. Raises NotNew."""
    if judging.preparing is not None:
        result = await apply_prepared(ctx, judging.preparing, judging)
        if result is not None:
            judging.all_new = True
            return result
    result, outcome = await apply_judged(ctx, await judging.whole())
    if outcome.released:
        await held_store.release(ctx.conn, outcome.released)
    result.blocks = ctx.runtime.outbox.packed(outcome.facts)
    others = {Disposition.DUPLICATE, Disposition.HELD}.intersection(result.dispositions.values())
    judging.all_new = not others and all(fact.revision == 1 for fact in outcome.facts)
    return result


async def finish(
    conn: AsyncConnection,
    runtime: Runtime,
    feed: Feed,
    row: DeliveryRow,
    effect: Mapping[str, Any] | None = None,
    removals: Removals | None = None,
) -> DeliveryRow:
    """The receipt and the fact that the delivery was dealt with; what it sets going is noted.
    Raises NotConserved."""
    # A clock that was set back meanwhile must not end a delivery before it came.
    now = max(runtime.clock.now(), row.received_at)
    noted = row.problem_counts
    first = await store.problems_of(conn, row.id, None, FIRST_PROBLEMS) if noted else {}
    if not row.dry_run:
        removals = await find_removals(conn, runtime, feed, row)
        await begin_withdrawals(conn, row, removals, now)
    row = sealed(runtime, _receipted(feed, row, first, now, removals, effect))
    if not row.dry_run:
        row = await publish_delivery(conn, runtime, row, now)
    return row


async def dry_run(
    conn: AsyncConnection, runtime: Runtime, feed: Feed, row: DeliveryRow, pool: JudgePool
) -> DeliveryRow:
    """The whole delivery applied and taken back, its receipt marked void. One transaction.

    Nothing is published. A record held for something this same delivery would bring stays held
    in the void receipt.
    """
    now = runtime.clock.now()
    ctx = ApplyContext(conn, runtime, row.info, feed, now)
    chunks: list[tuple[int, int, bytearray]] = []
    problems: list[tuple[int, Disposition, tuple[RowProblem, ...]]] = []
    remarks: list[tuple[StoredSegment, dict[int, Remarks]]] = []
    effect = await EffectSoFar.begin(conn, feed)
    tried = await conn.begin_nested()
    async for segment in store.segments_of(conn, row.id, row.chunk_count):
        judged = await pool.judge(task_of(runtime, feed, row, segment))
        result, outcome = await apply_judged(ctx, judged)
        await note_named(conn, row, judged)
        effect.seen(outcome.facts)
        packed = pack(segment.record_count, segment.first_record_no, result.dispositions)
        remarks.append((replace(segment, body=b""), result.remarks))
        chunks.append((segment.no, segment.first_record_no, packed))
        problems.extend(_with_disposition(result)[: DRY_RUN_PROBLEMS - len(problems)])
        row = _counted(row, row.counts + Counts.of(packed), result.problems)
    removals = await find_removals(conn, runtime, feed, row)
    measured = await effect.measured(conn, row, removals)
    await tried.rollback()
    for chunk_no, first_no, packed in chunks:
        await store.write_chunk(conn, row.id, chunk_no, first_no, packed)
    await store.write_problems(conn, row.id, problems)
    for segment, said in remarks:
        await keep_remarks(conn, runtime.secrecy, row.id, segment, said)
    row = replace(row, next_chunk=row.chunk_count)
    row = await finish(conn, runtime, feed, row, measured, removals)
    await store.save_progress(conn, row)
    return row


async def judge_again(
    conn: AsyncConnection, runtime: Runtime, feed: Feed, row: DeliveryRow, pool: JudgePool
) -> DeliveryRow:
    """Held records of one delivery through the same gate again, at most a chunk of them.

    Counts change, the receipt does not; a delivery already done gets a linked receipt and is
    published once more, both with its new counts.
    """
    now = row.not_before(runtime.clock.now())
    waited_for = await held_store.due_records(conn, row.id, runtime.settings.chunk_records)
    numbers = frozenset(waited_for)
    judged = Judged()
    for segment in await held_store.segments_holding(conn, row.id, sorted(numbers)):
        part = await pool.judge(task_of(runtime, feed, row, segment, numbers))
        judged.rows += part.rows
        judged.problems |= part.problems
        judged.failures |= part.failures
    ctx = ApplyContext(conn, runtime, row.info, feed, now, replay=True)
    result, outcome = await apply_judged(ctx, judged)
    before = await held_store.take_problems(conn, row.id, sorted(numbers))
    await _settle_held(conn, row, waited_for, result, now)
    if outcome.released:
        await held_store.release(conn, outcome.released)
    await runtime.outbox.write(conn, outcome.facts)
    packed = bytes(CODES[result.dispositions.get(no, Disposition.APPLIED)] for no in numbers)
    counts = row.counts - Counts(held=len(numbers)) + Counts.of(packed)
    counts.conserve(row.counts.total)
    changed = counts != row.counts
    row = replace(row, problem_counts=merged(row.problem_counts, problem_codes(before), -1))
    row = _counted(row, counts, result.problems)
    if changed and row.status == "done":
        await link_receipt(conn, runtime, row, "resolved", now, {})
        row = await publish_delivery(conn, runtime, row, now)
    await store.save_progress(conn, row)
    return row


async def _settle_held(
    conn: AsyncConnection,
    row: DeliveryRow,
    waited_for: Mapping[int, held_store.Due],
    result: Result,
    now: datetime,
) -> None:
    """Held records judged again: resolved, or waiting on."""
    waiting = result.waiting_for
    resolved = [no for no in waited_for if no not in waiting]
    await held_store.settle(conn)
    await held_store.keep_waiting(conn, row.id, waiting, waited_for)
    await held_store.resolve(conn, row.id, resolved, now)
    await held_store.rewrite_chunks(
        conn,
        row.id,
        {no: CODES[result.dispositions.get(no, Disposition.APPLIED)] for no in resolved},
    )
    await store.write_problems(conn, row.id, _with_disposition(result))


async def _write_details(
    conn: AsyncConnection, row: DeliveryRow, result: Result, now: datetime
) -> None:
    if result.problems:
        await store.write_problems(conn, row.id, _with_disposition(result))
    if result.waiting_for:
        await held_store.hold(conn, row.id, row.feed, result.waiting_for, now)


def _with_disposition(
    result: Result,
) -> list[tuple[int, Disposition, tuple[RowProblem, ...]]]:
    return [
        (no, result.dispositions.get(no, Disposition.APPLIED), tuple(map(_masked, found)))
        for no, found in sorted(result.problems.items())
    ]


def _masked(found: RowProblem) -> RowProblem:
    """As it is kept and shown: what a sender put in the wrong field may be an identity number."""
    params = {name: mask_within(value) for name, value in found.params.items()}
    return RowProblem(found.code, mask_within(found.pointer), params)


def _counted(
    row: DeliveryRow, counts: Counts, problems: Mapping[int, tuple[RowProblem, ...]]
) -> DeliveryRow:
    return replace(
        row,
        applied_count=counts.applied,
        duplicate_count=counts.duplicate,
        rejected_count=counts.rejected,
        held_count=counts.held,
        problem_counts=merged(row.problem_counts, problem_codes(problems)),
    )


def _receipted(
    feed: Feed,
    row: DeliveryRow,
    first: Mapping[int, Sequence[RowProblem]],
    now: datetime,
    removals: Removals | None,
    effect: Mapping[str, Any] | None,
) -> DeliveryRow:
    listed = [{"no": no, **one} for no, found in first.items() for one in described(feed, found)]
    facts = ReceiptFacts(
        delivery=str(row.id),
        feed=row.feed,
        period=row.period,
        department=row.department,
        idempotency_key=row.idempotency_key,
        received_at=row.received_at,
        clock=row.clock,
        sha256=row.sha256,
        size=row.size,
        content_type=row.content_type,
        nil=row.nil,
        dry_run=row.dry_run,
        completed_at=now,
        reading=row.reading,
        mode=row.mode,
        supersedes=None if row.supersedes is None else str(row.supersedes),
        left_standing=row.supersedes is not None and superseded_by(row) is None,
        removals=None if removals is None else removals.as_dict(),
        effect=effect,
    )
    receipt = receipt_of(facts, row.sent_count, row.counts, row.problem_counts, listed)
    return replace(
        row, status="done", receipt=receipt, receipt_sha256=digest(receipt), completed_at=now
    )


async def publish_delivery(
    conn: AsyncConnection, runtime: Runtime, row: DeliveryRow, now: datetime
) -> DeliveryRow:
    """The delivery's DeliveryReceived with the counts of now, as its next revision."""
    revision = row.revision + 1
    fact = delivery_fact(runtime.service.name)(
        key=row.feed,
        subject=f"delivery:{row.id}",
        revision=revision,
        delivery_id=str(row.id),
        part="" if revision == 1 else f"r{revision}",
        recorded_at=now,
        feed=row.feed,
        department=row.department,
        unit=row.units[0] if row.units and len(row.units) == 1 else None,
        period=row.period,
        received_at=row.received_at,
        clock=row.clock,
        body_sha256=row.sha256.hex(),
        sent_count=row.sent_count,
        applied_count=row.applied_count,
        duplicate_count=row.duplicate_count,
        rejected_count=row.rejected_count,
        held_count=row.held_count,
        nil=row.nil,
        mode=row.mode,
        withdrawn=row.withdrawn_at is not None,
        superseded_by=await _superseded_by(conn, row),
    )
    await runtime.outbox.write(conn, [fact])
    return replace(row, revision=revision)


async def _superseded_by(conn: AsyncConnection, row: DeliveryRow) -> str | None:
    if row.withdrawn_at is None:
        return None
    withdrawal = await find_withdrawal(conn, row.id)
    if withdrawal is None or withdrawal.superseded_by is None:
        return None
    return str(withdrawal.superseded_by)
