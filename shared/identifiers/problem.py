"""What is wrong with a number: a stable code and, where it is known, what should stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ProblemCode: TypeAlias = Literal[
    "length",
    "characters",
    "division",
    "division_never",
    "authority",
    "birth_date",
    "future_birth",
    "owner_suffix",
    "check_digit",
    "org_check_digit",
]

_EN: Final[dict[ProblemCode, str]] = {
    "length": "wrong length, expected {expected} characters",
    "characters": "characters that cannot stand here, expected {expected}",
    "division": "the first digits name no province (expected {expected})",
    "division_never": "the first four digits were never a division's, in any year since 1980",
    "authority": "the first two characters name no registering authority and type",
    "birth_date": "the birth date in the number does not exist",
    "future_birth": "the birth date in the number lies in the future",
    "owner_suffix": "a tax number made of an identity number ends in 00 (18 digits) or 00000 (15)",
    "check_digit": "check digit should be {expected}",
    "org_check_digit": "check digit of the organisation code inside should be {expected}",
}
_ZH: Final[dict[ProblemCode, str]] = {
    "length": "长度不对，应为 {expected} 位",
    "characters": "含有不允许的字符，应为 {expected}",
    "division": "前几位不是有效的行政区划代码（应为 {expected}）",
    "division_never": "前四位从未是行政区划代码（1980年以来各版）",
    "authority": "前两位不是有效的登记管理部门和机构类别代码",
    "birth_date": "号码中的出生日期不存在",
    "future_birth": "号码中的出生日期晚于当前日期",
    "owner_suffix": "由身份证号码构成的税务登记号应以 00（18位）或 00000（15位）结尾",
    "check_digit": "校验码应为 {expected}",
    "org_check_digit": "其中组织机构代码的校验码应为 {expected}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of one number. ``expected`` is the right check character where one is wrong,
    the admitted lengths or characters otherwise; it never repeats the number itself."""

    code: ProblemCode
    expected: str = ""

    @property
    def en(self) -> str:
        """The defect in English: "check digit should be 6"."""
        return _EN[self.code].format(expected=self.expected)

    @property
    def zh(self) -> str:
        """The defect in Chinese: "校验码应为 6"."""
        return _ZH[self.code].format(expected=self.expected)


class CheckError(ValueError):
    """Raised where a valid number is needed to go on; carries the Problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.en)
        self.problem = problem
