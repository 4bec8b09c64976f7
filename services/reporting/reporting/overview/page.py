"""Progress and trust made ready to be shown: every value already text, so that the template only
places it. Conventions of the report form: 万元 with two decimals, "—" for what is not there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from reporting.figures.schemas import FigureValue
from reporting.overview.texts import Lang, dekad_name, words
from reporting.progress import schemas as progress
from reporting.trust import schemas as trust
from shared.money import wan_yuan
from shared.periods import LOCAL, Dekad
from shared.plan import Feed, Plan

DASH = "—"
_DAY = timedelta(days=1)
SIGN_IN = "/reporting/sign-in"
_WORST = ("missing", "late", "not-due", "in", "nil")
_UNITS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and in what language."""

    lang: Lang
    signed_in: bool
    public: bool

    def link(self, target: str) -> str:
        """The address itself, by way of signing in for whoever has not."""
        return target if self.signed_in else f"{SIGN_IN}?{urlencode({'next': target})}"

    def text(self, pair: Any) -> str:
        """The ``zh`` or ``en`` of a body that has both."""
        return str(getattr(pair, self.lang))


def context_of(
    viewer: Viewer, shown: progress.Progress, trusted: trust.Trust, plan: Plan, current: Dekad
) -> dict[str, Any]:
    """Everything the template needs."""
    tables = [_table(viewer, measure) for measure in shown.measures]
    return {
        "lang": viewer.lang,
        "t": words(viewer.lang),
        "city": viewer.text(plan.city),
        "plan_name": shown.plan_zh if viewer.lang == "zh" else shown.plan_en,
        "plan_version": shown.plan_version,
        "viewer": viewer,
        "sign_in": f"{SIGN_IN}?{urlencode({'next': '/'})}",
        "period": _period(viewer, shown, current),
        "note": viewer.text(shown.note) if shown.note.sample else "",
        "tables": tables,
        "trust": _trust(viewer, trusted, plan),
        "asked_at": _moment(shown.asked_at),
        "demo": shown.clock == "demo",
        "links": {
            "json": viewer.link(f"/reporting/v1/progress?period={shown.period.period}"),
            "plan": viewer.link("/reporting/v1/plan"),
            "upload": f"/reporting/upload?lang={viewer.lang}",
            "trust": viewer.link("/reporting/v1/trust"),
            "api": "/reporting/docs",
        },
    }


def _period(viewer: Viewer, shown: progress.Progress, current: Dekad) -> dict[str, Any]:
    period = shown.period

    def place(text: str) -> dict[str, str]:
        dekad = Dekad.parse(text)
        return {
            "name": dekad_name(dekad.year, dekad.month, dekad.number, viewer.lang),
            "href": f"/?{urlencode({'period': text, 'lang': viewer.lang})}",
        }

    other = "en" if viewer.lang == "zh" else "zh"
    return {
        **place(period.period),
        "code": period.period,
        "previous": place(period.previous),
        "next": place(period.next),
        "current": place(str(current)) if str(current) != period.period else None,
        "cut_off": period.cut_off_on.isoformat(),
        "due": _moment(period.due_at),
        "open": period.still_open,
        "time_progress": period.time_progress,
        "left": period.dekads_left,
        "other_lang": f"/?{urlencode({'period': period.period, 'lang': other})}",
    }


def _table(viewer: Viewer, shown: progress.MeasureProgress) -> dict[str, Any]:
    money = shown.quantity == "fen"
    rows = [_row(viewer, row, shown.pace, money=money) for row in shown.rows]
    return {
        "name": viewer.text(shown.measure),
        "definition": f"{shown.measure.id} · {getattr(shown.measure, f'definition_{viewer.lang}')}",
        "unit": words(viewer.lang)["wan_yuan" if money else "persons"],
        "pace": shown.pace,
        "money": money,
        "rows": rows,
        "city": rows[-1],
        "has_stretch": any(row["stretch"] != DASH for row in rows),
        "sample": any(row["sample"] for row in rows),
        "cascade": [
            {
                "line": words(viewer.lang)[check.line],
                "ok": check.ok,
                "parts": _quantity(check.parts_sum, money=money),
                "city": _quantity(check.city, money=money),
                "difference": _signed(check.difference, money=money),
            }
            for check in shown.cascade
        ],
        "unplaced": {code: _quantity(value, money=money) for code, value in shown.unplaced.items()},
    }


def _row(viewer: Viewer, row: progress.Row, pace: str, *, money: bool) -> dict[str, Any]:
    def number(figure: FigureValue, *, signed: bool = False) -> dict[str, str]:
        text = (
            _signed(figure.value, money=money) if signed else _quantity(figure.value, money=money)
        )
        return {"text": text, "href": viewer.link(figure.links.figure), "id": figure.id}

    gained = row.completion_net_gain
    return {
        "name": viewer.text(row.unit),
        "city": row.city,
        "opening": number(row.opening),
        "this_dekad": number(row.this_dekad, signed=True),
        "cumulative": number(row.cumulative),
        "duty": _quantity(row.target.duty, money=money) if row.target else DASH,
        "stretch": _quantity(row.target.stretch if row.target else None, money=money),
        "sample": bool(row.target and row.target.sample),
        "completion": row.completion or DASH,
        "completion_stretch": row.completion_stretch or DASH,
        "net_gain": gained or DASH,
        "bar": None if gained is None else max(0.0, min(100.0, float(gained))),
        "pace": max(0.0, min(100.0, float(pace))),
        "against": DASH if row.against_pace is None else _with_sign(row.against_pace),
        "ahead": row.ahead,
        "shortfall": _quantity(row.shortfall, money=money),
        "needed": _quantity(row.needed_per_dekad, money=money),
        "rank": DASH if row.rank is None else str(row.rank),
    }


def _trust(viewer: Viewer, answer: trust.Trust, plan: Plan) -> dict[str, Any]:
    by_feed: dict[str, list[trust.FeedLine]] = {}
    for line in answer.feeds:
        by_feed.setdefault(line.feed, []).append(line)
    return {
        "verdict": answer.verdict,
        "words": viewer.text(answer),
        "reasons": [{"text": viewer.text(r), "grave": r.grave} for r in answer.reasons],
        "feeds": [_feed(viewer, plan.feed(feed), lines) for feed, lines in by_feed.items()],
        "producers": [
            {
                "name": line.producer,
                "text": f"{line.on_the_way or 0:,}"
                if line.known
                else words(viewer.lang)["unknown"],
            }
            for line in answer.producers
        ],
        "dead_letters": answer.dead_letters_open,
        "gaps": answer.gaps,
    }


def _feed(viewer: Viewer, feed: Feed, lines: list[trust.FeedLine]) -> dict[str, Any]:
    owed = [line for line in lines if line.owed]
    due = [line for line in owed if line.state != "not-due"]
    states = Counter(line.state for line in due)
    latest = (due or owed)[-1].period
    of_latest = {line.state for line in due or owed if line.period == latest}
    # A delivery that is missing shows, however long ago it was due; else the latest's worst.
    worst = "missing" if states["missing"] else next(s for s in _WORST if s in of_latest)
    return {
        "name": viewer.text(feed),
        "latest": latest,
        "state": worst,
        "words": words(viewer.lang)[f"state_{worst}"],
        "where": _where(viewer, [line for line in due if line.state == worst]),
        "received": f"{len(due) - states['missing']}/{len(due)}" if due else DASH,
        "records": f"{sum(line.sent for line in lines):,}",
        "rejected": f"{sum(line.rejected for line in lines):,}",
        "held": f"{sum(line.held for line in lines):,}",
    }


def _where(viewer: Viewer, lines: list[trust.FeedLine]) -> str:
    """Of what is missing or late: its newest period, and there the units that owe it by name."""
    if not lines or lines[-1].state not in ("missing", "late"):
        return ""
    period = lines[-1].period
    units = [viewer.text(line.unit) for line in lines if line.unit and line.period == period]
    more = f" +{len(units) - _UNITS_NAMED}" if len(units) > _UNITS_NAMED else ""
    return f"{period} {', '.join(units[:_UNITS_NAMED])}{more}".strip()


def _quantity(value: int | None, *, money: bool) -> str:
    if value is None:
        return DASH
    if not money:
        return f"{value:,}"
    whole, decimals = wan_yuan(abs(value)).split(".")
    return f"{'-' if value < 0 else ''}{int(whole):,}.{decimals}"


def _signed(value: int, *, money: bool) -> str:
    return _with_sign(_quantity(value, money=money)) if value else _quantity(value, money=money)


def _with_sign(text: str) -> str:
    if text.startswith("-"):
        return "−" + text[1:]
    return text if text.strip("0.,") == "" else "+" + text


def _moment(at: datetime) -> str:
    local = at.astimezone(LOCAL)
    if local.hour == local.minute == 0:  # 24:00 of the day before, as offices say it
        return f"{(local.date() - _DAY).isoformat()} 24:00"
    return local.strftime("%Y-%m-%d %H:%M")
