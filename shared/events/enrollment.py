"""Facts of enrollment: identity, the register, leads, census, cases (O3, O28–O30, O65–O87).

Employer facts are keyed by ``employer_id``, person facts by ``person_id``, lead facts by the
lead's employer or person. A person fact carries unit and segments, so that no consumer has to
ask back.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.base import Fact


class _EnrollmentFact(Fact, frozen=True, kw_only=True):
    producer: ClassVar[str] = "enrollment"


class _Link(_EnrollmentFact, frozen=True, kw_only=True):
    employer_id: str
    employer_keys: list[str]
    """Every feed key now known to mean this employer."""
    name: str
    unit: str
    rule: str
    """The rule that joined them: ``org-code``, ``licence-no``, ``owner``, ``register``; beyond
    numbers ``names`` (by score), ``officer`` or ``record`` (decided by people), ``split``."""
    merged_into: str | None = None
    """The employer this one was found to be; it has no keys of its own then (F13)."""


class EmployerLinked(_Link, frozen=True, kw_only=True):
    """Feed keys were found to be one employer, or an employer to be another (``merged_into``).
    Subject ``link:<employer_id>``."""

    kind: ClassVar[str] = "employer-linked"
    title_zh: ClassVar[str] = "用人单位关联"


class EmployerSplit(_Link, frozen=True, kw_only=True):
    """A link was undone; ``employer_keys`` are those that remain (F14)."""

    kind: ClassVar[str] = "employer-split"
    title_zh: ClassVar[str] = "用人单位拆分"


class _Employer(_EnrollmentFact, frozen=True, kw_only=True):
    employer_id: str
    agency_no: str
    """Social-insurance registration number, opaque text."""
    name: str
    unit: str
    org_code: str | None = None
    reg_type: str
    ownership: str
    trade: str
    household: bool = False
    in_township: bool = False
    status: str
    """``enrolled``, ``suspended`` or ``ended``."""
    enrolled_on: date
    effective_on: date


class EmployerEnrolled(_Employer, frozen=True, kw_only=True):
    """An employer is in the register (O30)."""

    kind: ClassVar[str] = "employer-enrolled"
    title_zh: ClassVar[str] = "用人单位参保登记"


class EmployerChanged(_Employer, frozen=True, kw_only=True):
    """Its register entry changed."""

    kind: ClassVar[str] = "employer-changed"
    title_zh: ClassVar[str] = "用人单位变更登记"


class EmployerEnded(_Employer, frozen=True, kw_only=True):
    """It left the register."""

    kind: ClassVar[str] = "employer-ended"
    title_zh: ClassVar[str] = "用人单位注销登记"


class _Person(_EnrollmentFact, frozen=True, kw_only=True):
    person_id: str
    employer_id: str | None = None
    """None for a flexible worker or a pensioner kept without employer."""
    unit: str
    status: str
    """``active``, ``suspended``, ``retired`` or ``ended``."""
    worker_class: str
    """``employee``, ``household`` (individual business), ``flexible`` (freelancer), ``migrant``
    (农民工), ``out-of-town`` (外埠人员) or ``foreign``: the plan's focus and special groups
    (O13, O16, O74)."""
    ownership: str
    """Of the employer: ``state``, ``collective``, ``private``, ``individual``, ``foreign``,
    ``other``, ``none``."""
    trade: str
    """Breakthrough trade of the employer: ``catering``, ``services``, ``construction``,
    ``transport`` or ``none`` (O14)."""
    enrolled_on: date
    effective_on: date


class PersonEnrolled(_Person, frozen=True, kw_only=True):
    """A person is insured (O12). Subject is the ``person_id``."""

    kind: ClassVar[str] = "person-enrolled"
    title_zh: ClassVar[str] = "人员参保"


class PersonChanged(_Person, frozen=True, kw_only=True):
    """Unit, employer, status or class of an insured person changed."""

    kind: ClassVar[str] = "person-changed"
    title_zh: ClassVar[str] = "参保人员变更"


class PersonEnded(_Person, frozen=True, kw_only=True):
    """A person left the insurance (death, moved away, withdrawn)."""

    kind: ClassVar[str] = "person-ended"
    title_zh: ClassVar[str] = "人员终止参保"


class _Lead(_EnrollmentFact, frozen=True, kw_only=True):
    lead_id: str
    lead_kind: str
    """``unenrolled-employer``, ``not-fully-enrolled`` or ``unenrolled-person``."""
    unit: str
    employer_id: str | None = None
    person_id: str | None = None
    """Of a lead of a person who is or was in the register."""
    person_key: str | None = None
    """Keyed hash of the identity number, as the census has it; of a lead of a person only."""
    status: str
    """``open``, ``advanced`` or ``closed``."""
    sources: list[str]
    """Feeds whose records are attached, in order of arrival (F17)."""
    headcount_gap: int = 0
    """Persons believed missing, by the best evidence so far; 1 of a lead of a person."""
    opened_on: date
    effective_on: date
    outcome: str | None = None
    """When closed: ``enrolled``, ``ceased``, ``evidence-withdrawn``, ``excluded`` (by a coded
    reason and a second person), or ``merged``: it was the lead of an employer found to be another,
    whose lead goes on."""
    stage: str = "found"
    """``found``, ``notified``, ``promised``, ``in-enforcement``; when closed ``enrolled``,
    ``excluded`` or ``ended`` (F19)."""


class LeadOpened(_Lead, frozen=True, kw_only=True):
    """Evidence says should be covered and is not (O28, O29). Subject is the ``lead_id``."""

    kind: ClassVar[str] = "lead-opened"
    leads: ClassVar[str] = "opened"
    title_zh: ClassVar[str] = "扩面资源立项"


class LeadAdvanced(_Lead, frozen=True, kw_only=True):
    """Another source, a larger gap, another stage of the work on it."""

    kind: ClassVar[str] = "lead-advanced"
    leads: ClassVar[str] = "advanced"
    title_zh: ClassVar[str] = "扩面资源跟进"


class LeadClosed(_Lead, frozen=True, kw_only=True):
    """Closed by register evidence (F20), because the employer ceased or the evidence was taken
    back, or excluded by two officers."""

    kind: ClassVar[str] = "lead-closed"
    leads: ClassVar[str] = "closed"
    title_zh: ClassVar[str] = "扩面资源办结"


class CensusVisited(_EnrollmentFact, frozen=True, kw_only=True):
    """A household or unit of the census frame was visited (O69)."""

    kind: ClassVar[str] = "census-visited"
    title_zh: ClassVar[str] = "普查走访"

    unit: str
    frame_no: str
    visited_on: date
    found_uninsured_count: int
    street: str = ""
    outcome: str = ""
    """Coded by the plan's list ``visit-outcomes``."""
    visited: bool = True
    """Whether it counts as visited: not where nobody was there, nor once taken back."""


class CensusPersonFound(_EnrollmentFact, frozen=True, kw_only=True):
    """The census found someone of whom it says that they are not insured (O70). Subject and key
    ``found:<unit>.<entry>``. Pseudonymous: neither number, name nor birth date."""

    kind: ClassVar[str] = "census-person-found"
    title_zh: ClassVar[str] = "普查登记人员"

    unit: str
    street: str
    person_key: str | None = None
    """Keyed hash of the identity number, both forms of it giving the same; None without one."""
    employer_key: str | None = None
    """``oc:`` or ``lic:`` of the employer met at; None where its numbers are not known."""
    sex: str
    """``M`` or ``F``."""
    worker_class: str
    """As in person facts."""
    reason: str
    """Why not insured, coded by the plan's list ``uninsured-reasons``."""
    can_pay: bool
    eligible: bool | None = None
    """By the plan's age limits (O67); None where it cannot be told."""
    age_finding: str
    """``of-working-age``, ``too-young``, ``too-old`` or ``post-unknown``."""
    found_on: date
    void: bool = False
    """Entered by mistake: nobody was found."""


class ComplaintReceived(_EnrollmentFact, frozen=True, kw_only=True):
    """A letter or report about an employer came in (O85). Subject and key ``complaint:<number>``.
    Nothing of who complained and nothing of what they wrote."""

    kind: ClassVar[str] = "complaint-received"
    title_zh: ClassVar[str] = "举报投诉受理"

    unit: str
    ground: str
    """Coded by the plan's list ``complaint-grounds``."""
    channel: str
    """``letter``, ``visit``, ``phone`` or ``mailbox``."""
    employer_key: str | None = None
    persons_affected: int | None = None
    received_on: date
    void: bool = False
    """Entered by mistake."""


class InspectionFound(_EnrollmentFact, frozen=True, kw_only=True):
    """The labour inspection found staff at an employer (O33). Subject and key
    ``inspection:<unit>.<number>``. Nobody is named."""

    kind: ClassVar[str] = "inspection-found"
    title_zh: ClassVar[str] = "劳动监察检查结果"

    unit: str
    employer_key: str | None = None
    """``oc:`` or ``lic:`` of the employer; None where its numbers are not known."""
    staff_count: int
    without_contract_count: int
    """Of the staff, those without a written contract."""
    not_enrolled_count: int
    """Of the staff, those not enrolled in the insurance."""
    inspected_on: date
    void: bool = False
    """Entered by mistake."""


class CensusCompared(_EnrollmentFact, frozen=True, kw_only=True):
    """Whom the census found in a unit was compared with the register (O71). Subject and key
    ``compared:<unit>``; each run is the next revision."""

    kind: ClassVar[str] = "census-compared"
    title_zh: ClassVar[str] = "普查比对"

    unit: str
    run_no: str
    compared_on: date
    new_count: int
    already_count: int
    ineligible_count: int
    elsewhere_count: int
    conflict_count: int
    unclear_count: int = 0
    repeated_count: int = 0
    """Entries of somebody entered before: not to be counted again."""
    potential_count: int = 0
    """Of the new: of working age and able to pay (O70)."""
    sha256: str = ""
    """Of the sealed document of the run."""


class CaseOpened(_EnrollmentFact, frozen=True, kw_only=True):
    """A case against an employer was opened (O33, O84, O85)."""

    kind: ClassVar[str] = "case-opened"
    title_zh: ClassVar[str] = "案件立案"

    case_id: str
    employer_id: str
    unit: str
    ground: str
    opened_on: date


class CaseClosed(_EnrollmentFact, frozen=True, kw_only=True):
    """A case ended with an outcome; penalty in fen, 0 for none."""

    kind: ClassVar[str] = "case-closed"
    title_zh: ClassVar[str] = "案件办结"

    case_id: str
    employer_id: str
    unit: str
    outcome: str
    penalty_fen: int = 0
    closed_on: date


class CheckDecided(_EnrollmentFact, frozen=True, kw_only=True):
    """An honour, bidding or deduction check was answered (O44, O45, O56, O57, F50, F51)."""

    kind: ClassVar[str] = "check-decided"
    title_zh: ClassVar[str] = "审验结论"

    check_id: str
    purpose: str
    employer_id: str
    unit: str
    answer: str
    """``pass``, ``fail`` or ``cannot-decide``."""
    as_of: date


class NamePublished(_EnrollmentFact, frozen=True, kw_only=True):
    """A refusing employer was named, after every step is on record (O87, F52)."""

    kind: ClassVar[str] = "name-published"
    title_zh: ClassVar[str] = "公布名单"

    employer_id: str
    unit: str
    published_on: date


class NameRemoved(_EnrollmentFact, frozen=True, kw_only=True):
    """The name was taken off the list: it enrolled and paid."""

    kind: ClassVar[str] = "name-removed"
    title_zh: ClassVar[str] = "移出名单"

    employer_id: str
    unit: str
    removed_on: date
