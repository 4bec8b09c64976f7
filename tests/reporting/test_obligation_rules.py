"""How an expected delivery stands, at every boundary; who is reminded and chased (F1, F8, F44)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from reporting.obligations import chase_rules, rules
from reporting.obligations.chase_rules import Told
from reporting.obligations.rules import Came, Owed, Sender, State
from shared.plan import Chasing, Ower, Plan

TICK = timedelta(microseconds=1)
ISSUED = datetime(2008, 5, 13, 16, tzinfo=UTC)  # 0:00 of 14 May in Benxi
OPENS = datetime(2008, 6, 9, 16, tzinfo=UTC)  # 0:00 of 10 June
DUE = datetime(2008, 6, 10, 16, tzinfo=UTC)  # 24:00 of 10 June
OWED = Owed("receipts", "tax", None, "2008-06-D1", date(2008, 6, 10), OPENS, DUE)


def came(at: datetime, number: int = 1, *, nil: bool = False) -> Came:
    return Came(at, "tax-feed", str(number), 1, nil)


class TestAState:
    @pytest.mark.parametrize(
        ("as_of", "received_at", "nil", "excused", "state", "days"),
        [
            (OPENS - TICK, None, False, False, State.NOT_DUE, 0),
            (OPENS, None, False, False, State.DUE, 0),
            (DUE, None, False, False, State.DUE, 0),  # may still come in time
            (DUE + TICK, None, False, False, State.MISSING, 1),
            (DUE + timedelta(days=1), None, False, False, State.MISSING, 2),  # 0:00 of the 12th
            (DUE + timedelta(days=1) - TICK, None, False, False, State.MISSING, 1),
            (DUE, OPENS - timedelta(days=9), False, False, State.RECEIVED, 0),  # early is in time
            (DUE, DUE, False, False, State.RECEIVED, 0),  # at the due moment exactly
            (DUE + TICK, DUE + TICK, False, False, State.LATE, 1),
            (DUE + timedelta(days=9), DUE + timedelta(days=2), False, False, State.LATE, 3),
            (DUE, DUE, True, False, State.NIL, 0),
            (DUE + TICK, DUE + TICK, True, False, State.LATE, 1),
            (OPENS - TICK, None, False, True, State.EXCUSED, 0),
            (DUE + TICK, None, False, True, State.EXCUSED, 1),
            (DUE + TICK, DUE + TICK, False, True, State.EXCUSED, 1),
            (DUE + TICK, DUE, False, True, State.RECEIVED, 0),  # in time is in time
            (DUE + TICK, DUE, True, True, State.NIL, 0),
        ],
    )
    def test_at_its_boundaries(
        self,
        as_of: datetime,
        received_at: datetime | None,
        nil: bool,
        excused: bool,
        state: State,
        days: int,
    ) -> None:
        found = came(received_at, nil=nil) if received_at else None
        stands = rules.standing_of(OWED, as_of, found, excuse=1 if excused else None)
        assert (stands.state, stands.days_late) == (state, days)


class TestWhatIsOwed:
    @pytest.mark.parametrize(
        ("feed", "period", "opens_at", "due_at"),
        [
            # The first periods: nothing before 14 May, though June's register was cut in April.
            ("receipts", "2008-05-D2", (2008, 5, 19), (2008, 5, 20)),
            ("employers", "2008-04", (2008, 5, 13), (2008, 5, 20)),
            ("pre-levies", "2008-05", (2008, 5, 19), (2008, 5, 20)),
            ("monthly-reports", "2008-05", (2008, 5, 30), (2008, 6, 3)),
            ("receipts", "2008-05-D3", (2008, 5, 29), (2008, 5, 30)),  # the 30th, not the 31st
            ("dekad-reports", "2008-12-D3", (2008, 12, 30), (2008, 12, 31)),  # the year's last
            ("arrears", "2008-12", (2008, 12, 30), (2009, 1, 5)),
        ],
    )
    def test_opens_with_the_cut_off_day_and_is_due_at_24_hours(
        self,
        plan: Plan,
        feed: str,
        period: str,
        opens_at: tuple[int, int, int],
        due_at: tuple[int, int, int],
    ) -> None:
        late = datetime(2010, 1, 1, tzinfo=UTC)
        found = [one for one in rules.owed_until(plan, late) if one.feed == feed]
        mine = [one for one in found if one.period == period]
        assert mine
        # 0:00 in Benxi is 16:00 UTC of the day before; 24:00 is 16:00 of the day itself.
        assert {one.opens_at for one in mine} == {datetime(*opens_at, 16, tzinfo=UTC)}
        assert {one.due_at for one in mine} == {datetime(*due_at, 16, tzinfo=UTC)}

    def test_is_nothing_before_the_plan_was_issued(self, plan: Plan) -> None:
        assert rules.owed_until(plan, ISSUED - TICK) == []
        assert {one.feed for one in rules.owed_until(plan, ISSUED)} >= {"receipts", "employers"}

    def test_never_falls_due_before_the_plan_was_issued(self, plan: Plan) -> None:
        everything = rules.owed_until(plan, datetime(2010, 1, 1, tzinfo=UTC))
        assert all(ISSUED <= one.opens_at < one.due_at for one in everything)
        assert len({one.id for one in everything}) == len(everything) > 500
        assert [one.order for one in everything] == sorted(one.order for one in everything)

    def test_in_february_is_due_on_its_last_day(self) -> None:
        city = Plan.read(Path("tests/shared/plan/other_city.yaml"))
        found = rules.owed_until(city, datetime(2009, 3, 1, tzinfo=UTC))
        [third] = [o for o in found if o.feed == "dekad-reports" and o.period == "2009-02-D3"]
        # Cut off on the 28th; this city's due days are exclusive: 0:00 of it.
        assert third.due_at == datetime(2009, 2, 27, 16, tzinfo=UTC)
        assert rules.due_day(third.due_at) == date(2009, 2, 27)
        assert rules.days_late(third.due_at, third.due_at + TICK) == 1

    def test_is_owed_by_each_county_and_by_tax(self, plan: Plan) -> None:
        now = datetime(2008, 5, 20, tzinfo=UTC)
        first = [o for o in rules.owed_until(plan, now) if o.feed == "dekad-reports"]
        assert [o.ower for o in first] == [
            *("210502", "210503", "210504", "210505", "210521", "210522"),
            "tax",
        ]
        assert first[0].id == "dekad-reports.210502.2008-05-D2"
        assert first[0].department == "county-governments"


COUNTY = Ower("county-governments", "210502")
OTHER = Ower("county-governments", "210503")
TAX = Ower("tax", None)
AGENCY = Ower("agency", "210502")


class TestWhatCounts:
    @pytest.mark.parametrize(
        ("ower", "owers", "sender", "counts"),
        [
            (COUNTY, (COUNTY, OTHER, TAX), Sender("unit", "210502"), True),
            (COUNTY, (COUNTY, OTHER, TAX), Sender("unit", "210503"), False),
            (COUNTY, (COUNTY, OTHER, TAX), Sender("unit", None), False),  # a desk of several
            (COUNTY, (COUNTY, OTHER, TAX), Sender("tax", None), False),  # owes one itself
            (TAX, (COUNTY, OTHER, TAX), Sender("tax", None), True),
            (TAX, (COUNTY, OTHER, TAX), Sender("unit", "210502"), False),
            (AGENCY, (AGENCY, OTHER), Sender("agency", None), True),  # for all units at once
            (AGENCY, (AGENCY, OTHER), Sender("agency", "210502"), True),
            (AGENCY, (AGENCY, OTHER), Sender("agency", "210503"), False),
            (Ower("agency", None), (Ower("agency", None),), Sender("unit", "210502"), True),
        ],
    )
    def test_for_whoever_owes_it(
        self, ower: Ower, owers: tuple[Ower, ...], sender: Sender, counts: bool
    ) -> None:
        owed = replace(OWED, department=ower.department, unit=ower.unit)
        arrivals = {("receipts", "2008-06-D1"): {sender: came(DUE)}}
        assert (rules.came_for(owed, arrivals, owers) is not None) == counts

    def test_is_the_first_of_all_that_came(self) -> None:
        owed = replace(OWED, department="agency", unit="210502")
        arrivals = {
            ("receipts", "2008-06-D1"): {
                Sender("unit", "210502"): came(DUE, 1),
                Sender("agency", None): came(OPENS, 2, nil=True),
            },
            ("receipts", "2008-05-D3"): {Sender("unit", "210502"): came(ISSUED, 3)},
        }
        found = rules.came_for(owed, arrivals, (AGENCY, OTHER))
        assert found == Came(OPENS, "tax-feed", "2", 2, False)


class TestRates:
    def test_count_what_fell_due_and_was_not_excused(self) -> None:
        def standing(state: State, due_at: datetime = OPENS) -> rules.Standing:
            return rules.Standing(replace(OWED, due_at=due_at), state, None, 0)

        states = [State.RECEIVED, State.NIL, State.LATE, State.MISSING, State.MISSING]
        standings = [standing(state) for state in (*states, State.EXCUSED)]
        standings += [standing(State.RECEIVED, DUE), standing(State.DUE, DUE)]  # not over yet
        rates = rules.rates_of(standings, DUE)
        assert (rates.expected, rates.actual, rates.actual_on_time) == (5, 3, 2)
        assert (rates.reporting_rate, rates.reporting_rate_on_time) == (
            Fraction(3, 5),
            Fraction(2, 5),
        )
        assert rules.rates_of([], DUE).reporting_rate is None


@pytest.fixture
def chasing(plan: Plan) -> Chasing:
    assert plan.chasing is not None
    return plan.chasing


class TestNotices:
    REMIND = DUE - timedelta(days=1)
    CHASE = DUE + timedelta(hours=8)

    @pytest.mark.parametrize(
        ("now", "received_at", "excused", "kinds"),
        [
            (REMIND - TICK, None, False, []),
            (REMIND, None, False, ["reminder"]),
            (DUE, None, False, ["reminder"]),
            (REMIND, OPENS - TICK, False, []),  # it has come
            (REMIND, None, True, []),
            (DUE + TICK, None, False, []),
            (CHASE - TICK, None, False, []),
            (CHASE, None, False, ["overdue"]),
            (CHASE, CHASE, False, []),  # late, but here
            (CHASE, None, True, []),
        ],
    )
    def test_are_given_in_their_time(
        self,
        chasing: Chasing,
        now: datetime,
        received_at: datetime | None,
        excused: bool,
        kinds: list[str],
    ) -> None:
        found = came(received_at) if received_at else None
        one = rules.standing_of(OWED, now, found, excuse=1 if excused else None)
        given = chase_rules.notices([one], {}, now, chasing)
        assert [notice.kind for notice in given] == kinds
        told = {(OWED.id, n.kind): Told(n.revision, n.standing, n.level) for n in given}
        assert chase_rules.notices([one], told, now, chasing) == []

    def test_a_chase_is_taken_back_and_stands_again(self, chasing: Chasing) -> None:
        missing = rules.standing_of(OWED, self.CHASE, None)
        in_time = rules.standing_of(OWED, self.CHASE, came(DUE))
        late = rules.standing_of(OWED, self.CHASE, came(DUE + TICK))
        told: dict[tuple[str, chase_rules.Kind], Told] = {(OWED.id, "overdue"): Told(1, True, 2)}
        assert chase_rules.notices([late], told, self.CHASE, chasing) == []
        [back] = chase_rules.notices([in_time], told, self.CHASE, chasing)
        assert (back.revision, back.standing, back.level) == (2, False, 2)
        told = {(OWED.id, "overdue"): Told(2, False, 2)}
        [again] = chase_rules.notices([missing], told, self.CHASE, chasing)
        assert (again.revision, again.standing, again.level) == (3, True, 2)

    def test_each_missed_deadline_in_a_row_goes_one_level_up(self, chasing: Chasing) -> None:
        M, L, R, X = State.MISSING, State.LATE, State.RECEIVED, State.EXCUSED
        states = [M, L, M, X, M, M, R, M]
        expected = [1, 2, 3, 3, 4, 4, 1, 1]  # four levels; an excused one changes nothing
        standings = [
            rules.Standing(
                replace(OWED, period=str(n), due_at=DUE - timedelta(days=10 * (9 - n))), s, None, 0
            )
            for n, s in enumerate(states)
        ]
        given = {
            n.about.owed.period: n.level
            for n in chase_rules.notices(standings, {}, self.CHASE, chasing)
        }
        assert given == {str(n): expected[n] for n, s in enumerate(states) if s is M}
