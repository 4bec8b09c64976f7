"""Who calls and what they may: tokens, callers, dependencies, a browser's session."""

from shared.auth.caller import DEPARTMENTS, Caller
from shared.auth.http import (
    SESSION_COOKIE,
    CallerDep,
    FoundCaller,
    allow,
    authority_of,
    find_caller,
    get_caller,
)
from shared.auth.sign_in import sign_in_router
from shared.auth.tokens import Authority, Issuer

__all__ = [
    "DEPARTMENTS",
    "SESSION_COOKIE",
    "Authority",
    "Caller",
    "CallerDep",
    "FoundCaller",
    "Issuer",
    "allow",
    "authority_of",
    "find_caller",
    "get_caller",
    "sign_in_router",
]
