"""Field types that records of several feeds have, each once.

Every one carries its shape and its words (中文 · english); the Chinese part is also the usual
heading of its column in a table. A feed that means something narrower says so on the spot:
``Annotated[Persons, Meta(description="计税人数 · …")]`` keeps the shape and changes the words.

Money is decimal yuan with at most two decimals, as a string ("125000.00") or a JSON number; it
is integer fen from the first step on (``shared.deliveries.checks.Problems.fen``).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from shared.deliveries.numbers import numbered

Name = Annotated[
    str, Meta(min_length=2, max_length=200, description="名称全称 · full name as registered")
]
PersonName = Annotated[
    str, Meta(min_length=1, max_length=50, description="姓名 · name; kept encrypted")
]
LegalRep = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=50,
        description="法定代表人（负责人）姓名 · name of the legal representative; kept as a keyed "
        "hash and masked, never published",
    ),
]
Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="住所（经营地址） · business address; a household's is not published",
    ),
]
RegType = Annotated[
    str,
    Meta(
        pattern=r"^[1-4][0-9]{2}$",
        description="登记注册类型代码 · registration type, 110–420 (国统字〔1998〕200号)",
    ),
]
Industry = Annotated[
    str,
    Meta(pattern=r"^[0-9]{2}$", description="行业大类 · GB/T 4754-2002 division, two digits"),
]
Unit = Annotated[
    str,
    Meta(min_length=3, max_length=12, description="填报单位代码 · reporting unit, e.g. 210502"),
]
OrgCode = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Z]{8}-?[0-9X]$",
        description="组织机构代码 · organisation code, GB 11714-1997",
        extra=numbered("org-code"),
    ),
]
TaxNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{6}[0-9A-Z]{9}|[0-9]{15}00000|[0-9]{17}[0-9X]00|[0-9A-HJ-NP-RTUWXY]{18})$",
        description="税务登记号 · tax number: 15 characters, 20 for households, or 18",
        extra=numbered("tax-no"),
    ),
]
Uscc = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-HJ-NP-RTUWXY]{18}$",
        description="统一社会信用代码 · 18-character code, GB 32100-2015",
        extra=numbered("uscc"),
    ),
]
LicenceNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{13}|[0-9]{15}|[0-9A-HJ-NP-RTUWXY]{18})$",
        description="营业执照注册号 · registration number: 13 or 15 digits, or 18 characters",
        extra=numbered("licence-no"),
    ),
]
IdentityNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{15}|[0-9]{17}[0-9X])$",
        description="公民身份号码 · identity number, 18 or 15 digits (GB 11643); kept encrypted",
        extra=numbered("identity-no"),
    ),
]
PersonNo = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{15}|[0-9]{17}[0-9X]|[0-9A-Z]{5,12}|[A-Z]{3}[0-9]{12})$",
        description="证件号码 · number of the paper identity_kind names: an identity number of "
        "18 or 15 digits (GB 11643), of a passport, travel or residence permit; kept encrypted",
        extra=numbered("by-identity-kind"),
    ),
]
IdentityKind = Annotated[
    Literal["identity-card", "passport", "travel-permit", "residence-permit"],
    Meta(
        description="证件类别 · identity-card 身份证, passport 护照, "
        "travel-permit 港澳台居民通行证, residence-permit 外国人永久居留证"
    ),
]
Nationality = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}$",
        description="国籍 · state that issued the passport, three letters of ISO 3166 (KOR); "
        "needed with a passport",
    ),
]
BirthOn = Annotated[
    date,
    Meta(description="出生日期 · birth date; needed where no identity number tells it"),
]
Sex = Annotated[
    Literal["M", "F"],
    Meta(description="性别 · M 男, F 女; needed where no identity number tells it"),
]
DocumentNo = Annotated[
    str,
    Meta(
        pattern=r"^(?!.*[0-9]{15})[0-9A-Za-z-]{4,40}$",
        description="文书号 · number of the document; nowhere fifteen digits on end",
    ),
]
"""Stands in facts, hence room for no identity number."""
Month = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="月份 · month, 2008-05")
]
Persons = Annotated[int, Meta(ge=0, le=1_000_000, description="人数 · persons")]
Yuan = Annotated[Decimal, Meta(description="金额（元） · yuan, at most two decimals")]
