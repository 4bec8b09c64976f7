"""The closing summary, as text on a terminal or in a log."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from enrollment.identity.names import RULES
from kuomian.demo.gather import Closing
from kuomian.demo.state import Loaded
from kuomian.demo.whoiswho import BESIDE, WhoIsWho

PLAIN_WIDTH = 150


def show(closing: Closing, loaded: Loaded) -> None:
    """Print everything but the addresses."""
    console = Console(
        width=None if sys.stdout.isatty() else PLAIN_WIDTH, markup=False, highlight=False
    )
    for table in closing.progress["measures"]:
        console.print(_measure(table, closing.progress["period"]))
    note = closing.progress["note"]
    if note["sample"]:
        console.print(f"  {note['zh']} · {note['en']}")
    console.print(_sums(closing))
    console.print(_mess(closing))
    console.print(_who(closing.who))
    console.print(_rules(closing.who))
    _rates(console, closing, loaded)
    _verdict(console, closing, loaded)


def _measure(table: Mapping[str, Any], period: Mapping[str, Any]) -> Table:
    money = table["quantity"] == "fen"
    measure = table["measure"]
    quantity = "万元 · 10,000 yuan" if money else "人 · persons"
    shown = Table(
        title=f"{measure['zh']} · {measure['en']} ({quantity})"
        f" — {period['period']}, {period['cut_off_on']}",
        title_justify="left",
    )
    shown.add_column("单位 · unit")
    for column in (
        *("期初 opening", "任务 duty", "力争 stretch", "累计 so far"),
        *("完成 %", "净增完成 %", "快慢 pace", "位次 rank"),
    ):
        shown.add_column(column, justify="right")
    for row in table["rows"]:
        target = row["target"] or {}
        shown.add_row(
            f"{row['unit']['zh']} {row['unit']['code']}",
            *(
                _quantity(value, money)
                for value in (
                    row["opening"]["value"],
                    target.get("duty"),
                    target.get("stretch"),
                    row["cumulative"]["value"],
                )
            ),
            row["completion"] or "—",
            row["completion_net_gain"] or "—",
            _signed(row["against_pace"]),
            str(row["rank"] or ""),
            end_section=row is table["rows"][-2],
        )
    return shown


def _sums(closing: Closing) -> Table:
    shown = Table(
        title="守恒 · conservation: 报送 sent = 入账 applied + 重复 duplicate"
        " + 退回 rejected + 暂挂 held",
        title_justify="left",
    )
    shown.add_column("报送项目 · feed")
    for column in ("批 deliveries", "sent", "=", "applied", "duplicate", "rejected", "held", ""):
        shown.add_column(column, justify="right")
    for one in closing.sums:
        shown.add_row(
            f"{one.service} / {one.feed}",
            f"{one.deliveries:,}",
            f"{one.sent:,}",
            "",
            *(f"{count:,}" for count in one.counts.values()),
            "✓" if one.conserved else "✗",
        )
    return shown


def _mess(closing: Closing) -> Table:
    shown = Table(title="有意埋设的差错 · mess planted on purpose", title_justify="left")
    shown.add_column("埋设 · planted", overflow="fold")
    shown.add_column("数 n", justify="right")
    shown.add_column("查得 found", justify="right")
    shown.add_column("")
    shown.add_column("处置 · what became of it", overflow="fold")
    for mess in closing.mess:
        found = "未逐一核对 not counted" if mess.found is None else f"{mess.found:,}"
        shown.add_row(
            f"{mess.zh} · {mess.en}",
            f"{mess.planted:,}",
            found,
            "" if mess.found is None else "✓" if mess.ok else "✗",
            f"{mess.outcome_zh} · {mess.outcome_en}",
        )
    return shown


def _who(who: WhoIsWho) -> Table:
    shown = Table(
        title="单位识别 · who is who: 与真值比较 against the made city's truth",
        title_justify="left",
    )
    shown.add_column("凭何识别 · what there was to find them by")
    for column in (
        *("企业 firms", "归一 joined", "待人工 asked", "漏 missed"),
        *("查全 recall %", "误并 false"),
    ):
        shown.add_column(column, justify="right")
    for match in who.matches:
        counts = (match.firms, match.joined, match.asked, match.missed)
        shown.add_row(
            f"{match.zh} · {match.en}", *(f"{count:,}" for count in counts), _percent(match.recall)
        )
    shown.add_section()
    shown.add_row(
        f"无共同号码者 · no number in common; 查准 precision {_percent(who.precision)} %",
        *[""] * 4,
        _percent(who.recall),
        f"{who.false:,}",
    )
    return shown


def _rules(who: WhoIsWho) -> Table:
    statuses = ("confirmed", "refused", "split")
    shown = Table(
        title="关联规则 · rules of linking: 单位对数与真值 · pairs of employers against the truth",
        title_justify="left",
    )
    shown.add_column("规则\nrule")
    shown.add_column("名称外一致\nagreed beside the name")
    for column in (
        *("关联\nlinked", "真\ntrue", "伪\nfalse", "查准\n%"),
        *("待人工\nasked", "一家\none", "两家\ntwo"),
        *("确认\nconfirmed", "否定\nrefused", "拆分\nsplit"),
    ):
        shown.add_column(column, justify="right")
    for rule in who.rules:
        asked = rule.asked_one + rule.asked_two
        words = RULES.get(rule.rule)
        shown.add_row(
            f"{rule.rule if words is None else words.zh}\n{rule.rule}",
            "\n".join(
                (
                    "、".join(BESIDE[what][0] for what in rule.beside),
                    ", ".join(BESIDE[what][1] for what in rule.beside),
                )
            )
            if rule.beside
            else "—",
            *(f"{count:,}" for count in (rule.true + rule.false, rule.true, rule.false)),
            _percent(rule.precision),
            *(f"{count:,}" for count in (asked, rule.asked_one, rule.asked_two)),
            *(f"{rule.decided.get(status, 0):,}" for status in statuses),
        )
    return shown


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}"


def _rates(console: Console, closing: Closing, loaded: Loaded) -> None:
    console.print("速度 · rates (records per second while the feed was busy)")
    for feed, (records, seconds) in sorted(closing.rates.items()):
        rate = f"{records / seconds:>9,.0f}" if seconds else "        —"
        console.print(f"  {feed:24} {records:>9,} records {seconds:>8.1f} s {rate}/s")
    total = sum(records for records, _ in closing.rates.values())
    if loaded.seconds:
        console.print(
            f"  从报送到指标 · end to end {total:>6,} records {loaded.seconds:>8.1f} s"
            f" {total / loaded.seconds:>9,.0f}/s"
        )


def _verdict(console: Console, closing: Closing, loaded: Loaded) -> None:
    for answer in closing.unexpected[:20]:
        console.print(
            f"  ✗ {answer.push}: 应为 expected {answer.expected},"
            f" 实为 found {answer.refused or answer.counts}"
        )
    for done in closing.misdone[:20]:
        console.print(
            f"  ✗ {done.name}: 应为 expected {done.expected or 'ok'},"
            f" 实为 found {done.refused or 'ok'}"
        )
    for difference in closing.differences[:40]:
        console.print(
            f"  ✗ {difference.measure}.{difference.unit}: 真值 true {difference.true:,},"
            f" 指标 figure {difference.figure:,}"
        )
    if closing.differences:
        count = len(closing.differences)
        console.print(f"✗ {count} 个指标与真值不符 · figures differ from the truth")
    else:
        console.print(
            f"✓ {closing.compared} 个指标与真值逐一相等 · figures equal the made city's own truth"
            f" on {loaded.truth_on}"
        )
    if not closing.ok and not closing.differences:
        console.print("✗ 有不符之处,见上 · something above is not as it should be")


def _quantity(value: int | None, money: bool) -> str:
    if value is None:
        return "—"
    # Yuan in tens of thousands, as the official form has it; the API gives exact fen.
    return f"{value / 1_000_000:,.2f}" if money else f"{value:,}"


def _signed(points: str | None) -> str:
    if points is None:
        return "—"
    return points if points.startswith("-") else f"+{points}"
