"""Apache Kafka's own programs for tests and the demo: the jars of ``deploy/kafka/pom.xml``.

Maven fetches them once into a folder outside git; afterwards neither Maven nor a network is
needed. Nothing of this belongs to an installation: operators bring their own Kafka.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from kuomian.data_dir import CHECKOUT
from kuomian.words import Failure

RECIPE: Final = CHECKOUT / "deploy" / "kafka"
DEFAULT_CACHE: Final = CHECKOUT / ".cache" / "kafka"
JAVA_VERSION: Final = 17
FETCH_SECONDS: Final = 600


class KafkaMissing(Failure):
    """This machine cannot run a Kafka broker; the text says what it lacks."""


def kafka_jars(cache_dir: Path = DEFAULT_CACHE) -> Path:
    """The folder of the jars, fetched when it is not there (about 44 MB, 20 seconds).

    Safe in several processes at once; a fetch cut off leaves nothing behind that would be used.
    Raises KafkaMissing without the recipe, without Maven, or when Maven does not get the jars.
    """
    pom = RECIPE / "pom.xml"
    if not pom.is_file():
        raise KafkaMissing(
            "没有 deploy/kafka/pom.xml · a Kafka broker is started from a checkout only"
        )
    cache_dir.mkdir(parents=True, exist_ok=True)
    target = cache_dir / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    with (cache_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _fetch(pom, target)
    return target


def java_program() -> str:
    """The Java that runs the broker. Raises KafkaMissing without one of version 17 or newer."""
    java = shutil.which("java")
    if java is None:
        raise KafkaMissing(
            "没有 Java · Kafka needs Java 17 or newer, and no java is on the path"
            " (Debian: apt-get install openjdk-17-jre-headless)"
        )
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if found is None or int(found[1]) < JAVA_VERSION:
        version = found[0] if found else told.stderr.strip()[:100]
        raise KafkaMissing(f"Java 过旧 · Kafka needs Java 17 or newer, found {version}")
    return java


def kafka_command(cache_dir: Path = DEFAULT_CACHE, *, heap_megabytes: int = 256) -> list[str]:
    """What runs one of Kafka's own programs, its main class to be added. Raises KafkaMissing."""
    java, jars = java_program(), kafka_jars(cache_dir)
    return [
        *(java, f"-Xmx{heap_megabytes}m", "-XX:+UseSerialGC"),
        # Half of the time to start is compiling; the short way costs little afterwards.
        "-XX:TieredStopAtLevel=1",
        "-Dlog4j2.disableJmx=true",
        f"-Dlog4j2.configurationFile={RECIPE / 'log4j2.properties'}",
        *("-cp", f"{jars}/*"),
    ]


def _fetch(pom: Path, target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing(
            "没有 Maven · Kafka is fetched by Maven, and no mvn is on the path"
            " (Debian: apt-get install maven)"
        )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        # A copy, so that Maven leaves no target folder beside the recipe.
        recipe = shutil.copy(pom, Path(folder) / "pom.xml")
        jars = Path(folder) / "jars"
        command = [maven, "-B", "-q", "-f", str(recipe), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise KafkaMissing(f"Maven 超时 · mvn took more than {FETCH_SECONDS} s") from None
        if done.returncode != 0:
            words = " ".join((done.stdout + done.stderr).split())[:500]
            raise KafkaMissing(f"Maven 未能取得 Kafka · mvn did not get Kafka: {words}")
        jars.rename(target)
