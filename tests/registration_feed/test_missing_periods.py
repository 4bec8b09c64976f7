"""A period past due for which nothing came is counted until something does."""

from __future__ import annotations

from registration_feed.feeds import BUSINESS_LICENCES
from shared.metrics import FEED_PERIODS_MISSING
from tests.registration_feed.door import Door


async def test_what_is_due_and_did_not_come_is_counted(door: Door) -> None:
    assert await missing(door) == {"business-licences": 1, "organisation-codes": 1}
    await door.push("business-licences", "2008-05", [BUSINESS_LICENCES.example])
    assert await missing(door) == {"business-licences": 0, "organisation-codes": 1}


async def missing(door: Door) -> dict[str, int]:
    """Periods missing per feed: status and metrics say the same."""
    status = await door.get("/status", "operator")
    (family,) = FEED_PERIODS_MISSING.collect()
    shown = {
        sample.labels["feed"]: int(sample.value)
        for sample in family.samples
        if sample.labels["service"] == "registration-feed"
    }
    assert shown == status["deliveries"]["missing"]
    return shown
