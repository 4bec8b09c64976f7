"""Who is who: the employers the product knows, against the firms the made city has.

A firm's organisation code and its licence number hold the same count (``city.apart``), so that what
stands on one employer, on two, or in the queue of officers can be compared with what is true,
through the public API alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kuomian.city.apart import firm_of, has_no_shared_number
from kuomian.client import Api

PAGE = 1000


@dataclass(frozen=True)
class Matches:
    """What became of firms that departments know by two numbers; counts are firms."""

    by: str
    """``numbers``: a record names both. ``names``: no record does."""
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


@dataclass(frozen=True)
class WhoIsWho:
    """The comparison of the employers with the firms."""

    matches: tuple[Matches, ...]
    false: int
    """Employers with numbers of more than one firm."""
    asked_in_vain: int
    """Pairs in the queue that are two firms."""
    rules: Mapping[str, Mapping[str, int]]
    """Rule → status → pairs of employers."""

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
    firms_on: dict[str, set[int]] = {}
    kinds: dict[int, set[str]] = defaultdict(set)
    standing: dict[int, set[str]] = defaultdict(set)
    for employer in employers:
        firms_on[employer["employer_id"]] = found = set()
        for key in employer["keys"]:
            firm = firm_of(key)
            if firm is not None:
                found.add(firm)
                kinds[firm].add(key.partition(":")[0])
                standing[firm].add(employer["employer_id"])
    rules: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    asked: set[int] = set()
    in_vain = 0
    for link in links:
        rules[link["rule"]][link["status"]] += 1
        if link["status"] != "suggested":
            continue
        left = firms_on.get(link["left_id"], set())
        right = firms_on.get(link["right_id"], set())
        asked |= left & right
        in_vain += not left & right
    known = [firm for firm, found in kinds.items() if len(found) > 1]
    matches = tuple(
        Matches(
            by,
            len(firms),
            sum(len(standing[firm]) == 1 for firm in firms),
            sum(len(standing[firm]) > 1 and firm in asked for firm in firms),
        )
        for by, firms in (
            ("numbers", [firm for firm in known if not has_no_shared_number(firm)]),
            ("names", [firm for firm in known if has_no_shared_number(firm)]),
        )
    )
    false = sum(len(found) > 1 for found in firms_on.values())
    return WhoIsWho(matches, false, in_vain, {rule: dict(of) for rule, of in rules.items()})
