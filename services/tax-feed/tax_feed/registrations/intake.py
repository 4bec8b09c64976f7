"""A tax registration becomes state and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.deliveries.checks import is_household, legal_rep_of, owner_key_of
from shared.deliveries.feed import Changed, JudgeContext, Verdict
from shared.events.tax_feed import TaxDeregistered, TaxRegistered
from shared.periods import Month
from tax_feed.dated import days_on
from tax_feed.employers import employers_of
from tax_feed.registrations import models, rules
from tax_feed.registrations.schemas import TaxRegistration
from tax_feed.stating import accepted, applier, hash_where_found


def judge_registrations(records: Sequence[TaxRegistration], ctx: JudgeContext) -> list[Verdict]:
    """Each registration accepted, with its last day to enrol, or refused with every reason."""
    last_on = Month.parse(ctx.delivery.period).last_on
    employers = employers_of(records, ctx, [record.licence_no for record in records])
    verdicts = []
    for record, (key, org_code, problems) in zip(records, employers, strict=True):
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        problems.not_after(record.registered_on, ctx.today, "/registered_on")
        problems.not_after(record.registered_on, last_on, "/registered_on", "period-mismatch")
        for name, on in (
            ("notified_on", record.notified_on),
            ("deregistered_on", record.deregistered_on),
        ):
            problems.not_after(on, ctx.today, f"/{name}")
            if on is not None and on < record.registered_on:
                limit = record.registered_on.isoformat()
                problems.add("dates-out-of-order", f"/{name}", value=on.isoformat(), limit=limit)
        if problems:
            verdicts.append(Verdict(problems=tuple(problems)))
            continue
        told = record.notified_on
        limit_days = days_on(ctx.plan, "registration-limit", told or record.registered_on)
        row = (
            key,
            org_code,
            record.name,
            record.unit,
            record.reg_type,
            record.industry,
            is_household(record.reg_type, ctx.plan),
            record.licence_no,
            owner_key_of(ctx.secrecy, tax_no=record.tax_no),
            record.registered_on,
            told,
            rules.enrol_by(told, limit_days),
            record.deregistered_on,
            record.address,
            *legal_rep_of(ctx.secrecy, record.legal_rep),
        )
        verdicts.append(accepted(key, row, hash_where_found(row)))
    return verdicts


def _fact(
    row: Mapping[str, Any], change: Changed, cause: dict[str, Any]
) -> TaxRegistered | TaxDeregistered:
    """An ending is news; anything else told anew corrects what was told before. One of which
    nothing is left ended on the day it began."""
    ended_on = row["deregistered_on"]
    return (TaxRegistered if ended_on is None else TaxDeregistered)(
        **{**cause, "correction": cause["correction"] and ended_on is None},
        subject=f"tax-registration:{change.key}",
        feed="tax-registrations",
        name=row["name"],
        reg_type=row["reg_type"],
        industry=row["industry"],
        household=row["household"],
        licence_no=row["licence_no"],
        owner_key=row["owner_key"],
        registered_on=row["registered_on"],
        effective_on=ended_on or row["registered_on"],
        notified_on=row["notified_on"],
        enrol_by=row["enrol_by"],
        address=None if row["household"] else row["address"],
        legal_rep_key=row["legal_rep_key"],
        withdrawn=change.ended,
    )


apply_registrations = applier(models.tax_registrations, _fact)
