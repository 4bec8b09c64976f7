"""The values rules speak in: what is asked, what is answered, and what an answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

Words = tuple[str, str]
"""zh and en."""


class Input(NamedTuple):
    """What a rule wants to know."""

    name: str
    kind: Literal["date", "month", "fen", "code", "flag"]
    zh: str
    en: str
    codes: Mapping[str, Words] = {}
    needed: bool = True
    """Whether nothing can be decided without it, whatever the others say."""
    lists: tuple[str, ...] = ()
    """Coded lists of the plan whose codes it also takes."""


class Fault(NamedTuple):
    """Why an input cannot be what it is meant to be: a code of ``shared.problems``, its params."""

    name: str
    code: str
    params: Mapping[str, object] = {}


class Missing(NamedTuple):
    """What a decision lacks. ``years``: those a parameter has no value for."""

    kind: Literal["input", "parameter", "clause"]
    name: str
    years: tuple[int, ...]
    zh: str
    en: str


class Clause(NamedTuple):
    """A clause of the plan in its own words."""

    obligation: str
    clause: str
    document: str
    quote: str
    en: str
    status: str
    from_on: date
    to_on: date | None


class Used(NamedTuple):
    """A value of a parameter that a decision rests on."""

    name: str
    unit: str
    value: Any
    from_on: date | None
    to_on: date | None
    source: str
    status: str
    note: str | None


class MonthRow(NamedTuple):
    """One month of a computation, in fen; the parts sum to ``total_fen``."""

    month: str
    base_fen: int
    base_rule: str
    """``floor``, ``cap`` or ``declared``: what made the base."""
    pooled_fen: int
    account_fen: int
    interest_fen: int
    late_fee_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule says: a coded outcome, why, and what follows in money and days."""

    outcome: str
    zh: str
    en: str
    amounts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str | int] = field(default_factory=dict)
    months: tuple[MonthRow, ...] = ()
    clauses: tuple[str, ...] = ()
    """Numbers of the clauses it rests on; empty: all of the rule's."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with everything it rests on."""

    rule: str
    version: str
    plan_version: str
    on: date
    inputs: Mapping[str, Any]
    outcome: str
    zh: str
    en: str
    amounts: Mapping[str, int]
    facts: Mapping[str, str | int]
    months: tuple[MonthRow, ...]
    clauses: tuple[Clause, ...]
    parameters: tuple[Used, ...]
    missing: tuple[Missing, ...]
