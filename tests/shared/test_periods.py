"""Periods, cut-offs and due moments are three things, and each follows its rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.periods import (
    CUTOFF_DAYS,
    CutoffDays,
    Dekad,
    Month,
    PeriodError,
    PeriodKind,
    days_elapsed_share,
    due_moment,
    local_date,
    month_due_on,
    parse_period,
)

days = st.dates(date(1901, 1, 1), date(2998, 12, 31))
dekads = days.map(Dekad.of)
months = days.map(Month.of)
cutoff_days = st.builds(
    lambda first, second, third, last: CutoffDays(first, second, third, max(third, last)),
    st.integers(1, 13),
    st.integers(14, 27),
    st.integers(28, 31),
    st.integers(28, 31),
)


class TestParse:
    @pytest.mark.parametrize("text", ["2008-6", "2008-13", "2008-00", "200806", "２００８-06", ""])
    def test_no_month(self, text: str) -> None:
        with pytest.raises(PeriodError, match="month"):
            Month.parse(text)

    @pytest.mark.parametrize("text", ["2008-06", "2008-06-D4", "2008-06-d1", "2008-06-D1\n", ""])
    def test_no_dekad(self, text: str) -> None:
        with pytest.raises(PeriodError, match=r'expected YYYY-MM-D1.*"2008-06-D1"'):
            Dekad.parse(text)

    @pytest.mark.parametrize(
        "text", ["2008-04-31", "20080410", "2008-4-1", "2008-W10-1", "0008-01-01"]
    )
    def test_no_day(self, text: str) -> None:
        with pytest.raises(PeriodError, match="expected"):
            parse_period(text, "day")

    @pytest.mark.parametrize(
        ("text", "kind", "period"),
        [
            ("2008-06", "month", Month(2008, 6)),
            ("2008-06-D2", "dekad", Dekad(2008, 6, 2)),
            ("2008-02-29", "day", date(2008, 2, 29)),
        ],
    )
    def test_each_kind(self, text: str, kind: PeriodKind, period: object) -> None:
        assert parse_period(text, kind) == period
        assert str(period) == text

    @given(dekads)
    def test_what_is_written_reads_back(self, dekad: Dekad) -> None:
        assert Dekad.parse(str(dekad)) == dekad
        assert Month.parse(str(dekad.in_month)) == dekad.in_month

    def test_no_dekad_four_by_hand(self) -> None:
        with pytest.raises(PeriodError, match="D1, D2 and D3"):
            Dekad(2008, 6, 4)


class TestOrder:
    @given(dekads)
    def test_dekads_follow_each_other(self, dekad: Dekad) -> None:
        assert dekad < dekad.next()
        assert dekad.next().previous() == dekad
        assert dekad.next().first_on == dekad.last_on + timedelta(days=1)

    @given(months)
    def test_months_follow_each_other(self, month: Month) -> None:
        assert month < month.next()
        assert month.next().previous() == month
        assert month.next().first_on == month.last_on + timedelta(days=1)

    @given(months)
    def test_three_dekads_make_the_month(self, month: Month) -> None:
        first, second, third = month.dekads()
        assert (first.first_on, third.last_on) == (month.first_on, month.last_on)
        assert first.next() == second
        assert second.next() == third

    def test_text_sorts_as_time_does(self) -> None:
        assert sorted([Dekad(2008, 10, 1), Dekad(2008, 9, 3)], key=str)[0] == Dekad(2008, 9, 3)

    def test_the_first_and_last_have_no_neighbour(self) -> None:
        with pytest.raises(PeriodError):
            Dekad(1900, 1, 1).previous()
        with pytest.raises(PeriodError):
            Month(2999, 12).next()


class TestCutoff:
    @pytest.mark.parametrize(
        ("dekad", "on"),
        [
            ("2008-06-D1", date(2008, 6, 10)),
            ("2008-06-D2", date(2008, 6, 20)),
            ("2008-06-D3", date(2008, 6, 30)),
            ("2008-05-D3", date(2008, 5, 30)),
            ("2008-02-D3", date(2008, 2, 29)),
            ("2009-02-D3", date(2009, 2, 28)),
            ("2008-12-D3", date(2008, 12, 31)),
        ],
    )
    def test_of_the_plan(self, dekad: str, on: date) -> None:
        assert Dekad.parse(dekad).cutoff_on() == on

    def test_another_plan(self) -> None:
        other = CutoffDays(5, 15, 25, 31)
        assert Dekad(2008, 6, 3).cutoff_on(other) == date(2008, 6, 25)
        assert Dekad.counting(date(2008, 6, 26), other) == Dekad(2008, 7, 1)

    @pytest.mark.parametrize(
        "bad", [(10, 10, 30, 31), (0, 20, 30, 31), (10, 28, 30, 31), (9, 19, 31, 30)]
    )
    def test_days_that_do_not_rise(self, bad: tuple[int, int, int, int]) -> None:
        with pytest.raises(PeriodError, match="must rise"):
            CutoffDays(*bad)


class TestWindow:
    def test_the_31st_of_may_counts_in_june(self) -> None:
        assert Dekad(2008, 6, 1).window() == (date(2008, 5, 30), date(2008, 6, 10))
        assert Dekad.of(date(2008, 5, 31)) == Dekad(2008, 5, 3)
        assert Dekad.counting(date(2008, 5, 31)) == Dekad(2008, 6, 1)

    def test_the_year_ends_whole(self) -> None:
        assert Dekad.counting(date(2008, 12, 31)) == Dekad(2008, 12, 3)
        assert Dekad(2009, 1, 1).window()[0] == date(2008, 12, 31)

    @given(days, cutoff_days)
    def test_every_day_counts_in_exactly_one(self, on: date, cutoffs: CutoffDays) -> None:
        dekad = Dekad.counting(on, cutoffs)
        after_on, up_to_on = dekad.window(cutoffs)
        assert after_on < on <= up_to_on
        assert dekad.next().window(cutoffs)[0] == up_to_on


class TestDue:
    def test_at_the_end_of_the_cutoff_day_in_shanghai(self) -> None:
        assert Dekad(2008, 6, 1).due_at() == datetime(2008, 6, 10, 16, 0, tzinfo=UTC)
        assert Dekad(2008, 6, 1).due_at().tzinfo is UTC

    def test_before_the_day_when_it_is_not_included(self) -> None:
        assert Dekad(2008, 6, 1).due_at(inclusive=False) == datetime(2008, 6, 9, 16, tzinfo=UTC)

    def test_days_of_grace_move_the_due_day_only(self) -> None:
        dekad = Dekad(2008, 6, 1)
        assert dekad.due_on(CUTOFF_DAYS, days_after=2) == date(2008, 6, 12)
        assert dekad.due_at(days_after=2) == datetime(2008, 6, 12, 16, 0, tzinfo=UTC)
        assert dekad.cutoff_on() == date(2008, 6, 10)

    @given(dekads)
    def test_a_receipt_at_the_due_moment_is_of_the_day_after(self, dekad: Dekad) -> None:
        due = dekad.due_at()
        assert local_date(due) == dekad.cutoff_on() + timedelta(days=1)
        assert local_date(due - timedelta(microseconds=1)) == dekad.cutoff_on()

    def test_summer_time_of_1988(self) -> None:
        assert due_moment(date(1988, 6, 10)) == datetime(1988, 6, 10, 15, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("month", "day", "on"),
        [
            (Month(2008, 5), 5, date(2008, 6, 5)),
            (Month(2008, 12), 5, date(2009, 1, 5)),
            (Month(2008, 1), 31, date(2008, 2, 29)),
        ],
    )
    def test_monthly_feed(self, month: Month, day: int, on: date) -> None:
        assert month_due_on(month, day) == on

    def test_monthly_feed_on_no_day(self) -> None:
        with pytest.raises(PeriodError, match="1 to 31"):
            month_due_on(Month(2008, 5), 0)


class TestLocalDate:
    def test_evening_utc_is_tomorrow(self) -> None:
        assert local_date(datetime(2008, 6, 10, 16, 0, tzinfo=UTC)) == date(2008, 6, 11)

    def test_naive_moment(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            local_date(datetime(2008, 6, 10))  # noqa: DTZ001 - the case itself


class TestDaysElapsedShare:
    @pytest.mark.parametrize(
        ("on", "share"),
        [
            (date(2007, 12, 31), Fraction(0)),
            (date(2008, 1, 1), Fraction(1, 366)),
            (date(2008, 6, 10), Fraction(162, 366)),
            (date(2008, 12, 31), Fraction(1)),
            (date(2009, 3, 1), Fraction(1)),
        ],
    )
    def test_of_2008(self, on: date, share: Fraction) -> None:
        assert days_elapsed_share(on, date(2008, 1, 1), date(2008, 12, 31)) == share

    def test_span_the_wrong_way_round(self) -> None:
        with pytest.raises(PeriodError, match="ends on"):
            days_elapsed_share(date(2008, 1, 1), date(2008, 2, 1), date(2008, 1, 1))
