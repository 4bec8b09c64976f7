"""The end of the certificates a service trusts is known before it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from kuomian.kafka_certificates import DAYS, make_certificates
from shared.certificates import certificates_end, watch_certificates
from shared.metrics import REGISTRY
from shared.settings import Settings

SHOWN = "kuomian_certificate_expires_timestamp_seconds"


def shown(service: str) -> float | None:
    return REGISTRY.get_sample_value(SHOWN, {"service": service, "certificate": "kafka-ca"})


def test_the_end_of_the_bus_s_authority_is_shown(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(make_certificates().authority)
    given: dict[str, Any] = {"bus": "kafka", "kafka_ca_file": authority}
    watch_certificates("plain", Settings(**given))
    assert shown("plain") is None
    watch_certificates("by tls", Settings(**given, kafka_security_protocol="SASL_SSL"))
    ends = shown("by tls")
    assert ends is not None
    days = (datetime.fromtimestamp(ends, UTC) - datetime.now(UTC)).days
    assert days in range(DAYS - 3, DAYS + 1)


def test_of_two_authorities_the_later_end_counts(tmp_path: Path) -> None:
    authority = make_certificates().authority
    (certificate,) = x509.load_pem_x509_certificates(authority.encode())
    both = tmp_path / "both.crt"
    both.write_text(EXPIRED + authority)
    assert certificates_end(both) == certificate.not_valid_after_utc.timestamp()
    both.write_text(EXPIRED)
    assert datetime.fromtimestamp(certificates_end(both), UTC) == datetime(2021, 1, 1, tzinfo=UTC)


def test_what_is_no_certificate_is_said_at_the_start(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.crt"
    wrong.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    with pytest.raises(ValueError, match=r"(?i)pem|certificate|parse"):
        certificates_end(wrong)


EXPIRED = """\
-----BEGIN CERTIFICATE-----
MIIBETCBt6ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB0V4cGlyZWQw
HhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdFeHBp
cmVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7WoKu7O/LXhioxzDnAH/uGQ0
lRe6JYhg+FJmvtUjmOfASrGnO08MrzkUueuCl4/9YweJO+5S7aj2k11oHq75fzAK
BggqhkjOPQQDAgNJADBGAiEAloiH+4Y1t4fCaNMj7cBjNW+QZWs0dw6ihsBpsvAr
wf4CIQCbsSPfky9w+zmhK3jDR5T5rnkNort2oSwIzxeVGnXX7A==
-----END CERTIFICATE-----
"""
"""Of an authority that ended on 1 January 2021."""
