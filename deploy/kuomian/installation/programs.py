"""The programs the file takes for granted in its images: our Python, Kafka's command line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

from kuomian.kafka_install import kafka_command

KAFKA_HOME: Final = "/opt/kafka"
"""Where the image of Kafka has them."""
KAFKA_PROGRAMS: Final = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}


class Programs:
    """``folder`` is to stand in the search path, ``kafka_home`` in place of ``KAFKA_HOME``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka_home = folder / "kafka"

    def write(self) -> None:
        """Write them, for the interpreter and the jars of now. Raises KafkaMissing."""
        tools = self.kafka_home / "bin"
        tools.mkdir(parents=True, exist_ok=True)
        _write_script(self.folder / "python", [sys.executable])
        for name, main in KAFKA_PROGRAMS.items():
            _write_script(tools / name, [*kafka_command(), main])


def _write_script(path: Path, command: list[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', "utf-8")
    path.chmod(0o755)
