"""What is made of a name, what each sign gives, and what no score outweighs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.identity.names import (
    OUTCOMES,
    RULES,
    WHAT,
    NamePolicy,
    Normal,
    Seen,
    blocks_of,
    compare,
    explained,
    normal_of,
    pairs_of,
    plain,
    policy_of,
)
from shared.identifiers import make_org_code
from shared.plan import Plan, load_plan

ON = date(2008, 6, 1)
POLICY = policy_of(Plan.default(), ON)
A, B = "本溪市示例鸿泰商贸有限公司", "示例鸿泰商贸有限公司"
OTHER_CITY = Path(__file__).parents[1] / "shared" / "plan" / "other_city.yaml"


def one(name: str = A, **known: Any) -> Seen:
    return Seen("1", name)._replace(**known)


def outcome(left: Seen, right: Seen) -> tuple[str, str]:
    verdict = compare(left, right, POLICY)
    return verdict.outcome, verdict.rule


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("本溪市示例鸿泰商贸有限公司", ("210500", "示例鸿泰商贸", "有限公司", "", ())),
        ("辽宁省本溪市平山区示例小吃店", ("210502", "示例小吃", "店", "", ())),
        ("桓仁县示例矿业公司第三分公司", ("210522", "示例矿业", "公司", "3分公司", ("3",))),
        ("本溪市市政工程公司", ("210500", "市政工程", "公司", "", ())),
        ("本溪市场管理处", ("210500", "市场管理", "处", "", ())),
        ("示例银行花园支行(筹)", ("", "示例银行花园", "", "支行", ())),
        ("零售商店", ("", "零售", "商店", "", ())),
        ("本溪市", ("", "本溪市", "", "", ())),
        ("有限公司", ("", "有限公司", "", "", ())),
        ("", ("", "", "", "", ())),
    ],
)
def test_a_name_falls_into_parts(name: str, parts: tuple[object, ...]) -> None:
    normal = normal_of(name, POLICY.places)
    got = (normal.place, normal.core, normal.form, normal.branch, normal.numbers)
    assert got == parts


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        # A name without its place is decided by one more sign.
        (one(), one(B), ("ask", "place-left-out")),
        (one(unit="210502"), one(B, unit="210502"), ("linked", "place-left-out")),
        (one(unit="210502"), one(B, unit="210503"), ("ask", "place-left-out")),
        # Equal names: a changed address is borne, another representative is asked about.
        (one(address="示例路1号楼"), one(address="示例路9号楼"), ("linked", "same-name")),
        (one(legal_rep_key="a"), one(legal_rep_key="b"), ("ask", "same-name")),
        (
            one(address="示例路1号楼", unit="210502"),
            one(address="示例路9号楼", unit="210503"),
            ("ask", "same-name"),
        ),
        # 有限公司 and 有限责任公司: two signs.
        (
            one("本溪示例顺达有限公司", legal_rep_key="a", address="本溪市示例路12号"),
            one("本溪示例顺达有限责任公司", legal_rep_key="a", address="示例路12号"),
            ("linked", "form-differs"),
        ),
        # Names whose characters differ never link, branches and numbers never meet.
        (
            one("本溪示例鸿泰商贸有限公司", legal_rep_key="a", address="示例路12号", unit="210502"),
            one("本溪示例宏泰商贸有限公司", legal_rep_key="a", address="示例路12号", unit="210502"),
            ("ask", "sounds-alike"),
        ),
        (
            one("本溪示例一分店", legal_rep_key="a", address="示例路12号", unit="210502"),
            one("本溪示例二分店", legal_rep_key="a", address="示例路12号", unit="210502"),
            ("separate", "numbers-differ"),
        ),
        (
            one(legal_rep_key="a", unit="210502", founded_on=ON),
            one(A + "平山分公司", legal_rep_key="a", unit="210502", founded_on=ON),
            ("separate", "branch-differs"),
        ),
        # Same brand, other trade: nothing by itself, a question with two signs.
        (one("示例鸿泰商贸行"), one("示例鸿泰餐饮行"), ("separate", "trade-differs")),
        (
            one("示例鸿泰商贸行", legal_rep_key="a", address="示例路12号"),
            one("示例鸿泰餐饮行", legal_rep_key="a", address="示例路12号"),
            ("ask", "trade-differs"),
        ),
        # A name that tells nothing, and one that households share.
        (one("便民小吃部"), one("便民小吃部"), ("linked", "same-name")),
        (
            one("便民小吃部", household=True),
            one("便民小吃部", household=True),
            ("ask", "same-name"),
        ),
        (
            one("便民小吃部", household=True, address="示例路12号"),
            one("便民小吃部", household=True, address="示例路12号"),
            ("linked", "same-name"),
        ),
        (one("小吃部"), one("小吃部"), ("ask", "no-brand")),
        (
            one("小吃部", legal_rep_key="a", unit="210502"),
            one("小吃部", legal_rep_key="a", unit="210502"),
            ("linked", "no-brand"),
        ),
        # What contradicts goes to a person.
        (
            one(org_code=make_org_code("PDY00101"), legal_rep_key="a", unit="210502"),
            one(org_code=make_org_code("PDY00102"), legal_rep_key="a", unit="210502"),
            ("ask", "codes-contradict"),
        ),
        (one(org_code="PDY001011"), one(org_code="PDY001012"), ("linked", "same-name")),
        (
            one(licence_no="210500000001018"),
            one(licence_no="2105001001234"),
            ("linked", "same-name"),
        ),
        (
            one(licence_no="210500000001018", legal_rep_key="a", unit="210502"),
            one(licence_no="210500000001026", legal_rep_key="a", unit="210502"),
            ("ask", "licences-contradict"),
        ),
        (
            one(household=True, legal_rep_key="a", unit="210502", founded_on=ON),
            one(household=False, legal_rep_key="a", unit="210502", founded_on=ON),
            ("ask", "household-and-firm"),
        ),
    ],
)
def test_evidence_decides(left: Seen, right: Seen, expected: tuple[str, str]) -> None:
    assert outcome(left, right) == expected
    assert outcome(right, left) == expected


def test_every_verdict_can_be_told_in_both_languages() -> None:
    verdict = compare(one(unit="210502"), one(B, unit="210502"), POLICY)
    said = explained(verdict)
    assert said.zh == (
        "认定为同一单位，940 分：一方未写地名。"
        "名称一致（+960）；一方未写地名（-80）；所属县（区）一致（+60）"
    )
    assert said.en == (
        "linked as one employer, 940 points: one leaves the place out. name agrees (+960); one"
        " leaves the place out (-80); district agrees (+60)"
    )
    assert sum(sign.points for sign in verdict.evidence) == verdict.score
    assert all(text.zh and text.en for texts in (RULES, WHAT, OUTCOMES) for text in texts.values())


def test_the_plan_sets_points_and_thresholds() -> None:
    assert vars(POLICY) | {"places": None} == vars(NamePolicy(POLICY.places)) | {"places": None}
    other = load_plan(OTHER_CITY)
    assert policy_of(other, ON).link == POLICY.link  # It names none: ours count.
    places = policy_of(other, ON).places
    assert normal_of("本溪市示例商行", places).place == ""


def test_a_record_that_matches_two_is_linked_to_none() -> None:
    left = [Seen("l1", A), Seen("l2", A), Seen("l3", "本溪示例瑞丰物流有限公司")]
    right = [Seen("r1", A), Seen("r3", "本溪示例瑞丰物流有限公司")]
    found = {(p.left, p.right): p.verdict for p in pairs_of(left, right, POLICY).found}
    assert {pair: (v.outcome, v.rule) for pair, v in found.items()} == {
        ("l1", "r1"): ("ask", "several"),
        ("l2", "r1"): ("ask", "several"),
        ("l3", "r3"): ("linked", "same-name"),
    }


def test_a_crowded_name_is_found_by_its_other_evidence() -> None:
    many = [
        Seen(f"l{n}", "便民小吃部", legal_rep_key=str(n)) for n in range(POLICY.largest_block + 1)
    ]
    pairs = pairs_of(many, [Seen("r", "便民小吃部", legal_rep_key="7")], POLICY)
    assert [(p.left, p.right, p.verdict.outcome) for p in pairs.found] == [("l7", "r", "linked")]
    assert (pairs.compared, pairs.crowded) == (1, 1)


def test_work_grows_with_the_lists_and_not_with_their_product() -> None:
    def compared(size: int) -> int:
        left = [
            Seen(f"l{n}", f"本溪示例{chr(0x4E00 + n)}{chr(0x5A00 + n * 7)}商贸行")
            for n in range(size)
        ]
        return pairs_of(left, list(left), POLICY).compared

    assert compared(800) < 3 * compared(400)


names = st.text(
    st.sampled_from("本溪市桓仁示例鸿泰瑞丰商贸有限责任公司厂店第一二十12分(（筹)） 滿務"),
    max_size=14,
)


@settings(max_examples=120)
@given(names, names)
def test_normal_forms_and_verdicts_are_stable(left: str, right: str) -> None:
    assert plain(plain(left)) == plain(left)
    first, second = normal_of(left, POLICY.places), normal_of(right, POLICY.places)
    assert isinstance(first, Normal)
    assert normal_of(first.text, POLICY.places) == first
    verdict = compare(one(left), one(right), POLICY)
    assert verdict == compare(one(right), one(left), POLICY)
    assert 0 <= verdict.score <= 1000
    assert verdict.rule in RULES
    if verdict.outcome != "separate":
        assert set(blocks_of(first)) & set(blocks_of(second))
    if verdict.outcome == "linked":
        assert first.numbers == second.numbers
        assert first.core == second.core or first.whole == second.whole
