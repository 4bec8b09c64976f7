"""Employers that bear alike names are found, judged, and joined or asked about.

Works through the employers in ``match_queue`` (minted since, or told of otherwise), a batch a
transaction, so it costs those that bring employers in nothing. Memory is bounded by a batch and
its candidates. Killed at any point it goes on where it was.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import store as golden_store
from enrollment.golden.rules import Sighting, golden
from enrollment.identity.names import (
    NamePolicy,
    Normal,
    Seen,
    Verdict,
    blocks_of,
    normal_of,
    policy_of,
)
from enrollment.identity.names.compare import judge
from enrollment.linking import rules
from enrollment.linking.intake.joining import join_automatic
from enrollment.linking.store import links, matching, moving
from enrollment.linking.store.links import Found
from enrollment.linking.store.matching import Known
from shared.outbox import seconds_since_written
from shared.periods import local_date

if TYPE_CHECKING:
    from shared.runtime import Runtime

EMPLOYERS_AT_ONCE = 250
"""A feed that tells more of one of them waits for the batch."""
PAIRS_AT_ONCE = 50
"""All feeds of the service wait for these."""
MADE_DUE_AT_ONCE = 10_000
QUIET_SECONDS = 1.0
"""So long nothing was told: nobody is just bringing employers in."""
LONGEST_WAIT_SECONDS = 30.0
SEVERAL = "several"
"""Rule of a pair that would be linked, were there not another one as good."""


class Matched(NamedTuple):
    """What a run did."""

    employers: int
    compared: int
    found: int
    joined: int


async def match_when_quiet(runtime: Runtime) -> Matched:
    """``match_employers``, put off while facts are coming in, though no employer waits longer than
    ``LONGEST_WAIT_SECONDS`` for the matcher to begin: it would take from the feeds half of the
    database's time (decision record 38)."""
    async with runtime.database.read() as conn:
        overdue = await matching.waited_seconds(conn) > LONGEST_WAIT_SECONDS
    return await match_employers(runtime, _always if overdue else _is_quiet)


async def _always(_: Runtime) -> bool:
    return True


async def _is_quiet(runtime: Runtime) -> bool:
    """Whether the service has nothing new to say just now."""
    async with runtime.database.read() as conn:
        since = await seconds_since_written(conn)
    return since is None or since >= QUIET_SECONDS


async def match_employers(
    runtime: Runtime, may_go_on: Callable[[Runtime], Awaitable[bool]] = _always
) -> Matched:
    """Look at every employer that is due, join what is certain and put what is not in the queue.

    Two at once do no harm: the second finds nothing to do. ``may_go_on`` is asked before each
    transaction; what is left then stays due.
    """
    looked = compared = found = joined = 0
    after: str | None = "" if (await _to_do(runtime))[0] else None
    while after is not None and await may_go_on(runtime):
        async with runtime.database.transaction() as conn:
            if not await matching.try_to_match(conn):
                break
            done = await _match_batch(conn, runtime, after)
        looked, compared, found = looked + done.looked, compared + done.compared, found + done.found
        after = done.after
    while (await _to_do(runtime))[1] and await may_go_on(runtime):
        async with runtime.database.transaction() as conn:
            count, facts = await join_automatic(
                conn, runtime.plan, PAIRS_AT_ONCE, runtime.clock.now()
            )
            if facts:
                await runtime.outbox.write(conn, facts)
        joined += count
        if not count:
            break
    return Matched(looked, compared, found, joined)


async def _to_do(runtime: Runtime) -> tuple[bool, bool]:
    """As ``matching.to_do``: joining keeps all feeds waiting, so not even its locks are taken
    where there is nothing to join."""
    async with runtime.database.read() as conn:
        return await matching.to_do(conn)


class _Batch(NamedTuple):
    """How many were due, how many pairs were compared, how many written; after whom to go on."""

    looked: int
    compared: int
    found: int
    after: str | None


async def _match_batch(conn: AsyncConnection, runtime: Runtime, after: str) -> _Batch:
    """The next employers that are due, after this one."""
    due, last = await matching.take_due(conn, after, EMPLOYERS_AT_ONCE)
    if not due:
        return _Batch(0, 0, 0, last)
    now = runtime.clock.now()
    policy = policy_of(runtime.plan, local_date(now))
    mine = await matching.known(conn, {one.employer_id: one.employer_id for one in due})
    names = {one: normal_of(known.name, policy.places) for one, known in mine.items()}
    blocks = {one: blocks_of(name) for one, name in names.items()}
    await matching.replace_blocks(
        conn, due, ((block, one) for one, found in blocks.items() for block in set(found))
    )
    pairs = await _candidates(conn, blocks, policy)
    others = {side for pair in pairs for side in pair}.difference(mine)
    known = {**mine, **await matching.known(conn, await moving.roots(conn, others))}
    compared = {side for pair in pairs for side in pair}
    names |= {one: normal_of(known[one].name, policy.places) for one in others}
    seen = await _as_seen(conn, runtime, [known[one] for one in compared])
    verdicts = list(_judged(pairs, known, seen, names, policy))
    found = await _worth_writing(conn, verdicts, known)
    await links.write_found(conn, found, now)
    return _Batch(len(due), len(pairs), len(found), last)


async def _candidates(
    conn: AsyncConnection, blocks: Mapping[str, Sequence[str]], policy: NamePolicy
) -> list[tuple[str, str]]:
    """Pairs that share a block no larger than worth comparing, each once."""
    wanted = sorted({block for found in blocks.values() for block in found})
    inside = await matching.candidates(conn, wanted, policy.largest_block)
    return sorted(
        {
            rules.pair_of(one, other)
            for one, found in blocks.items()
            for block in found
            for other in inside.get(block, ())
            if other != one
        }
    )


async def _as_seen(
    conn: AsyncConnection, runtime: Runtime, compared: Sequence[Known]
) -> dict[str, Seen]:
    """Each employer with its name and all else that is believed of it."""
    ranks = runtime.plan.field_ranks(runtime.clock.today())
    told: dict[str, list[Sighting]] = defaultdict(list)
    for one in await golden_store.around(conn, {known.root_id for known in compared}):
        told[one.employer_id or ""].append(one)
    believed = {root: golden(sightings, ranks) for root, sightings in told.items()}
    return {known.employer_id: _seen(known, believed.get(known.root_id, {})) for known in compared}


def _judged(
    pairs: Sequence[tuple[str, str]],
    known: Mapping[str, Known],
    seen: Mapping[str, Seen],
    names: Mapping[str, Normal],
    policy: NamePolicy,
) -> Iterator[tuple[tuple[str, str], Verdict]]:
    """The pairs that are not clearly two, nor one already."""
    for one, other in pairs:
        if known[one].root_id == known[other].root_id:
            continue
        verdict = judge(seen[one], names[one], seen[other], names[other], policy)
        if verdict.outcome != "separate":
            yield (one, other), verdict


def _seen(known: Known, believed: Mapping[str, Sighting]) -> Seen:
    """An employer with what its golden record says beside the name."""

    def said(field: str) -> Any:
        return getattr(believed[field], field) if field in believed else None

    return Seen(
        ref=known.employer_id,
        name=known.name,
        unit=known.unit,
        address=said("address"),
        legal_rep_key=said("legal_rep_key"),
        founded_on=said("founded_on"),
        reg_type=said("reg_type"),
        industry=said("industry"),
        household=known.household,
        org_code=known.org_codes[0] if known.org_codes else None,
        licence_no=known.licences[0] if known.licences else None,
    )


async def _worth_writing(
    conn: AsyncConnection,
    verdicts: Sequence[tuple[tuple[str, str], Verdict]],
    known: Mapping[str, Known],
) -> list[Found]:
    """What goes into the queue: not what people have judged on the same evidence. An employer
    with two equally certain partners is joined with neither: people decide."""
    best = _best_of_roots(verdicts, known)
    before = await links.known_pairs(conn, list(best))
    partners = Counter(
        root for pair, (verdict, _) in best.items() if verdict.outcome == "linked" for root in pair
    )
    found = []
    for pair, (verdict, sides) in best.items():
        certain = verdict.outcome == "linked"
        several = certain and any(partners[root] > 1 for root in pair)
        automatic = certain and not several and not any(len(side.org_codes) > 1 for side in sides)
        evidence = [sign._asdict() for sign in verdict.evidence]
        status: tuple[str, bool] | None = (rules.SUGGESTED, automatic)
        if pair in before:
            was, judged = before[pair]
            status = rules.found_again(was, judged, evidence, automatic=automatic)
        if status is not None:
            rule = SEVERAL if several else verdict.rule
            units = (sides[0].unit, sides[1].unit)
            found.append(Found(*pair, *units, status[0], rule, verdict.score, evidence, status[1]))
    return found


def _best_of_roots(
    verdicts: Sequence[tuple[tuple[str, str], Verdict]], known: Mapping[str, Known]
) -> dict[tuple[str, str], tuple[Verdict, tuple[Known, Known]]]:
    """The strongest verdict about each two employers, whichever names of theirs it compares."""
    best: dict[tuple[str, str], tuple[Verdict, tuple[Known, Known]]] = {}
    for (one, other), verdict in verdicts:
        first, second = sorted((known[one], known[other]), key=lambda side: side.root_id)
        pair = (first.root_id, second.root_id)
        if pair not in best or best[pair][0].score < verdict.score:
            best[pair] = (verdict, (first, second))
    return best


async def make_all_due(runtime: Runtime) -> tuple[int, int]:
    """Have every employer compared anew, as after the thresholds changed; how many are due, and
    how many pairs wait to be joined."""
    after = ""
    while True:
        async with runtime.database.transaction() as conn:
            last = await matching.make_all_due(conn, after, MADE_DUE_AT_ONCE)
        if last is None:
            break
        after = last
    async with runtime.database.read() as conn:
        return await matching.count_due(conn)
