"""The 2008 plan of Benxi as data says what the plan text says."""

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shared.plan import Plan, PlanLookupError

DESIGN = Path(__file__).parents[4] / "shared" / "design"

ON = date(2008, 6, 10)


class TestIdentity:
    def test_is_the_document_of_14_may_2008(self, plan: Plan) -> None:
        assert plan.identity.document_number.value == "本政发[2008]6号"
        assert plan.issued_on == date(2008, 5, 14)
        assert (plan.campaign_from, plan.campaign_to) == (date(2008, 1, 1), date(2008, 12, 31))

    def test_opening_day_is_marked_as_our_assumption(self, plan: Plan) -> None:
        assert plan.opening_on == date(2008, 4, 30)
        assert plan.identity.opening_on.status == "assumption"

    def test_version_joins_the_declared_one_and_the_content_hash(self, plan: Plan) -> None:
        assert re.fullmatch(r"1\+[0-9a-f]{12}", plan.version)
        assert plan.digest.startswith(plan.version.removeprefix("1+"))


class TestUnits:
    def test_are_six_counties_and_four_without_a_division_code(self, plan: Plan) -> None:
        assert [(unit.code, unit.zh) for unit in plan.units] == [
            ("210502", "平山区"),
            ("210503", "溪湖区"),
            ("210504", "明山区"),
            ("210505", "南芬区"),
            ("210521", "本溪满族自治县"),
            ("210522", "桓仁满族自治县"),
            ("L-BG", "本钢"),
            ("L-BT", "北钢"),
            ("L-KF", "本溪经济开发区"),
            ("L-SJ", "市本级"),
        ]
        assert [unit.kind for unit in plan.units] == [
            *["county"] * 6,
            "addressee",
            "addressee",
            "zone",
            "city-level",
        ]
        assert [unit.code for unit in plan.units if unit.gb2260 is None] == [
            "L-BG",
            "L-BT",
            "L-KF",
            "L-SJ",
        ]

    def test_the_city_is_found_but_is_no_reporting_unit(self, plan: Plan) -> None:
        assert plan.city.code == "210500"
        assert plan.unit("210500").zh == "本溪市"
        assert not plan.has_unit("210500")
        assert plan.has_unit("L-BG")

    def test_an_unknown_code_is_named(self, plan: Plan) -> None:
        with pytest.raises(PlanLookupError, match="210501"):
            plan.unit("210501")


class TestTargets:
    @pytest.mark.parametrize(
        ("measure", "duty", "stretch"),
        [
            ("insured-total", 647_000, 695_000),  # O7, O9
            ("insured-active", 474_000, 512_000),  # O8, O10
            ("pooled-fund", 120_000_000_000, None),  # O11: 1.2 billion yuan in fen, no stretch
        ],
    )
    def test_the_city_has_the_figures_of_the_text(
        self, plan: Plan, measure: str, duty: int, stretch: int | None
    ) -> None:
        target = plan.target(measure, plan.city.code)
        assert (target.duty, target.stretch, target.status) == (duty, stretch, "plan")

    def test_what_is_left_for_the_retired_is_173000_and_183000(self, plan: Plan) -> None:
        total = plan.target("insured-total", plan.city.code)
        active = plan.target("insured-active", plan.city.code)
        assert total.duty - active.duty == 173_000
        assert total.stretch is not None and active.stretch is not None
        assert total.stretch - active.stretch == 183_000

    def test_every_unit_has_a_target_and_each_is_marked_as_a_sample(self, plan: Plan) -> None:
        for measure in ("insured-total", "insured-active", "pooled-fund"):
            assert {plan.target(measure, unit.code).status for unit in plan.units} == {"sample"}

    def test_no_unit_has_more_active_than_insured(self, plan: Plan) -> None:
        for unit in plan.units:
            total = plan.target("insured-total", unit.code)
            active = plan.target("insured-active", unit.code)
            assert active.duty < total.duty
            assert (active.stretch or 0) < (total.stretch or 0)

    @pytest.mark.parametrize(
        ("measure", "line"),
        [
            ("insured-total", "duty"),
            ("insured-total", "stretch"),
            ("insured-active", "duty"),
            ("insured-active", "stretch"),
            ("pooled-fund", "duty"),
        ],
    )
    def test_the_parts_sum_to_at_least_the_whole(self, plan: Plan, measure: str, line: str) -> None:
        check = plan.cascade_check(measure, "duty" if line == "duty" else "stretch")
        assert check.ok
        assert check.difference == 0
        assert check.missing == ()

    def test_the_fund_has_no_stretch_to_check(self, plan: Plan) -> None:
        with pytest.raises(PlanLookupError, match="no stretch"):
            plan.cascade_check("pooled-fund", "stretch")


class TestMeasures:
    @pytest.mark.parametrize(
        ("status", "total", "active"),
        [
            ("active", True, True),
            ("suspended", True, True),
            ("retired", True, False),
            ("ended", False, False),
        ],
    )
    def test_statuses_counted(self, plan: Plan, status: str, total: bool, active: bool) -> None:
        assert plan.counts_in("insured-total", status) is total
        assert plan.counts_in("insured-active", status) is active

    def test_the_payment_rate_is_defined_named_and_versioned(self, plan: Plan) -> None:
        assert plan.measure("payment-rate").definition_id == "persons-paid-of-persons-due@1"
        assert plan.measure("insured-active").definition_id == "insured-active@1"


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value", "status"),
        [
            ("age-lower", 18, "plan"),
            ("age-upper-man", 60, "plan"),
            ("age-upper-woman-cadre", 55, "plan"),
            ("age-upper-woman-worker", 50, "plan"),
            ("age-upper-woman-migrant-contract", 55, "page"),
            ("employer-pooled-rate", Decimal("0.20"), "assumption"),
            ("individual-rate", Decimal("0.08"), "page"),
            ("flexible-total-rate", Decimal("0.20"), "page"),
            ("base-floor-ratio", Decimal("0.60"), "page"),
            ("freelancer-base-floor-ratio", Decimal("0.60"), "plan"),
            ("base-cap-ratio", Decimal("3.00"), "page"),
            ("late-fee-rate-per-day", Decimal("0.002"), "law"),
            ("flexible-backpay-late-fee-rate-per-day", Decimal(0), "plan"),
            ("undeclared-estimate-ratio", Decimal("1.10"), "law"),
            ("registration-limit", 30, "law"),
            ("mean-wage-previous-year", 2_200_000, "assumption"),
            ("shortfall-price-per-person", 253_165, "sample"),
        ],
    )
    def test_value_in_june_2008(
        self, plan: Plan, name: str, value: int | Decimal, status: str
    ) -> None:
        found = plan.parameter(name, ON)
        assert found.as_decimal() == value
        assert found.status == status

    def test_the_mean_wage_holds_for_its_year_only(self, plan: Plan) -> None:
        assert plan.parameter("mean-wage-previous-year", date(2007, 12, 31)).as_int() == 1_880_000
        with pytest.raises(PlanLookupError, match="2009-01-01"):
            plan.parameter("mean-wage-previous-year", date(2009, 1, 1))

    def test_the_shares_of_the_flexible_rate_add_up(self, plan: Plan) -> None:
        account = plan.parameter("flexible-account-rate", ON).as_decimal()
        pooled = plan.parameter("flexible-pooled-rate", ON).as_decimal()
        assert account + pooled == plan.parameter("flexible-total-rate", ON).as_decimal()

    def test_assessment_weights_add_up_to_one(self, plan: Plan) -> None:
        names = [item.name for item in plan.parameters if "assessment-weight" in item.name]
        assert len(names) == 3  # the three indicators of O20
        assert sum(plan.parameter(name, ON).as_decimal() for name in names) == 1

    def test_what_the_plan_leaves_open_is_never_marked_as_the_plan(self, plan: Plan) -> None:
        money = re.compile("shortfall|reward|provincial|clearing")
        for parameter in plan.parameters:
            if money.match(parameter.name):
                assert {value.status for value in parameter.values} == {"sample"}


class TestCodedLists:
    def test_codes_are_found_by_list(self, plan: Plan, other_city: Plan) -> None:
        found = plan.find_code("visit-outcomes", "absent")
        assert found is not None and not found.counts
        assert plan.find_code("uninsured-reasons", "absent") is None
        assert plan.find_code("no-such-list", "absent") is None
        assert [one.code for one in other_city.codes("visit-outcomes")] == ["done", "vacant"]
        assert other_city.codes("uninsured-reasons") == ()
        for name in ("visit-outcomes", "uninsured-reasons", "complaint-grounds"):
            assert all(one.zh and one.en for one in plan.codes(name))
            assert len(plan.codes(name)) >= 5

    def test_has_every_division_and_type(self, plan: Plan) -> None:
        divisions = plan.content.industries.divisions
        assert len(divisions) == 95
        assert len(plan.content.industries.sections) == 20
        assert (divisions[0].code, divisions[-1].code) == ("01", "98")
        assert len(plan.content.registration_types.rows) == 32

    @pytest.mark.parametrize(
        ("industry", "trade"),
        [
            ("67", "catering"),
            ("6710", "catering"),
            ("82", "services"),
            ("83", "services"),
            ("47", "construction"),
            ("50", "construction"),
            ("52", "transport"),
            ("57", "transport"),
            ("66", "none"),  # hotels: the wide reading only
            ("51", "none"),  # rail: the wide reading only
            ("32", "none"),
            ("12", "none"),  # no such division
            ("", "none"),
        ],
    )
    def test_trade_of_an_industry(self, plan: Plan, industry: str, trade: str) -> None:
        assert plan.trade_of(industry) == trade

    @pytest.mark.parametrize(
        ("code", "ownership", "nonpublic"),
        [
            ("110", "state", False),
            ("151", "state", False),
            ("120", "collective", False),
            ("173", "private", True),
            ("410", "individual", True),
            ("230", "foreign", False),
            ("330", "foreign", False),
            ("159", "other", False),
        ],
    )
    def test_ownership(self, plan: Plan, code: str, ownership: str, nonpublic: bool) -> None:
        assert plan.ownership_of(code) == ownership
        assert plan.registration_type(code).nonpublic is nonpublic

    def test_an_unknown_type_has_other_ownership_and_no_row(self, plan: Plan) -> None:
        assert plan.ownership_of("999") == "other"
        with pytest.raises(PlanLookupError, match="999"):
            plan.registration_type("999")


class TestObligations:
    def test_are_o1_to_o96_in_order(self, plan: Plan) -> None:
        assert [row.id for row in plan.obligations] == [f"O{number}" for number in range(1, 97)]

    @pytest.mark.parametrize(
        ("number", "kind", "day", "met_by"),
        [
            ("O11", "once", None, ("receipts",)),
            ("O30", "continuous", None, ("employer-applications", "person-applications")),
            ("O37", "continuous", None, ("employer-checks",)),
            ("O40", "not-stated", None, ("employer-checks", "unenrolled-employers")),
            ("O41", "continuous", None, ("arrears", "clearing-plans")),
            ("O48", "monthly", 20, ("pre-levies",)),
            ("O51", "monthly", None, ("business-licences",)),
            ("O52", "monthly", None, ("organisation-codes",)),
            ("O60", "quarterly", None, ()),
            ("O95", "monthly", 3, ("monthly-reports",)),
        ],
    )
    def test_when_and_how_met(
        self, plan: Plan, number: str, kind: str, day: int | None, met_by: tuple[str, ...]
    ) -> None:
        found = plan.obligation(number)
        assert (found.when.kind, found.when.day, found.met_by) == (kind, day, met_by)

    def test_the_dekad_report_is_owed_by_counties_and_tax(self, plan: Plan) -> None:
        assert plan.obligation("O94").when.kind == "dekad"
        assert plan.obligation("O94").actors == ("county-governments", "tax")
        counties = tuple(unit.code for unit in plan.units if unit.kind == "county")
        assert plan.owed_by("dekad-reports") == (*counties, "tax")
        assert {ower.department for ower in plan.owers("dekad-reports") if ower.unit} == {
            "county-governments"
        }

    def test_the_written_report_is_owed_by_counties_and_departments(self, plan: Plan) -> None:
        owers = plan.owers("monthly-reports")
        assert sum(ower.unit is not None for ower in owers) == 6
        assert [ower.code for ower in owers if ower.unit is None][:2] == ["labour", "tax"]

    def test_every_unit_owes_its_own_applications(self, plan: Plan) -> None:
        assert plan.owed_by("person-applications") == tuple(unit.code for unit in plan.units)
        assert plan.owed_by("employer-applications") == ("agency",)

    def test_days_of_the_calendar_and_of_the_feeds_agree(self, plan: Plan) -> None:
        assert plan.feed("pre-levies").due.day == plan.calendar.pre_levy_list_day.value == 20
        assert plan.feed("monthly-reports").due.day == plan.calendar.written_report_day.value
        assert (plan.calendar.census_from.value, plan.calendar.census_to.value) == (
            plan.obligation("O65").when.from_on,
            plan.obligation("O65").when.to_on,
        )

    def test_only_the_census_starts_before_the_plan_was_issued(self, plan: Plan) -> None:
        early = {row.clause for row in plan.obligations if row.when.from_on < plan.issued_on}
        assert early == {"四(三)"}

    def test_every_periodic_feed_answers_to_an_obligation(self, plan: Plan) -> None:
        met = Counter(name for row in plan.obligations for name in row.met_by)
        owed = {feed.name for feed in plan.feeds if feed.period != "event"}
        assert owed <= set(met)

    @pytest.mark.skipif(
        not DESIGN.is_dir(), reason="the design folder with the plan text is absent"
    )
    def test_every_quote_stands_in_the_plan_text(self, plan: Plan) -> None:
        text = (DESIGN / "plan-2008.zh.txt").read_text(encoding="utf-8")
        text = re.sub(r"\s+", "", re.sub(r"\[page \d+\]", "", text))
        for row in plan.obligations:
            reached = 0
            for part in row.quote.split("…"):
                found = text.find(re.sub(r"\s+", "", part), reached)
                assert found >= 0, f"{row.id}: {part!r} does not stand in the text"
                reached = found + len(part)
