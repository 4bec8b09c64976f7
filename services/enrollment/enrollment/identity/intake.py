"""Claims about identity become employers, links and EmployerLinked facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity import rules, store
from enrollment.identity.rules import AGENCY, Assignment, Claim
from shared.events.enrollment import EmployerLinked


@dataclass
class Identified:
    """The employer of each claim, in order, and the facts about new links."""

    employers: list[str]
    facts: list[EmployerLinked]
    minted: dict[str, Claim]
    """Those nobody knew, with the claim that brought each in."""
    locked: set[str]
    """Whose row locks were taken on the way."""
    disputed: set[str]
    """Employers of the conflicts found just now, on either side."""


async def identify(
    conn: AsyncConnection,
    claims: Sequence[Claim],
    recorded_at: datetime,
    near: Collection[str] = (),
) -> Identified:
    """Find the employer each claim is about, minting those nobody knew.

    Two statements for a batch whose keys are all known. Otherwise at most one transaction at a
    time mints, so that one employer is never minted twice. A record that joins two employers
    leaves both as they are and a row in ``link_conflicts``. ``near``: employers that the caller
    is going to lock besides those identified.
    """
    keys = {key for claim in claims for key in claim.keys}
    known = await store.owners_of(conn, keys)
    locked: set[str] = set()
    if len(known) < len(keys):
        await store.lock_minting(conn)
        # A key keeps its owner: only those nobody had can have found one meanwhile.
        known.update(await store.owners_of(conn, keys.difference(known)))
        # Rows about to gain keys are locked in order before any is written: no crosswise waits.
        locked = {*known.values(), *near}
        await store.lock_employers(conn, locked)
    entered = {}
    if any(claim.keys[0].startswith(AGENCY) for claim in claims):
        entries = await store.keys_of(conn, set(known.values()))
        entered = {employer: key for employer, key in entries if key.startswith(AGENCY)}
    assignment = rules.assign(claims, known, entered)
    ids = await _mint(conn, claims, assignment, recorded_at)
    facts = await _link(conn, claims, assignment, ids, recorded_at)
    disputed: set[str] = set()
    if assignment.conflicts:
        rows = [
            (
                conflict.key,
                ids.get(conflict.owner_id, conflict.owner_id),
                ids.get(conflict.employer_id, conflict.employer_id),
                claims[conflict.claim].delivery_id,
                claims[conflict.claim].record_no,
            )
            for conflict in assignment.conflicts
        ]
        await store.insert_conflicts(conn, rows, recorded_at)
        disputed = {side for _, owner, employer, *_ in rows for side in (owner, employer)}
    employers = [ids.get(employer, employer) for employer in assignment.employers]
    minted = {ids[new]: claims[no] for new, no in assignment.minted.items()}
    return Identified(employers, facts, minted, locked, disputed)


async def _mint(
    conn: AsyncConnection,
    claims: Sequence[Claim],
    assignment: Assignment,
    recorded_at: datetime,
) -> dict[str, str]:
    """Placeholder → employer id."""
    if not assignment.minted:
        return {}
    minted = await store.mint(conn, len(assignment.minted))
    ids = dict(zip(assignment.minted, minted, strict=True))
    linked = {joined.employer for joined in assignment.links.values()}
    await store.insert_employers(
        conn,
        (
            (ids[new], claim.name, claim.unit, claim.household, int(new in linked), recorded_at)
            for new, claim in ((new, claims[no]) for new, no in assignment.minted.items())
        ),
    )
    return ids


async def _link(
    conn: AsyncConnection,
    claims: Sequence[Claim],
    assignment: Assignment,
    ids: dict[str, str],
    recorded_at: datetime,
) -> list[EmployerLinked]:
    """Keep the new keys and tell of every employer that gained one; one fact per employer."""
    if not assignment.links:
        return []
    rows = [
        (key, ids.get(joined.employer, joined.employer), joined, claims[joined.claim])
        for key, joined in assignment.links.items()
    ]
    await store.insert_keys(
        conn,
        (
            (
                key,
                employer,
                joined.rule,
                recorded_at,
                _uuid(claim.delivery_id),
                claim.record_no,
                joined.via,
            )
            for key, employer, joined, claim in rows
        ),
    )
    # The last new key of an employer names the cause.
    cause = {employer: (joined.rule, claim) for _, employer, joined, claim in rows}
    # Of those minted just now everything is known; they were inserted with their first revision.
    named = {
        ids[new]: (claims[index].name, claims[index].unit, 1)
        for new, index in assignment.minted.items()
    }
    pairs = [(employer, key) for key, employer, _, _ in rows if employer in named]
    before = [employer for employer in cause if employer not in named]
    if before:
        named.update(await store.next_link_revisions(conn, before))
        pairs += await store.keys_of(conn, before)
    keys: dict[str, list[str]] = defaultdict(list)
    for employer, key in sorted(pairs):
        if not key.startswith(AGENCY):
            keys[employer].append(key)
    facts = []
    for employer, (rule, claim) in cause.items():
        name, unit, revision = named[employer]
        facts.append(
            EmployerLinked(
                key=employer,
                subject=f"link:{employer}",
                revision=revision,
                delivery_id=claim.delivery_id,
                record_no=claim.record_no,
                recorded_at=recorded_at,
                employer_id=employer,
                employer_keys=keys[employer],
                name=name,
                unit=unit,
                rule=rule,
            )
        )
    return facts


@lru_cache(maxsize=64)
def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
