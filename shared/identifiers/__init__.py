"""The numbers by which firms and persons are known: own checks, naming the right digit.

Checks never repair. ``read`` does where that is certain, and tells every repair. The batch forms
(numpy) live in ``shared.identifiers.batch`` and are not imported here, so that rules stay light.

Sources: GB 11714-1997 (organisation code), GB 32100-2015 (18-character code), GS 15-2006
(registration number), 国税函〔2006〕820号 (tax number), GB 11643-1999 (identity number).
"""

from shared.identifiers.divisions import Standing, division_standing
from shared.identifiers.documents import (
    IDENTITY_CARD,
    NUMBER_OF,
    DocumentKind,
    IdentityKind,
    check_passport_no,
    check_residence_permit_no,
    check_travel_permit_no,
    passport_key_text,
    person_key_text,
)
from shared.identifiers.employers import (
    USCC_AUTHORITIES,
    check_org_code,
    check_reg_no,
    check_tax_no,
    check_uscc,
    employer_key,
    org_code_from_tax_no,
    org_code_from_uscc,
    owner_identity_from_tax_no,
)
from shared.identifiers.made import make_identity_no, make_org_code, make_reg_no, make_uscc
from shared.identifiers.parts import (
    LicenceKind,
    Note,
    UsccParts,
    division_note,
    identity_division,
    licence_kind,
    licence_note,
    uscc_parts,
)
from shared.identifiers.persons import (
    check_identity_no,
    identity_18_from_15,
    identity_birth_on,
    identity_form_problem,
    identity_sex,
)
from shared.identifiers.problem import CheckError, Problem, ProblemCode
from shared.identifiers.reading import Kind, Reading, Repair, check_licence_no, notations, read

__all__ = [
    "IDENTITY_CARD",
    "NUMBER_OF",
    "USCC_AUTHORITIES",
    "CheckError",
    "DocumentKind",
    "IdentityKind",
    "Kind",
    "LicenceKind",
    "Note",
    "Problem",
    "ProblemCode",
    "Reading",
    "Repair",
    "Standing",
    "UsccParts",
    "check_identity_no",
    "check_licence_no",
    "check_org_code",
    "check_passport_no",
    "check_reg_no",
    "check_residence_permit_no",
    "check_tax_no",
    "check_travel_permit_no",
    "check_uscc",
    "division_note",
    "division_standing",
    "employer_key",
    "identity_18_from_15",
    "identity_birth_on",
    "identity_division",
    "identity_form_problem",
    "identity_sex",
    "licence_kind",
    "licence_note",
    "make_identity_no",
    "make_org_code",
    "make_reg_no",
    "make_uscc",
    "notations",
    "org_code_from_tax_no",
    "org_code_from_uscc",
    "owner_identity_from_tax_no",
    "passport_key_text",
    "person_key_text",
    "read",
    "uscc_parts",
]
