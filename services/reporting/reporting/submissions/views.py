"""Rows of state as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from reporting.submissions import answers, rules
from shared.money import percent, yuan
from shared.periods import Dekad
from shared.plan import Plan

Values: TypeAlias = Mapping[Any, Any]
"""A row of state by column."""

_NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "more-than-planned": (
        "已查户数 {stated} 多于应查户数 {expected}",
        "{stated} visited, more than the {expected} to visit",
    ),
    "share-differs": (
        "填报 {stated}%，按填报数计算为 {expected}%",
        "stated as {stated} %, {expected} % by the form's own figures",
    ),
    "sum-differs": (
        "填报 {stated}，按上一旬推算为 {expected}",
        "stated as {stated}, {expected} from the dekad before",
    ),
    "target-differs": (
        "填报 {stated}，方案任务为 {expected}",
        "stated as {stated}, the plan's target is {expected}",
    ),
}


def key_before(row: Values) -> str:
    """The natural key of the same sender's form of the dekad before."""
    ower = row["unit"] or row["department"]
    return f"{ower}|{Dekad.parse(row['period']).previous()}"


def form(row: Values, before: Values | None, plan: Plan) -> answers.DekadForm:
    """A row of ``dekad_reports``, with what we compute and what does not agree."""
    figures = _figures(row)
    period = Dekad.parse(row["period"])
    cut_off_on = period.cutoff_on(plan.cutoffs)
    ours = rules.computed(figures, period, cut_off_on)
    stated = {name: _one_decimal(row[name]) for name in rules.PERCENTS}
    targets = rules.targets_of(plan, row["unit"], cut_off_on)
    previous = _figures(before) if before is not None else None
    return answers.DekadForm(
        **_submission(row),
        sent_on=row["sent_on"],
        counts={name: figures[name] for name in rules.COUNTS},
        money={name: _money(figures[name]) for name in rules.MONEY},
        percents={name: row[name] for name in rules.PERCENTS},
        computed=ours,
        notes=[_note(note) for note in rules.notes(figures, stated, ours, previous, targets)],
        remarks=row["remarks"],
    )


def monthly(row: Values) -> answers.MonthlyText:
    """A row of ``monthly_reports``."""
    own = ("sent_on", "overall", "problems", "suggestions", "measures")
    return answers.MonthlyText(
        **_submission(row),
        **{name: row[name] for name in (*own, "problem_items", "suggestion_items")},
    )


def activity(row: Values) -> answers.ActivityShown:
    """A row of ``activities``."""
    own = ("duty", "kind", "held_on", "place", "title", "copies", "persons_reached")
    return answers.ActivityShown(
        **_submission(row),
        activity_no=row["natural_key"].partition("|")[2],
        **{name: row[name] for name in (*own, "questions", "cancelled")},
    )


def _submission(row: Values) -> dict[str, Any]:
    names = ("department", "unit", "period", "revision", "delivery_id", "record_no", "recorded_at")
    return {name: row[name] for name in names}


def _figures(row: Values) -> dict[str, int | None]:
    counts = {name: row[name] for name in rules.COUNTS}
    return counts | {name: row[f"{name}_fen"] for name in rules.MONEY}


def _money(fen: int | None) -> answers.Money | None:
    return None if fen is None else answers.Money(fen=fen, yuan=yuan(fen))


def _one_decimal(text: str | None) -> str | None:
    return None if text is None else percent(Fraction(Decimal(text)) / 100, 1)


def _note(note: rules.Note) -> answers.FormNote:
    stated, expected = note.stated, note.expected
    if note.field in rules.MONEY:
        stated, expected = yuan(int(stated)), yuan(int(expected))
    words = {"stated": stated, "expected": expected}
    zh, en = (text.format(**words) for text in _NOTES[note.code])
    return answers.FormNote(code=note.code, field=note.field, **words, zh=zh, en=en)
