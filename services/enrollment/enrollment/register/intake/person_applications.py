"""Feed ``person-applications``: persons enrol, move and leave (O12, O30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from enrollment.register import models, rules
from enrollment.register.intake.insured_persons import hold, reject
from enrollment.register.intake.judging import (
    person_faults,
    personal_of,
    unit_faults,
)
from enrollment.register.intake.ledger import PersonLedger
from enrollment.register.rules import NO_EMPLOYER, Person, Place
from enrollment.register.schemas import PersonApplication
from enrollment.register.store import employers as employer_store
from enrollment.register.store.applications import (
    ApplicationVersion,
    applications,
    days_of_applications,
)
from enrollment.register.store.persons import PersonVersion
from shared.deliveries.checks import Problems, content_hash
from shared.deliveries.feed import ApplyContext, JudgeContext, JudgedRow, Outcome, Verdict
from shared.deliveries.state import upsert_state
from shared.identifiers import division_standing
from shared.periods import Dekad


class Row(NamedTuple):
    """A judged application. The first nine are the state of the application itself."""

    action: str
    applied_on: date
    effective_on: date
    person_key: str
    unit: str
    agency_no: str | None
    reason: str | None
    employed_from: date | None
    other_place: str | None
    sealed: bytes
    birth_on: date
    sex: str
    name_hash: str
    worker_class: str | None
    post: str | None


_NEEDED = {
    "enrol": ("worker_class",),
    "leave": ("reason",),
    "transfer-in": ("worker_class", "other_place"),
    "transfer-out": ("other_place",),
}
"""What an application of each kind has to say."""

COLUMNS = Row._fields
_STATE = COLUMNS[:9]


def judge_person_applications(
    records: Sequence[PersonApplication], ctx: JudgeContext
) -> list[Verdict]:
    """Each application accepted as a row, or refused with every reason found."""
    dekad = Dekad.parse(ctx.delivery.period)
    last_on = max(dekad.last_on, dekad.cutoff_on(ctx.plan.cutoffs))
    units = unit_faults(ctx)
    verdicts = []
    for record, number in zip(records, ctx.numbers["identity_no"], strict=True):
        problems = Problems(person_faults(record, number, ctx))
        problems += [fault for fault in (units[record.unit],) if fault is not None]
        for needed in _NEEDED[record.action]:
            if getattr(record, needed) is None:
                problems.add("field-missing", f"/{needed}", field=needed)
        if record.other_place is not None:
            _check_place(record, ctx, problems)
        problems.not_after(record.applied_on, last_on, "/applied_on", "period-mismatch")
        problems.takes_effect(record.effective_on, last_on, "/effective_on")
        if record.employed_from is not None:
            problems.takes_effect(record.employed_from, last_on, "/employed_from")
            problems.not_after(
                record.employed_from,
                record.effective_on,
                "/employed_from",
                "employed-after-enrolment",
            )
            if record.agency_no is None:
                problems.add("field-missing", "/agency_no", field="agency_no")
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        (personal,) = personal_of([record], ctx.secrecy)
        key, sealed, birth_on, sex, name_hash = personal
        row = Row(
            record.action,
            record.applied_on,
            record.effective_on,
            key,
            record.unit,
            record.agency_no,
            record.reason,
            record.employed_from,
            record.other_place,
            sealed,
            birth_on,
            sex,
            name_hash,
            record.worker_class,
            record.post,
        )
        # The seal differs each time; what it seals is in key and name hash.
        stated: tuple[object, ...] = (*row[:7], *row[10:])
        if record.employed_from is not None:  # without it, content is what it always was
            stated = (*stated, record.employed_from)
        if record.other_place is not None:
            stated = (*stated, record.other_place)
        content = content_hash(stated)
        verdicts.append(Verdict(record.application_no, tuple(row), content))
    return verdicts


def _check_place(record: PersonApplication, ctx: JudgeContext, problems: Problems) -> None:
    """The other city of a transfer is a place, and another one."""
    place = record.other_place or ""
    if record.action not in rules.TRANSFERS:
        problems.add("place-without-transfer", "/other_place", value=record.action)
    elif division_standing(place) not in ("known", "county-unknown"):
        problems.add("code-unknown", "/other_place", value=place)
    elif rules.same_city(place, ctx.plan.city.code):
        problems.add("transfer-within-city", "/other_place", value=place)


async def apply_person_applications(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    """Applications in record order, each moving the person once; applications that are rejected
    or held leave no trace, so that sending them again tries again."""
    return await _Round(ctx).apply(rows)


class _Round:
    """One chunk of applications."""

    def __init__(self, ctx: ApplyContext) -> None:
        self.ctx = ctx
        self.outcome = Outcome()
        self.accepted: list[JudgedRow] = []
        self.known: dict[str, ApplicationVersion] = {}
        self.days: dict[str, dict[str, date]] = {}
        self.places: dict[str, Place] = {}
        self.ledger: PersonLedger

    async def apply(self, rows: Sequence[JudgedRow]) -> Outcome:
        ctx = self.ctx
        told = [(row, Row._make(row.row)) for row in rows]
        await employer_store.lock_register(ctx.conn)
        self.known = await applications(ctx.conn, "person_applications", {row.key for row in rows})
        numbers = {row.agency_no for _, row in told if row.agency_no is not None}
        self.places = await employer_store.places(ctx.conn, numbers)
        people = {row.person_key for _, row in told}
        self.ledger = await PersonLedger.open(ctx, people)
        self.days = await days_of_applications(ctx.conn, people)
        for judged, row in told:
            if self._goes_on(judged, row):
                self.accepted.append(judged._replace(row=judged.row[: len(_STATE)]))
                self._remember(judged, row)
        await upsert_state(ctx, models.person_applications, _STATE, self.accepted, self.outcome)
        self.outcome.facts += await self.ledger.settle()
        return self.outcome

    def _remember(self, judged: JudgedRow, row: Row) -> None:
        delivery = self.ctx.delivery
        version = ApplicationVersion(
            judged.content_hash,
            row.person_key,
            delivery.id,
            judged.no,
            delivery.seq,
            row.effective_on,
            row.unit,
        )
        last = self.known.get(judged.key)
        if last is not None:
            same = last.content_hash == judged.content_hash
            if same or self.ctx.is_behind(judged.no, last.seq, last.record_no):
                return  # what stands is the version before
        self.known[judged.key] = version
        self.days.setdefault(row.person_key, {})[judged.key] = row.effective_on

    def _goes_on(self, judged: JudgedRow, row: Row) -> bool:
        """Move the person if the application does; False when it is rejected or held."""
        last = self.known.get(judged.key)
        if last is not None:
            if last.content_hash == judged.content_hash:
                return True  # a duplicate, as upsert_state will find
            if self._refused(judged.no, row, last):
                return False
            if self.ctx.is_behind(judged.no, last.seq, last.record_no):
                return True  # a version that came into its own too late
        before = self.ledger.current.get(row.person_key)
        if row.action in rules.ENTERING:
            after = self._enrolled(judged.no, row, before, last)
        else:
            after = self._left(judged.no, row, before, last)
        if after is None:
            return False
        if self.ledger.is_behind(row.person_key, judged.no):
            return True
        redated = last is not None and before is not None and _rests_on(before, last)
        if redated and last is not None and after.enrolled_on == last.effective_on:
            after = after._replace(enrolled_on=row.effective_on)
        moved_day = redated and before is not None and before.effective_on != row.effective_on
        entry = row.action if row.action != "leave" else row.reason or ""
        if before is not None and not redated and self._comes_before(judged.key, row, before):
            self.ledger.move_between(
                row.person_key,
                after,
                row.effective_on,
                entry=entry,
                instead_of=last.effective_on if last is not None else None,
            )
        elif before is None or before.state != after or moved_day:
            self.ledger.move(
                judged.no,
                row.person_key,
                after,
                row.effective_on,
                personal=(row.sealed, row.birth_on, row.sex),
                correction=last is not None,
                entry=entry,
                instead=redated,
            )
        return True

    def _comes_before(self, number: str, row: Row, standing: PersonVersion) -> bool:
        """Whether an application told late, or corrected, is about days before another one that
        still stands: it then holds until that and does not undo it, as when the old employer
        reports a leaving after the new one has enrolled the person. A change of the employer's
        segments says nothing of whether the person is there. A death is final whenever told."""
        # What a list told stands until anything is applied: its day is the day it was drawn up.
        listed = standing.as_at is not None or standing.entry == "listed"
        if listed or row.effective_on >= standing.effective_on or row.reason == "died":
            return False
        others = self.days.get(row.person_key, {})
        return not others or any(
            row.effective_on < on <= standing.effective_on
            for other, on in others.items()
            if other != number
        )

    def _refused(self, no: int, row: Row, last: ApplicationVersion) -> bool:
        """Whether this is no correction of the application its number stands for."""
        if last.subject != row.person_key:
            reject(self.outcome, no, "correction-other-person", "/identity_no")
            return True
        if not rules.may_correct(self.ctx.delivery.units, last.unit):
            reject(self.outcome, no, "unit-not-yours", "/application_no", value=last.unit)
            return True
        return False

    def _enrolled(
        self,
        no: int,
        row: Row,
        before: PersonVersion | None,
        last: ApplicationVersion | None,
    ) -> Person | None:
        if last is None and _died(before):
            reject(self.outcome, no, "person-died", "/identity_no")
            return None
        place = NO_EMPLOYER
        if row.agency_no is not None:
            found = self.places.get(row.agency_no)
            if found is None:
                hold(self.outcome, no, row.agency_no)
                return None
            place = found
        return rules.enrol(
            before.state if before is not None else None,
            name_hash=row.name_hash,
            unit=row.unit,
            worker_class=row.worker_class or "",
            post=row.post,
            agency_no=row.agency_no,
            place=place,
            effective_on=row.effective_on,
            continues=row.action == "transfer-in"
            and rules.within_province(row.other_place or "", self.ctx.runtime.plan.city.code),
        )

    def _left(
        self,
        no: int,
        row: Row,
        before: PersonVersion | None,
        last: ApplicationVersion | None,
    ) -> Person | None:
        if before is None:
            reject(self.outcome, no, "person-unknown", "/identity_no")
            return None
        if before.state.status == rules.ENDED and last is None:
            reject(self.outcome, no, "person-not-insured", "/identity_no")
            return None
        scope = self.ctx.delivery.units
        if scope is not None and before.state.unit not in scope:
            reject(self.outcome, no, "person-in-other-unit", "/unit", value=row.unit)
            return None
        return before.state._replace(
            status=rules.STATUS_AFTER[row.reason or "ended"], name_hash=row.name_hash
        )


def _died(standing: PersonVersion | None) -> bool:
    """Whether the register says that this person is dead; what reported it can be corrected."""
    return (
        standing is not None and standing.state.status == rules.ENDED and standing.entry == "died"
    )


def _rests_on(version: PersonVersion, application: ApplicationVersion) -> bool:
    """Whether the person's state is the one this application made."""
    return (version.delivery_id, version.record_no) == (
        application.delivery_id,
        application.record_no,
    )
