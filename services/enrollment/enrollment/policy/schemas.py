"""What the API takes and says of policy rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr


class Shown(BaseModel):
    """Base of every answer: read from values, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


def _as_written(value: Any) -> Any:
    """Ratios as exact text (``0.60``): a JSON number would be read as a float."""
    if isinstance(value, Decimal | date):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


Written = Annotated[
    bool | int | str | list[int],
    BeforeValidator(_as_written),
    Field(
        description="fen、天数等为整数，比率为精确小数文本 · whole numbers; ratios as exact text"
    ),
]
Told = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=100)] | None


class Question(BaseModel):
    """A decision asked for."""

    model_config = ConfigDict(extra="forbid")

    rule: Annotated[StrictStr, Field(max_length=60, description="规则名 · name of the rule")]
    on: Annotated[
        StrictStr,
        Field(
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            description="判定之日 YYYY-MM-DD · the day decided on",
            json_schema_extra={"format": "date"},
        ),
    ]
    inputs: Annotated[
        dict[str, Told],
        Field(
            default_factory=dict,
            max_length=40,
            description="按规则目录填写，金额为分；null 视为未提供 · as the catalogue names them, "
            "money in fen; null is not told",
        ),
    ]


class ParameterShown(Shown):
    """A value of a dated parameter."""

    name: str
    unit: str
    value: Written
    from_on: date | None
    to_on: date | None
    source: str
    status: str = Field(
        description="plan 方案, law 法规, page 公开页面, derived 推算, assumption 假定, sample 示例"
    )
    note: str | None


class ClauseShown(Shown):
    """A clause of the plan in its own words."""

    obligation: str
    clause: str
    document: str
    quote: str
    en: str
    status: str
    from_on: date
    to_on: date | None


class MissingShown(Shown):
    """What a decision lacks."""

    kind: str = Field(description="input 输入, parameter 参数, clause 条文")
    name: str
    years: list[int] = Field(description="无取值的年份 · years without a value")
    zh: str
    en: str


class MonthShown(Shown):
    """One month of a back payment, in fen; the parts sum to the total."""

    month: str
    base_fen: int
    base_rule: str = Field(description="floor 下限, cap 上限, declared 选定")
    pooled_fen: int
    account_fen: int
    interest_fen: int
    late_fee_fen: int
    total_fen: int


class DecisionShown(Shown):
    """A decision with everything it rests on."""

    rule: str
    version: str = Field(description="规则版本 · name and version of the rule, working-age@1")
    plan_version: str
    on: date
    inputs: dict[str, bool | int | str] = Field(description="所用输入 · inputs as used")
    outcome: str = Field(description="结论代码；cannot-decide 无法判定 · coded outcome")
    zh: str
    en: str
    amounts: dict[str, int] = Field(description="金额（分） · amounts in fen")
    facts: dict[str, int | str] = Field(description="期限、天数等 · days, due days")
    months: list[MonthShown]
    clauses: list[ClauseShown]
    parameters: list[ParameterShown] = Field(description="所用参数 · parameters it rests on")
    missing: list[MissingShown]


class CodeShown(Shown):
    """A code with its words."""

    code: str
    zh: str
    en: str


class InputShown(Shown):
    """What a rule wants to know."""

    name: str
    kind: str = Field(description="date, month, fen, code, flag")
    zh: str
    en: str
    needed: bool = Field(description="缺少则必为无法判定 · without it nothing is decided")
    codes: list[CodeShown]


class RuleShown(Shown):
    """A rule of the catalogue."""

    name: str
    version: str
    zh: str
    en: str
    inputs: list[InputShown]
    outcomes: list[CodeShown]
    parameters: list[ParameterShown] = Field(description="全部取值 · every value there is")
    parameters_unknown: list[str] = Field(
        description="方案未列的参数 · parameters this plan does not have"
    )
    clauses: list[ClauseShown]


class Catalogue(Shown):
    """Every rule there is."""

    plan_version: str
    rules: list[RuleShown]


class Parameters(Shown):
    """Parameters in force on a day."""

    plan_version: str
    on: date
    items: list[ParameterShown]
    without_value: list[str] = Field(
        description="当日无取值的参数 · parameters without a value on the day"
    )
