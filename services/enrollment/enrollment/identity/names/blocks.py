"""Which names are worth comparing: those that share a blocking key. Pure.

A pair that ``compare`` would link or ask about has equal numbers and an equal branch, so both
stand in every key and large chains fall apart by branch. Beside the whole core the keys are the
core with one character left out (finds every slip of one character), the core without its first
two or three characters (leading words), without 集团, with its form where that is no company's, and
the brand (another trade). One other character or another trade is compared only where a weighty
sign agrees: without, the plan's points make it no question. Every pair above the ask threshold on
its name alone shares a key; lost are only pairs whose common keys are all too common
(``NamePolicy.largest_block``), which are counted where a whole core is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from enrollment.identity.names import words
from enrollment.identity.names.compare import Seen, Verdict, judge, same_addresses, same_days
from enrollment.identity.names.normal import Normal, normal_of
from enrollment.identity.names.parts import close
from enrollment.identity.names.policy import NamePolicy

_SHORTEST: Final = 4
_BRAND: Final = 2


class Pair(NamedTuple):
    """Two records that are linked or to be shown to a person."""

    left: str
    right: str
    verdict: Verdict


class Pairs(NamedTuple):
    """What came of comparing two lists."""

    found: list[Pair]
    compared: int
    """Pairs looked at."""
    crowded: int
    """Records that met a key too common to compare by."""


def blocks_of(normal: Normal) -> tuple[str, ...]:
    """The keys a name is found by, the whole core first."""
    common = "|".join((*normal.numbers, normal.branch))
    core = normal.core
    keys = [f"={common}|{core}"]
    if normal.whole != core:
        keys.append(f"={common}|{normal.whole}")
    if words.GROUP in core:
        keys.append(f"={common}|{core.replace(words.GROUP, '')}")
    if len(core) >= _SHORTEST:
        keys.append(f"-{common}|{core}")
        keys += {f"-{common}|{core[:at]}{core[at + 1 :]}" for at in range(len(core))}
        keys += [f"={common}|{core[cut:]}" for cut in (2, 3) if len(core) - cut >= _SHORTEST]
    if len(normal.brand) >= _BRAND:
        keys.append(f"*{common}|{normal.brand}")
    return tuple(keys)


def pairs_of(left: Sequence[Seen], right: Sequence[Seen], policy: NamePolicy) -> Pairs:
    """Every linked or doubtful pair of two lists, by left and right record in order.

    Time grows with the lists, not with their product. A record with more than one partner it
    would be linked to is linked to none: a person decides (rule ``several``). Given the same list
    twice, each pair of it comes once and nothing is compared with itself.
    """
    within = left is right
    names = [normal_of(seen.name, policy.places) for seen in left]
    others = names if within else [normal_of(seen.name, policy.places) for seen in right]
    index = _index(names)
    found: list[tuple[int, int, Verdict]] = []
    compared = crowded = 0
    for at, (seen, name) in enumerate(zip(right, others, strict=True)):
        candidates, near, too_common = _candidates(name, index, policy.largest_block)
        crowded += bool(too_common)
        for block in too_common:
            candidates.update(_alike(seen, block, left, policy))
        candidates.update(at for at in near if close(name.core, names[at].core))
        candidates.update(_alike(seen, near - candidates, left, policy))
        for candidate in candidates:
            if within and candidate >= at:
                continue
            compared += 1
            verdict = judge(left[candidate], names[candidate], seen, name, policy)
            if verdict.outcome != "separate":
                found.append((candidate, at, verdict))
    found.sort(key=lambda pair: pair[:2])
    return Pairs(list(_decided(found, left, right)), compared, crowded)


def _index(names: Sequence[Normal]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        for key in blocks_of(name):
            index[key].append(at)
    return index


def _candidates(
    name: Normal, index: dict[str, list[int]], largest: int
) -> tuple[set[int], set[int], list[list[int]]]:
    """Who shares a whole core with a name, who only part of it or the brand, and the blocks of
    whole cores that are too large."""
    candidates: set[int] = set()
    near: set[int] = set()
    too_common = []
    for key in blocks_of(name):
        block = index.get(key)
        if block is None:
            continue
        if len(block) <= largest:
            (candidates if key[0] == "=" else near).update(block)
        elif key[0] == "=":
            too_common.append(block)
    return candidates, near, too_common


def _alike(
    seen: Seen, block: Iterable[int], left: Sequence[Seen], policy: NamePolicy
) -> Iterator[int]:
    """Of a block, those with the same code, licence, representative, founding day or address."""
    address = seen.address
    for at in block:
        other = left[at]
        if (
            (seen.legal_rep_key and seen.legal_rep_key == other.legal_rep_key)
            or (seen.licence_no and seen.licence_no == other.licence_no)
            or (seen.org_code and seen.org_code == other.org_code)
            or same_days(seen.founded_on, other.founded_on)
            or (address and same_addresses(seen, other, policy))
        ):
            yield at


def _decided(
    found: Sequence[tuple[int, int, Verdict]], left: Sequence[Seen], right: Sequence[Seen]
) -> Iterator[Pair]:
    """The pairs, links that are not the only ones of a record turned into questions."""
    same = left is right
    links: dict[tuple[str, int], int] = defaultdict(int)
    for one, other, verdict in found:
        if verdict.outcome == "linked":
            links["left", one] += 1
            links["left" if same else "right", other] += 1
    for one, other, verdict in found:
        several = max(links["left", one], links["left" if same else "right", other]) > 1
        if several and verdict.outcome == "linked":
            verdict = verdict._replace(outcome="ask", rule="several")  # noqa: PLW2901
        yield Pair(left[one].ref, right[other].ref, verdict)
