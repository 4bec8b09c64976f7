"""How long the certificates a service trusts are still good."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from shared.metrics import CERTIFICATE_EXPIRES
from shared.settings import Settings


def watch_certificates(service: str, settings: Settings) -> None:
    """Show when the authority in ``KAFKA_CA_FILE`` ends, where the bus is reached by it.

    Of the file as it is now, for that is what the client keeps until the process ends: a renewed
    file counts from the next start. Raises OSError, ValueError for a file that cannot be read.
    """
    by_tls = settings.bus == "kafka" and settings.kafka_security_protocol.endswith("SSL")
    if by_tls and settings.kafka_ca_file is not None:
        ends = certificates_end(settings.kafka_ca_file)
        CERTIFICATE_EXPIRES.labels(service, "kafka-ca").set(ends)


def certificates_end(file: Path) -> float:
    """The moment (seconds since 1970) at which the last certificate of a PEM file ends: during a
    rotation the old authority stands beside the new one, and either will do."""
    found = x509.load_pem_x509_certificates(file.read_bytes())
    return max(certificate.not_valid_after_utc.timestamp() for certificate in found)
