"""Who calls: a department's system or a person in it, for all units or for some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.problems import problem

DEPARTMENTS: Final = frozenset(
    {
        "industry-commerce",  # 工商
        "quality-supervision",  # 质监
        "tax",  # 地税
        "agency",  # 社会保险经办机构
        "labour",  # 劳动保障
        "unit",  # a county, district or other reporting unit
        "leading-group",  # 扩面工作领导小组办公室
        "finance",
        "supervision",  # 监察
        "construction",
        "group-body",  # 工会, 工商联 and the like
        "labour-inspection",  # 劳动保障监察
        "publicity",
        # 发展改革、统计、公安、交通、人事、文化、民政、外事、中小企业、人民银行 (O58)
        "development-reform",
        "statistics",
        "public-security",
        "transport",
        "personnel",
        "culture",
        "civil-affairs",
        "foreign-affairs",
        "sme-office",
        "peoples-bank",
        "auditor",
        "operator",  # runs the installation; sees no person's data by right of it
    }
)
"""What the token claim ``department`` may say."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller, as its token says. ``units`` None means every unit."""

    subject: str
    department: str
    units: frozenset[str] | None = None

    def may_read_unit(self, code: str) -> bool:
        """Whether the token covers the reporting unit."""
        return self.units is None or code in self.units

    def require_unit(self, code: str) -> None:
        """Raise the problem ``forbidden-unit`` unless the token covers the unit."""
        if not self.may_read_unit(code):
            raise problem("forbidden-unit", unit=code)

    def is_any(self, *departments: str) -> bool:
        """Whether the caller is of one of these departments."""
        return self.department in departments

    def require(self, *departments: str) -> None:
        """Raise the problem ``forbidden`` unless the caller is of one of these departments."""
        if self.department not in departments:
            raise problem(
                "forbidden", department=self.department, allowed=", ".join(sorted(departments))
            )
