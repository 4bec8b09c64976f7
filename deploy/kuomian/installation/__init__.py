"""``docker-compose.yml`` run as processes of this machine, without an engine."""

from kuomian.installation.places import Places
from kuomian.installation.running import COMPOSE_FILE, Installation

__all__ = ["COMPOSE_FILE", "Installation", "Places"]
