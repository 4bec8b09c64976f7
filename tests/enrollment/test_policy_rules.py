"""Every policy rule at its borders, and what it says when something is not known: tables, pure."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.policy.rules import RULES, Decision, decide, read_inputs
from enrollment.policy.rules.case import CANNOT_DECIDE
from enrollment.register.refusals import forbidden_ground
from enrollment.register.schemas import WorkerClass
from shared.periods import Month
from shared.plan import Plan

PLAN = Plan.default()


def ask(rule: str, on: str, plan: Plan = PLAN, /, **told: Any) -> Decision:
    values, faults = read_inputs(RULES[rule], told, plan)
    assert faults == []
    return decide(plan, RULES[rule], date.fromisoformat(on), values)


def without(*names: str) -> Plan:
    """The plan with fewer parameters or clauses."""
    kept = {
        "parameters": tuple(one for one in PLAN.parameters if one.name not in names),
        "obligations": tuple(one for one in PLAN.obligations if one.id not in names),
    }
    return Plan(PLAN.content.model_copy(update=kept), "fewer")


def setting(name: str, value: Any) -> Plan:
    """The plan with another value of a parameter."""
    changed = tuple(
        one
        if one.name != name
        else one.model_copy(update={"values": (one.values[0].model_copy(update={"value": value}),)})
        for one in PLAN.parameters
    )
    return Plan(PLAN.content.model_copy(update={"parameters": changed}), "changed")


def lacks(decision: Decision) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.kind, one.name, one.years) for one in decision.missing]


MAN, WOMAN = {"sex": "M"}, {"sex": "F"}
CADRE, WORKER = {"sex": "F", "post": "cadre"}, {"sex": "F", "post": "worker"}
MIGRANT = {"sex": "F", "worker_class": "migrant"}


@pytest.mark.parametrize(
    ("who", "birth", "on", "outcome", "with_birthday"),
    [
        (MAN, "1990-06-10", "2008-06-09", "too-young", "too-young"),
        (MAN, "1990-06-10", "2008-06-10", "of-working-age", "of-working-age"),
        (MAN, "1948-06-10", "2008-06-09", "of-working-age", "of-working-age"),
        (MAN, "1948-06-10", "2008-06-10", "too-old", "of-working-age"),
        (CADRE, "1953-06-11", "2008-06-10", "of-working-age", "of-working-age"),
        (CADRE, "1953-06-10", "2008-06-10", "too-old", "of-working-age"),
        (WORKER, "1958-06-11", "2008-06-10", "of-working-age", "of-working-age"),
        (WORKER, "1958-06-10", "2008-06-10", "too-old", "of-working-age"),
        (WOMAN, "1953-06-10", "2008-06-10", "too-old", CANNOT_DECIDE),
        (WOMAN, "1955-06-10", "2008-06-10", CANNOT_DECIDE, CANNOT_DECIDE),
        # Rural contract workers: women to 55 whatever the post, men to 60.
        (MIGRANT, "1953-06-11", "2008-06-10", "of-working-age", "of-working-age"),
        (MIGRANT, "1953-06-10", "2008-06-10", "too-old", "of-working-age"),
        ({**MIGRANT, "post": "worker"}, "1958-06-10", "2008-06-10", *["of-working-age"] * 2),
        ({"sex": "M", "worker_class": "migrant"}, "1948-06-10", "2008-06-10", "too-old",
         "of-working-age"),
        # Born on 29 February: the birthday is 1 March in common years, 29 February in leap years.
        (WORKER, "1956-02-29", "2006-02-28", "of-working-age", "of-working-age"),
        (WORKER, "1956-02-29", "2006-03-01", "too-old", "of-working-age"),
        (MAN, "1948-02-29", "2008-02-28", "of-working-age", "of-working-age"),
        (MAN, "1948-02-29", "2008-02-29", "too-old", "of-working-age"),
    ],
)  # fmt: skip
def test_working_age(
    who: dict[str, str], birth: str, on: str, outcome: str, with_birthday: str
) -> None:
    assert ask("working-age", on, birth_on=birth, **who).outcome == outcome
    included = setting("age-limit-birthday-included", True)
    assert ask("working-age", on, included, birth_on=birth, **who).outcome == with_birthday


@pytest.mark.parametrize(
    ("rule", "on", "plan", "told", "missing"),
    [
        ("working-age", "2008-06-10", PLAN, {"sex": "M"}, [("input", "birth_on", ())]),
        ("working-age", "2008-06-10", PLAN, {}, [("input", "birth_on", ()), ("input", "sex", ())]),
        ("working-age", "2008-06-10", PLAN, {"birth_on": "1955-06-10", "sex": "F"},
         [("input", "post", ())]),
        ("working-age", "2008-06-10", without("age-upper-man", "age-upper-woman-cadre"),
         {"birth_on": "1950-01-01", "sex": "M"}, [("parameter", "age-upper-man", (2008,))]),
        ("freelancer-base", "2005-06-10", PLAN, {"declared_fen": 1},
         [("clause", "O79", (2005,))]),
        ("freelancer-base", "2009-06-10", PLAN, {},
         [("parameter", "mean-wage-previous-year", (2009,)), ("input", "declared_fen", ())]),
        ("freelancer-base", "2008-06-10", without("O79"), {"declared_fen": 1},
         [("clause", "O79", (2008,))]),
        ("back-payment", "2008-06-10", PLAN,
         {"from_month": "2004-11", "to_month": "2006-02", "left_on": "2004-10-31"},
         [("parameter", "mean-wage-previous-year", (2004, 2005))]),
        ("back-payment", "2008-06-10", without("account-interest-rate", "flexible-pooled-rate"),
         {"from_month": "2007-12", "to_month": "2008-01", "left_on": "2004-10-31"},
         [("parameter", "account-interest-rate", (2008,)),
          ("parameter", "flexible-pooled-rate", (2007, 2008))]),
        ("back-payment", "2008-06-10", PLAN, {"from_month": "2007-12"},
         [("input", "to_month", ()), ("input", "left_on", ())]),
        ("in-scope", "2008-06-10", PLAN, {"employer": "household"}, [("input", "worker", ())]),
        ("in-scope", "2008-05-13", PLAN, {"employer": "none"},
         [("clause", "O74", (2008,)), ("clause", "O75", (2008,)), ("clause", "O76", (2008,))]),
        ("freelancer-path", "2008-06-10", PLAN, {"payment_interrupted": False},
         [("input", "collective_unenrolled", ())]),
        ("transfer-refusal", "2008-06-10", PLAN, {"reason": "already-enrolled"},
         [("input", "insured_in_province", ())]),
        ("registration-clock", "2008-06-10", without("registration-limit"),
         {"licensed_on": "2008-05-10"}, [("parameter", "registration-limit", (2008,))]),
        ("no-wage-employer-part", "2009-01-01", PLAN, {"individual_base_fen": 1},
         [("clause", "O43", (2009,))]),
        ("undeclared-estimate", "2008-06-10", PLAN, {}, [("input", "last_month_fen", ())]),
        ("late-fee", "2008-06-10", PLAN,
         {"owed_fen": 1, "defaulted_on": "2008-05-31", "ordered": True},
         [("input", "order_deadline_on", ())]),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(
    rule: str, on: str, plan: Plan, told: dict[str, Any], missing: list[Any]
) -> None:
    decision = ask(rule, on, plan, **told)
    assert (decision.outcome, lacks(decision)) == (CANNOT_DECIDE, missing)
    assert decision.amounts == {} and decision.months == ()
    assert all(one.zh in decision.zh and one.en in decision.en for one in decision.missing)


def test_a_parameter_of_another_kind_is_no_error() -> None:
    decision = ask("registration-clock", "2008-06-10", setting("registration-limit", "soon"),
                   licensed_on="2008-05-10")  # fmt: skip
    assert decision.outcome == CANNOT_DECIDE


@pytest.mark.parametrize(
    ("employer", "worker", "outcome", "clauses"),
    [
        ("urban-enterprise", "rural", "must-join", ["O74"]),
        ("household", "out-of-town", "must-join", ["O74"]),
        ("urban-enterprise", "foreign", "must-join", ["O74"]),
        ("urban-enterprise", "rural-contract", "must-join", ["O76"]),
        ("township-enterprise", "urban", "must-join", ["O75", "O12"]),
        ("township-enterprise", "rural-contract", "must-join", ["O75", "O76"]),
        ("other", None, "outside-clause", ["O74", "O75", "O76"]),
        ("none", None, "not-by-employment", ["O74", "O75", "O76"]),
    ],
)
def test_who_must_join(employer: str, worker: str | None, outcome: str, clauses: list[str]) -> None:
    decision = ask("in-scope", "2008-05-14", employer=employer, worker=worker)
    assert decision.outcome == outcome
    assert [one.obligation for one in decision.clauses] == clauses


@pytest.mark.parametrize(
    ("interrupted", "collective", "outcome"),
    [
        (True, False, "path-offered"),
        (True, None, "path-offered"),
        (False, True, "path-offered"),
        (None, True, "path-offered"),
        (True, True, "path-offered"),
        (False, False, "path-not-offered"),
    ],
)
def test_the_path_as_a_freelancer(
    interrupted: bool | None, collective: bool | None, outcome: str
) -> None:
    told = {"payment_interrupted": interrupted, "collective_unenrolled": collective}
    decision = ask("freelancer-path", "2008-06-10", **told)
    assert decision.outcome == outcome
    assert decision.clauses[0].quote == "允许以自由职业者身份参保缴费接续"


@pytest.mark.parametrize(
    ("insured", "reason", "outcome"),
    [
        (True, None, "must-accept"),
        (True, "residence-elsewhere", "refusal-forbidden"),
        (True, "higher-age", "refusal-forbidden"),
        (None, "short-payment", "refusal-forbidden"),
        (False, "short-payment", "refusal-forbidden"),
        (True, "papers-missing", "not-forbidden"),
        (False, "papers-missing", "outside-clause"),
        (False, None, "outside-clause"),
    ],
)
def test_refusing_a_transfer(insured: bool | None, reason: str | None, outcome: str) -> None:
    told = {"insured_in_province": insured, "reason": reason}
    assert ask("transfer-refusal", "2008-06-10", **told).outcome == outcome


@pytest.mark.parametrize("listed", ["forbidden-refusals", "refusal-reasons"])
def test_policy_and_register_refuse_by_the_same_lists(listed: str) -> None:
    """Whatever the register is asked to refuse for, the rule knows, and judges alike."""
    for reason in PLAN.codes(listed):
        told = {"insured_in_province": True, "reason": reason.code}
        outcome = ask("transfer-refusal", "2008-06-10", **told).outcome
        forbidden = forbidden_ground(PLAN, reason.code, None) is not None
        assert (outcome == "refusal-forbidden") == forbidden == (listed == "forbidden-refusals")


@pytest.mark.parametrize("worker_class", get_args(get_args(WorkerClass)[0]))
def test_every_class_of_the_register_has_an_age(worker_class: str) -> None:
    told = {"birth_on": "1970-01-01", "sex": "M", "worker_class": worker_class}
    assert ask("working-age", "2008-06-10", **told).outcome == "of-working-age"


@pytest.mark.parametrize(
    ("on", "declared", "outcome", "base", "mean_year"),
    [
        # 2,200,000 a year: floor 110,000, cap 550,000 a month.
        ("2008-06-10", 110_000, "accepted", 110_000, None),
        ("2008-06-10", 109_999, "below-floor", 110_000, None),
        ("2008-06-10", 0, "below-floor", 110_000, None),
        ("2008-06-10", 550_000, "accepted", 550_000, None),
        ("2008-06-10", 550_001, "above-cap", 550_000, None),
        # A twelfth is not whole: 2,200,001 → 110,000.05 and 550,000.25 fen.
        ("2008-06-10", 110_000, "below-floor", 110_001, 2_200_001),
        ("2008-06-10", 550_001, "above-cap", 550_000, 2_200_001),
    ],
)
def test_the_base_of_freelancers(
    on: str, declared: int, outcome: str, base: int, mean_year: int | None
) -> None:
    plan = PLAN if mean_year is None else _always("mean-wage-previous-year", mean_year)
    decision = ask("freelancer-base", on, plan, declared_fen=declared)
    assert (decision.outcome, decision.amounts["base_fen"]) == (outcome, base)


def _always(name: str, value: Any) -> Plan:
    plan = setting(name, value)
    open_ended = {"from_on": None, "to_on": None}
    changed = tuple(
        one
        if one.name != name
        else one.model_copy(update={"values": (one.values[0].model_copy(update=open_ended),)})
        for one in plan.parameters
    )
    return Plan(plan.content.model_copy(update={"parameters": changed}), "always")


def back(first: str, last: str, on: str = "2008-06-10", **more: Any) -> Decision:
    told = {"from_month": first, "to_month": last, "left_on": "2005-12-31", **more}
    return ask("back-payment", on, **told)


def test_each_month_at_the_rules_of_its_period() -> None:
    decision = back("2007-12", "2008-05")
    rows = {row.month: row for row in decision.months}
    # 2007: 100 % of 18,800 yuan a year; from 14 May 2008: 60 % of 22,000.
    assert (rows["2007-12"].base_fen, rows["2008-04"].base_fen) == (156_667, 183_334)
    assert rows["2008-05"].base_fen == 110_000
    # 12 % and 8 % of the base; five months at 4.14 % a year, simple.
    assert rows["2007-12"][3:7] == (18_800, 12_533, 216, 0)
    assert rows["2008-05"][3:7] == (13_200, 8_800, 0, 0)
    assert decision.amounts["late_fee_fen"] == 0
    assert decision.facts == {"months": 6}
    assert [one.obligation for one in decision.clauses] == ["O78", "O80"]
    used = {(one.name, one.value) for one in decision.parameters}
    assert {name for name, _ in used} == set(RULES["back-payment"].parameters)
    assert ("mean-wage-previous-year", 1_880_000) in used


@pytest.mark.parametrize(
    ("first", "last", "more", "outcome", "months"),
    [
        ("2006-01", "2006-01", {}, "payable", 1),
        ("2005-12", "2006-02", {}, "before-leaving", 0),
        ("2008-04", "2008-05", {"left_on": "2008-04-01"}, "before-leaving", 0),
        ("2008-04", "2008-05", {"left_on": "2008-03-31"}, "payable", 2),
        ("2008-05", "2008-06", {}, "not-past", 0),
        ("2008-05", "2008-05", {"declared_fen": 10_000_000}, "payable", 1),
        ("2008-02", "2008-02", {"on": "2008-05-14"}, "payable", 1),
    ],
)
def test_which_months_may_be_paid(
    first: str, last: str, more: dict[str, Any], outcome: str, months: int
) -> None:
    decision = back(first, last, **more)
    assert (decision.outcome, len(decision.months)) == (outcome, months)
    if "declared_fen" in more:
        assert decision.months[0][1:3] == (550_000, "cap")


MONTHS = st.integers(0, 28).map(lambda n: Month(2006 + n // 12, n % 12 + 1))


@given(MONTHS, MONTHS, MONTHS, st.none() | st.integers(0, 1_000_000))
@settings(max_examples=40, deadline=None)
def test_parts_sum_to_the_total_and_cutting_changes_nothing(
    one: Month, two: Month, three: Month, declared: int | None
) -> None:
    first, cut, last = sorted((one, two, three))
    whole = back(str(first), str(last), declared_fen=declared)
    parts = [back(str(first), str(cut), declared_fen=declared)]
    if cut < last:
        parts.append(back(str(cut.next()), str(last), declared_fen=declared))
    for name, fen in whole.amounts.items():
        assert fen == sum(part.amounts[name] for part in parts)
    assert whole.months == tuple(row for part in parts for row in part.months)
    for row in whole.months:
        assert row.total_fen == sum(row[3:7])
    assert whole.amounts["total_fen"] == sum(
        whole.amounts[name] for name in whole.amounts if name != "total_fen"
    )


@pytest.mark.parametrize(
    ("on", "licensed", "registered", "outcome", "left", "overdue"),
    [
        ("2008-05-10", "2008-05-10", None, "running", 30, 0),
        ("2008-06-08", "2008-05-10", None, "running", 1, 0),
        ("2008-06-09", "2008-05-10", None, "running", 0, 0),
        ("2008-06-10", "2008-05-10", None, "overdue", 0, 1),
        ("2008-07-10", "2008-05-10", "2008-06-09", "registered-in-time", 0, 0),
        ("2008-07-10", "2008-05-10", "2008-06-10", "registered-late", 0, 1),
        ("2008-06-10", "2008-05-10", "2008-07-01", "overdue", 0, 1),
        ("2008-02-29", "2008-01-30", None, "running", 0, 0),
    ],
)
def test_the_registration_clock(
    on: str, licensed: str, registered: str | None, outcome: str, left: int, overdue: int
) -> None:
    told = {"licensed_on": licensed, "registered_on": registered}
    decision = ask("registration-clock", on, **told)
    facts = decision.facts
    assert (decision.outcome, facts["days_left"], facts["days_overdue"]) == (outcome, left, overdue)


@pytest.mark.parametrize(
    ("base", "employer", "person"),
    [
        (0, 0, 0),
        (100_000, 20_000, 8_000),
        (110_001, 22_000, 8_800),
        (110_003, 22_001, 8_800),
        (7, 1, 1),
        (156_667, 31_333, 12_533),
    ],
)
def test_the_unit_s_part_without_wages(base: int, employer: int, person: int) -> None:
    amounts = ask("no-wage-employer-part", "2008-06-10", individual_base_fen=base).amounts
    assert amounts == {"employer_pooled_fen": employer, "individual_fen": person}


@pytest.mark.parametrize(
    ("last_month", "due"), [(0, 0), (1, 1), (4, 4), (5, 6), (100_000, 110_000), (999, 1_099)]
)
def test_the_estimate_where_nothing_was_declared(last_month: int, due: int) -> None:
    decision = ask("undeclared-estimate", "2008-06-10", last_month_fen=last_month)
    assert decision.amounts == {"due_fen": due}
    assert decision.parameters[0].source == "社会保险费征缴暂行条例 art. 10"


@pytest.mark.parametrize(
    ("on", "ordered", "deadline", "outcome", "fee"),
    [
        ("2008-06-10", False, None, "no-order", 0),
        ("2008-06-10", True, "2008-06-11", "order-running", 0),
        ("2008-06-10", True, "2008-06-10", "order-running", 0),
        ("2008-06-10", True, "2008-06-09", "due", 20_000),
        ("2008-05-31", True, "2008-05-30", "due", 0),
        ("2009-05-31", True, "2008-06-09", "due", 730_000),
    ],
)
def test_a_late_fee_follows_a_lapsed_order(
    on: str, ordered: bool, deadline: str | None, outcome: str, fee: int
) -> None:
    told = {"owed_fen": 1_000_000, "defaulted_on": "2008-05-31", "ordered": ordered}
    decision = ask("late-fee", on, **told, order_deadline_on=deadline)
    assert (decision.outcome, decision.amounts["late_fee_fen"]) == (outcome, fee)


@pytest.mark.parametrize(
    ("rule", "told", "faults"),
    [
        ("working-age", {"birth_on": 19580610, "sex": "X"}, ["type-wrong", "code-unknown"]),
        ("working-age", {"birth_on": "1958-02-30"}, ["type-wrong"]),
        ("working-age", {"birth_on": "1899-12-31"}, ["value-out-of-range"]),
        ("working-age", {"birth_on": "20080610"}, ["type-wrong"]),
        ("working-age", {"age": 50}, ["field-unknown"]),
        ("working-age", {"sex": 1}, ["type-wrong"]),
        ("freelancer-base", {"declared_fen": True}, ["type-wrong"]),
        ("freelancer-base", {"declared_fen": "1"}, ["type-wrong"]),
        ("freelancer-base", {"declared_fen": -1}, ["value-out-of-range"]),
        ("freelancer-base", {"declared_fen": 10**13 + 1}, ["value-out-of-range"]),
        ("back-payment", {"from_month": "2008-13"}, ["type-wrong"]),
        ("back-payment", {"from_month": "2008-02", "to_month": "2008-01"}, ["value-out-of-range"]),
        ("back-payment", {"from_month": "1950-01", "to_month": "2008-01"}, ["value-out-of-range"]),
        ("late-fee", {"ordered": 1}, ["type-wrong"]),
    ],
)
def test_inputs_are_read_strictly(rule: str, told: dict[str, Any], faults: list[str]) -> None:
    assert [fault.code for fault in read_inputs(RULES[rule], told, PLAN)[1]] == faults


def test_a_decision_says_what_it_rests_on() -> None:
    decision = ask("working-age", "2008-06-10", birth_on="1960-01-01", sex="M")
    assert (decision.rule, decision.version) == ("working-age", "working-age@1")
    assert decision.plan_version == PLAN.version
    assert decision.inputs == {"birth_on": date(1960, 1, 1), "sex": "M"}
    (clause,) = decision.clauses
    assert (clause.obligation, clause.document) == ("O67", "本政发[2008]6号")
    assert clause.quote == "18岁至60周岁,其中女干部至55周岁、女工人至50周岁"
    assert [(one.name, one.value, one.status) for one in decision.parameters] == [
        ("age-lower", 18, "plan"),
        ("age-limit-birthday-included", False, "assumption"),
        ("age-upper-man", 60, "plan"),
    ]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_finds_its_clauses_and_parameters_in_the_plan(rule: Any) -> None:
    assert all(PLAN.obligation(number).quote for number in rule.clauses)
    names = {one.name for one in PLAN.parameters}
    assert names.issuperset(rule.parameters)
    assert rule.clauses or rule.parameters
