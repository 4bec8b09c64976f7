"""What the census, complaints and the inspection report of employers and persons, as evidence for
leads (O28, O33, O70, O85)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

from enrollment.golden import store as golden_store
from enrollment.golden.rules import STANDING, WITHDRAWN, Sighting
from enrollment.golden.sources import named_only
from enrollment.identity import store as identity_store
from enrollment.identity.rules import Claim
from enrollment.leads import projections, rules
from enrollment.leads.persons.projections import hear_reports
from enrollment.leads.projections import LeadFact
from enrollment.leads.rules import Event
from enrollment.leads.worth import store as worth_store
from enrollment.leads.worth.rules import Trait, newest
from enrollment.register.store.employers import lock_register
from shared.deliveries.feed import ApplyContext
from shared.events import Fact

Named: TypeAlias = tuple[tuple[str, ...], str]
"""An employer's keys, strongest first, and its name."""


class Report(NamedTuple):
    """One state of one report about an employer."""

    subject: str
    revision: int
    no: int
    """The record that made it so."""
    now: Named | None
    """The employer it speaks against; None, or no keys, where it speaks against none."""
    before: Named | None
    """The employer its state before named, if there was one."""
    on: date
    unit: str
    trait: Trait | None = None
    """What it says of the worth of a lead."""


class PersonReport(NamedTuple):
    """One state of one report about a person who has no employer that is known."""

    subject: str
    revision: int
    no: int
    now: str | None
    """Keyed hash of the identity number; None where it is no report of such a person."""
    before: str | None
    """The person its state before was about, if it was."""
    on: date
    unit: str


async def take_reports(
    ctx: ApplyContext, reports: Sequence[Report], persons: Sequence[PersonReport] = ()
) -> list[Fact]:
    """Keep the reports as evidence, take back those that name nobody now; the facts that follow.

    Reports of one subject come by one feed only, whose lock is held. Where any is about a person,
    waits for whoever writes the register.
    """
    # Before the leads follow: they are tested with what the reports say.
    traits = [report.trait for report in reports if report.trait is not None]
    await worth_store.write_traits(ctx.conn, newest(traits))
    facts: list[Fact] = [*await _take_persons(ctx, persons)]
    heard = [pair for report in reports if (pair := _heard(ctx, report)) is not None]
    if heard:
        await identity_store.keep_identity(ctx.conn)
        seen = [_sighting(ctx, claim, event) for claim, event in heard]
        told = await golden_store.of_subjects(ctx.conn, {event.subject for _, event in heard})
        facts += await projections.hear(
            ctx.conn, ctx.runtime.plan, heard, seen, told, ctx.recorded_at
        )
    return facts


def _sighting(ctx: ApplyContext, claim: Claim, event: Event) -> Sighting:
    return named_only(
        event.subject,
        event.revision,
        ctx.delivery.department,
        event.feed,
        WITHDRAWN if event.what == rules.GONE else STANDING,
        claim.keys,
        claim.name or None,
        event.unit,
        event.effective_on,
        event.recorded_at,
        event.delivery_id,
        event.record_no,
    )


async def _take_persons(ctx: ApplyContext, reports: Sequence[PersonReport]) -> list[LeadFact]:
    """The register's lock comes before those of employers, as in the register's own feeds."""
    heard = [
        (person, _about(ctx, report, person))
        for report in reports
        if (person := report.now or report.before) is not None
    ]
    if not heard:
        return []
    await lock_register(ctx.conn)
    return await hear_reports(ctx.conn, heard, ctx.recorded_at)


def _about(ctx: ApplyContext, report: PersonReport, person: str) -> Event:
    return Event(
        report.subject,
        report.revision,
        rules.REPORTED if person == report.now else rules.GONE,
        ctx.recorded_at,
        report.on,
        ctx.feed.name,
        report.unit,
        "",
        0,
        ctx.delivery.id,
        report.no,
    )


def _heard(ctx: ApplyContext, report: Report) -> tuple[Claim, Event] | None:
    stands = report.now is not None and bool(report.now[0])
    keys, name = (report.now if stands else report.before) or ((), "")
    if not keys:
        return None
    cause = (ctx.delivery.id, report.no)
    return (
        Claim(keys, name, report.unit, False, *cause),
        Event(
            report.subject,
            report.revision,
            rules.REPORTED if stands else rules.GONE,
            ctx.recorded_at,
            report.on,
            ctx.feed.name,
            report.unit,
            "",
            0,
            *cause,
            keys[0],
        ),
    )
