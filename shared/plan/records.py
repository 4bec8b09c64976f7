"""The rows of a plan file, exactly as written there: strict, frozen, each with source and status.

A record knows only itself; what must agree between records is judged in ``checks``, and questions
are answered by ``model.Plan``. Rows are picklable, for they go to worker processes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Status: TypeAlias = Literal["plan", "law", "page", "derived", "assumption", "sample"]
"""Where a value comes from; ``sample`` must be marked as such wherever it is shown."""

UnitKind: TypeAlias = Literal["city", "county", "addressee", "zone", "city-level"]
PersonStatus: TypeAlias = Literal["active", "suspended", "retired", "ended"]
"""在职缴费 · 中断缴费 · 离退休 · 终止."""

Quantity: TypeAlias = Literal["persons", "fen", "ratio"]
Ownership: TypeAlias = Literal["state", "collective", "private", "individual", "foreign", "other"]
Trade: TypeAlias = Literal["catering", "services", "construction", "transport", "none"]
Scope: TypeAlias = Literal["core", "wide"]
FeedPeriod: TypeAlias = Literal["dekad", "month", "day", "once", "event"]
DueKind: TypeAlias = Literal[
    "cut-off", "day-of-next-month", "day-of-same-month", "next-day", "fixed", "none"
]
WhenKind: TypeAlias = Literal[
    "continuous", "once", "monthly", "dekad", "quarterly", "per-event", "not-stated"
]


class PlanValueError(TypeError):
    """A parameter was asked for as something it is not (a list as a ratio, …)."""


class Record(BaseModel):
    """Base of every row: no coercion, no change after reading, no field that is not known."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True
    )


class Sourced(Record):
    """A row that says where it comes from (clause, O-number, law) and how far to trust it."""

    source: str = Field(min_length=1)
    status: Status
    note: str | None = None


class Dated(Sourced):
    """A row with inclusive days of validity; None is open on that side."""

    from_on: date | None = Field(default=None, alias="from")
    to_on: date | None = Field(default=None, alias="to")

    def holds_on(self, on: date) -> bool:
        """Whether the row is valid on the day; both ends belong to it."""
        return (self.from_on is None or self.from_on <= on) and (
            self.to_on is None or on <= self.to_on
        )


class SourcedDate(Sourced):
    value: date


class SourcedText(Sourced):
    value: str


class SourcedInt(Sourced):
    value: int


class SourcedFlag(Sourced):
    value: bool


class SourcedDays(Sourced):
    value: tuple[int, int, int]


class Name(Sourced):
    zh: str
    en: str


class Identity(Record):
    """Which plan this is. Days are calendar days in Asia/Shanghai."""

    name: Name
    document_number: SourcedText
    issued_on: SourcedDate
    campaign_from: SourcedDate
    campaign_to: SourcedDate
    opening_on: SourcedDate


class PlanCalendar(Record):
    """Cut-offs, due days and windows that hold for the whole plan."""

    time_zone: SourcedText
    dekad_cutoff_days: SourcedDays
    year_last_cutoff_day: SourcedInt
    due_inclusive: SourcedFlag
    monthly_feed_due_day: SourcedInt
    pre_levy_list_day: SourcedInt
    written_report_day: SourcedInt
    census_from: SourcedDate
    census_to: SourcedDate
    inspection_interval: SourcedText
    inspection_from: SourcedDate
    inspection_to: SourcedDate


class Unit(Sourced):
    """A reporting unit 填报单位; ``gb2260`` is None where it has no division code (本钢, 北钢)."""

    code: str = Field(min_length=1)
    zh: str
    en: str
    kind: UnitKind
    gb2260: str | None = Field(pattern=r"^[0-9]{6}$")
    within: str | None = None


class Definition(Record):
    """How a ratio is computed: the named figures above and below the line."""

    name: str
    numerator: str
    denominator: str
    zh: str
    en: str


class Measure(Sourced):
    """What is counted against a target, with the version of its definition."""

    name: str
    zh: str
    en: str
    quantity: Quantity
    version: int = Field(ge=1)
    counts: tuple[PersonStatus, ...] = ()
    definition: Definition | None = None

    @property
    def definition_id(self) -> str:
        """Name and version of the definition in force, such as ``insured-active@1``."""
        return f"{self.definition.name if self.definition else self.name}@{self.version}"


class Target(Dated):
    """Duty 工作目标 and stretch 奋斗目标 of a unit, in the measure's quantity (persons or fen)."""

    measure: str
    unit: str
    duty: int = Field(gt=0)
    stretch: int | None


class Value(Dated):
    """One value of a parameter with its validity. Money is integer fen, ratios exact decimals."""

    value: bool | int | Decimal | date | str | tuple[int, ...]

    def as_int(self) -> int:
        """The value as a whole number; PlanValueError where it is none."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        raise PlanValueError(f"not a whole number: {self.value!r}")

    def as_decimal(self) -> Decimal:
        """The value as an exact decimal; PlanValueError where it is no number."""
        return self.value if isinstance(self.value, Decimal) else Decimal(self.as_int())

    def as_flag(self) -> bool:
        """The value as yes or no; PlanValueError where it is neither."""
        if isinstance(self.value, bool):
            return self.value
        raise PlanValueError(f"not a yes or no: {self.value!r}")

    def as_list(self) -> tuple[int, ...]:
        """The value as whole numbers; PlanValueError where it is no list."""
        if isinstance(self.value, tuple):
            return self.value
        raise PlanValueError(f"not a list: {self.value!r}")


class Parameter(Record):
    """A named figure that may change with time; its values do not overlap."""

    name: str
    unit: Literal["years", "days", "months", "persons", "points", "fen", "ratio", "flag", "list"]
    values: tuple[Value, ...] = Field(min_length=1)


class Department(Record):
    """Who acts; ``linked`` marks the 联动部门 that are inspected each quarter (O60)."""

    code: str
    zh: str
    en: str
    linked: bool


class DueRule(Record):
    """When a period's delivery must be here. ``day`` falls back to the calendar's monthly day."""

    kind: DueKind
    day: int | None = Field(default=None, ge=1, le=31)
    due_on: date | None = None


class Owing(Record):
    """Who owes a feed: every unit of the kinds, for the department, or the department itself."""

    department: str
    unit_kinds: tuple[UnitKind, ...] = ()


class Feed(Sourced):
    """A standing flow: who owes it, by period, from when on.

    With ``unit_kinds`` every unit of those kinds owes one for each period, else every department
    in ``departments`` does. Where units and departments both owe one, ``owed_by`` says who.
    """

    name: str
    zh: str
    en: str
    """Its title in both languages; the name where a plan gives none."""
    departments: tuple[str, ...] = Field(min_length=1)
    unit_kinds: tuple[UnitKind, ...] = ()
    owed_by: tuple[Owing, ...] = ()
    period: FeedPeriod
    due: DueRule
    first_period: str | None = None
    last_period: str | None = None
    """None: up to the one in which the campaign ends."""

    @model_validator(mode="before")
    @classmethod
    def _called(cls, told: Any) -> Any:
        if isinstance(told, dict) and isinstance(told.get("name"), str):
            return {"zh": told["name"], "en": told["name"], **told}
        return told

    @property
    def department(self) -> str:
        """The (first) department that answers for the feed."""
        return self.departments[0]

    @property
    def owing(self) -> tuple[Owing, ...]:
        """Who owes it, however the row says so."""
        if self.owed_by:
            return self.owed_by
        if self.unit_kinds:
            return (Owing(department=self.department, unit_kinds=self.unit_kinds),)
        return tuple(Owing(department=department) for department in self.departments)


class LateReason(Sourced):
    """A coded reason why a delivery came late or did not come. ``excuses``: it may excuse the
    delivery; ``text_needed``: the code alone says too little."""

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    zh: str
    en: str
    excuses: bool = False
    text_needed: bool = False


class ChaseLevel(Record):
    """To whom a chase goes."""

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    zh: str
    en: str


class ChaseLevels(Sourced):
    """From the lowest up; each missed deadline in a row goes one up."""

    rows: tuple[ChaseLevel, ...] = Field(min_length=1)


class Chasing(Record):
    """Reminders before a due moment and chases after it (F44)."""

    remind_days_before: SourcedInt
    chase_hours_after: SourcedInt
    levels: ChaseLevels


class FieldPrecedence(Dated):
    """Whose word on a field of an employer's golden record goes first (F16).

    ``ranks``: feeds, or ``register`` for the register's own, the best rank first; within a rank
    the newest counts. Only sources that are ranked can contradict each other.
    """

    field: str
    ranks: tuple[tuple[str, ...], ...] = Field(min_length=1)


class When(Record):
    """When an obligation falls: its kind, a stated day of the month, the days it is in force."""

    kind: WhenKind
    day: int | None = Field(default=None, ge=1, le=31)
    from_on: date = Field(alias="from")
    to_on: date | None = Field(default=None, alias="to")


class Obligation(Record):
    """A duty of the plan text (O1, O2, …): who, what in the text's own words, when, met by what."""

    id: str = Field(pattern=r"^O[0-9]+$")
    actors: tuple[str, ...] = Field(min_length=1)
    quote: str = Field(min_length=1)
    en: str
    clause: str
    when: When
    met_by: tuple[str, ...] = ()
    status: Status = "plan"
    note: str | None = None


class RegistrationType(Record):
    """A 登记注册类型; ``status`` is set where it differs from the table's."""

    code: str
    zh: str
    en: str
    group: Literal["domestic", "hk-macao-taiwan", "foreign", "individual"]
    parent: str | None
    ownership: Ownership
    nonpublic: bool
    status: Status | None = None


class RegistrationTypes(Sourced):
    rows: tuple[RegistrationType, ...] = Field(min_length=1)


class Section(Record):
    code: str = Field(pattern=r"^[A-Z]$")
    zh: str
    en: str


class Division(Record):
    """A division 大类; ``scope`` tells whether the narrow reading of its trade already has it."""

    code: str = Field(pattern=r"^[0-9]{2}$")
    section: str
    zh: str
    trade: Trade
    scope: Scope | None = None


class Industries(Sourced):
    """The industries of one edition of GB/T 4754; ``reading`` says which scope counts (O14)."""

    edition: str
    reading: Scope
    sections: tuple[Section, ...] = Field(min_length=1)
    divisions: tuple[Division, ...] = Field(min_length=1)


class Code(Record):
    """A code of a list. ``counts``: whether rows of the code count in the list's figure;
    ``phrases``: words that say the same in free text."""

    code: str = Field(pattern=r"^[a-z][a-z-]{0,39}$")
    zh: str
    en: str
    counts: bool = True
    phrases: tuple[str, ...] = ()


class CodedList(Sourced):
    """A list of codes that records may say, by name."""

    name: str
    rows: tuple[Code, ...] = Field(min_length=1)


class PlanContent(Record):
    """A whole plan file."""

    declared_version: str = Field(min_length=1)
    identity: Identity
    calendar: PlanCalendar
    city: Unit
    units: tuple[Unit, ...] = Field(min_length=1)
    measures: tuple[Measure, ...] = Field(min_length=1)
    targets: tuple[Target, ...]
    parameters: tuple[Parameter, ...]
    departments: tuple[Department, ...] = Field(min_length=1)
    feeds: tuple[Feed, ...]
    late_reasons: tuple[LateReason, ...] = ()
    chasing: Chasing | None = None
    registration_types: RegistrationTypes
    industries: Industries
    obligations: tuple[Obligation, ...]
    coded_lists: tuple[CodedList, ...] = ()
    field_precedence: tuple[FieldPrecedence, ...] = ()
