"""Taking a delivery back: its versions go, the latest that remains of each key stands again.

Three stages, each in transactions of one chunk, so that a kill loses nothing and repeats nothing:

1. *requested*: note the keys whose current version the delivery made (of a full list: the keys in
   its scope that it does not name); its held records (those before it in its scope) end as
   rejected.
2. *searching*: go through the raw records of all other deliveries of the feed, in the order of
   acceptance, for the latest version of each noted key. Judging is pure, so a version comes back
   from what was sent, duplicates included, and nothing else has to be kept for it.
3. *applying*: put that record, or what the feed says of a key without any, through the feed's own
   ``apply`` once more: an ordinary fact with the next revision, marked as a correction.

A key that meanwhile stands by something else is left alone. Deliveries of the feed wait meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries import store
from shared.deliveries.ending import end_held
from shared.deliveries.feed import (
    ApplyContext,
    Disposition,
    Feed,
    JudgedRow,
    Outcome,
    RowProblem,
)
from shared.deliveries.judge import JudgePool
from shared.deliveries.linking import link_receipt
from shared.deliveries.processing import publish_delivery, task_of
from shared.deliveries.receipts import CODES
from shared.deliveries.standing import ENDED_HASH, Standing
from shared.deliveries.store import DeliveryRow, full_lists, linked
from shared.deliveries.store import held as held_store
from shared.deliveries.store import withdrawals as w
from shared.deliveries.store.withdrawals import (
    ENDED,
    KEPT,
    OVERTAKEN,
    RESTORED,
    UNCHANGED,
    counts_of,
)
from shared.runtime import Runtime

_COUNTED: Final = frozenset({CODES[Disposition.APPLIED], CODES[Disposition.DUPLICATE]})
_LOG = structlog.get_logger("deliveries")


async def step(conn: AsyncConnection, runtime: Runtime, feed: Feed, pool: JudgePool) -> bool:
    """One chunk of the feed's earliest withdrawal, in one transaction; False when there is none.
    Needs ``lock_feed``."""
    withdrawal = await w.next_withdrawal(conn, feed.name)
    if withdrawal is None or feed.standing is None:
        return False
    await linked.lock_delivery(conn, withdrawal.delivery_id)
    row = await store.find_delivery(conn, withdrawal.delivery_id)
    if row is None:
        raise LookupError(f"delivery {withdrawal.delivery_id} is missing")
    taking = Taking(conn, runtime, feed, feed.standing, withdrawal, row, pool)
    if withdrawal.status == "requested":
        await taking.begin()
    elif withdrawal.status == "searching":
        await taking.search()
    else:
        await taking.apply()
    return True


class Taking:
    """One withdrawal within one transaction."""

    def __init__(
        self,
        conn: AsyncConnection,
        runtime: Runtime,
        feed: Feed,
        standing: Standing,
        withdrawal: w.Withdrawal,
        row: DeliveryRow,
        pool: JudgePool,
    ) -> None:
        self.conn = conn
        self.runtime = runtime
        self.feed = feed
        self.standing = standing
        self.withdrawal = withdrawal
        self.row = row
        self.pool = pool
        self.now = row.not_before(runtime.clock.now())

    async def begin(self) -> None:
        """Note what is to be done; held records end first, a chunk at a time."""
        conn, withdrawal = self.conn, self.withdrawal
        if withdrawal.kind == "absence":
            if await self._end_replaced():
                return
            await full_lists.collect_unnamed(conn, withdrawal.id, self.row, self.standing)
        else:
            if self.standing.refuses is not None:
                refusal = await self.standing.refuses(conn, self.row.id)
                if refusal is not None:
                    await self._refused(refusal)
                    return
            if await self._end_held():
                return
            await w.mark_withdrawn(conn, self.row.id, self.now)
            await w.collect_standing(conn, withdrawal, self.standing)
        # What a lasting list does not name is gone, whatever was told before.
        ends_all = withdrawal.kind == "absence" and self.standing.lasting
        await w.save_withdrawal(conn, withdrawal.id, "applying" if ends_all else "searching")

    async def _refused(self, refusal: str) -> None:
        await w.save_withdrawal(
            self.conn, self.withdrawal.id, "refused", refusal=refusal, completed_at=self.now
        )
        _LOG.warning("withdrawal refused", delivery=str(self.row.id), reason=refusal)

    async def _end_held(self) -> bool:
        """End some held records as rejected; False when there are none."""
        numbers = await linked.held_numbers(
            self.conn, self.row.id, self.runtime.settings.chunk_records
        )
        if not numbers:
            return False
        problem = RowProblem("record-withdrawn", "")
        row = await end_held(self.conn, self.row, numbers, problem, self.now)
        await store.save_progress(self.conn, row)
        return True

    async def _end_replaced(self) -> bool:
        """End some held records that came before the full list, in its scope: they must not come
        alive after it. False when there are none."""
        conn, runtime = self.conn, self.runtime
        found = await held_store.held_before(conn, self.row, lasting=self.standing.lasting)
        if found is None:
            return False
        await linked.lock_delivery(conn, found)
        row = (await w.deliveries_by_id(conn, {found}))[found]
        now = row.not_before(self.now)
        numbers = await linked.held_numbers(conn, row.id, runtime.settings.chunk_records)
        row = await end_held(conn, row, numbers, RowProblem("record-replaced", ""), now)
        if row.status == "done":
            details = {"replaced_by": str(self.row.id)}
            await link_receipt(conn, runtime, row, "resolved", now, details)
            row = await publish_delivery(conn, runtime, row, now)
        await store.save_progress(conn, row)
        return True

    async def search(self) -> None:
        """Look through one segment for later versions of the noted keys."""
        conn, withdrawal = self.conn, self.withdrawal
        found = None
        if await w.has_keys(conn, withdrawal.id):
            outside = self.row if withdrawal.kind == "absence" else None
            found = await w.next_to_search(conn, withdrawal, outside)
        if found is None:
            if withdrawal.kind == "delivery":
                await w.note_absent(conn, withdrawal)
            await w.save_withdrawal(conn, withdrawal.id, "applying")
            return
        delivery_id, seq, no = found
        row = (await w.deliveries_by_id(conn, {delivery_id}))[delivery_id]
        versions = await self._versions_in(row, no)
        await w.note_remaining(conn, withdrawal, row, self.standing, versions)
        await w.save_withdrawal(conn, withdrawal.id, "searching", seq=seq, segment=no + 1)

    async def _versions_in(self, row: DeliveryRow, no: int) -> dict[str, int]:
        """Key → its last record in a segment, of the records that were applied or duplicates."""
        segment = await store.find_segment(self.conn, row.id, no)
        if segment is None:
            raise LookupError(f"segment {no} of delivery {row.id} is missing")
        ended = await store.chunks_from(self.conn, row.id, segment.first_record_no, 1)
        packed = ended[0][1] if ended else b""
        judged = await self.pool.judge(task_of(self.runtime, self.feed, row, segment))
        first = segment.first_record_no
        versions = {key: n for n, key, _, _ in judged.rows if packed[n - first] in _COUNTED}
        counted = {first + index for index, code in enumerate(packed) if code in _COUNTED}
        lost = counted - {n for n, *_ in judged.rows}
        if not lost:
            return versions
        # They remain all the same. What stands by such a key is kept when its turn comes.
        of_lost = await w.keys_of_versions(self.conn, self.withdrawal, row.id, lost)
        self._warn_of_lost(row, lost)
        return versions | {key: max(n, versions.get(key, 0)) for key, n in of_lost.items()}

    def _warn_of_lost(self, row: DeliveryRow, numbers: Set[int]) -> None:
        _LOG.warning(
            "records are judged otherwise than they were",
            withdrawal=self.withdrawal.id,
            delivery=str(row.id),
            records=len(numbers),
            first=min(numbers),
        )

    async def apply(self) -> None:
        """Bring one chunk of keys to the version that remains; after the last one, say so."""
        conn, withdrawal = self.conn, self.withdrawal
        if self.standing.lock is not None:
            await self.standing.lock(conn)
        limit = self.runtime.settings.chunk_records
        keys = await w.next_keys(conn, withdrawal.id, self.standing, limit)
        if not keys:
            await self._finish()
            return
        ids = {id for key in keys for id in (key.from_delivery, key.to_delivery) if id is not None}
        deliveries = await w.deliveries_by_id(conn, ids | {self.row.id})
        outcomes = {key.natural_key: OVERTAKEN for key in keys if not key.stands}
        standing = [key for key in keys if key.stands]
        for delivery_id, some in _by_target(standing, self.row.id).items():
            outcomes |= await self._bring(deliveries[delivery_id], some, deliveries)
        await w.note_outcomes(conn, withdrawal.id, outcomes)

    async def _bring(
        self, target: DeliveryRow, keys: Sequence[w.Key], deliveries: Mapping[UUID, DeliveryRow]
    ) -> dict[str, str]:
        """Keys of which one delivery has the last word, through the feed's apply."""
        version = {key.natural_key: _target_no(key) for key in keys}
        by_number = {no: key for key, no in version.items()}
        wanted: dict[UUID, set[int]] = defaultdict(set)
        ends = {key.natural_key for key in keys if _ends(key, target)}
        asked: set[str] = set()
        for key in keys:
            if key.natural_key not in ends:
                wanted[target.id].add(version[key.natural_key])
            elif key.from_no <= deliveries[key.from_delivery].sent_count:
                wanted[key.from_delivery].add(key.from_no)
            else:
                continue
            asked.add(key.natural_key)
        judged = [
            one
            for delivery_id, numbers in wanted.items()
            for one in await self._judged(deliveries[delivery_id], numbers)
            if one.key in version
        ]
        rows = [self._row(version[one.key], one, one.key in ends) for one in judged]
        rows.sort(key=lambda row: row.no)
        outcome = await self._applied(target, rows) if rows else Outcome()
        given = {row.key for row in rows}
        found = {
            key.natural_key: KEPT if key.natural_key in asked else UNCHANGED
            for key in keys
            if key.natural_key not in given
        }
        for row in rows:
            how = outcome.dispositions.get(row.no, Disposition.APPLIED)
            found[by_number[row.no]] = _OUTCOME[how] or (ENDED if row.key in ends else RESTORED)
        moved = [
            w.Moved(key.natural_key, key.from_delivery, key.from_no, target.id, no)
            for key in keys
            if found[key.natural_key] == UNCHANGED
            and (no := version[key.natural_key], target.id) != (key.from_no, key.from_delivery)
        ]
        await w.reattribute(self.conn, self.feed.name, self.standing, moved, self.now)
        return found

    def _row(self, no: int, judged: JudgedRow, ends: bool) -> JudgedRow:
        if not ends:
            return judged._replace(no=no)
        columns = self.feed.columns
        nothing = self.standing.ended(dict(zip(columns, judged.row, strict=True)))
        return JudgedRow(no, judged.key, ENDED_HASH, tuple(nothing[name] for name in columns))

    async def _judged(self, row: DeliveryRow, numbers: set[int]) -> list[JudgedRow]:
        """Those records of a delivery, without those that are not judged good any more: plan,
        limits or the feed's form of a record have changed since."""
        rows: list[JudgedRow] = []
        only = frozenset(numbers)
        for segment in await held_store.segments_holding(self.conn, row.id, sorted(only)):
            task = task_of(self.runtime, self.feed, row, segment, only)
            judged = await self.pool.judge(task)
            rows += map(JudgedRow._make, judged.rows)
        lost = only - {one.no for one in rows}
        if lost:
            self._warn_of_lost(row, lost)
        return rows

    async def _applied(self, target: DeliveryRow, rows: Sequence[JudgedRow]) -> Outcome:
        ctx = ApplyContext(self.conn, self.runtime, target.info, self.feed, self.now, restates=True)
        outcome = await self.feed.apply(ctx, rows)
        part = f"w{self.withdrawal.id}"
        facts = [msgspec.structs.replace(fact, part=f"{fact.part}{part}") for fact in outcome.facts]
        await self.runtime.outbox.write(self.conn, facts)
        if outcome.released:
            await held_store.release(self.conn, outcome.released)
        if outcome.waiting_for or outcome.problems:
            _LOG.error("a version cannot stand again", delivery=str(target.id))
        return outcome

    async def _finish(self) -> None:
        """Say what became of it: in receipts of the deliveries concerned, and as a fact."""
        conn, withdrawal, row = self.conn, self.withdrawal, self.row
        details = {
            "withdrawal": {
                "reason": withdrawal.reason,
                "by": withdrawal.subject,
                "department": withdrawal.department,
                "delivery": str(row.id),
                "superseded_by": str(withdrawal.superseded_by or "") or None,
                **counts_of(await w.count_outcomes(conn, withdrawal.id)),
            }
        }
        kind = "removals" if withdrawal.kind == "absence" else "withdrawn"
        await link_receipt(conn, self.runtime, row, kind, self.now, details)
        if kind == "withdrawn":
            row = await publish_delivery(conn, self.runtime, row, self.now)
            await store.save_progress(conn, row)
        if withdrawal.superseded_by is not None:
            await linked.lock_delivery(conn, withdrawal.superseded_by)
            by = await store.find_delivery(conn, withdrawal.superseded_by)
            if by is not None:
                await link_receipt(conn, self.runtime, by, "superseding", self.now, details)
        await w.save_withdrawal(conn, withdrawal.id, "done", completed_at=self.now)


_OUTCOME: Final[dict[Disposition, str]] = {
    Disposition.APPLIED: "",
    Disposition.DUPLICATE: UNCHANGED,
    Disposition.HELD: KEPT,
    Disposition.REJECTED: KEPT,
}


def _by_target(keys: Sequence[w.Key], taken_back: UUID) -> dict[UUID, list[w.Key]]:
    """Keys by the delivery that has the last word: the one whose version remains, or, where none
    does, the one that is taken back or did not name it."""
    found: dict[UUID, list[w.Key]] = defaultdict(list)
    for key in keys:
        found[key.to_delivery or taken_back].append(key)
    return found


def _target_no(key: w.Key) -> int:
    if key.to_no is not None:
        return key.to_no
    return key.from_no if key.absent_no is None else key.absent_no


def _ends(key: w.Key, target: DeliveryRow) -> bool:
    """Whether nothing remains of the key: no version, or the last word is that it is absent."""
    return key.to_no is None or key.to_no > target.sent_count
