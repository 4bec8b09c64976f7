"""Two employers become one: keys, evidence and leads go to the one that stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import intake as golden
from enrollment.identity import store as identity_store
from enrollment.leads import projections
from enrollment.leads.changes import Cause
from enrollment.leads.work.carrying import join_work
from enrollment.linking import rules
from enrollment.linking.intake.telling import Change, tell
from enrollment.linking.rules import Standing
from enrollment.linking.store import conflicts, links, matching, moving
from enrollment.linking.store.links import Decided
from shared.events import Fact
from shared.periods import local_date
from shared.plan import Plan


class Wanted(NamedTuple):
    """A pair to be joined."""

    link_id: int
    left_id: str
    right_id: str


class Joined(NamedTuple):
    """What came of pairs that were to be joined."""

    done: list[Decided]
    already: list[int]
    """One employer by now, through others."""
    both_in_register: list[int]
    """An employer stands in the register once: these cannot be joined."""
    facts: list[Fact]
    left: list[int]
    """Not tried: another pair of the same employers came first."""


async def join(
    conn: AsyncConnection,
    plan: Plan,
    pairs: Sequence[Wanted],
    rule: str,
    recorded_at: datetime,
) -> Joined:
    """Make each pair one employer: the one in the register stays, else the one known longer.

    An employer takes part in one pair at most; later pairs of the same are ``left``. The caller
    holds ``moving.lock_identity``, writes ``done`` and publishes the facts.
    """
    root = await moving.roots(conn, {side for pair in pairs for side in pair[1:]})
    await identity_store.lock_employers(conn, set(root.values()))
    standing = await moving.standings(conn, set(root.values()))
    result = Joined([], [], [], [], [])
    chosen: dict[int, tuple[Standing, Standing]] = {}
    busy: set[str] = set()
    for pair in pairs:
        one, other = standing[root[pair.left_id]], standing[root[pair.right_id]]
        roles = rules.survivor_of(one, other)
        if one.employer_id == other.employer_id:
            result.already.append(pair.link_id)
        elif busy & {one.employer_id, other.employer_id}:
            result.left.append(pair.link_id)
        elif roles is None:
            result.both_in_register.append(pair.link_id)
        else:
            busy |= {one.employer_id, other.employer_id}
            chosen[pair.link_id] = roles
    if not chosen:
        return result
    moves = {absorbed.employer_id: stays.employer_id for stays, absorbed in chosen.values()}
    keys = await _move(conn, plan, moves, recorded_at)
    changes = {old: Change(rule, merged_into=new) for old, new in moves.items()}
    changes |= {new: Change(rule) for new in moves.values()}
    result.facts.extend(await tell(conn, changes, recorded_at))
    cause = Cause(None, None, local_date(recorded_at))
    result.facts.extend(
        await projections.follow(
            conn, dict.fromkeys(changes, cause), recorded_at, merged=moves, plan=plan
        )
    )
    result.facts.extend(await join_work(conn, moves, recorded_at))
    for link_id, (stays, absorbed) in chosen.items():
        was = {"name": stays.name, "unit": stays.unit}
        ids = (stays.employer_id, absorbed.employer_id)
        result.done.append(Decided(link_id, rules.LINKED, *ids, keys[ids[1]], was))
    return result


async def _move(
    conn: AsyncConnection, plan: Plan, moves: Mapping[str, str], at: datetime
) -> dict[str, list[str]]:
    """Absorbed employer → the keys it had."""
    keys: dict[str, list[str]] = defaultdict(list)
    for moved in await moving.move_keys(conn, moves):
        keys[moved.old].append(moved.key)
    await moving.move_events(conn, moves)
    await conflicts.resolve_pairs(conn, list(moves.items()), at)
    await golden.move(conn, plan, moves, at)
    await moving.set_merged(conn, moves)
    return keys


async def join_automatic(
    conn: AsyncConnection, plan: Plan, limit: int, recorded_at: datetime
) -> tuple[int, list[Fact]]:
    """Join pairs the matcher is sure of; how many it dealt with, 0 when there are none or somebody
    else is matching."""
    await moving.lock_identity(conn)
    if not await matching.try_to_match(conn):
        return 0, []
    found = await links.automatic_pairs(conn, limit)
    if not found:
        return 0, []
    pairs = [Wanted(row["id"], row["left_id"], row["right_id"]) for row in found]
    joined = await join(conn, plan, pairs, "names", recorded_at)
    done = [*joined.done, *(_settled(link_id) for link_id in joined.already)]
    await links.write_decided(conn, done, rules.SYSTEM, None, recorded_at)
    await links.ask_people(conn, joined.both_in_register)
    await links.log_decision(
        conn,
        [f"link:{one.id}" for one in joined.done],
        "link",
        "score",
        (rules.SYSTEM, None),
        recorded_at,
        [effect_of(one) for one in joined.done],
    )
    return len(pairs) - len(joined.left), joined.facts


def _settled(link_id: int) -> Decided:
    return Decided(link_id, rules.LINKED, None, None, None, None)


def effect_of(decided: Decided) -> dict[str, object]:
    """What a decision moved, for the log."""
    return {
        "survivor_id": decided.survivor_id,
        "absorbed_id": decided.absorbed_id,
        "keys": decided.moved_keys,
    }
