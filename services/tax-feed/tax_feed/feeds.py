"""The feeds of tax-feed, each declared by its capability."""

from __future__ import annotations

from tax_feed.audits.feeds import BASE_AUDITS, DEDUCTION_REVIEWS
from tax_feed.clearing.feeds import CLEARING_PLANS
from tax_feed.collection.feeds import ARREARS, RECEIPTS
from tax_feed.headcounts.feeds import EMPLOYER_CHECKS, HEADCOUNTS, UNENROLLED_EMPLOYERS
from tax_feed.no_wage.feeds import NO_WAGE_PERSONS
from tax_feed.prelevies.feeds import PRE_LEVIES
from tax_feed.registrations.feeds import TAX_REGISTRATIONS

FEEDS = (
    TAX_REGISTRATIONS,
    EMPLOYER_CHECKS,
    UNENROLLED_EMPLOYERS,
    HEADCOUNTS,
    RECEIPTS,
    ARREARS,
    CLEARING_PLANS,
    BASE_AUDITS,
    NO_WAGE_PERSONS,
    DEDUCTION_REVIEWS,
    PRE_LEVIES,
)

__all__ = [
    "ARREARS",
    "BASE_AUDITS",
    "CLEARING_PLANS",
    "DEDUCTION_REVIEWS",
    "EMPLOYER_CHECKS",
    "FEEDS",
    "HEADCOUNTS",
    "NO_WAGE_PERSONS",
    "PRE_LEVIES",
    "RECEIPTS",
    "TAX_REGISTRATIONS",
    "UNENROLLED_EMPLOYERS",
]
