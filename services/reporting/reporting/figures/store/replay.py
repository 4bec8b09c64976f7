"""Statements of rebuilding: reading the journal, fingerprinting figures, telling what differs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import MEASURES, Segments
from reporting.figures.store.shadow import SCHEMA, home_of


class JournalBlock(NamedTuple):
    """A block as it was kept."""

    id: int
    producer: str
    partition: int
    recorded_at: datetime
    fact_count: int
    payload: bytes


class Extent(NamedTuple):
    """A stretch of the journal."""

    facts: int
    blocks: int


async def extent(conn: AsyncConnection, after: int, up_to: int) -> Extent:
    """How much the journal holds after one block and up to another."""
    found = await conn.execute(
        text(
            "SELECT coalesce(sum(fact_count), 0), count(*) FROM journal"
            " WHERE id > :after AND id <= :up_to"
        ),
        {"after": after, "up_to": up_to},
    )
    facts, blocks = found.one()
    return Extent(int(facts), int(blocks))


async def head(conn: AsyncConnection) -> int:
    """The last block, 0 for none."""
    found = await conn.execute(text("SELECT coalesce(max(id), 0) FROM journal"))
    return int(found.scalar_one())


async def blocks_of(
    conn: AsyncConnection, after: int, up_to: int, facts: int
) -> Sequence[JournalBlock]:
    """The next blocks in order: at least one, and no more than have ``facts`` facts together."""
    rows = await conn.execute(
        text(
            "SELECT id, producer, partition, recorded_at, fact_count, payload FROM (SELECT *,"
            " sum(fact_count) OVER (ORDER BY id) AS so_far FROM (SELECT * FROM journal"
            " WHERE id > :after AND id <= :up_to ORDER BY id LIMIT 500) AS next) AS summed"
            " WHERE so_far <= :facts OR so_far = fact_count ORDER BY id"
        ),
        {"after": after, "up_to": up_to, "facts": facts},
    )
    return [JournalBlock(*row) for row in rows]


_SLOTS: Final = (1, 2, 3)
_SEGMENT: Final = " || '|' || ".join(f"s.{name}" for name in Segments._fields)
_HOLDINGS: Final = (
    f"SELECT concat_ws(' ', h.account, h.holder, h.subject, u.code, {_SEGMENT}, h.q1, h.q2, h.q3,"
    " h.effective_on, h.touched_on, h.revision) AS line FROM holdings h"
    " JOIN unit_codes u ON u.id = h.unit JOIN segment_sets s ON s.id = h.segment"
)
_ROLLUPS: Final = (
    f"SELECT concat_ws(' ', r.account, u.code, {_SEGMENT}, r.effective_on, r.recorded_on, r.slot,"
    " r.q1, r.q2, r.q3) AS line FROM rollups r JOIN unit_codes u ON u.id = r.unit"
    " JOIN segment_sets s ON s.id = r.segment"
    " WHERE coalesce(r.q1, 0) <> 0 OR coalesce(r.q2, 0) <> 0 OR coalesce(r.q3, 0) <> 0"
)


async def fingerprints(conn: AsyncConnection) -> AsyncIterator[str]:
    """SHA-256 of the holdings, then of the rollups that are not nothing, in at most 4096 parts
    each, in an order and with names that do not depend on how numbers were given out.

    A part is what one three-digit beginning of the line's MD5 falls to, its lines sorted.
    Read-only; the server's memory holds a part at a time.
    """
    for lines in (_HOLDINGS, _ROLLUPS):
        rows = await conn.execute(
            text(
                "SELECT encode(sha256(convert_to(string_agg(line, E'\n' ORDER BY line"
                " COLLATE \"C\"), 'UTF8')), 'hex') FROM"
                ' (SELECT line, left(md5(line), 3) COLLATE "C" AS part'
                f" FROM ({lines}) AS named) AS parted"
                " GROUP BY part ORDER BY part"
            )
        )
        for part in rows.scalars():
            yield part


class Difference(NamedTuple):
    """A sum that came out otherwise: of an account's quantities in a unit on an effective day."""

    account: int
    unit: str
    effective_on: date
    before: tuple[int, int, int]
    after: tuple[int, int, int]

    def by_measure(self) -> list[tuple[str, int, int]]:
        """Name of the measure, sum before, sum after, of those that differ."""
        names = {m.slot: m.name for m in MEASURES.values() if m.account == self.account}
        return [
            (names.get(slot, f"{self.account}/{slot}"), before, after)
            for slot, before, after in zip(_SLOTS, self.before, self.after, strict=True)
            if before != after
        ]


async def differences(conn: AsyncConnection, limit: int) -> list[Difference]:
    """The first sums of the rollups in which the shadow and the living tables differ, by day."""
    rows = await conn.execute(
        text(
            f"WITH a AS ({_sums(await home_of(conn))}), b AS ({_sums(SCHEMA)})"
            " SELECT account, code, effective_on,"
            f" {', '.join(f'coalesce({side}.q{n}, 0)' for side in 'ab' for n in (1, 2, 3))}"
            " FROM a FULL JOIN b USING (account, code, effective_on)"
            f" WHERE {' OR '.join(f'coalesce(a.q{n}, 0) <> coalesce(b.q{n}, 0)' for n in _SLOTS)}"
            " ORDER BY effective_on, account, code LIMIT :limit"
        ),
        {"limit": limit},
    )
    return [
        Difference(account, unit, on, (a1, a2, a3), (b1, b2, b3))
        for account, unit, on, a1, a2, a3, b1, b2, b3 in rows
    ]


def _sums(schema: str) -> str:
    sums = ", ".join(f"sum(q{n})::int8 AS q{n}" for n in _SLOTS)
    return (
        f"SELECT account, code, effective_on, {sums}"
        f" FROM {schema}.rollups r JOIN {schema}.unit_codes u ON u.id = r.unit GROUP BY 1, 2, 3"
    )


_DAY_TOTALS: Final = (
    "SELECT d.account, u.code, d.effective_on, d.q1, d.q2, d.q3 FROM {schema}.day_totals d"
    " JOIN {schema}.unit_codes u ON u.id = d.unit"
    " WHERE coalesce(d.q1, 0) <> 0 OR coalesce(d.q2, 0) <> 0 OR coalesce(d.q3, 0) <> 0"
)
_COMPARED: Final = {
    "day_totals": _DAY_TOTALS,
    "delivery_facts": "SELECT * FROM {schema}.delivery_facts",
    "employer_links": "SELECT * FROM {schema}.employer_links",
}


async def differing_rows(conn: AsyncConnection) -> dict[str, int]:
    """How many rows of tables that the fingerprint leaves out are in the shadow or among the
    living only; tables that agree are left out.

    Not looked at are the keys of employers: when two employers claim one at the same moment, the
    journal does not say who came last.
    """
    found: dict[str, int] = {}
    for table, query in _COMPARED.items():
        one, other = (query.format(schema=schema) for schema in (await home_of(conn), SCHEMA))
        counted = await conn.execute(
            text(
                f"SELECT count(*) FROM (({one} EXCEPT ALL {other}) UNION ALL"
                f" ({other} EXCEPT ALL {one})) AS differing"
            )
        )
        if rows := int(counted.scalar_one()):
            found[table] = rows
    return found
