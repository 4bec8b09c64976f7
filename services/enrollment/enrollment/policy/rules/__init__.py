"""The rules of the plan, each a pure function of its inputs, a day and the plan's parameters."""

from __future__ import annotations

from typing import Final

from enrollment.policy.rules import ages, back_payment, employers, money, scope
from enrollment.policy.rules.case import Rule, decide
from enrollment.policy.rules.reading import codes_of, read_inputs
from enrollment.policy.rules.terms import Decision

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        ages.WORKING_AGE,
        scope.IN_SCOPE,
        scope.FREELANCER_PATH,
        scope.REFUSAL,
        money.FREELANCER_BASE,
        back_payment.BACK_PAYMENT,
        employers.REGISTRATION_CLOCK,
        employers.NO_WAGE,
        employers.UNDECLARED,
        employers.LATE_FEE,
    )
}
"""Every rule by its name."""

__all__ = ["RULES", "Decision", "Rule", "codes_of", "decide", "read_inputs"]
