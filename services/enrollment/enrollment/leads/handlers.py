"""The bus door: facts of registration-feed and tax-feed that bear on leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard, get_args

from enrollment.golden import store as golden_store
from enrollment.golden.sources import departments_of, sighting_of
from enrollment.identity.rules import Claim, keys_of
from enrollment.leads import projections, rules, store
from enrollment.leads.rules import Event
from enrollment.leads.work.store.notices import keep_notices
from enrollment.leads.worth.rules import Trait, newest
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.events.tax_feed import (
    HeadcountDeclared,
    PreLevied,
    PreLevySettled,
    TaxDeregistered,
    TaxRegistered,
    UnenrolledReported,
)
from shared.periods import Month
from shared.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.events import Fact
    from shared.inbox import FactBatch
    from shared.runtime import Runtime

_Licence = EnterpriseRegistered | EnterpriseChanged | EnterpriseDeregistered
_Enterprise = _Licence | TaxRegistered | TaxDeregistered
_Headcount = HeadcountDeclared | UnenrolledReported
_PreLevy = PreLevied | PreLevySettled
_Known = _Enterprise | _Headcount | _PreLevy
_KNOWN = frozenset(get_args(_Known))


async def on_feed_facts(conn: AsyncConnection, runtime: Runtime, batch: FactBatch) -> None:
    """Facts of either feed: who the employer is, what is now known of it, and its leads.

    Set-based for the whole batch; other facts of the feeds bear on nothing here. The same
    handler serves both producers, and any order of their batches ends in the same leads.
    """
    await on_all_feed_facts(conn, runtime, [batch])


async def on_all_feed_facts(
    conn: AsyncConnection, runtime: Runtime, batches: Sequence[FactBatch]
) -> None:
    """The same of several batches, of either feed or both, taken as one."""
    known: list[_Known] = [
        received.fact for batch in batches for received in batch.facts if _bears(received.fact)
    ]
    if not known:
        return
    await store.lock_subjects(conn, {(fact.subject, fact.revision) for fact in known})
    claims = [_claim(fact) for fact in known]
    heard = [
        (claim, _event(fact, claim.keys[0])) for claim, fact in zip(claims, known, strict=True)
    ]
    departments = departments_of(runtime.plan)
    seen = [sighting_of(fact, departments) for fact in known]
    told = await golden_store.of_subjects(conn, {fact.subject for fact in known})
    if notices := _notices(known):
        await keep_notices(conn, notices, {one.subject for one in told})
    traits = newest(_traits(known, runtime.plan))
    facts = await projections.hear(
        conn, runtime.plan, heard, seen, told, runtime.clock.now(), traits
    )
    if facts:
        await runtime.outbox.write(conn, facts)


def _bears(fact: Fact) -> TypeGuard[_Known]:
    return type(fact) in _KNOWN


def _traits(known: Sequence[_Known], plan: Plan) -> list[Trait]:
    """The staff that licences state and the segments they put their enterprises in."""
    return [
        Trait(
            fact.subject,
            fact.revision,
            fact.headcount,
            ownership=None if fact.reg_type is None else plan.ownership_of(fact.reg_type),
            trade=None if fact.industry is None else plan.trade_of(fact.industry),
        )
        for fact in known
        if isinstance(fact, _Licence)
        and (fact.headcount, fact.reg_type, fact.industry) != (None, None, None)
    ]


def _notices(known: Sequence[_Known]) -> dict[str, tuple[int, date | None]]:
    """Who was told to enrol (O38, O50), and of whom that is taken back."""
    told: dict[str, tuple[int, date | None]] = {}
    for fact in known:
        on = getattr(fact, "notified_on", None)
        if getattr(fact, "withdrawn", False):
            on = None
        if isinstance(fact, _Enterprise) and (on is not None or fact.revision > 1):
            known_before = told.get(fact.subject, (0, None))
            told[fact.subject] = max(known_before, (fact.revision, on), key=lambda one: one[0])
    return told


def _claim(fact: _Known) -> Claim:
    keys = keys_of(fact.org_code, fact.licence_no, fact.owner_key, fact.key)
    return Claim(keys, fact.name, fact.unit, fact.household, fact.delivery_id, fact.record_no)


def _event(fact: _Known, key: str) -> Event:
    insured = None
    if isinstance(fact, _Headcount):
        found = isinstance(fact, UnenrolledReported)
        what = rules.FOUND_UNENROLLED if found else rules.DECLARED
        period, taxable, on = fact.period, fact.taxable_headcount, fact.effective_on
        insured = fact.insured_headcount
    elif isinstance(fact, _PreLevy):
        # Settled or not, it was levied: only the register closes what that opened.
        what = rules.GONE if fact.cancelled else rules.FOUND_UNENROLLED
        period, taxable = fact.month, 0 if fact.cancelled else fact.taxable_headcount
        on = fact.levied_on or Month.parse(fact.month).first_on
    else:
        gone = isinstance(fact, EnterpriseDeregistered | TaxDeregistered)
        what = rules.STRUCK_OFF if gone else rules.REGISTERED
        period, taxable, on = "", 0, fact.effective_on
    if getattr(fact, "withdrawn", False):
        what = rules.GONE  # it never was told, so neither strikes off nor opens anything
    return Event(
        fact.subject,
        fact.revision,
        what,
        fact.recorded_at,
        on,
        fact.feed,
        fact.unit,
        period,
        taxable,
        fact.delivery_id,
        fact.record_no,
        key,
        insured=insured,
    )
