"""What the census and complaints report of employers, as evidence for leads (O28, O70, O85)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

from enrollment.golden.rules import STANDING, WITHDRAWN, Sighting
from enrollment.golden.sources import named_only
from enrollment.identity.rules import Claim
from enrollment.leads import projections, rules, store
from enrollment.leads.rules import Event
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


async def take_reports(ctx: ApplyContext, reports: Sequence[Report]) -> list[Fact]:
    """Keep the reports as evidence, take back those that name nobody now; the facts that follow.

    Reports of one subject come by one feed only, whose lock is held.
    """
    heard = [pair for report in reports if (pair := _heard(ctx, report)) is not None]
    if not heard:
        return []
    # Whose a key is stays as it is until we are done: nobody links or parts employers meanwhile.
    await store.lock_subjects(ctx.conn, ())
    seen = [_sighting(ctx, claim, event) for claim, event in heard]
    return await projections.hear(ctx.conn, ctx.runtime.plan, heard, seen, ctx.recorded_at)


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
