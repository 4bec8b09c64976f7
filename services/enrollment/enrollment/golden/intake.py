"""What was seen of employers becomes their golden record, its conflicts and its history."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import rules, store
from enrollment.golden.rules import Conflict, Outside, Sighting
from enrollment.golden.store import ConflictState, Kept, Shown
from enrollment.identity import store as identity_store
from shared.periods import local_date
from shared.plan import Plan

_NOTHING = Outside()
_SHOWN = frozenset({"name", "unit"})
_WHO = attrgetter("employer_id")


async def see(
    conn: AsyncConnection,
    plan: Plan,
    seen: Sequence[Sighting],
    recorded_at: datetime,
    minted: Collection[str] = (),
    told: Sequence[Sighting] | None = None,
) -> None:
    """Keep what was seen and bring the records of those employers after.

    Revision decides between states of one subject, in any order of arrival; a subject that is
    about another employer now is taken from the one it was about. ``seen`` names its employers;
    without one it is kept until somebody is known by its number. ``minted``: employers of this
    transaction. ``told``: what is known of the subjects seen (``store.of_subjects``), where it has
    been asked. The caller holds the row locks of all others that are concerned, those the
    subjects were about before included.
    """
    new = _latest(seen)
    if told is None:
        told = await store.of_subjects(conn, new)
    employers = {one.employer_id for one in new.values() if one.employer_id is not None}
    known = await store.around(conn, employers.difference(minted))
    before = {one.subject: one for one in (*told, *known)}
    owners = {key: one.employer_id for one in new.values() if one.employer_id for key in one.keys}
    for one in await store.of_nobody(conn, owners):
        if one.subject not in new:
            new[one.subject] = one._replace(employer_id=owners[one.key or ""])
            before[one.subject] = one
    changed = new
    if before:
        changed = {
            subject: one
            for subject, one in new.items()
            if subject not in before
            or one.revision > before[subject].revision
            or (one.revision == before[subject].revision and before[subject].employer_id is None)
        }
    await _follow(conn, plan, before, changed, recorded_at, minted)


async def _follow(
    conn: AsyncConnection,
    plan: Plan,
    before: dict[str, Sighting],
    changed: Mapping[str, Sighting],
    recorded_at: datetime,
    minted: Collection[str] = (),
) -> None:
    """Write the changed states and what follows for all employers they are or were about."""
    if not changed:
        return
    first = [one for subject, one in changed.items() if subject not in before]
    await store.insert_sightings(conn, first)
    if len(first) < len(changed):
        later = (one for subject, one in changed.items() if subject in before)
        await store.write_sightings(conn, later)
    told_of = Counter(map(_WHO, changed.values()))
    gained = told_of.keys() - {None}
    lost = {before[subject].employer_id for subject in changed if subject in before} - {None}
    if lost - gained:
        # What else is said of those that lose a subject.
        for one in await store.around(conn, [each for each in lost - gained if each]):
            before[one.subject] = one
    # Minted for one record that says all there is: named by it, contradicted by nobody.
    simple = {
        one.employer_id
        for one in first
        if one.revision == 1 and one.employer_id in minted and told_of[one.employer_id] == 1
    }
    wanted = {employer for employer in (gained | lost) - simple if employer is not None}
    if wanted:
        earlier = _by_employer(before.values(), wanted)
        told = _by_employer({**before, **changed}.values(), wanted)
        await _settle(conn, plan, wanted, earlier, told, recorded_at)


async def see_places(
    conn: AsyncConnection, plan: Plan, seen: Sequence[Sighting], recorded_at: datetime
) -> None:
    """Keep what was seen by people who can tell no employer into being: it is about whoever is
    known by its numbers, now or later."""
    await identity_store.keep_identity(conn)
    owners = await identity_store.owners_of(conn, {key for one in seen for key in one.keys})
    found = [
        one._replace(employer_id=next((owners[key] for key in one.keys if key in owners), None))
        for one in seen
    ]
    known = await store.of_subjects(conn, [one.subject for one in found])
    concerned = {one.employer_id for one in (*found, *known)}
    await identity_store.lock_employers(conn, [each for each in concerned if each is not None])
    await see(conn, plan, found, recorded_at)


async def refresh(
    conn: AsyncConnection, plan: Plan, employers: Collection[str], recorded_at: datetime
) -> None:
    """The number of insured at these employers has moved: look at those struck off anywhere. The
    caller holds their row locks."""
    ended = await store.struck_off(conn, employers)
    if ended:
        known = _by_employer(await store.around(conn, ended), ended)
        await _settle(conn, plan, set(ended), known, known, recorded_at)


async def look_again(
    conn: AsyncConnection, plan: Plan, employers: Collection[str], recorded_at: datetime
) -> None:
    """Something besides sightings has changed that bears on these employers' conflicts. The caller
    holds their row locks."""
    known = _by_employer(await store.around(conn, employers), employers)
    await _settle(conn, plan, employers, known, known, recorded_at)


async def move(
    conn: AsyncConnection,
    plan: Plan,
    moves: Mapping[str, str],
    recorded_at: datetime,
    keys: Collection[str] | None = None,
) -> None:
    """What is told of the old employers is about the new: old → new. With ``keys`` only what came
    by these, and never the register's own entry. The caller holds the row locks of all of them."""
    employers = {*moves, *moves.values()}
    before = _by_employer(await store.around(conn, employers), employers)
    await store.move_sightings(conn, moves, keys)
    after = _by_employer(await store.around(conn, employers), employers)
    await _settle(conn, plan, employers, before, after, recorded_at)


def _latest(seen: Sequence[Sighting]) -> dict[str, Sighting]:
    """The newest state of each subject."""
    latest = {one.subject: one for one in seen}
    if len(latest) == len(seen):
        return latest
    for one in seen:
        if one.revision >= latest[one.subject].revision:
            latest[one.subject] = one
    return latest


def _by_employer(
    sightings: Collection[Sighting], employers: Collection[str | None]
) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = defaultdict(list)
    for one in sightings:
        if one.employer_id is not None and one.employer_id in employers:
            found[one.employer_id].append(one)
    return found


async def _settle(
    conn: AsyncConnection,
    plan: Plan,
    employers: Collection[str],
    before: Mapping[str, Sequence[Sighting]],
    after: Mapping[str, Sequence[Sighting]],
    recorded_at: datetime,
) -> None:
    """Write what follows from what is told now and was not before."""
    ranks = plan.field_ranks(local_date(recorded_at))
    shown = await store.shown_of(conn, employers)
    outside = await store.outside_of(conn, employers)
    kept = await store.conflicts_kept(conn, employers)
    renamed: list[tuple[str, str, str]] = []
    differently: list[str] = []
    history: list[tuple[str, str, str, Sighting]] = []
    conflicts: list[ConflictState] = []
    for employer in sorted(employers):
        told, was = after.get(employer, ()), before.get(employer, ())
        known = {id(one) for one in was}
        added = [one for one in told if id(one) not in known]
        grown = len(told) == len(was) + len(added)  # nothing was taken back or told otherwise
        taken_back = not grown and rules.tell_apart_anew(was, told)
        if taken_back or rules.tell_apart_anew(added, was):
            differently.append(employer)
        # What all say alike, then and now, has one value only and no history.
        fields = set(rules.differing(told if grown else [*added, *was]))
        alike = not fields
        if len(told) <= len(was):
            fields.update(rules.FIELDS)
        believed = rules.golden(told, ranks, fields)
        believed |= rules.agreed(told, _SHOWN.difference(fields))
        now = _shown(believed, shown[employer])
        if now != shown[employer]:
            renamed.append((employer, *now))
        fields.update(_SHOWN.difference(believed))
        if fields:
            history += _superseded(employer, rules.golden(was, ranks, fields), believed)
        found = rules.conflicts_of(
            told, ranks, outside.get(employer, _NOTHING), plan.ownership_of, alike=alike
        )
        conflicts += _states(employer, now.unit, found, kept.get(employer, {}))
    if renamed:
        await identity_store.rename_employers(conn, renamed)
    if differently:
        await identity_store.compare_again(conn, differently)
    await store.write_history(conn, history, recorded_at)
    await store.write_conflicts(conn, conflicts, recorded_at)


def _shown(believed: Mapping[str, Sighting], before: Shown) -> Shown:
    name, unit = believed.get("name"), believed.get("unit")
    return Shown(
        name.name if name is not None and name.name else before.name,
        unit.unit if unit is not None else before.unit,
    )


def _superseded(
    employer: str, before: Mapping[str, Sighting], after: Mapping[str, Sighting]
) -> list[tuple[str, str, str, Sighting]]:
    """Values that stood and stand no more."""
    gone = []
    for field, who in before.items():
        value = rules.value_of(who, field)
        now = after.get(field)
        if now is None or rules.value_of(now, field) != value:
            gone.append((employer, field, rules.text_of(value), who))
    return gone


def _states(
    employer: str, unit: str, found: Sequence[Conflict], kept: Mapping[str, Kept]
) -> list[ConflictState]:
    """What becomes of an employer's conflicts. What an officer has set aside stays so as long as
    the same contradict each other; what is other than it was is open again."""
    states = []
    for kind, evidence in found:
        digest = _digest(evidence)
        before = kept.get(kind)
        same = before is not None and before.digest == digest and before.status != "gone"
        status = before.status if before is not None and same else "open"
        if before is None or not same or before.unit != unit:
            told = [
                {"source": source, "value": value, "subject": subject}
                for source, value, subject in evidence
            ]
            states.append(ConflictState(employer, kind, unit, status, told, digest))
    standing = {kind for kind, _ in found}
    for kind, before in kept.items():
        if kind not in standing and before.status != "gone":
            states.append(ConflictState(employer, kind, unit, "gone", [], ""))
    return states


def _digest(evidence: Sequence[tuple[str, str, str]]) -> str:
    """By who says what, not by the number of the record: told again it is the same."""
    said = sorted({(source, value) for source, value, _ in evidence})
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]
