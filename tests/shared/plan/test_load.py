"""Another city starts with another file; a bad file is refused with the place named."""

import pickle
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shared.plan import Plan, PlanError, PlanLookupError, PlanValueError, check_cascade, load_plan

Changed = Callable[[str, str], Path]


class TestAnotherCity:
    def test_loads_with_its_own_units_and_definitions(self, other_city: Plan) -> None:
        assert [unit.code for unit in other_city.units] == ["990102"]
        assert other_city.version.startswith("draft+")
        assert other_city.cutoffs.third == 29
        assert not other_city.counts_in("insured-total", "suspended")
        assert other_city.trade_of("66") == "services"  # its reading is the wide one
        assert other_city.owed_by("dekad-reports") == ("990102",)

    def test_no_file_means_benxi(self) -> None:
        assert load_plan() is Plan.default()
        assert load_plan().city.zh == "本溪市"

    def test_parameters_change_on_their_day(self, other_city: Plan) -> None:
        rate = [
            other_city.parameter("employer-pooled-rate", day).as_decimal()
            for day in (date(2009, 6, 30), date(2009, 7, 1))
        ]
        assert rate == [Decimal("0.19"), Decimal("0.20")]
        with pytest.raises(PlanLookupError, match="2010-01-01"):
            other_city.parameter("employer-pooled-rate", date(2010, 1, 1))
        with pytest.raises(PlanLookupError, match="no-such"):
            other_city.parameter("no-such", date(2009, 1, 1))
        with pytest.raises(PlanValueError):
            other_city.parameter("employer-pooled-rate", date(2009, 6, 30)).as_int()

    def test_a_revised_target_holds_from_its_day(self, other_city: Plan) -> None:
        assert other_city.target("insured-total", "990102", date(2009, 6, 30)).duty == 900
        assert other_city.target("insured-total", "990102").duty == 1000


class TestCascade:
    def test_parts_below_the_whole_fail_and_say_by_how_much(self, other_city: Plan) -> None:
        check = other_city.cascade_check("insured-total", on=date(2009, 3, 1))
        assert not check.ok
        assert (check.city, check.parts_sum, check.difference) == (1000, 900, -100)

    def test_parts_above_the_whole_pass(self) -> None:
        check = check_cascade("insured-total", "duty", 10, {"a": 6, "b": 5})
        assert check.ok
        assert check.difference == 1

    def test_a_unit_without_a_figure_is_named(self) -> None:
        check = check_cascade("insured-total", "stretch", 10, {"a": 10, "b": None})
        assert check.ok
        assert check.missing == ("b",)


class TestVersion:
    def test_does_not_depend_on_comments(
        self, other_city: Plan, other_city_path: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy.yaml"
        copy.write_text("# moved\n" + other_city_path.read_text(encoding="utf-8"), encoding="utf-8")
        assert load_plan(copy).version == other_city.version

    def test_does_not_depend_on_the_order_of_keys(self, other_city: Plan, changed: Changed) -> None:
        path = changed("duty: 900, stretch: null", "stretch: null, duty: 900")
        assert load_plan(path).version == other_city.version

    def test_changes_with_any_value(self, other_city: Plan, changed: Changed) -> None:
        path = changed("duty: 900", "duty: 901")
        assert load_plan(path).version != other_city.version


class TestPickling:
    def test_a_plan_survives_the_way_to_a_worker(self) -> None:
        plan = Plan.default()
        plan.unit("L-BG")  # with an index already made
        copy = pickle.loads(pickle.dumps(plan))  # noqa: S301
        assert copy == plan
        assert copy.version == plan.version
        assert copy.unit("L-BG").zh == "本钢"

    def test_an_error_survives_it_too(self) -> None:
        with pytest.raises(PlanError) as caught:
            load_plan(Path("no-such-file.yaml"))
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


class TestBadFiles:
    @pytest.mark.parametrize(
        ("old", "new", "place", "message"),
        [
            ('unit: "990100", duty', 'unit: "990103", duty', "targets.0.unit", "unknown unit"),
            ('unit: "990100", duty', 'unit: "990103", duty', "targets.0", "no row for the city"),
            ("duty: 900, stretch: null", "duty: 900, stretch: 1", "targets.1.stretch", "below"),
            ("duty: 900", 'duty: "900"', "targets.1.duty", "valid integer"),
            ("duty: 900", "duty: -900", "targets.1.duty", "greater than 0"),
            ("from: 2009-07-01}", "from: 2009-06-30}", "targets.2", "overlaps"),
            (
                "from: 2009-07-01, to: 2009-12-31",
                "from: 2009-06-30, to: 2009-12-31",
                "parameters.0.values.1",
                "overlaps",
            ),
            (
                "from: 2009-07-01, to: 2009-12-31",
                "from: 2009-07-01, to: 2009-06-30",
                "parameters.0.values.1.to",
                "ends before",
            ),
            ("value: 0.19,", "value: .inf,", "-", "not a plain decimal"),
            ("value: 0.19,", "value: null,", "parameters.0.values.0.value", "valid"),
            ("[9, 19, 29]", "[9, 9, 29]", "calendar.dekad_cutoff_days", "must rise"),
            ("[9, 19, 29]", "[9, 19]", "calendar.dekad_cutoff_days.value", "required"),
            ("Asia/Shanghai", "Asia/Urumqi", "calendar.time_zone.value", "must be"),
            ("first_period: 2009-02-D1", "first_period: 2009-01-D3", "feeds.1", "before the plan"),
            ("first_period: 2009-02-D1", "first_period: 2009-02", "feeds.1", "not a dekad"),
            (", first_period: 2009-02-D1", "", "feeds.1.first_period", "no first period"),
            ("first_period: 2009-02-D1", "first_period: 2009-02-D1, last_period: 2009-01-D3",
             "feeds.1.last_period", "before the first"),
            ("first_period: 2009-02-D1", "first_period: 2009-02-D1, last_period: 2009-03",
             "feeds.1.first_period", "not a dekad"),
            ("code: vacant", "code: done", "coded_lists.0.rows.1.code", "stands twice"),
            ("code: vacant", "code: Vacant", "coded_lists.0.rows.1.code", "pattern"),
            ("{kind: cut-off}", "{kind: next-day}", "feeds.1.due", "does not suit"),
            ("{kind: cut-off}", "{kind: cut-off, day: 3}", "feeds.1.due", "does not suit"),
            ("unit_kinds: [county], ", "unit_kinds: [zone], ", "feeds.1.unit_kinds.0", "unknown"),
            ("{department: tax}]", "{department: finance}]", "feeds.2.owed_by", "each of"),
            ("{department: tax}], p", "{department: tax}], unit_kinds: [county], p",
             "feeds.2.owed_by", "beside it"),
            ("unit_kinds: [county]}, ", "unit_kinds: [zone]}, ", "feeds.2.owed_by.0.unit_kinds.0",
             "unknown"),
            ("code: other, zh: 其他", "code: holiday, zh: 其他", "late_reasons.1.code", "twice"),
            ("code: leader", "code: contact", "chasing.levels.rows.1.code", "twice"),
            ("{value: 12,", "{value: -1,", "chasing.chase_hours_after.value", "negative"),
            ("actors: [tax]", "actors: [customs]", "obligations.0.actors.0", "customs"),
            ("met_by: [receipts]", "met_by: [letters]", "obligations.0.met_by.0", "letters"),
            ("{kind: monthly,", "{kind: quarterly, day: 3,", "obligations.0.when.day", "only a"),
            ("name: hot-line", "name: receipts", "feeds.3.name", "stands twice"),
            ('code: "990102"', 'code: "990100"', "units.0.code", "stands twice"),
            ("counts: [active, retired], ", "", "measures.0.counts", "by status"),
            ("counts: [active,", "counts: [working,", "measures.0.counts.0", "'active'"),
            ("trade: services, scope: wide", "trade: services", "industries.divisions.0", "scope"),
            ("section: I, zh", "section: J, zh", "industries.divisions.0.section", "section"),
            ("parent: null", 'parent: "100"', "registration_types.rows.0.parent", "unknown type"),
            ("declared_version: draft", "declared: draft", "declared_version", "required"),
            ("declared_version: draft", "declared: draft", "declared", "not permitted"),
            ("declared_version: draft", "no: draft", "-", "not text"),
            ("city: {code:", "city: {code: x, code:", "-", "stands twice"),
            ("city: {code:", "city: [code:", "-", "expected"),
            ("value: 2009-02-01, source: example, status: sample}\n  campaign_from",
             "value: 2009-02-30, source: example, status: sample}\n  campaign_from",
             "-", "day is out of range"),
        ],
    )  # fmt: skip
    def test_name_the_place_and_the_reason(
        self, changed: Changed, old: str, new: str, place: str, message: str
    ) -> None:
        path = changed(old, new)
        with pytest.raises(PlanError) as caught:
            load_plan(path)
        assert str(path) in str(caught.value)
        named = [".".join(map(str, problem.place)) or "-" for problem in caught.value.problems]
        assert any(name.startswith(place) for name in named), named
        assert message in str(caught.value)

    def test_name_the_line(self, changed: Changed) -> None:
        path = changed("duty: 900", "duty: many")
        lines = path.read_text(encoding="utf-8").splitlines()
        expected = next(number for number, line in enumerate(lines, 1) if "many" in line)
        with pytest.raises(PlanError, match=rf"changed\.yaml:{expected} targets\.1\.duty"):
            load_plan(path)

    def test_report_everything_at_once_in_both_languages(self, changed: Changed) -> None:
        path = changed("actors: [tax]", "actors: [customs, police]")
        with pytest.raises(PlanError) as caught:
            load_plan(path)
        assert len(caught.value.problems) == 2
        assert "未知部门:customs / unknown department: customs" in str(caught.value)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(PlanError, match=r"nowhere\.yaml.*cannot be read"):
            load_plan(tmp_path / "nowhere.yaml")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "mapping"),
            (b"- a\n", "mapping"),
            (b"a: [1\n", "YAML"),
            ("名: 值".encode("gb18030"), "UTF-8"),
        ],
    )
    def test_not_a_plan_at_all(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "bad.yaml"
        path.write_bytes(content)
        with pytest.raises(PlanError, match=message):
            load_plan(path)
