"""The register's four feeds, declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrollment.register import models, rules
from enrollment.register.intake import (
    employer_applications,
    employers,
    insured_persons,
    new_persons,
    person_applications,
)
from enrollment.register.schemas import (
    Employer,
    EmployerApplication,
    InsuredPerson,
    PersonApplication,
)
from enrollment.register.store import withdrawable
from enrollment.register.store.employers import lock_register
from shared.deliveries.feed import Feed
from shared.deliveries.standing import Standing

_TEXTS: Mapping[str, tuple[str, str]] = {
    "employer-unknown": (
        "登记证号 {value} 的用人单位尚未登记，待其登记后处理",
        "employer {value} is not in the register yet; the record waits for it",
    ),
    "employer-not-registered": (
        "登记证号 {value} 的用人单位未登记，不能注销",
        "employer {value} is not in the register and cannot leave it",
    ),
    "person-unknown": ("此人未参保，不能减员", "this person is not in the register"),
    "person-not-insured": (
        "此人已终止参保，不能再次减员",
        "this person has already left the insurance",
    ),
    "person-in-other-unit": (
        "此人参保地不在贵单位，应由其参保地申报减员",
        "this person is insured in another unit, which has to report the leaving",
    ),
    "employer-in-other-unit": (
        "该用人单位登记地不在贵单位，应由其登记地申报注销",
        "this employer is registered in another unit, which has to report the leaving",
    ),
    "employed-after-enrolment": (
        "用工起始日期 {value} 晚于参保生效日期 {limit}",
        "employed from {value}, after the enrolment takes effect, {limit}",
    ),
    "person-died": (
        "此人已登记死亡，不能参保；登记有误的，请更正该减员申请",
        "this person is registered as dead; if that is wrong, correct the application that said so",
    ),
    "place-without-transfer": (
        "只有转入、转出申请填写外市地区代码",
        "only a transfer names another place, not {value}",
    ),
    "transfer-within-city": (
        "{value} 在本市之内，市内变动请按参保登记(变更)申请",
        "{value} is within the city: apply for an enrolment (change) instead",
    ),
    "correction-other-person": (
        "此申请编号已用于他人；更正不得换人，请另行申报",
        "this application is about another person; send a new one instead",
    ),
    "correction-other-employer": (
        "此申请编号已用于其他用人单位；更正不得更换单位，请另行申报",
        "this application is about another employer; send a new one instead",
    ),
}

_AGENCY = frozenset({"agency"})
_AGENCY_AND_UNITS = frozenset({"agency", "unit"})
_PERSONAL = frozenset({"identity_no", "name", "birth_on"})


def _never_listed(row: dict[str, Any]) -> dict[str, Any]:
    """An entry no list names any more ends as never valid."""
    return {**row, "status": rules.ENDED}


FEEDS = (
    Feed(
        name="employers",
        title_zh="参保用人单位名册",
        title_en="Register of employers",
        departments=_AGENCY,
        record=Employer,
        period_kind="month",
        columns=employers.COLUMNS,
        judge=employers.judge_employers,
        apply=employers.apply_employers,
        example={
            "agency_no": "21050200123",
            "name": "本溪某某饮食有限公司",
            "reg_type": "173",
            "industry": "67",
            "unit": "210502",
            "enrolled_on": "2006-03-01",
            "status": "enrolled",
            "org_code": "PDY00001X",
        },
        obligation="O3",
        texts=_TEXTS,
        headings={
            "agency_no": ("社会保险登记证号", "社保登记证号", "单位编号"),
            "name": ("单位名称", "名称全称"),
        },
        personal=frozenset({"owner_id", "tax_no"}),
        standing=Standing(
            models.register_employers,
            ended=_never_listed,
            key="agency_no",
            gone="s.status = 'ended'",
            figures={"employer_count": "count(*) FILTER (WHERE status <> 'ended')"},
            lasting=True,
            refuses=withdrawable.employers_list_stands,
            lock=lock_register,
        ),
    ),
    Feed(
        name="insured-persons",
        title_zh="参保人员名册",
        title_en="Register of insured persons",
        departments=_AGENCY,
        record=InsuredPerson,
        period_kind="month",
        columns=insured_persons.COLUMNS,
        judge=insured_persons.judge_insured_persons,
        apply=insured_persons.apply_insured_persons,
        fresh=new_persons.NEW_PERSONS,
        example={
            "identity_no": "210502197001019805",
            "name": "张三",
            "unit": "210502",
            "status": "active",
            "worker_class": "flexible",
            "enrolled_on": "1998-07-01",
        },
        obligation="O3",
        texts=_TEXTS,
        headings={"enrolled_on": ("参保日期", "首次参保日期", "参保时间")},
        personal=_PERSONAL,
        standing=Standing(
            models.persons,
            ended=_never_listed,
            key="person_key",
            gone="s.status = 'ended'",
            figures={
                "insured_count": "count(*) FILTER (WHERE status <> 'ended')",
                "active_count": "count(*) FILTER (WHERE status = 'active')",
            },
            lasting=True,
            refuses=withdrawable.persons_list_stands,
            lock=lock_register,
        ),
    ),
    Feed(
        name="employer-applications",
        title_zh="用人单位参保申请",
        title_en="Employers' applications",
        departments=_AGENCY_AND_UNITS,
        record=EmployerApplication,
        period_kind="dekad",
        columns=employer_applications.COLUMNS,
        judge=employer_applications.judge_employer_applications,
        apply=employer_applications.apply_employer_applications,
        example={
            "application_no": "EA-2008-000001",
            "action": "enrol",
            "applied_on": "2008-06-03",
            "effective_on": "2008-06-05",
            "agency_no": "21050200124",
            "unit": "210502",
            "name": "本溪某某运输有限公司",
            "reg_type": "173",
            "industry": "52",
            "org_code": "PDY000028",
        },
        obligation="O30",
        texts=_TEXTS,
        headings={"action": ("申请类别", "业务类型"), "name": ("单位名称", "名称全称")},
        personal=frozenset({"owner_id", "tax_no"}),
        standing=Standing(
            models.employer_applications,
            ended=lambda row: {**row, "action": "leave"},
            figures={"application_count": "count(*)"},
            refuses=withdrawable.employer_applications_stand,
            lock=lock_register,
        ),
    ),
    Feed(
        name="person-applications",
        title_zh="人员增减申请",
        title_en="Persons' applications",
        departments=_AGENCY_AND_UNITS,
        record=PersonApplication,
        period_kind="dekad",
        columns=person_applications.COLUMNS,
        judge=person_applications.judge_person_applications,
        apply=person_applications.apply_person_applications,
        example={
            "application_no": "PA-2008-000001",
            "action": "enrol",
            "applied_on": "2008-06-03",
            "effective_on": "2008-06-05",
            "identity_no": "210502198001019834",
            "name": "李四",
            "unit": "210502",
            "worker_class": "flexible",
        },
        obligation="O30",
        texts=_TEXTS,
        headings={"action": ("申请类别", "增减类别", "业务类型")},
        personal=_PERSONAL,
        standing=Standing(
            models.person_applications,
            ended=lambda row: {**row, "action": "leave", "reason": "ended"},
            figures={"application_count": "count(*)"},
            refuses=withdrawable.person_applications_stand,
            lock=lock_register,
        ),
    ),
)
