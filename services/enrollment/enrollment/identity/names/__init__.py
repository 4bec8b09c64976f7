"""Employers' names as evidence of who is who: normal form, comparison, blocking. Pure.

Names are good evidence and never a key: what they say is scored with what else is known, and what
they leave open goes to a person (docs/decisions/0027).
"""

from enrollment.identity.names.blocks import Pair, Pairs, blocks_of, pairs_of
from enrollment.identity.names.compare import Evidence, Outcome, Seen, Verdict, compare
from enrollment.identity.names.normal import Normal, normal_of, plain
from enrollment.identity.names.places import Places, places_of
from enrollment.identity.names.policy import NamePolicy, policy_of
from enrollment.identity.names.texts import OUTCOMES, RULES, WHAT, Said, explained

__all__ = [
    "OUTCOMES",
    "RULES",
    "WHAT",
    "Evidence",
    "NamePolicy",
    "Normal",
    "Outcome",
    "Pair",
    "Pairs",
    "Places",
    "Said",
    "Seen",
    "Verdict",
    "blocks_of",
    "compare",
    "explained",
    "normal_of",
    "pairs_of",
    "places_of",
    "plain",
    "policy_of",
]
