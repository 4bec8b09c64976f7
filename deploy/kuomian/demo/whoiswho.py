"""Who is who: the employers the product knows, against the firms the made city has.

A firm's organisation codes and its licence number hold the same count (``city.apart``), so that
what stands on one employer, on two, or in the queue of officers can be compared with what is true,
through the public API alone. What is missed is told by how the firms' names are written, what is
false by the rule that joined them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kuomian.city.apart import (
    WAYS,
    firm_of,
    has_no_shared_number,
    is_second_code,
    way_of,
)
from kuomian.client import Api

PAGE = 1000
BESIDE = {
    "address": ("地址", "address"),
    "legal-representative": ("法人", "representative"),
    "district": ("区县", "district"),
}
"""The signs beside the name that pairs are told apart by, in both languages."""


@dataclass(frozen=True)
class Matches:
    """What became of firms that departments know by two numbers; counts are firms."""

    zh: str
    """What there was to find them by."""
    en: str
    firms: int
    joined: int
    asked: int
    """On two employers, and an officer is asked whether they are one."""

    @property
    def missed(self) -> int:
        return self.firms - self.joined - self.asked

    @property
    def recall(self) -> float | None:
        """Found, joined or asked about, of all; None of none."""
        return (self.joined + self.asked) / self.firms if self.firms else None


@dataclass
class ByRule:
    """What a rule made of pairs of employers, and what is true of them; counts are pairs."""

    rule: str
    beside: tuple[str, ...]
    """Of ``BESIDE``, the signs that agreed."""
    true: int = 0
    """Joined without asking, and one firm."""
    false: int = 0
    """Joined without asking, and two firms, whether or not somebody has split them."""
    asked_one: int = 0
    """Asked about, and one firm."""
    asked_two: int = 0
    decided: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """``confirmed``, ``refused``, ``split`` → how many officers decided so."""

    @property
    def precision(self) -> float | None:
        """Of the pairs joined without asking, those that are one firm; None of none."""
        joined = self.true + self.false
        return self.true / joined if joined else None


@dataclass(frozen=True)
class WhoIsWho:
    """The comparison of the employers with the firms."""

    matches: tuple[Matches, ...]
    """Firms with numbers on one record first, then by how their names are written."""
    false: int
    """Employers that have, now, numbers of more than one firm."""
    rules: tuple[ByRule, ...]

    @property
    def asked_in_vain(self) -> int:
        """Pairs that officers were asked about and that are two firms."""
        return sum(rule.asked_two for rule in self.rules)

    @property
    def recall(self) -> float | None:
        """Of the firms that no number joins, those that were found."""
        names = self.matches[1:]
        firms = sum(one.firms for one in names)
        return sum(one.joined + one.asked for one in names) / firms if firms else None

    @property
    def precision(self) -> float | None:
        """Of the firms whose numbers stand on one employer, those that stand there alone."""
        joined = sum(one.joined for one in self.matches)
        return (joined - self.false) / joined if joined else None


async def who_is_who(api: Api) -> WhoIsWho:
    """Ask the running system, as an auditor. Raises Refused, Unreachable."""
    employers = [row async for row in api.items("/enrollment/v1/employers", limit=PAGE)]
    links = [row async for row in api.items("/enrollment/v1/identity/links", limit=PAGE)]
    return compared(employers, links)


def compared(
    employers: Iterable[Mapping[str, Any]], links: Iterable[Mapping[str, Any]]
) -> WhoIsWho:
    """The comparison; pure. Employers absorbed by others are not among ``employers``."""
    firms_on: dict[str, set[int]] = defaultdict(set)
    numbers: dict[int, set[str]] = defaultdict(set)
    standing: dict[int, set[str]] = defaultdict(set)
    for employer in employers:
        for key in employer["keys"]:
            firm = firm_of(key)
            if firm is not None:
                firms_on[employer["employer_id"]].add(firm)
                numbers[firm].add("second" if is_second_code(key) else key.partition(":")[0])
                standing[firm].add(employer["employer_id"])
    rules, asked = _by_rule(links, firms_on)
    found: dict[int, list[int]] = defaultdict(list)
    for firm, kinds in numbers.items():
        if len(kinds) > 1:
            found[_group(firm, kinds)].append(firm)
    matches = tuple(
        Matches(
            *_GROUPS[group],
            len(found[group]),
            sum(len(standing[firm]) == 1 for firm in found[group]),
            sum(len(standing[firm]) > 1 and firm in asked for firm in found[group]),
        )
        for group in range(len(_GROUPS))
        if found[group] or not group
    )
    false = sum(len(firms) > 1 for firms in firms_on.values())
    return WhoIsWho(matches, false, rules)


_GROUPS = (
    ("同一记录载有两个号码", "both numbers on one record"),
    ("另有一个代码", "a second code"),
    *((f"名称：{zh}", f"name: {en}") for zh, en in WAYS),
)


def _group(firm: int, kinds: set[str]) -> int:
    """Which of ``_GROUPS``: what there was to find the firm by."""
    if "second" in kinds:
        return 1
    return 2 + way_of(firm) if has_no_shared_number(firm) else 0


def _by_rule(
    links: Iterable[Mapping[str, Any]], firms_on: Mapping[str, set[int]]
) -> tuple[tuple[ByRule, ...], set[int]]:
    """The pairs by rule and what agreed beside the name, and the firms that are asked about."""
    lines: dict[tuple[str, tuple[str, ...]], ByRule] = {}
    asked: set[int] = set()
    for link in links:
        agreed = {sign["what"] for sign in link["evidence"] if sign["finding"] == "agreed"}
        beside = tuple(what for what in BESIDE if what in agreed)
        line = lines.setdefault((link["rule"], beside), ByRule(link["rule"], beside))
        status = link["status"]
        shared = firms_on.get(link["left_id"], set()) & firms_on.get(link["right_id"], set())
        if status == "suggested":
            asked |= shared
            line.asked_one += bool(shared)
            line.asked_two += not shared
            continue
        if status == "linked":
            alone = len(firms_on.get(link["survivor_id"], ())) < 2
            line.true += alone
            line.false += not alone
            continue
        line.decided[status] += 1
        # What was split had been joined; what people decided else they had been asked.
        line.false += status == "split"
        line.asked_one += status == "confirmed"
        line.asked_two += status == "refused"
    return tuple(lines[name] for name in sorted(lines)), asked
