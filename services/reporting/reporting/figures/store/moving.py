"""Holdings move to their new states; noted is what has to be posted for it.

Together the entries of a holder say the same as its states do (``rules.state_on``): summed up to
any day they are the position it had on that day. A new state nearly always comes last in time or
corrects the only one; then the state before it is all that has to be taken back. Else every entry
of the holder that the new state overrules is taken back at its day, set-based, and the cost is
that of those holders' own entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.copying import binary_block, copy_block, stage
from shared.database import raw

STAGE = "posting_stage"
STAGE_COLUMNS: Final = {
    "block_no": "int2",
    "block_index": "int4",
    "round": "int2",
    "account": "int2",
    "holder": "text",
    "subject": "text",
    "unit": "int2",
    "segment": "int4",
    "q1": "int8",
    "q2": "int8",
    "q3": "int8",
    "effective_on": "date",
    "revision": "int4",
    "correction": "bool",
    "fact_type": "int2",
    "fact_part": "text",
    "delivery_id": "uuid",
    "record_no": "int4",
}
"""What is known of a position that a fact states; ``Line`` has these in this order."""
Line: TypeAlias = tuple[Any, ...]
_MOVED = "posting_moved"
_MOVED_COLUMNS = {
    **STAGE_COLUMNS,
    "prev_subject": "text",
    "prev_unit": "int2",
    "prev_segment": "int4",
    "prev_q1": "int8",
    "prev_q2": "int8",
    "prev_q3": "int8",
    "stands_since": "int4",
    "reversal_on": "date",
    "changed": "bool",
    "same_place": "bool",
    # The holder's entries have to be looked at; such a row itself makes no legs.
    "again": "bool",
}


def _ddl(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


async def stage_postings(conn: AsyncConnection, lines: Sequence[Line]) -> None:
    """Lines into an empty stage of this session."""
    await stage(conn, STAGE, _ddl(STAGE_COLUMNS))
    block = binary_block(lines, list(STAGE_COLUMNS.values()))
    await copy_block(conn, STAGE, list(STAGE_COLUMNS), block)
    # The stage has no statistics; without this its join below may be planned as a nested loop.
    await (await raw(conn)).execute("SET LOCAL enable_nestloop = off")


_SLOTS = (1, 2, 3)
IN_ORDER = "holder, account"
"""How holdings are locked by all appliers. What differs most comes first, for it is by the first
key alone that PostgreSQL sorts quickly."""
LEGS = f"""
  SELECT block_no, block_index, 0 AS leg, account, prev_unit AS unit, prev_segment AS segment,
    {", ".join(f"-prev_q{n} AS q{n}" for n in _SLOTS)}, reversal_on AS effective_on,
    prev_subject AS subject, holder, fact_type, fact_part, revision, delivery_id, record_no
  FROM {_MOVED} WHERE prev_unit IS NOT NULL AND changed AND NOT same_place
  UNION ALL
  SELECT block_no, block_index, 1, account, unit, segment,
    {", ".join(f"q{n} - CASE WHEN same_place THEN prev_q{n} ELSE 0 END" for n in _SLOTS)},
    effective_on, subject, holder, fact_type, fact_part, revision, delivery_id, record_no
  FROM {_MOVED} WHERE prev_unit IS NULL OR changed
"""
"""What is to be posted for everything moved so far, a row for each entry."""

TAKEN = ["subject", "unit", "segment", "q1", "q2", "q3", "effective_on"]
"""What a new state replaces."""
_PREVIOUS = [column for column in TAKEN if column != "effective_on"]
_MOVE = f"""
WITH taken AS (
  INSERT INTO holdings AS h
    (account, holder, {", ".join(TAKEN)}, touched_on, revision, stands_since)
  SELECT account, holder, {", ".join(TAKEN)}, effective_on, revision,
    CASE WHEN correction THEN 0 ELSE revision END
  FROM {STAGE} WHERE round = %(round)s ORDER BY {IN_ORDER}
  ON CONFLICT (account, holder) DO UPDATE SET
    {", ".join(f"{column} = excluded.{column}" for column in (*TAKEN, "revision"))},
    {", ".join(f"prev_{column} = h.{column}" for column in TAKEN)},
    touched_on = greatest(h.touched_on, excluded.effective_on),
    stands_since = coalesce(nullif(excluded.stands_since, 0), h.stands_since)
  WHERE h.revision < excluded.revision
  RETURNING account, holder, {", ".join(f"prev_{column}" for column in TAKEN)}, stands_since
), judged AS (
  SELECT s.*, {", ".join(f"t.prev_{column}" for column in _PREVIOUS)}, t.stands_since,
    CASE WHEN s.correction THEN t.prev_effective_on ELSE s.effective_on END AS reversal_on,
    (s.correction AND s.effective_on <> t.prev_effective_on)
      OR {" OR ".join(f"t.prev_{c} IS DISTINCT FROM s.{c}" for c in _PREVIOUS)} AS changed,
    CASE WHEN s.correction THEN t.stands_since > 1 AND s.effective_on <> t.prev_effective_on
         ELSE s.effective_on < t.prev_effective_on END AS again
  FROM {STAGE} s JOIN taken t USING (account, holder) WHERE s.round = %(round)s
)
INSERT INTO {_MOVED}
SELECT {", ".join(STAGE_COLUMNS)}, {", ".join(f"prev_{column}" for column in _PREVIOUS)},
  stands_since, reversal_on, changed AND again IS NOT TRUE,
  (subject, unit, segment, effective_on)
    IS NOT DISTINCT FROM (prev_subject, prev_unit, prev_segment, reversal_on),
  again
FROM judged
"""

_ANY_AGAIN = f"SELECT FROM {_MOVED} WHERE round = %(round)s AND again LIMIT 1"
# An entry of a state that stands under the new one keeps the days before it and is taken back at
# the new state's day; any other, of a corrected state or of a later day, at its own. Of accounts
# whose holder is not its subject (receipts, arrears) states are only ever corrected.
_POST_AGAIN = f"""
WITH turned AS (
  SELECT * FROM {_MOVED} WHERE round = %(round)s AND again
), posted AS (
  SELECT e.* FROM turned t CROSS JOIN LATERAL (
    SELECT account, holder, fact_revision AS revision, effective_on, subject, unit, segment,
      q1, q2, q3
    FROM entries WHERE account = t.account AND subject = t.holder AND holder = t.holder OFFSET 0
  ) AS e
  UNION ALL
  SELECT account, holder, l.revision, l.effective_on, l.subject, l.unit, l.segment,
    l.q1, l.q2, l.q3
  FROM ({LEGS}) AS l JOIN turned USING (account, holder)
), legs AS (
  SELECT account, holder, p.subject, p.unit, p.segment, -p.q1 AS q1, -p.q2 AS q2, -p.q3 AS q3,
    CASE WHEN p.revision < t.stands_since THEN greatest(p.effective_on, t.effective_on)
         ELSE p.effective_on END AS effective_on
  FROM posted p JOIN turned t USING (account, holder)
  UNION ALL
  SELECT account, holder, subject, unit, segment, q1, q2, q3, effective_on FROM turned
), netted AS (
  SELECT account, holder, subject, unit, segment, effective_on,
    {", ".join(f"sum(q{n})::int8 AS q{n}" for n in _SLOTS)}
  FROM legs GROUP BY account, holder, subject, unit, segment, effective_on
)
INSERT INTO {_MOVED} ({", ".join(STAGE_COLUMNS)}, changed, same_place)
SELECT {", ".join(f"{'n' if c in TAKEN else 't'}.{c}" for c in STAGE_COLUMNS)}, false, false
FROM netted n JOIN turned t USING (account, holder)
ORDER BY n.effective_on, n.unit, n.segment
"""


async def begin_moving(conn: AsyncConnection) -> None:
    """Where ``move_holdings`` notes what is to be posted, emptied."""
    await stage(conn, _MOVED, _ddl(_MOVED_COLUMNS))


async def move_holdings(conn: AsyncConnection, round_no: int) -> None:
    """Give every holder of the round its new position; note what is to be posted for it.

    A revision not higher than the holder's is left out. Mostly the state before is taken back: a
    corrected one at its own effective day, for it never was true, a changed one at the new
    state's. A state that claims a day before the one it follows, or corrects a day while others
    stand under it, turns on every entry of its holder.
    """
    connection = await raw(conn)
    await connection.execute(_MOVE, {"round": round_no})
    # A statement of its own: only now that the holdings are locked are all their entries seen.
    cursor = await connection.execute(_ANY_AGAIN, {"round": round_no})
    if await cursor.fetchone() is not None:
        await connection.execute(_POST_AGAIN, {"round": round_no})
