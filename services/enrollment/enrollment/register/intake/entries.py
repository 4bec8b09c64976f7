"""A chunk's moves of employers' entries, in record order, settled set-based."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from enrollment.golden import intake as golden
from enrollment.golden import rules as golden_rules
from enrollment.golden.rules import Sighting
from enrollment.identity import store as identity_store
from enrollment.identity.intake import Identified, identify
from enrollment.identity.rules import AGENCY, Claim, keys_of
from enrollment.leads import projections
from enrollment.leads import rules as lead_rules
from enrollment.leads import store as lead_store
from enrollment.leads.changes import Cause
from enrollment.leads.rules import Event
from enrollment.leads.worth.projections import assess_employers
from enrollment.register import rules
from enrollment.register.intake.insured_persons import waiting_for
from enrollment.register.rules import Employer, Place
from enrollment.register.store import employers as store
from enrollment.register.store.employers import EntryVersion
from enrollment.register.store.spells import (
    EMPLOYER_SPELLS,
    PERSON_SPELLS,
    Course,
    Stood,
    employer_state,
    keep_spells,
    standing_at,
)
from enrollment.register.timeline import Since, Step, Told
from shared.deliveries.checks import content_hash
from shared.deliveries.feed import ApplyContext
from shared.deliveries.state import Superseded, keep_superseded
from shared.events import Fact
from shared.events.enrollment import (
    EmployerChanged,
    EmployerEnded,
    EmployerEnrolled,
    PersonChanged,
)

EmployerFact = EmployerEnrolled | EmployerChanged | EmployerEnded
_FACTS: dict[str, type[EmployerFact]] = {
    "enrolled": EmployerEnrolled,
    "changed": EmployerChanged,
    "ended": EmployerEnded,
}

_LIST = "employers"


@dataclass(slots=True)
class _Move:
    no: int
    agency_no: str
    before: Employer | None
    after: Employer
    revision: int
    effective_on: date
    as_at: date | None
    correction: bool


class EmployerLedger:
    """The employers a chunk is about, as its records go by. The register lock is held."""

    def __init__(self, ctx: ApplyContext, current: dict[str, EntryVersion]) -> None:
        self.ctx = ctx
        self.current = current
        self._delivery_id = UUID(ctx.delivery.id)
        self._known = dict(current)
        self._moves: list[_Move] = []
        self._superseded: list[Superseded] = []
        self._courses: dict[str, Course] = {}

    @classmethod
    async def open(cls, ctx: ApplyContext, agency_nos: Collection[str]) -> Self:
        """Read the entries of these agency numbers."""
        return cls(ctx, await store.entries(ctx.conn, agency_nos, with_seq=ctx.replay))

    def is_behind(self, agency_no: str, no: int) -> bool:
        """Whether a record held before comes too late, see ``PersonLedger.is_behind``."""
        version = self.current.get(agency_no)
        return version is not None and self.ctx.is_behind(no, version.seq, version.record_no)

    def move(
        self,
        no: int,
        agency_no: str,
        after: Employer,
        effective_on: date,
        *,
        as_at: date | None = None,
        correction: bool = False,
        entry: str = "listed",
        instead: bool = False,
    ) -> None:
        """Record ``no`` brings the entry to this state. ``entry`` and ``instead`` as in
        ``PersonLedger.move``."""
        before = self.current.get(agency_no)
        if before is not None:
            how = Told.INSTEAD if instead else Told.FROM
            self._tell(agency_no, before, how, effective_on, after, entry)
        delivery = self.ctx.delivery
        revision = 1 if before is None else before.revision + 1
        # What an application made has its versions in the application's own table.
        if before is not None and before.as_at is not None:
            self._superseded.append(
                Superseded(
                    _LIST,
                    agency_no,
                    before.revision,
                    UUID(before.delivery_id),
                    before.record_no,
                    content_hash((agency_no, before.state)),
                    self._delivery_id,
                    no,
                    self.ctx.recorded_at,
                )
            )
        self.current[agency_no] = EntryVersion(
            before.employer_id if before is not None else "",
            revision,
            delivery.id,
            no,
            as_at,
            after,
            delivery.seq,
            effective_on,
            entry,
        )
        state = before.state if before is not None else None
        self._moves.append(
            _Move(no, agency_no, state, after, revision, effective_on, as_at, correction)
        )

    def move_between(
        self,
        agency_no: str,
        after: Employer,
        effective_on: date,
        *,
        entry: str,
        instead_of: date | None = None,
    ) -> None:
        """See ``PersonLedger.move_between``."""
        before = self.current[agency_no]
        self._tell(
            agency_no, before, Told.BETWEEN, effective_on, after, entry, instead_of=instead_of
        )

    def _tell(
        self,
        no: str,
        before: EntryVersion,
        told: Told,
        on: date,
        after: Employer,
        entry: str,
        *,
        instead_of: date | None = None,
    ) -> None:
        """See ``PersonLedger._tell``."""
        course = self._courses.get(no)
        if course is None:
            since = Since(before.effective_on, employer_state(before.state, before.entry))
            if before.recorded_at is not None:
                course = Course(Stood(since, before.recorded_at), [])
            else:
                course = Course(None, [Step(Told.FROM, *since)])
            self._courses[no] = course
        course.steps.append(Step(told, on, employer_state(after, entry), instead_of))

    async def _keep_spells(self) -> None:
        courses = {self.current[no].employer_id: one for no, one in self._courses.items()}
        if courses:
            await keep_spells(self.ctx.conn, EMPLOYER_SPELLS, courses, self.ctx.recorded_at)

    async def settle(self) -> tuple[list[Fact], set[str]]:
        """Write what moved and all that follows: links, leads, persons' segments. Returns the
        facts and the tokens of employers that are new."""
        if not self._moves:
            await self._keep_spells()
            return [], set()
        conn, recorded_at = self.ctx.conn, self.ctx.recorded_at
        identified = await self._identify()
        facts: list[Fact] = list(identified.facts)
        last = {move.agency_no: move for move in self._moves}
        ids = {no: self.current[no].employer_id for no in last}
        await identity_store.lock_employers(conn, {*ids.values(), *identified.disputed})
        await store.write_entries(conn, (self._row(move) for move in last.values()))
        await keep_superseded(conn, self._superseded)
        plan = self.ctx.runtime.plan
        await golden.see(conn, plan, [self._seen(move) for move in last.values()], recorded_at)
        await self._keep_spells()
        facts += [self._fact(move) for move in self._moves]
        facts += await self._resegment(last)
        crossings = [
            (ids[move.agency_no], self._crossing(move))
            for move in self._moves
            if rules.crosses(move.before, move.after)
        ]
        if crossings:
            await lead_store.insert_events(conn, crossings)
        causes = {
            ids[no]: Cause(self.ctx.delivery.id, move.no, move.effective_on)
            for no, move in last.items()
        }
        facts += await projections.follow(conn, causes, recorded_at, plan=self.ctx.runtime.plan)
        if identified.disputed:
            await assess_employers(conn, identified.disputed, recorded_at)
        return facts, {waiting_for(no) for no in last if no not in self._known}

    async def _identify(self) -> Identified:
        """Find or mint the employer of each entry and link the numbers its records carry."""
        claims = [
            Claim(
                keys_of(
                    move.after.org_code,
                    move.after.licence_no,
                    move.after.owner_key,
                    agency_no=move.agency_no,
                ),
                move.after.name,
                move.after.unit,
                move.after.household,
                self.ctx.delivery.id,
                move.no,
            )
            for move in self._moves
        ]
        identified = await identify(self.ctx.conn, claims, self.ctx.recorded_at)
        for move, employer_id in zip(self._moves, identified.employers, strict=True):
            self.current[move.agency_no].employer_id = employer_id
        return identified

    async def _resegment(self, last: dict[str, _Move]) -> list[PersonChanged]:
        """Persons take over a changed ownership or trade of their employer's."""
        changed: dict[str, tuple[Place, int, date]] = {}
        for no, move in last.items():
            known = self._known.get(no)
            if known is None:
                continue
            place = Place(known.employer_id, move.after.ownership, move.after.trade)
            if (known.state.ownership, known.state.trade) != (place.ownership, place.trade):
                changed[known.employer_id] = (place, move.no, move.effective_on)
        if not changed:
            return []
        conn, recorded_at = self.ctx.conn, self.ctx.recorded_at
        courses = await standing_at(
            conn, {e: (place.ownership, place.trade, on) for e, (place, _, on) in changed.items()}
        )
        await keep_spells(conn, PERSON_SPELLS, courses, recorded_at)
        persons = await store.resegment_persons(conn, changed, self.ctx.delivery.id, recorded_at)
        return [
            PersonChanged(
                key=person.person_id,
                subject=person.person_id,
                revision=person.revision,
                delivery_id=self.ctx.delivery.id,
                record_no=changed[person.employer_id][1],
                part=person.person_id,
                recorded_at=recorded_at,
                person_id=person.person_id,
                employer_id=person.employer_id,
                unit=person.state.unit,
                status=person.state.status,
                worker_class=person.state.worker_class,
                ownership=person.state.ownership,
                trade=person.state.trade,
                enrolled_on=person.state.enrolled_on,
                effective_on=person.effective_on,
            )
            for person in persons
        ]

    def _row(self, move: _Move) -> tuple[Any, ...]:
        version = self.current[move.agency_no]
        return (
            move.agency_no,
            version.employer_id,
            version.revision,
            self._delivery_id,
            version.record_no,
            self.ctx.recorded_at,
            move.effective_on,
            move.as_at,
            *version.state,
            version.entry,
        )

    def _crossing(self, move: _Move) -> Event:
        """The employer enters or leaves the register, as its leads need to know: a list that
        tells of it for the first time says since when it has been there."""
        employer_id = self.current[move.agency_no].employer_id
        listed = move.before is None and move.as_at is not None
        return Event(
            f"register:{employer_id}",
            move.revision,
            lead_rules.LEFT if move.after.status == rules.ENDED else lead_rules.ENTERED,
            self.ctx.recorded_at,
            move.after.enrolled_on if listed else move.effective_on,
            self.ctx.feed.name,
            move.after.unit,
            "",
            0,
            self.ctx.delivery.id,
            move.no,
            f"{AGENCY}{move.agency_no}",
        )

    def _seen(self, move: _Move) -> Sighting:
        """What the register says of the employer."""
        state, delivery = move.after, self.ctx.delivery
        keys = keys_of(state.org_code, state.licence_no, state.owner_key)
        ended = state.status == rules.ENDED
        return Sighting(
            subject=f"register:{move.agency_no}",
            revision=move.revision,
            employer_id=self.current[move.agency_no].employer_id,
            key=keys[0] if keys else None,
            department=delivery.department,
            feed=self.ctx.feed.name,
            status=golden_rules.STRUCK_OFF if ended else golden_rules.STANDING,
            name=state.name,
            unit=state.unit,
            address=None,
            legal_rep_key=None,
            founded_on=None,
            reg_type=state.reg_type,
            industry=state.industry,
            household=state.household,
            org_code=state.org_code,
            licence_no=state.licence_no,
            owner_key=state.owner_key,
            headcount=None,
            period=None,
            effective_on=move.effective_on,
            recorded_at=self.ctx.recorded_at,
            delivery_id=delivery.id,
            record_no=move.no,
        )

    def _fact(self, move: _Move) -> EmployerFact:
        state = move.after
        employer_id = self.current[move.agency_no].employer_id
        return _FACTS[rules.employer_fact(move.before, state)](
            key=employer_id,
            subject=employer_id,
            revision=move.revision,
            delivery_id=self.ctx.delivery.id,
            record_no=move.no,
            recorded_at=self.ctx.recorded_at,
            correction=move.correction,
            employer_id=employer_id,
            agency_no=move.agency_no,
            name=state.name,
            unit=state.unit,
            org_code=state.org_code,
            reg_type=state.reg_type,
            ownership=state.ownership,
            trade=state.trade,
            household=state.household,
            in_township=state.in_township,
            status=state.status,
            enrolled_on=state.enrolled_on,
            effective_on=move.effective_on,
        )
