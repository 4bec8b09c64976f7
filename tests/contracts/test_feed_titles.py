"""A feed has one title: what a department sees at the door is what the plan calls it elsewhere."""

from enrollment.app import SERVICE as ENROLLMENT
from registration_feed.app import SERVICE as REGISTRATION_FEED
from reporting.app import SERVICE as REPORTING
from shared.plan import Plan
from tax_feed.app import SERVICE as TAX_FEED


def test_the_plan_calls_every_feed_as_its_service_does() -> None:
    services = (REGISTRATION_FEED, TAX_FEED, ENROLLMENT, REPORTING)
    doors = {feed.name: (feed.title_zh, feed.title_en) for one in services for feed in one.feeds}
    assert {feed.name: (feed.zh, feed.en) for feed in Plan.default().feeds} == doors
