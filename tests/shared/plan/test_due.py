"""What falls due when: cut-offs, month ends, and nothing before its obligation existed."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from shared.plan import Plan

LOCAL = ZoneInfo("Asia/Shanghai")


def local(year: int, month: int, day: int, at: time = time.min) -> datetime:
    return datetime.combine(date(year, month, day), at, tzinfo=LOCAL)


def periods(plan: Plan, feed: str, as_of: datetime, *, include_open: bool = False) -> list[str]:
    return [str(due.period) for due in plan.due_for(feed, as_of, include_open=include_open)]


class TestDekadFeeds:
    @pytest.mark.parametrize(
        ("period", "cut_off_on", "due_at"),
        [
            ("2008-05-D2", date(2008, 5, 20), local(2008, 5, 21)),
            ("2008-05-D3", date(2008, 5, 30), local(2008, 5, 31)),  # the 30th, not the month's end
            ("2008-06-D1", date(2008, 6, 10), local(2008, 6, 11)),
            ("2008-06-D3", date(2008, 6, 30), local(2008, 7, 1)),
            ("2008-08-D3", date(2008, 8, 30), local(2008, 8, 31)),  # a Saturday; stands
            ("2008-10-D3", date(2008, 10, 30), local(2008, 10, 31)),
            ("2008-12-D3", date(2008, 12, 31), local(2009, 1, 1)),  # the year's last
        ],
    )
    def test_are_due_at_the_end_of_the_cut_off_day(
        self, plan: Plan, period: str, cut_off_on: date, due_at: datetime
    ) -> None:
        dues = plan.due_for("receipts", local(2009, 2, 1))
        found = {str(due.period): due for due in dues}[period]
        assert (found.cut_off_on, found.due_at) == (cut_off_on, due_at)
        assert found.due_at.tzinfo is UTC

    def test_fall_due_at_24_hours_and_not_a_second_before(self, plan: Plan) -> None:
        assert periods(plan, "receipts", local(2008, 5, 20, time(23, 59, 59))) == []
        assert periods(plan, "receipts", local(2008, 5, 21)) == ["2008-05-D2"]

    def test_the_open_one_can_be_asked_for(self, plan: Plan) -> None:
        on = local(2008, 5, 25)
        assert periods(plan, "receipts", on, include_open=True) == ["2008-05-D2", "2008-05-D3"]

    def test_there_are_none_after_the_campaign(self, plan: Plan) -> None:
        found = periods(plan, "dekad-reports", local(2010, 1, 1), include_open=True)
        assert (found[0], found[-1], len(found)) == ("2008-05-D2", "2008-12-D3", 23)

    def test_in_february_the_third_is_cut_on_its_last_day(self, other_city: Plan) -> None:
        dues = other_city.due_for("dekad-reports", local(2009, 3, 1), include_open=True)
        assert [due.cut_off_on for due in dues] == [
            date(2009, 2, 9),
            date(2009, 2, 19),
            date(2009, 2, 28),
            date(2009, 3, 9),
        ]

    def test_exclusive_due_days_end_a_day_earlier(self, other_city: Plan) -> None:
        [due] = other_city.due_for("dekad-reports", local(2009, 2, 9))
        assert due.due_at == local(2009, 2, 9)


class TestMonthlyFeeds:
    @pytest.mark.parametrize(
        ("feed", "due_at"),
        [
            ("business-licences", local(2008, 6, 6)),  # the 5th of June at 24:00
            ("organisation-codes", local(2008, 6, 6)),
            ("employer-checks", local(2008, 6, 6)),
            ("arrears", local(2008, 6, 6)),
            ("pre-levies", local(2008, 5, 21)),  # the 20th of the same month
            ("monthly-reports", local(2008, 6, 4)),  # the 3rd
        ],
    )
    def test_first_due_moment(self, plan: Plan, feed: str, due_at: datetime) -> None:
        first = plan.due_for(feed, local(2008, 7, 1))[0]
        assert str(first.period) == "2008-05"
        assert first.cut_off_on == date(2008, 5, 31)
        assert first.due_at == due_at

    def test_december_falls_due_in_the_next_year_and_is_the_last(self, plan: Plan) -> None:
        dues = plan.due_for("business-licences", local(2009, 6, 1))
        assert (str(dues[-1].period), dues[-1].due_at) == ("2008-12", local(2009, 1, 6))
        assert len(dues) == 8

    def test_the_plan_s_own_default_day_is_used(self, other_city: Plan) -> None:
        [due] = other_city.due_for("receipts", local(2009, 3, 31))
        assert due.due_at == local(2009, 3, 8)  # the 8th, not included


class TestOtherFeeds:
    def test_the_opening_register_is_owed_once(self, plan: Plan) -> None:
        for feed in ("employers", "insured-persons"):
            [due] = plan.due_for(feed, local(2008, 12, 31))
            assert (str(due.period), due.cut_off_on) == ("2008-04", plan.opening_on)
            assert due.due_at == local(2008, 5, 21)

    def test_events_are_never_due(self, plan: Plan) -> None:
        assert plan.due_for("tax-registrations", local(2008, 12, 31), include_open=True) == []

    def test_the_census_ends_before_the_campaign(self, plan: Plan) -> None:
        for feed in ("census-units", "census-persons"):
            found = periods(plan, feed, local(2009, 1, 31), include_open=True)
            assert (found[0], found[-1], len(found)) == ("2008-05-D2", "2008-07-D3", 8)
            assert plan.owed_by(feed) == (*(u.code for u in plan.units[:6]), "L-KF")

    def test_daily_feeds_are_due_the_next_day(self, other_city: Plan) -> None:
        found = other_city.due_for("hot-line", local(2009, 3, 1))
        assert [(str(due.period), due.due_at) for due in found] == [
            ("2009-02-27", local(2009, 2, 28)),
            ("2009-02-28", local(2009, 3, 1)),
        ]


class TestNothingIsLateBeforeItsObligationExisted:
    def test_no_feed_of_the_plan_is_due_before_14_may_2008(self, plan: Plan) -> None:
        for feed in plan.feeds:
            assert plan.due_for(feed.name, local(2008, 5, 14)) == []
            for due in plan.due_for(feed.name, local(2009, 12, 31)):
                assert due.due_at > local(2008, 5, 14)

    def test_the_first_dekad_of_may_is_not_asked_for(self, plan: Plan) -> None:
        for feed in plan.feeds:
            if feed.period == "dekad":
                found = periods(plan, feed.name, local(2008, 6, 1), include_open=True)
                assert found[0] == "2008-05-D2"
