"""Matching employers: by their numbers, against a plain SQL join of the same rows; by name."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import psycopg

from enrollment.identity.intake import identify
from enrollment.identity.names import NamePolicy, Pairs, Seen, pairs_of, policy_of
from enrollment.identity.rules import Claim
from kuomian.city.names import TRADES
from shared.database import Database
from shared.identifiers import make_org_code
from shared.plan import Plan
from tests.benchmarks.machine import Placing
from tests.benchmarks.made import parts
from tests.benchmarks.plan_of_run import Run
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    Measure,
    Miscounted,
    Sample,
    Samples,
    at_most,
    check_rows,
    per_second,
    times,
)
from tests.benchmarks.spread import Spread

TIMES_FLOOR, TIMES_GOAL = 5, 2
MINUTES_FLOOR, MINUTES_GOAL = 10, 1
BATCH: Final = 5_000
AT: Final = datetime(2008, 6, 10, tzinfo=UTC)
_PLACES: Final = ("本溪", "本溪市", "", "本溪市平山区", "桓仁", "桓仁满族自治县")
_FORMS: Final = ("有限公司", "有限公司", "有限公司", "有限责任公司", "厂", "商店", "经营部")
_BRANCHES: Final = (*[""] * 9, "平山分公司", "第一分公司")
_CHARACTERS: Final = (
    "鸿泰瑞丰明达永兴恒通金桥盛源华茂润泽嘉禾宏图新纪东升远航佳和万顺天成正阳隆安居利民德信福康"
    "祥云长青百川同心广厦晨光银河凯旋聚贤众合鑫淼旺森林海洋山峰玉龙凤鹏飞腾跃欣荣昌庆春秋夏冬"
    "梅兰竹菊松柏雪雨雷电星辰日月辉煌灿烂美好家园"
)


class Joined:
    """What a database alone would do: join the codes with the keys, and hand out the employers."""

    name = "join"

    def __init__(self, url: str, placing: Placing, keys: Sequence[str]) -> None:
        self._placing, self._wanted, self._found = placing, len(keys), 0
        self._conn = psycopg.connect(url, autocommit=True)
        self._conn.execute("CREATE TABLE plain_claims (id int PRIMARY KEY, key text NOT NULL)")
        with self._conn.cursor().copy("COPY plain_claims FROM STDIN") as copy:
            for row in enumerate(keys):
                copy.write_row(row)
        self._conn.execute("ANALYZE plain_claims, employer_keys")

    def prepare(self, round_no: int) -> None:
        self._found = 0

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            began = time.perf_counter()
            rows = self._conn.execute(
                "SELECT c.id, k.employer_id FROM plain_claims c JOIN employer_keys k USING (key)"
            ).fetchall()
            seconds = time.perf_counter() - began
        self._found = len(rows)
        return Sample(self._wanted, seconds)

    def check(self) -> None:
        check_rows(self.name, self._found, self._wanted)

    def close(self) -> None:
        """End the session."""
        self._conn.close()


class Identifying:
    """Enrollment's own: claims in batches, conflicts and missing keys looked for."""

    name = "identify"

    def __init__(self, url: str, placing: Placing, keys: Sequence[str]) -> None:
        self._url, self._placing = url, placing
        self._claims = [Claim((key,), key, "210502", False, None, None) for key in keys]
        self._employers: list[str] = []
        self._minted = 0

    def prepare(self, round_no: int) -> None:
        self._employers, self._minted = [], 0

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            return asyncio.run(self.identified())

    async def identified(self) -> Sample:
        """One pass over all claims; the first one mints the employers."""
        database = Database(self._url, pool_size=1, name="matching")
        try:
            async with database.transaction() as conn:
                began = time.perf_counter()
                for batch in parts(self._claims, BATCH):
                    found = await identify(conn, batch, AT)
                    self._employers += found.employers
                    self._minted += len(found.minted)
                return Sample(len(self._claims), time.perf_counter() - began)
        finally:
            await database.close()

    def check(self) -> None:
        check_rows(self.name, len(set(self._employers)), len(self._claims))
        if self._minted:
            raise Miscounted(f"{self._minted:,} employers were not known")


@contextmanager
def codes(run: Run) -> Iterator[Sequence[Alternative]]:
    """Enrollment's database with employers in it that all are known by their codes."""
    placing, keys = run.stage.placing, [f"oc:{make_org_code(f'P{n:07d}')}" for n in range(60_000)]
    url = run.stage.fresh_databases()["enrollment"]
    own = Identifying(url, placing, keys)
    asyncio.run(own.identified())
    with ExitStack() as stack:
        limit = Joined(url, placing, keys)
        stack.callback(limit.close)
        yield [limit, own]


def read_codes(samples: Samples) -> list[Figure]:
    slower = times(samples["join"], samples["identify"])
    return [
        Figure(
            f"matching {samples['join'][0].rows:,} employers by code",
            f"{slower.middle:.1f} × the plain join's time ({slower.low:.1f}–{slower.high:.1f}):"
            f" {per_second(samples['identify'])}, join {per_second(samples['join'])}",
            f"{TIMES_FLOOR} ×",
            f"{TIMES_GOAL} ×",
            at_most(slower, TIMES_FLOOR),
        )
    ]


class Naming:
    """Two lists of made names, most of the second written otherwise than in the first."""

    def __init__(self, policy: NamePolicy, placing: Placing, size: int) -> None:
        self.name, self._policy, self._placing = "names", policy, placing
        self._rng, self._size = random.Random(size), size
        self._left: list[Seen] = []
        self._right: list[Seen] = []
        self._found: Pairs | None = None

    def prepare(self, round_no: int) -> None:
        rng = self._rng
        self._left = [Seen(f"{n}", self._named(), "210502") for n in range(self._size)]
        self._right = [
            one._replace(name=one.name.replace("本溪市", "") + "(停业)" if n % 3 else self._named())
            for n, one in enumerate(self._left)
        ]
        rng.shuffle(self._right)

    def _named(self) -> str:
        rng = self._rng
        brand = "".join(rng.choices(_CHARACTERS, k=rng.choice((2, 2, 3))))
        trade = rng.choice(tuple(TRADES.values()))
        return rng.choice(_PLACES) + brand + trade + rng.choice(_FORMS) + rng.choice(_BRANCHES)

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            began, cpu = time.perf_counter(), time.process_time()
            self._found = pairs_of(self._left, self._right, self._policy)
            values = {"CPU s": time.process_time() - cpu}
            return Sample(self._size, time.perf_counter() - began, values)

    def check(self) -> None:
        pairs = self._found.found if self._found else []
        found = {pair.left for pair in pairs if pair.left == pair.right}
        wanted = sum(1 for one in self._right if one.name.endswith("(停业)"))
        if len(found) < 0.99 * wanted:
            raise Miscounted(f"{len(found):,} of {wanted:,} names found")


@contextmanager
def named(run: Run) -> Iterator[Sequence[Alternative]]:
    policy = policy_of(Plan.default(), date(2008, 6, 1))
    yield [Naming(policy, run.stage.placing, 2 * run.size.rows)]


def read_names(samples: Samples) -> list[Figure]:
    runs = samples["names"]
    minutes = Spread.of([one.seconds / 60 for one in runs])
    size = runs[0].rows
    return [
        Figure(
            f"matching employers by name, {size:,} × {size:,}",
            f"{minutes.middle:.2f} min ({minutes.low:.2f}–{minutes.high:.2f}), one core",
            f"{MINUTES_FLOOR} min",
            f"{MINUTES_GOAL} min",
            at_most(minutes, MINUTES_FLOOR),
        )
    ]


def measures(run: Run) -> list[Measure]:
    return [
        Measure("matching", "matching by code", partial(codes, run), read_codes),
        Measure("matching-names", "matching by name", partial(named, run), read_names),
    ]
