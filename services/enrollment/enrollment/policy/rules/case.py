"""What a rule is, and how a question is put to it.

A decision never guesses and never fails: what it lacks — an input, a parameter's value on a day, a
clause in force — it names, and answers ``cannot-decide``. Everything it read of the plan it shows
with source, status and validity. Money is integer fen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NoReturn

from enrollment.policy.rules.terms import (
    Answer,
    Clause,
    Decision,
    Fault,
    Input,
    Missing,
    Used,
    Words,
)
from shared.plan import Obligation, Plan, PlanLookupError, PlanValueError, Value

CANNOT_DECIDE: Final = "cannot-decide"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as data, and the pure function that decides by it."""

    name: str
    version: int
    zh: str
    en: str
    clauses: tuple[str, ...]
    """Numbers of the plan's clauses it carries out (``O79``)."""
    inputs: tuple[Input, ...]
    outcomes: Mapping[str, Words]
    judge: Callable[[Case], Answer]
    parameters: tuple[str, ...] = ()
    bound: bool = False
    """Whether it holds only while its clauses are in force."""
    check: Callable[[Mapping[str, Any]], list[Fault]] | None = None
    """What is wrong between inputs that are each sound."""

    @property
    def version_id(self) -> str:
        """Name and version, such as ``working-age@1``; a changed meaning is a new version."""
        return f"{self.name}@{self.version}"


class _Lacking(Exception):
    """Something is missing; the case knows what."""


class Case:
    """One question to a rule: its inputs, and the plan read on the rule's behalf."""

    def __init__(self, plan: Plan, rule: Rule, on: date, given: Mapping[str, Any]) -> None:
        self.plan, self.rule, self.on = plan, rule, on
        self._given = given
        self._used: dict[tuple[str, Value], Used] = {}
        self._lacking: dict[tuple[str, str], set[int]] = {}

    def need(self, *names: str) -> tuple[Any, ...]:
        """The inputs, all of them; ends the case naming those that are not there."""
        self._lacking.update({("input", name): set() for name in names if name not in self._given})
        self.end_if_lacking()
        return tuple(self._given[name] for name in names)

    def get(self, name: str) -> Any:
        """The input, None where it was not given."""
        return self._given.get(name)

    def lack(self, name: str) -> NoReturn:
        """The case ends: this input would decide it."""
        self._lacking[("input", name)] = set()
        raise _Lacking

    def whole(self, name: str, on: date | None = None) -> int:
        """A whole number of the plan on the day (default: the case's)."""
        return self._sure(self.find(name, on)).as_int()

    def ratio(self, name: str, on: date | None = None) -> Decimal:
        """As ``whole``, an exact decimal."""
        return self._sure(self.find(name, on)).as_decimal()

    def flag(self, name: str, on: date | None = None) -> bool:
        """As ``whole``, a yes or no."""
        return self._sure(self.find(name, on)).as_flag()

    def find(self, name: str, on: date | None = None) -> Value | None:
        """The parameter's value; None, noted as lacking, where it has none. Whoever wants to name
        several lacking at once asks for all of them and then calls ``end_if_lacking``."""
        day = on or self.on
        try:
            value = self.plan.parameter(name, day)
        except PlanLookupError:
            self._lacking.setdefault(("parameter", name), set()).add(day.year)
            return None
        if (name, value) not in self._used:
            unit = next(one.unit for one in self.plan.parameters if one.name == name)
            self._used[(name, value)] = _used(name, unit, value)
        return value

    def end_if_lacking(self) -> None:
        """Ends the case where something asked for is not there."""
        if self._lacking:
            raise _Lacking

    def give_up(self) -> NoReturn:
        """Ends the case by what has been found lacking."""
        raise _Lacking

    def _sure(self, value: Value | None) -> Value:
        if value is None:
            self.give_up()
        return value

    @property
    def used(self) -> tuple[Used, ...]:
        return tuple(self._used.values())

    @property
    def missing(self) -> tuple[Missing, ...]:
        words = {one.name: (one.zh, one.en) for one in self.rule.inputs}
        return tuple(
            _missing(kind, name, tuple(sorted(years)), words)
            for (kind, name), years in self._lacking.items()
        )

    def require_clauses(self) -> None:
        """Ends the case where a clause the rule is bound to is not in the plan, or not in force."""
        for number in self.rule.clauses if self.rule.bound else ():
            found = find_clause(self.plan, number)
            if found is None or not found.from_on <= self.on <= (found.to_on or self.on):
                self._lacking[("clause", number)] = {self.on.year}
        self.end_if_lacking()


def decide(plan: Plan, rule: Rule, on: date, given: Mapping[str, Any]) -> Decision:
    """Decide by the rule on a day. ``given`` comes from ``read_inputs``. Never raises."""
    case = Case(plan, rule, on, given)
    try:
        case.require_clauses()
        answer = rule.judge(case)
    except _Lacking:
        answer = _undecided(case.missing)
    except PlanValueError as error:
        answer = Answer(CANNOT_DECIDE, f"参数取值不合用：{error}", f"not usable: {error}")
    quoted = (find_clause(plan, number) for number in answer.clauses or rule.clauses)
    return Decision(
        rule.name,
        rule.version_id,
        plan.version,
        on,
        dict(given),
        answer.outcome,
        answer.zh,
        answer.en,
        answer.amounts,
        answer.facts,
        answer.months,
        tuple(one for one in quoted if one is not None),
        case.used,
        case.missing,
    )


def find_clause(plan: Plan, number: str) -> Clause | None:
    """The clause as the plan has it, None where it has none such."""
    try:
        found: Obligation = plan.obligation(number)
    except PlanLookupError:
        return None
    document = plan.identity.document_number.value
    days = (found.when.from_on, found.when.to_on)
    return Clause(number, found.clause, document, found.quote, found.en, found.status, *days)


def _used(name: str, unit: str, value: Value) -> Used:
    dated = (value.from_on, value.to_on)
    return Used(name, unit, value.value, *dated, value.source, value.status, value.note)


def values_of(plan: Plan, name: str) -> tuple[Used, ...]:
    """Every value the plan has for the parameter; none where it does not know it."""
    return tuple(
        _used(name, one.unit, value)
        for one in plan.parameters
        if one.name == name
        for value in one.values
    )


def _missing(kind: str, name: str, years: tuple[int, ...], inputs: Mapping[str, Words]) -> Missing:
    when = "、".join(map(str, years)), ", ".join(map(str, years))
    if kind == "input":
        zh, en = inputs.get(name, (name, name))
        return Missing("input", name, (), f"未提供{zh}", f"not given: {en}")
    if kind == "clause":
        return Missing(
            "clause",
            name,
            years,
            f"方案 {name} 条在该日（{when[0]} 年）不生效",
            f"clause {name} is not in force on the day ({when[1]})",
        )
    return Missing(
        "parameter",
        name,
        years,
        f"参数 {name} 无 {when[0]} 年取值",
        f"parameter {name} has no value for {when[1]}",
    )


def _undecided(missing: tuple[Missing, ...]) -> Answer:
    return Answer(
        CANNOT_DECIDE,
        "无法判定：" + "；".join(one.zh for one in missing),
        "Cannot be decided: " + "; ".join(one.en for one in missing),
    )
