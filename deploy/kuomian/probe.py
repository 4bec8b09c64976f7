"""``python -m kuomian.probe [live|ready|started]``: ask the service in this container how it is.

For health checks of containers: exit code 0 when it answers that all is well, else 1 with what it
answered. Asks the service installed here (an image holds one) at PORT on this machine.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection
from importlib.util import find_spec

from kuomian.services import PACKAGES
from shared.settings import load_settings

TIMEOUT_SECONDS = 4


def installed() -> str | None:
    """The name of a service present here; the first one in a checkout, which has all."""
    return next((name for name, package in PACKAGES.items() if find_spec(package)), None)


def probe(question: str, name: str, host: str, port: int) -> tuple[bool, str]:
    """Whether ``/{name}/health/{question}`` says yes, and its words. Never raises for a service
    that does not answer."""
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"/{name}/health/{question}")
        answer = connection.getresponse()
        return answer.status == 200, answer.read(4096).decode("utf-8", "replace")
    except OSError as error:
        return False, str(error)
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    """The exit code of a health check."""
    question = arguments[0] if arguments else "live"
    name = installed()
    if name is None or question not in {"live", "ready", "started"}:
        print(__doc__, file=sys.stderr)
        return 2
    settings = load_settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    fine, words = probe(question, name, host, settings.port)
    print(words)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
