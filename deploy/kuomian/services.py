"""The four services by name. With the all-in-one this is all that knows there are several."""

from __future__ import annotations

from importlib import import_module

from shared.service import Service

PACKAGES = {
    "registration-feed": "registration_feed",
    "tax-feed": "tax_feed",
    "enrollment": "enrollment",
    "reporting": "reporting",
}
"""Service name → package; also the order in which they are started."""

NAMES = tuple(PACKAGES)


class UnknownService(LookupError):
    """No service of that name; the message lists those there are."""


def get_service(name: str) -> Service:
    """The declaration of a service, imported when asked for: an image holds only its own.

    Raises UnknownService.
    """
    package = PACKAGES.get(name)
    if package is None:
        raise UnknownService(
            f"没有名为 {name} 的服务 · there is no service {name}: {', '.join(NAMES)}"
        )
    try:
        service: Service = import_module(f"{package}.app").SERVICE
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == package:
            raise UnknownService(
                f"此安装不含服务 {name} · this installation does not contain {name} ({error.name})"
            ) from error
        raise
    return service


def all_services() -> list[Service]:
    """The four, in the order in which they are started."""
    return [get_service(name) for name in NAMES]
