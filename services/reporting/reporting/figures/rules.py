"""What the ledger counts: accounts, measures, segments, windows and figure ids. Pure.

An *account* is the set of measures that one kind of fact moves together. A *holder* is whose
state a fact states (a person, a receipt, one employer's arrears of one month); it has one
*position* per account: a unit, a segment set, an effective day and up to three quantities. A
*measure* is one of those quantities, summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

from shared.periods import CutoffDays, Dekad, PeriodError

Quantity: TypeAlias = Literal["persons", "fen", "leads", "employers", "enterprises", "places"]


class Account(IntEnum):
    """Stored as numbers; never renumber."""

    PERSON = 1
    RECEIPT = 2
    ARREARS = 3
    LEAD = 4
    EMPLOYER = 5
    ENTERPRISE = 6
    CENSUS = 7


EVENT_ACCOUNTS: Final = frozenset({Account.RECEIPT, Account.ARREARS})
"""A receipt, one month's arrears: holders that are one event under a day, not a life. A state of
theirs told anew corrects the state before, whatever the fact says. In all other accounts the
holder is the subject."""


class Segments(NamedTuple):
    """By what a position can be filtered; an empty text where a dimension does not apply."""

    status: str = ""
    worker_class: str = ""
    ownership: str = ""
    trade: str = ""
    lead_kind: str = ""


NO_SEGMENTS: Final = Segments()


class Position(NamedTuple):
    """The whole state one holder has in one account; three quantities at most.

    None stands for a quantity the account does not have; 0 for one it has and that is nothing.
    """

    account: int
    holder: str
    subject: str
    """Whom ``members`` lists: the person, the employer key, the lead."""
    unit: str
    segments: Segments
    quantities: tuple[int | None, int | None, int | None]
    effective_on: date


class State(NamedTuple):
    """One state of a holder: what its fact said, and whether it corrected the state before."""

    revision: int
    correction: bool
    position: Position


def state_on(states: Iterable[State], on: date) -> State | None:
    """The state a holder was in on a day, by the states recorded so far; None before the first.

    States are taken by revision; one not higher than the latest is left out. A correction takes
    the place of the state before it, which never was true. A change stands from its effective
    day on, whatever had been said of those days before; earlier days stay as they were. So the
    state of a day is the latest recorded of those that took effect by then, and on the last day
    of all it is the one its producer has (decision 11).

    The entries of a holder add up to this on every day, and those recorded up to any fact to
    this of the facts up to there.
    """
    standing: list[State] = []
    latest = 0
    for state in states:
        if state.revision <= latest:
            continue
        latest = state.revision
        if state.correction and standing:
            standing.pop()
        standing.append(state)
    begun = [state for state in standing if state.position.effective_on <= on]
    return begun[-1] if begun else None


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure by its name and version of definition.

    ``flow`` measures are counted from the first day of the campaign, ``stock`` ones from ever.
    With ``counts_subjects`` each member weighs exactly 1 in a stock, so that the number of
    members is the value; otherwise their quantities sum to it.
    """

    name: str
    account: Account
    slot: int
    """Which of the account's quantities, 1 to 3."""
    quantity: Quantity
    flow: bool
    counts_subjects: bool
    personal: bool
    """Members are persons: shown only to those who work with them."""
    zh: str
    en: str
    definition_zh: str
    definition_en: str
    version: int = 1

    @property
    def definition_id(self) -> str:
        return f"{self.name}@{self.version}"


_MEASURES: Final = (
    Measure(
        "insured-total", Account.PERSON, 1, "persons", False, True, True,
        "参保总人数", "Insured persons, total",
        "状态属方案所列「参保总人数」口径的参保人数",
        "persons whose status the plan counts in the total",
    ),
    Measure(
        "insured-active", Account.PERSON, 2, "persons", False, True, True,
        "在职参保人数", "Insured persons, active",
        "状态属方案所列「在职参保」口径的参保人数",
        "persons whose status the plan counts as active",
    ),
    Measure(
        "pooled-fund", Account.RECEIPT, 1, "fen", True, False, False,
        "养老保险统筹基金征缴", "Pooled fund collected",
        "按入库日期汇总的统筹部分(含清欠),不含个人账户",
        "pooled part of receipts by day of receipt, arrears included, individual part never",
    ),
    Measure(
        "individual-fund", Account.RECEIPT, 2, "fen", True, False, False,
        "个人账户征缴", "Individual part collected",
        "按入库日期汇总的个人部分", "individual part of receipts by day of receipt",
    ),
    Measure(
        "arrears-collected", Account.RECEIPT, 3, "fen", True, False, False,
        "清欠", "Arrears collected",
        "统筹部分中清理以前月份欠费的金额",
        "what, of the pooled part, clears earlier months' arrears",
    ),
    Measure(
        "arrears-balance", Account.ARREARS, 1, "fen", False, False, False,
        "期末累计欠费", "Arrears balance",
        "各单位最近月末欠费之和(逐月余额减上月余额累加)",
        "each employer's latest month-end arrears (balance less carried balance, summed)",
    ),
    Measure(
        "leads-open", Account.LEAD, 1, "leads", False, True, False,
        "未办结扩面资源", "Leads open", "尚未办结的扩面资源数", "leads not closed",
    ),
    Measure(
        "employers-enrolled", Account.EMPLOYER, 1, "employers", False, True, False,
        "参保单位数", "Employers enrolled",
        "登记在册且未注销的用人单位", "employers in the register that have not left it",
    ),
    Measure(
        "enterprises-registered", Account.ENTERPRISE, 1, "enterprises", False, True, False,
        "工商登记户数", "Business licences in force",
        "工商报送的未注销营业执照", "business licences reported and not struck off",
    ),
    Measure(
        "census-visited", Account.CENSUS, 1, "places", False, True, False,
        "普查已走访", "Census: visited",
        "普查底册中已走访的单位和住户", "units and households of the census frame visited",
    ),
)  # fmt: skip

MEASURES: Final[Mapping[str, Measure]] = {measure.name: measure for measure in _MEASURES}
HEADLINE: Final = ("insured-total", "insured-active", "pooled-fund")
"""The three the plan sets targets for (O7–O11)."""


class Kind(StrEnum):
    """Which span of effective days a figure sums."""

    OPENING = "opening"
    THIS_DEKAD = "this-dekad"
    CUMULATIVE = "cumulative"


class Window(NamedTuple):
    """Effective days after ``after_on`` (None: from ever) and up to ``up_to_on`` inclusive."""

    after_on: date | None
    up_to_on: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """The plan's days a window needs."""

    cutoffs: CutoffDays
    opening_on: date
    campaign_from: date


def window_of(measure: Measure, kind: Kind, period: Dekad, calendar: Calendar) -> Window:
    """The effective days that count (architecture §5, "Periods").

    A stock is opened by the register at ``opening_on``; a flow opens at nothing and is counted
    from the campaign's first day on.
    """
    before_campaign = calendar.campaign_from - timedelta(days=1)
    if kind is Kind.OPENING:
        if measure.flow:
            return Window(before_campaign, before_campaign)
        return Window(None, calendar.opening_on)
    after_on, up_to_on = period.window(calendar.cutoffs)
    if kind is Kind.THIS_DEKAD:
        return Window(after_on, up_to_on)
    return Window(before_campaign if measure.flow else None, up_to_on)


class FigureId(NamedTuple):
    """``insured-total.210502.2008-06-D1.cumulative``: a number and how to find it again."""

    measure: Measure
    unit: str
    period: Dekad
    kind: Kind

    def __str__(self) -> str:
        return f"{self.measure.name}.{self.unit}.{self.period}.{self.kind}"


def parse_figure_id(text: str) -> FigureId | None:
    """The figure of that id, None where it is none; which units exist is the plan's to say."""
    parts = text.split(".")
    if len(parts) != 4:
        return None
    measure = MEASURES.get(parts[0])
    try:
        period, kind = Dekad.parse(parts[2]), Kind(parts[3])
    except (PeriodError, ValueError):
        return None
    return FigureId(measure, parts[1], period, kind) if measure and parts[1] else None
