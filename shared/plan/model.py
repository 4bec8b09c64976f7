"""The plan at work: one validated plan file, and the questions the product asks of it.

Nothing of a city is a constant in code; targets, units, obligations, dated parameters, coded
lists and due rules all come from here. A ``Plan`` never changes and can be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from shared.periods import CutoffDays
from shared.plan.cascade import CascadeCheck, Line, check_cascade
from shared.plan.checks import problems_of
from shared.plan.document import Problem, read_document
from shared.plan.due import Due, cutoffs_of, dues_until
from shared.plan.records import (
    Chasing,
    Code,
    Department,
    Division,
    Feed,
    Identity,
    LateReason,
    Measure,
    Obligation,
    Ownership,
    Parameter,
    PlanCalendar,
    PlanContent,
    RegistrationType,
    Target,
    Trade,
    Unit,
    Value,
)

DEFAULT_PLAN = Path(__file__).with_name("plans") / "benxi_2008.yaml"

_Row = TypeVar("_Row")


class Ower(NamedTuple):
    """Who owes a delivery: a unit, for a department, or the department itself (no unit)."""

    department: str
    unit: str | None

    @property
    def code(self) -> str:
        """The unit's code, else the department's."""
        return self.unit or self.department


class PlanLookupError(LookupError):
    """The plan does not have what was asked for; the message names it."""


@dataclass(frozen=True)
class Plan:
    """A plan file that has been read and found sound. ``digest`` is the SHA-256 of its values."""

    content: PlanContent
    digest: str

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read and check a plan file; PlanError names the file, the line and the place."""
        document = read_document(path)
        try:
            content = PlanContent.model_validate(document.data)
        except ValidationError as error:
            raise document.error(_problems(error)) from error
        problems = list(problems_of(content))
        if problems:
            raise document.error(problems)
        return cls(content, document.digest)

    @classmethod
    def default(cls) -> Plan:
        """The built-in plan: Benxi 2008. Read once per process."""
        return _default_plan()

    @property
    def version(self) -> str:
        """Declared version and the first 12 digits of the digest, such as ``1+3f2a9c…``."""
        return f"{self.content.declared_version}+{self.digest[:12]}"

    @property
    def identity(self) -> Identity:
        return self.content.identity

    @property
    def calendar(self) -> PlanCalendar:
        return self.content.calendar

    @property
    def issued_on(self) -> date:
        """The day the plan was issued; no obligation is late before it."""
        return self.identity.issued_on.value

    @property
    def opening_on(self) -> date:
        """The day whose register gives the opening figures (assumption in the file)."""
        return self.identity.opening_on.value

    @property
    def campaign_from(self) -> date:
        return self.identity.campaign_from.value

    @property
    def campaign_to(self) -> date:
        return self.identity.campaign_to.value

    @property
    def cutoffs(self) -> CutoffDays:
        """Cut-off days for ``shared.periods.Dekad``."""
        return cutoffs_of(self.calendar)

    # Units and targets

    @property
    def city(self) -> Unit:
        return self.content.city

    @property
    def units(self) -> tuple[Unit, ...]:
        """The reporting units in the order of the report form, without the city itself."""
        return self.content.units

    def unit(self, code: str) -> Unit:
        """The unit (or the city) of the code; PlanLookupError if there is none."""
        return _get(self._units, code, "unit")

    def has_unit(self, code: str) -> bool:
        """Whether the code names a reporting unit; the city itself is none."""
        return code in self._units and code != self.city.code

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.content.measures

    def measure(self, name: str) -> Measure:
        """The measure of the name; PlanLookupError if there is none."""
        return _get(self._measures, name, "measure")

    def counts_in(self, measure: str, status: str) -> bool:
        """Whether a person of that status counts in the measure (rule: ``definition_id``)."""
        return status in self.measure(measure).counts

    def find_target(self, measure: str, unit: str, on: date | None = None) -> Target | None:
        """Duty and stretch of the unit on the day (default: the campaign's last), None if none."""
        day = on or self.campaign_to
        for target in self._targets.get((measure, unit), ()):
            if target.holds_on(day):
                return target
        return None

    def target(self, measure: str, unit: str, on: date | None = None) -> Target:
        """As ``find_target``; PlanLookupError if the plan gives the unit no such target."""
        found = self.find_target(measure, unit, on)
        if found is None:
            raise PlanLookupError(f"no target for {measure} of unit {unit}")
        return found

    def cascade_check(
        self, measure: str, line: Line = "duty", on: date | None = None
    ) -> CascadeCheck:
        """Whether the units' figures sum to at least the city's (O21).

        PlanLookupError where the city itself has no such figure (the pooled fund has no stretch).
        """
        whole = getattr(self.target(measure, self.city.code, on), line)
        if whole is None:
            raise PlanLookupError(f"the city has no {line} for {measure}")
        parts: dict[str, int | None] = {}
        for unit in self.units:
            found = self.find_target(measure, unit.code, on)
            parts[unit.code] = None if found is None else getattr(found, line)
        return check_cascade(measure, line, whole, parts)

    # Dated parameters

    def parameter(self, name: str, on: date) -> Value:
        """The value in force on the day; PlanLookupError for an unknown name or an open day."""
        for value in _get(self._parameters, name, "parameter").values:
            if value.holds_on(on):
                return value
        raise PlanLookupError(f"parameter {name} has no value on {on.isoformat()}")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.content.parameters

    def field_ranks(self, on: date) -> dict[str, dict[str, int]]:
        """Field → source → rank on the day, 0 the best; a field the plan does not rank is
        missing."""
        return {
            row.field: {
                source: rank for rank, sources in enumerate(row.ranks) for source in sources
            }
            for row in self.content.field_precedence
            if row.holds_on(on)
        }

    # Departments, feeds, obligations

    @property
    def departments(self) -> tuple[Department, ...]:
        return self.content.departments

    def department(self, code: str) -> Department:
        """The department of the code; PlanLookupError if there is none."""
        return _get(self._departments, code, "department")

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.content.feeds

    def feed(self, name: str) -> Feed:
        """The feed of the name; PlanLookupError if there is none."""
        return _get(self._feeds, name, "feed")

    def owers(self, feed_name: str) -> tuple[Ower, ...]:
        """Who owes one delivery for each period: units in the plan's order, and departments."""
        found = []
        for owing in self.feed(feed_name).owing:
            if owing.unit_kinds:
                units = (unit for unit in self.units if unit.kind in owing.unit_kinds)
                found += [Ower(owing.department, unit.code) for unit in units]
            else:
                found.append(Ower(owing.department, None))
        return tuple(found)

    def owed_by(self, feed_name: str) -> tuple[str, ...]:
        """As ``owers``, by their codes alone."""
        return tuple(ower.code for ower in self.owers(feed_name))

    def due_for(self, feed_name: str, as_of: datetime, *, include_open: bool = False) -> list[Due]:
        """Deliveries whose due moment has come by ``as_of`` (aware), oldest first.

        ``include_open`` adds those whose period has begun and that are not due yet. A delivery
        is late only when received after ``due_at``, not at it. Nothing is expected before the
        feed's first period nor after the campaign's last.
        """
        dues = dues_until(self.feed(feed_name), as_of, self.campaign_to, self.calendar)
        return [due for due in dues if include_open or due.due_at <= as_of]

    @property
    def late_reasons(self) -> tuple[LateReason, ...]:
        return self.content.late_reasons

    def find_late_reason(self, code: str) -> LateReason | None:
        """The reason of the code, None if the closed list has none such."""
        return next((reason for reason in self.late_reasons if reason.code == code), None)

    @property
    def chasing(self) -> Chasing | None:
        """Reminders and chases; None where the plan wants neither."""
        return self.content.chasing

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        return self.content.obligations

    def obligation(self, number: str) -> Obligation:
        """The obligation of the number (``O48``); PlanLookupError if there is none."""
        return _get(self._obligations, number, "obligation")

    # Coded lists

    def registration_type(self, code: str) -> RegistrationType:
        """The 登记注册类型 of the code; PlanLookupError if there is none."""
        return _get(self._registration_types, code, "registration type")

    def has_registration_type(self, code: str) -> bool:
        """Whether the code is a 登记注册类型."""
        return code in self._registration_types

    def codes(self, listed: str) -> tuple[Code, ...]:
        """The codes of a coded list in its order; none where the plan does not have the list."""
        return tuple(
            row for found in self.content.coded_lists if found.name == listed for row in found.rows
        )

    def find_code(self, listed: str, code: str) -> Code | None:
        """The code of a coded list, else None; a plan without the list knows none of its codes."""
        return self._codes.get((listed, code))

    def ownership_of(self, registration_type: str) -> Ownership:
        """The ownership a registration type stands for; ``other`` for an unknown code."""
        found = self._registration_types.get(registration_type)
        return found.ownership if found else "other"

    def find_division(self, industry: str) -> Division | None:
        """The division of an industry code of two or more digits (``67``, ``6710``), else None."""
        return self._divisions.get(industry[:2])

    def trade_of(self, industry: str) -> Trade:
        """The plan's trade (O14) of an industry code; ``none`` outside the four or if unknown.

        Under the ``core`` reading the divisions of the wide one (hotels, rail, …) are ``none``.
        """
        found = self.find_division(industry)
        if found is None or (found.scope == "wide" and self.content.industries.reading == "core"):
            return "none"
        return found.trade

    # Indexes, made when first asked for

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in (self.city, *self.units)}

    @cached_property
    def _measures(self) -> dict[str, Measure]:
        return {measure.name: measure for measure in self.measures}

    @cached_property
    def _targets(self) -> dict[tuple[str, str], list[Target]]:
        found: dict[tuple[str, str], list[Target]] = {}
        for target in self.content.targets:
            found.setdefault((target.measure, target.unit), []).append(target)
        return found

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def _departments(self) -> dict[str, Department]:
        return {department.code: department for department in self.departments}

    @cached_property
    def _feeds(self) -> dict[str, Feed]:
        return {feed.name: feed for feed in self.feeds}

    @cached_property
    def _obligations(self) -> dict[str, Obligation]:
        return {obligation.id: obligation for obligation in self.obligations}

    @cached_property
    def _registration_types(self) -> dict[str, RegistrationType]:
        return {row.code: row for row in self.content.registration_types.rows}

    @cached_property
    def _codes(self) -> dict[tuple[str, str], Code]:
        return {
            (listed.name, row.code): row
            for listed in self.content.coded_lists
            for row in listed.rows
        }

    @cached_property
    def _divisions(self) -> dict[str, Division]:
        return {row.code: row for row in self.content.industries.divisions}


@cache
def _default_plan() -> Plan:
    return Plan.read(DEFAULT_PLAN)


def _get(index: dict[str, _Row], key: str, kind: str) -> _Row:
    try:
        return index[key]
    except KeyError:
        raise PlanLookupError(f"no {kind} {key!r} in the plan") from None


def _problems(error: ValidationError) -> list[Problem]:
    """What pydantic found, in the file's terms; its path markers for unions are left out."""
    words = {"missing": "缺少", "extra_forbidden": "未知字段"}
    found: dict[tuple[tuple[str | int, ...], str], Problem] = {}
    for detail in error.errors(include_url=False):
        place = detail["loc"]
        if "value" in place:  # ("parameters", 0, "values", 0, "value", "decimal")
            place = place[: place.index("value") + 1]
        zh = words.get(detail["type"], "取值不合要求")
        found.setdefault((place, zh), Problem(place, zh, detail["msg"]))
    return list(found.values())
