"""Which bus the settings ask for."""

import ssl
from typing import Any

from shared.bus.contract import Bus
from shared.settings import Settings


def build_bus(settings: Settings) -> Bus:
    """The bus of this process, not yet started.

    Raises ValueError when the settings name a bus but not where it is. Kafka is only imported
    when it is asked for.
    """
    if settings.bus == "kafka":
        from shared.bus.kafka import KafkaBus  # noqa: PLC0415

        if settings.kafka_bootstrap_servers is None:
            raise ValueError("BUS=kafka needs KAFKA_BOOTSTRAP_SERVERS")
        return KafkaBus(
            settings.kafka_bootstrap_servers,
            security=kafka_security(settings),
            fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
            replication_factor=settings.kafka_replication_factor,
        )
    from shared.bus.postgres import PostgresBus  # noqa: PLC0415

    if settings.bus_database_url is None:
        raise ValueError("BUS=postgres needs BUS_DATABASE_URL")
    return PostgresBus(
        settings.bus_database_url.get_secret_value(),
        retention_seconds=settings.bus_retention_hours * 3600,
        connect_seconds=settings.database_connect_seconds,
    )


def kafka_security(settings: Settings) -> dict[str, Any]:
    """The Kafka client's connection options for TLS and SASL."""
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options
