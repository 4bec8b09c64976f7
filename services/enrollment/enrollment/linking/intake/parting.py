"""One employer becomes two again: keys go, and what came by them goes with them (F14)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import intake as golden
from enrollment.identity import store as identity_store
from enrollment.leads import projections
from enrollment.leads import store as lead_store
from enrollment.leads.changes import Cause
from enrollment.leads.work.carrying import part_work
from enrollment.linking import rules
from enrollment.linking.intake.telling import Change, tell
from enrollment.linking.store import conflicts, moving
from shared.events import Fact
from shared.periods import local_date
from shared.plan import Plan
from shared.problems import problem


class Parted(NamedTuple):
    """Who had the keys, who has them now, and what to publish."""

    holder: str
    other: str
    keys: list[str]
    facts: list[Fact]


async def undo(
    conn: AsyncConnection, plan: Plan, link: Mapping[str, Any], recorded_at: datetime
) -> Parted:
    """Part a pair that was joined: the absorbed employer is one of its own again, with the keys it
    brought and those that came through them since. Where the register's entry is among what it
    brought, the entry stays and the others leave under its id. The caller holds
    ``moving.lock_identity``. Raises the problem ``nothing-to-part``.
    """
    absorbed = link["absorbed_id"]
    if absorbed is None:
        raise problem("nothing-to-part")
    holder = (await moving.roots(conn, [absorbed]))[absorbed]
    if holder == absorbed:
        raise problem("nothing-to-part")
    await identity_store.lock_employers(conn, {holder, absorbed})
    via = await moving.vias(conn, holder)
    entry = await moving.entry_keys(conn, holder)
    keys, swapped = rules.parted(link["moved_keys"], via, entry)
    was = link["survivor_was"]
    named = (was["name"], was["unit"]) if swapped else None
    await moving.set_apart(conn, absorbed, named)
    parted = await _part(conn, plan, holder, absorbed, keys, recorded_at)
    parted.facts.extend(await part_work(conn, absorbed, recorded_at))
    return parted


async def part_keys(
    conn: AsyncConnection,
    plan: Plan,
    holder: str,
    wanted: Collection[str],
    recorded_at: datetime,
) -> Parted:
    """Some keys of an employer, and those that came through them, become an employer of their
    own. The register's entry stays with ``holder``. The caller holds ``moving.lock_identity`` and
    the row of ``holder``. Raises the problem ``nothing-to-part`` when no key would go or stay.
    """
    via = await moving.vias(conn, holder)
    keys = rules.brought_along(wanted, via)
    if not keys or len(keys) == len(via):
        # Those that came through the keys wanted are all there is: only the keys themselves go.
        keys = frozenset(key for key in wanted if key in via)
    if not keys or len(keys) == len(via) or any(key.startswith("agency:") for key in keys):
        raise problem("nothing-to-part")
    (new,) = await identity_store.mint(conn, 1)
    standing = (await moving.standings(conn, [holder]))[holder]
    household = all(key.startswith("own:") for key in keys)
    row = (new, standing.name, standing.unit, household, 0, recorded_at)
    await identity_store.insert_employers(conn, [row])
    return await _part(conn, plan, holder, new, keys, recorded_at)


async def move_key(
    conn: AsyncConnection,
    plan: Plan,
    holder: str,
    other: str,
    key: str,
    recorded_at: datetime,
) -> Parted:
    """A key of one employer becomes another's. The caller holds ``moving.lock_identity`` and both
    rows. Raises the problem ``nothing-to-part`` for the last key of ``holder``: then the two are
    one, and are to be merged."""
    via = await moving.vias(conn, holder)
    if key not in via or len(via) == 1 or key.startswith("agency:"):
        raise problem("nothing-to-part")
    return await _part(conn, plan, holder, other, frozenset({key}), recorded_at)


async def _part(
    conn: AsyncConnection,
    plan: Plan,
    holder: str,
    other: str,
    keys: frozenset[str],
    recorded_at: datetime,
) -> Parted:
    moves = {holder: other}
    await moving.move_keys(conn, moves, keys)
    subjects = await moving.move_events(conn, moves, keys)
    await conflicts.settle_parted(conn, keys, other, holder, recorded_at)
    await golden.move(conn, plan, moves, recorded_at, keys)
    causes = dict.fromkeys((holder, other), Cause(None, None, local_date(recorded_at)))
    if subjects:
        moved = await lead_store.tell_they_are_gone(conn, subjects)
        causes = {**moved, **causes}
    facts: list[Fact] = list(
        await tell(conn, {holder: Change("split", split=True), other: Change("split")}, recorded_at)
    )
    facts += await projections.follow(conn, causes, recorded_at, plan=plan)
    return Parted(holder, other, sorted(keys), facts)
