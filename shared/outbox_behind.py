"""An outbox that is behind its own bus: the database was taken back to an earlier moment.

Positions are committed before they are published, so the bus never names one that the outbox has
not given. When it does, the database was restored, and what it would give next has been given
before: receivers have had those positions and would drop the new facts without a word. So the
relay looks before it begins to send, and sends nothing until somebody says how to go on
(``resume``) or the bus no longer has those messages (its topic was made anew). Facts wait in the
outbox meanwhile. It sees as far back as the topic keeps messages.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.outbox import CHANNEL


async def note(conn: AsyncConnection, on_the_bus: Mapping[int, int]) -> dict[int, int]:
    """Compare with the last positions found on the bus and remember which are ahead.

    Returns partition → position on the bus, only where that is higher than what was given here;
    empty when all is well. Nothing is placed while this is not empty, by whatever relay.
    """
    await conn.execute(_LOCK)
    given = {row.partition: row for row in await conn.execute(_GIVEN)}
    ahead = {
        partition: position
        for partition, position in on_the_bus.items()
        if partition not in given or position >= given[partition].next_position
    }
    noted = {partition: row.bus_position for partition, row in given.items() if row.bus_position}
    if ahead != noted:
        await conn.execute(_FORGET)
        if ahead:
            await conn.execute(
                _NOTE, {"partitions": list(ahead), "positions": list(ahead.values())}
            )
    return ahead


async def resume(conn: AsyncConnection, above: Mapping[int, int]) -> dict[int, int]:
    """Go on above what was found on the bus, and above the positions given, whichever is higher.

    ``above``: partition → a position that has been given, as a receiver's marks tell when the bus
    has lost its messages too. Returns partition → the next position, where it moved. Receivers see
    no gap: the positions left out are those they had from before. Never goes back.
    """
    await conn.execute(_LOCK)
    before = {row.partition: row.next_position for row in await conn.execute(_GIVEN)}
    await conn.execute(_RESUME)
    if above:
        given = {"partitions": list(above), "positions": list(above.values())}
        await conn.execute(_RAISE, given)
    await conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    after = {row.partition: row.next_position for row in await conn.execute(_GIVEN)}
    return {p: position for p, position in after.items() if position != before.get(p)}


_LOCK = text("LOCK TABLE outbox_heads IN EXCLUSIVE MODE")
_GIVEN = text("SELECT partition, next_position, bus_position FROM outbox_heads ORDER BY partition")
_FORGET = text("UPDATE outbox_heads SET bus_position = NULL WHERE bus_position IS NOT NULL")
_PAIRS = "unnest(CAST(:partitions AS int[]), CAST(:positions AS bigint[])) AS n (no, position)"
_NOTE = text(
    "INSERT INTO outbox_heads AS h (partition, next_position, bus_position)"
    f" SELECT no, 1, position FROM {_PAIRS}"
    " ON CONFLICT (partition) DO UPDATE SET bus_position = excluded.bus_position"
)
_RESUME = text(
    "UPDATE outbox_heads SET next_position = greatest(next_position, bus_position + 1),"
    " bus_position = NULL WHERE bus_position IS NOT NULL"
)
_RAISE = text(
    "INSERT INTO outbox_heads AS h (partition, next_position)"
    f" SELECT no, position + 1 FROM {_PAIRS} ON CONFLICT (partition) DO UPDATE"
    " SET next_position = greatest(h.next_position, excluded.next_position)"
)
