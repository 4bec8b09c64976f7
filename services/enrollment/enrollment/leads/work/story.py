"""A lead's history as sentences in two languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from enrollment.identity.names import RULES
from enrollment.leads.persons.rules import INTERRUPTED, RETIRED
from enrollment.leads.rules import UNENROLLED
from enrollment.leads.work import rules
from enrollment.leads.work.rules import Entry
from enrollment.leads.work.schemas import Told
from enrollment.leads.work.store.lists import WorkRow
from shared.periods import local_date
from shared.plan import Plan

_KNOWN: Final = {
    "registered": ("{feed}登记在册", "Registered with {feed}"),
    "struck-off": ("{feed}注销", "Struck off by {feed}"),
    "found-unenrolled": (
        "{feed}查明未参保，{period}计税 {taxable} 人",
        "{feed} found it not enrolled, {taxable} taxable persons in {period}",
    ),
    "declared": (
        "{feed}载明{period}计税 {taxable} 人",
        "{feed} has {taxable} taxable persons in {period}",
    ),
    "reported": ("{feed}反映", "{feed} reported it"),
    "gone": ("{feed}的此项记录已撤回或另有所指", "This record of {feed} no longer speaks of it"),
    "entered": ("办理参保登记", "It entered the register"),
    "left": ("退出参保登记", "It left the register"),
    INTERRUPTED: ("中断缴费", "Payment was interrupted"),
    RETIRED: ("办理退休", "Retired"),
}
_KNOWN_OF_GAPS: Final = _KNOWN | {"found-unenrolled": _KNOWN["declared"]}
"""Of an employer in the register the same list says how many there are."""
_STAGES: Final = {
    rules.FOUND: ("待办", "found"),
    rules.NOTIFIED: ("已通知", "notified"),
    rules.PROMISED: ("已承诺", "promised"),
    rules.ENFORCED: ("督办执法中", "in enforcement"),
}
_MEANS: Final = {
    "visit": ("走访", "visit"),
    "phone": ("电话", "phone call"),
    "letter": ("信函", "letter"),
    "notice": ("书面通知", "written notice"),
}
_OUTCOMES: Final = {
    "enrolled": ("已参保", "enrolled"),
    "excluded": ("已排除", "excluded"),
    "ceased": ("已注销", "it ceased"),
    "evidence-withdrawn": ("线索撤回", "its evidence was taken back"),
    "merged": ("并入另一单位", "it was found to be another employer"),
}
_DEKADS: Final = {"1": "上旬", "2": "中旬", "3": "下旬"}
_LINKING: Final = {
    "link": ("经比对与「{name}」认定为同一单位", "Found to be one employer with {name}"),
    "confirm": ("经核对与「{name}」为同一单位", "Confirmed to be one employer with {name}"),
    "refuse": ("经核对与「{name}」不是同一单位", "Found not to be {name}"),
    "split": ("与「{name}」拆分为两个单位", "Parted from {name} again"),
}
_CLOSERS: Final = {
    "enrolled": "entered",
    "excluded": rules.DECIDED,
    "ceased": "struck-off",
    "evidence-withdrawn": "gone",
}
"""Outcome → what closes a lead with it."""
_SENTENCES: Final = {
    rules.STAGE: ("转入「{stage_zh}」{means_zh}：{text}", "Now {stage_en}{means_en}: {text}"),
    rules.CONTACT: ("联系（{kind_zh}）：{text}", "Contact ({kind_en}): {text}"),
    rules.MEASURE: ("督促措施：{text}", "Measure: {text}"),
    rules.ASSIGNMENT: ("指定经办：{who_zh}{text_zh}", "Assigned to {who_en}{text_en}"),
    rules.PROPOSED: (
        "申请排除（{reason_zh}）：{text}",
        "Proposed to exclude it ({reason_en}): {text}",
    ),
    rules.REFUSED: ("未同意排除：{text}", "Exclusion refused: {text}"),
    rules.DECIDED: ("同意排除（{reason_zh}）：{text}", "Excluded ({reason_en}): {text}"),
    rules.REVOKED: ("撤销排除：{text}", "Exclusion revoked: {text}"),
    rules.JOINED: (
        "两单位实为一家，线索 {code} 的办理并入",
        "The two employers are one; the work on lead {code} counts here",
    ),
    rules.PARTED: (
        "单位拆分，线索 {code} 的办理分出",
        "The employers are two again; the work on lead {code} counts there",
    ),
}


def told(
    plan: Plan,
    lead: WorkRow,
    known: Sequence[Any],
    entries: Sequence[Entry],
    others: Sequence[tuple[str, Sequence[Entry]]] = (),
    decisions: Sequence[Mapping[str, Any]] = (),
) -> list[Told]:
    """Everything in the order it was recorded, what was done about the leads of employers found to
    be this one too, and who decided whom it is one with (``decisions``); the lead's own beginning
    stands first, its end behind what closed it, each with the day it took effect."""
    known_as = _KNOWN if lead.kind == UNENROLLED else _KNOWN_OF_GAPS
    items = [_known(plan, row, known_as) for row in known]
    items += [_entry(plan, entry) for entry in entries]
    items += [_of_other(lead_id, _entry(plan, entry)) for lead_id, log in others for entry in log]
    items += [_decided(row) for row in decisions]
    items.sort(key=lambda item: item.at)  # stable: within one moment as they were given
    opened = Told(
        at=_midnight(lead),
        on=lead.opened_on,
        kind="opened",
        by=None,
        zh=f"立项：{_day(lead.opened_on)}起应参保而未参保，{_day(lead.found_on)}获知",
        en=f"Lead since {lead.opened_on}, known here since {lead.found_on}",
    )
    items.insert(0, opened)
    if lead.closed_on is not None:
        at = _closed_at(items, lead.outcome or "", lead.closed_on)
        items.insert(at + 1, _closed(lead.outcome, lead.closed_on, items[at].at))
    return items


def _closed_at(items: Sequence[Told], outcome: str, closed_on: date) -> int:
    """Where what closed the lead stands; the last item where nothing says that it did."""
    closer = _CLOSERS.get(outcome)
    closing = [at for at, item in enumerate(items) if (item.kind, item.on) == (closer, closed_on)]
    return closing[-1] if closing else len(items) - 1


def _closed(outcome: str | None, closed_on: date, at: datetime) -> Told:
    zh, en = _OUTCOMES.get(outcome or "", (outcome or "—", outcome or "—"))
    return Told(at=at, on=closed_on, kind="closed", by=None, zh=f"办结：{zh}", en=f"Closed: {en}")


def _midnight(lead: WorkRow) -> datetime:
    return datetime.combine(lead.found_on, time(), UTC)


def _known(plan: Plan, row: Any, known_as: Mapping[str, tuple[str, str]]) -> Told:
    zh, en = known_as.get(row.what, (row.what, row.what))
    feed_zh, feed_en = _source(plan, row.feed)
    day = row.notified_on
    words = {"period": row.period, "taxable": row.taxable}
    return Told(
        at=row.recorded_at,
        on=row.effective_on,
        kind=row.what,
        by=row.feed,
        zh=zh.format(feed=feed_zh, **words | {"period": _period(row.period)})
        + (f"；{_day(day)}已告知办理参保登记" if day else ""),
        en=en.format(feed=feed_en, **words) + (f"; told to enrol on {day}" if day else ""),
        subject=row.subject,
        delivery_id=row.delivery_id,
        record_no=row.record_no,
    )


def _decided(row: Mapping[str, Any]) -> Told:
    """That two employers are one, or are not; by which rule where none but the rule decided."""
    zh, en = (text.format(name=row["other_name"]) for text in _LINKING[row["decision"]])
    rule = RULES.get(row["rule"])
    if row["decision"] == "link" and rule is not None:
        zh += f"（{rule.zh}，{row['score']} 分）"
        en += f" ({rule.en}, {row['score']} points)"
    elif row["decision"] != "link":
        zh, en = f"{zh}：{row['reason']}", f"{en}: {row['reason']}"
    return Told(
        at=row["decided_at"],
        on=local_date(row["decided_at"]),
        kind=f"identity-{row['decision']}",
        by=row["decided_by"],
        zh=zh,
        en=en,
    )


def _source(plan: Plan, feed: str) -> tuple[str, str]:
    """The department that answers for a feed, and the feed."""
    found = next((one for one in plan.feeds if one.name == feed), None)
    if found is None:
        return f"「{feed}」", feed
    department = plan.department(found.department)
    return f"{department.zh}「{found.zh}」", f"{department.en} ({found.en})"


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def _period(text: str) -> str:
    """A month or dekad as an official writes it; empty where none was told."""
    month, _, dekad = text.partition("-D")
    if not month:
        return ""
    year, no = month.split("-")[:2]
    return f"{year}年{int(no)}月{_DEKADS.get(dekad, '')}"


def _entry(plan: Plan, entry: Entry) -> Told:
    zh, en = _SENTENCES[entry.kind]
    words = _words(plan, entry)
    tail_zh, tail_en = _tail(entry)
    return Told(
        at=entry.recorded_at,
        on=entry.on,
        kind=entry.kind,
        by=entry.made_by,
        zh=zh.format(**words) + tail_zh,
        en=en.format(**words) + tail_en,
        no=entry.no,
    )


def _of_other(lead_id: str, item: Told) -> Told:
    return item.model_copy(
        update={
            "no": None,
            "zh": f"（线索 {lead_id}）{item.zh}",
            "en": f"(lead {lead_id}) {item.en}",
        }
    )


def _words(plan: Plan, entry: Entry) -> dict[str, str]:
    """What the sentences name, in both languages."""
    stage = _STAGES.get(entry.code or "", ("", ""))
    means = _MEANS.get(entry.means or "", ("", ""))
    reason = plan.find_code("lead-exclusion-reasons", entry.code or "")
    text = entry.text or "—"
    who = entry.officer_name or entry.officer
    unit = f" {entry.unit}" if entry.unit else ""
    return {
        "text": text,
        "code": entry.code or "—",
        "stage_zh": stage[0],
        "stage_en": stage[1],
        "kind_zh": means[0],
        "kind_en": means[1],
        "means_zh": f"（{means[0]}）" if means[0] else "",
        "means_en": f" ({means[1]})" if means[1] else "",
        "reason_zh": reason.zh if reason else entry.code or "—",
        "reason_en": reason.en if reason else entry.code or "—",
        "who_zh": (who or "未指定人员") + unit,
        "who_en": (who or "nobody in particular") + unit,
        "text_zh": f"（{text}）" if entry.text else "",
        "text_en": f" ({text})" if entry.text else "",
    }


def _tail(entry: Entry) -> tuple[str, str]:
    """Promises, next steps and corrections."""
    zh = en = ""
    if entry.promised_by is not None:
        zh, en = f"；承诺于{_day(entry.promised_by)}前办理", f"; promised by {entry.promised_by}"
    if entry.next_on is not None:
        step = entry.next_step or ""
        zh += f"；下一步：{_day(entry.next_on)}{step}"
        en += f"; next on {entry.next_on} {step}".rstrip()
    if entry.corrects is not None:
        zh += f"（更正第 {entry.corrects} 条）"
        en += f" (corrects entry {entry.corrects})"
    return zh, en
