"""Statements that move keys and evidence from one employer to another, for many pairs at once.

The caller holds ``lock_identity`` and the rows of all employers named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, LiteralString, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity import store as identity_store
from enrollment.identity.rules import AGENCY, keys_of
from enrollment.linking.rules import Standing
from enrollment.register.store import employers as register_store
from shared.database import raw

_EVENT_KEY: Final[LiteralString] = (
    # Events kept before keys were: the number in the subject's name is the next best.
    "coalesce(nullif(e.key, ''), CASE split_part(e.subject, ':', 1) "
    "WHEN 'licence' THEN 'lic:' || substr(e.subject, 9) "
    "WHEN 'org-code' THEN 'oc:' || substr(e.subject, 10) "
    "ELSE substring(e.subject FROM '(?:oc|lic|own|rec):[^:]+') END)"
)
_MOVES: Final[LiteralString] = (
    "WITH m AS (SELECT * FROM unnest(%(from)s::text[], %(to)s::text[]) AS m (old, new)) "
)
_MOVING: Final[LiteralString] = (
    f"(%(keys)s::text[] IS NULL OR e.what <> 'gone' AND {_EVENT_KEY} = ANY(%(keys)s))"
)


async def lock_identity(conn: AsyncConnection) -> None:
    """Nobody takes in facts or records about employers, links or parts any until this transaction
    ends. To be taken before any other lock."""
    await register_store.lock_register(conn)
    await identity_store.lock_minting(conn)


async def roots(conn: AsyncConnection, employers: Collection[str]) -> dict[str, str]:
    """Employer → the one it is by now, itself while it was not absorbed.

    A question for each step upwards, most often one, by key: one statement that goes up by itself
    is planned as if it read the table.
    """
    driver = await raw(conn)
    found: dict[str, str] = {}
    above = {employer: employer for employer in employers}
    while above:
        cursor = await driver.execute(
            "SELECT employer_id, merged_into FROM employers WHERE employer_id = ANY(%s)",
            (list(set(above.values())),),
        )
        merged = dict(await cursor.fetchall())
        found |= {one: at for one, at in above.items() if at in merged and merged[at] is None}
        above = {one: merged[at] for one, at in above.items() if merged.get(at) is not None}
    return found


async def standings(conn: AsyncConnection, employers: Collection[str]) -> dict[str, Standing]:
    """The employers as far as joining goes."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT e.employer_id, e.name, e.unit, r.agency_no FROM employers e "
        "LEFT JOIN register_employers r ON r.employer_id = e.employer_id "
        "WHERE e.employer_id = ANY(%s)",
        (list(employers),),
    )
    return {row[0]: Standing._make(row) for row in await cursor.fetchall()}


async def vias(conn: AsyncConnection, employer_id: str) -> dict[str, str | None]:
    """Every key of the employer → the key it came with."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT key, via FROM employer_keys WHERE employer_id = %s ORDER BY key", (employer_id,)
    )
    return dict(await cursor.fetchall())


async def entry_keys(conn: AsyncConnection, employer_id: str) -> tuple[str, ...]:
    """The numbers its entry in the register carries, strongest first; none without an entry."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT org_code, licence_no, owner_key FROM register_employers WHERE employer_id = %s",
        (employer_id,),
    )
    row = await cursor.fetchone()
    return () if row is None else keys_of(row[0], row[1], row[2])


class Moved(NamedTuple):
    """A key that changed hands."""

    key: str
    old: str


async def move_keys(
    conn: AsyncConnection, moves: Mapping[str, str], keys: Collection[str] | None = None
) -> list[Moved]:
    """Keys of the old employers (only these ``keys``, where given) go to the new; old → new."""
    driver = await raw(conn)
    cursor = await driver.execute(
        _MOVES + "UPDATE employer_keys k SET employer_id = m.new FROM m "
        "WHERE k.employer_id = m.old AND (%(keys)s::text[] IS NULL OR k.key = ANY(%(keys)s)) "
        "RETURNING k.key, m.old",
        _parameters(moves, keys),
    )
    return sorted(Moved._make(row) for row in await cursor.fetchall())


async def move_events(
    conn: AsyncConnection, moves: Mapping[str, str], keys: Collection[str] | None = None
) -> list[str]:
    """What is known of the old employers (by these ``keys``, where given) goes to the new.

    Where one of the two was told that a subject is gone, and the other has the subject, being gone
    is forgotten. Returns the subjects moved.
    """
    driver = await raw(conn)
    told = _parameters(moves, keys)
    same = "o.employer_id = m.new AND o.subject = e.subject AND o.revision = e.revision"
    await driver.execute(
        _MOVES + "DELETE FROM lead_events e USING m, lead_events o WHERE e.employer_id = m.old "
        f"AND {same} AND (e.what = 'gone' OR o.what <> 'gone') AND {_MOVING}",
        told,
    )
    await driver.execute(
        _MOVES + "DELETE FROM lead_events o USING m, lead_events e WHERE e.employer_id = m.old "
        f"AND {same} AND o.what = 'gone' AND {_MOVING}",
        told,
    )
    cursor = await driver.execute(
        _MOVES + "UPDATE lead_events e SET employer_id = m.new FROM m WHERE e.employer_id = m.old "
        f"AND {_MOVING} RETURNING e.subject",
        told,
    )
    subjects = sorted({row[0] for row in await cursor.fetchall()})
    if keys is not None and subjects:
        # What was decided about a piece of evidence goes with it, and its revocation too.
        await driver.execute(
            _MOVES + "UPDATE lead_events e SET employer_id = m.new FROM m "
            "WHERE e.employer_id = m.old AND starts_with(e.subject, 'decision:') "
            "AND regexp_replace(e.subject, '^decision:[^:]*:[^:]*:', '') = ANY(%(subjects)s)",
            {**told, "subjects": subjects},
        )
    return subjects


async def set_merged(conn: AsyncConnection, moves: Mapping[str, str]) -> None:
    """Each old employer is the new one from now on."""
    driver = await raw(conn)
    await driver.execute(
        _MOVES + "UPDATE employers e SET merged_into = m.new FROM m WHERE e.employer_id = m.old",
        _parameters(moves, None),
    )
    await driver.execute("DELETE FROM match_queue WHERE employer_id = ANY(%s)", (list(moves),))


async def set_apart(
    conn: AsyncConnection, employer_id: str, named: tuple[str, str] | None = None
) -> None:
    """The employer is one of its own again, with this name and unit where given."""
    driver = await raw(conn)
    await driver.execute(
        "UPDATE employers SET merged_into = NULL WHERE employer_id = %s", (employer_id,)
    )
    await identity_store.compare_again(conn, [employer_id])
    if named is not None:
        await identity_store.rename_employers(conn, [(employer_id, *named)])


def told_of(keys: Sequence[str]) -> list[str]:
    """Without the register's own numbers, which are not published."""
    return [key for key in keys if not key.startswith(AGENCY)]


def _parameters(
    moves: Mapping[str, str], keys: Collection[str] | None
) -> dict[str, list[str] | None]:
    return {
        "from": list(moves),
        "to": list(moves.values()),
        "keys": None if keys is None else sorted(keys),
    }
