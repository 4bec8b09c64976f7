"""A chunk's moves of persons, in record order, settled set-based.

Several records about one person make as many moves, each with its own revision and fact, so that
where chunks begin and end never shows in the facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from enrollment.leads.changes import Cause
from enrollment.leads.persons import projections as persons_projections
from enrollment.leads.projections import LeadFact
from enrollment.linking.store import person_names
from enrollment.register.intake.moving import PersonFact, count_active, fact_of, moved_by
from enrollment.register.rules import Person
from enrollment.register.store import persons as store
from enrollment.register.store.persons import PersonVersion
from enrollment.register.store.spells import (
    PERSON_SPELLS,
    Course,
    Stood,
    keep_spells,
    person_state,
)
from enrollment.register.timeline import Since, Step, Told
from shared.deliveries.checks import content_hash
from shared.deliveries.feed import ApplyContext, Recording
from shared.deliveries.state import Superseded, keep_superseded
from shared.events import Fact

_LIST = "insured-persons"


@dataclass(slots=True)
class _Move:
    no: int
    key: str
    before: Person | None
    after: Person
    revision: int
    effective_on: date
    correction: bool


@lru_cache(maxsize=256)
def _uuid(text: str) -> UUID:
    """Many persons, few deliveries."""
    return UUID(text)


class PersonLedger:
    """The persons a chunk is about, as its records go by. The register lock is held."""

    def __init__(self, ctx: ApplyContext, current: dict[str, PersonVersion]) -> None:
        self.ctx = ctx
        self.current = current
        self._delivery_id = UUID(ctx.delivery.id)
        self._recording = Recording(ctx.delivery, ctx.recorded_at)
        self._known = set(current)
        self._moves: list[_Move] = []
        self._superseded: list[Superseded] = []
        self._courses: dict[str, Course] = {}

    @classmethod
    async def open(cls, ctx: ApplyContext, keys: Collection[str]) -> Self:
        """Read the persons of these keys."""
        return cls(ctx, await store.persons(ctx.conn, keys, with_seq=ctx.replay))

    def is_behind(self, key: str, no: int) -> bool:
        """Whether a record held before comes too late: the person meanwhile has a state made by
        a record accepted after it."""
        version = self.current.get(key)
        return version is not None and self.ctx.is_behind(no, version.seq, version.record_no)

    def move(
        self,
        no: int,
        key: str,
        after: Person,
        effective_on: date,
        *,
        personal: tuple[bytes, date, str] | None = None,
        as_at: date | None = None,
        correction: bool = False,
        entry: str = "listed",
        instead: bool = False,
    ) -> None:
        """Record ``no`` brings the person to this state. ``entry``: how; ``instead``: what stood
        until now was the same statement with another day, and never was."""
        before = self.current.get(key)
        if before is not None:
            how = Told.INSTEAD if instead else Told.FROM
            self._tell(key, before, how, effective_on, after, entry)
        delivery = self.ctx.delivery
        version = PersonVersion(
            before.person_id if before is not None else "",
            before.revision + 1 if before is not None else 1,
            delivery.id,
            no,
            as_at,
            effective_on,
            after,
            delivery.seq,
            personal or (before.personal if before is not None else None),
            entry,
        )
        # What an application made has its versions in the application's own table.
        if before is not None and before.as_at is not None:
            self._superseded.append(
                Superseded(
                    _LIST,
                    key,
                    before.revision,
                    _uuid(before.delivery_id),
                    before.record_no,
                    content_hash((key, before.state)),
                    self._delivery_id,
                    no,
                    self.ctx.recorded_at,
                )
            )
        self.current[key] = version
        self._moves.append(
            _Move(
                no,
                key,
                before.state if before is not None else None,
                after,
                version.revision,
                effective_on,
                correction,
            )
        )

    def move_between(
        self,
        key: str,
        after: Person,
        effective_on: date,
        *,
        entry: str,
        instead_of: date | None = None,
    ) -> None:
        """The person, who is known, was brought to this state before the one that stands began:
        it is kept as a spell, and neither the state nor a fact changes by it. ``instead_of``: the
        day it was told for before, by mistake."""
        self._tell(
            key, self.current[key], Told.BETWEEN, effective_on, after, entry, instead_of=instead_of
        )

    def _tell(
        self,
        key: str,
        before: PersonVersion,
        told: Told,
        on: date,
        after: Person,
        entry: str,
        *,
        instead_of: date | None = None,
    ) -> None:
        """Note a step of someone's course. The first step of a new person is no news to anyone
        but the steps after it: a first load keeps none."""
        course = self._courses.get(key)
        if course is None:
            since = Since(before.effective_on, person_state(before.state, before.entry))
            if before.recorded_at is not None:
                course = Course(Stood(since, before.recorded_at), [])
            else:
                course = Course(None, [Step(Told.FROM, *since)])
            self._courses[key] = course
        course.steps.append(Step(told, on, person_state(after, entry), instead_of))

    async def settle(self) -> list[Fact]:
        """Write what moved, the employers' counts and the leads that follow; all the facts."""
        if not self._moves:
            await self._keep_spells()
            return []
        conn = self.ctx.conn
        moved = dict.fromkeys(move.key for move in self._moves)
        new = [key for key in moved if key not in self._known]
        for key, number in zip(new, await store.take_numbers(conn, len(new)), strict=True):
            self.current[key].person_id = store.person_id(number)
        await store.insert_persons(conn, map(self._row, new))
        changed = sorted(key for key in moved if key in self._known)
        await self._note_names()
        if changed:
            await store.update_persons(conn, map(self._row, changed))
        await keep_superseded(conn, self._superseded)
        await self._keep_spells()
        facts: list[Fact] = [self._fact(move) for move in self._moves]
        facts += await self._leads_of_persons()
        facts += await self._count()
        return facts

    async def _note_names(self) -> None:
        """Numbers that come with another name than before are for people to look at (F15)."""
        told = [
            person_names.Told(
                move.key,
                self.current[move.key].person_id,
                move.before.name_hash,
                move.after.name_hash,
                move.after.unit,
                personal[0],
                move.no,
            )
            for move in self._moves
            if move.before is not None
            and move.before.name_hash != move.after.name_hash
            and (personal := self.current[move.key].personal) is not None
        ]
        if told:
            await person_names.note(self.ctx.conn, told, self._delivery_id, self.ctx.recorded_at)

    async def _keep_spells(self) -> None:
        courses = {self.current[key].person_id: one for key, one in self._courses.items()}
        if courses:
            await keep_spells(self.ctx.conn, PERSON_SPELLS, courses, self.ctx.recorded_at)

    async def _leads_of_persons(self) -> list[LeadFact]:
        """Payment stops and goes on; people other sources have told of come in or go (O77)."""
        conn = self.ctx.conn
        moves = [
            (move.key, None if move.before is None else move.before.status, move.after.status)
            for move in self._moves
        ]
        bearing = await persons_projections.bearing(conn, moves)
        if not bearing:
            return []
        moved = [
            moved_by(
                self.ctx,
                move.no,
                move.key,
                move.revision,
                move.before,
                move.after,
                move.effective_on,
            )
            for move in (self._moves[at] for at in bearing)
        ]
        return await persons_projections.hear_moves(conn, moved, self.ctx.recorded_at)

    def _row(self, key: str) -> tuple[Any, ...]:
        version = self.current[key]
        return (
            key,
            version.person_id,
            version.revision,
            self._delivery_id,
            version.record_no,
            self.ctx.recorded_at,
            version.effective_on,
            version.as_at,
            *(version.personal or (None, None, None)),
            *version.state,
            version.entry,
        )

    def _fact(self, move: _Move) -> PersonFact:
        return fact_of(
            self._recording,
            move.no,
            self.current[move.key].person_id,
            move.revision,
            move.before,
            move.after,
            move.effective_on,
            correction=move.correction,
        )

    async def _count(self) -> list[LeadFact]:
        deltas: Counter[str] = Counter()
        causes: dict[str, Cause] = {}
        for move in self._moves:
            left = move.before.counts_at if move.before is not None else None
            came = move.after.counts_at
            if left == came:
                continue
            cause = Cause(self.ctx.delivery.id, move.no, move.effective_on)
            if left is not None:
                deltas[left] -= 1
                causes[left] = cause
            if came is not None:
                deltas[came] += 1
                causes[came] = cause
        return await count_active(self.ctx, deltas, causes)
