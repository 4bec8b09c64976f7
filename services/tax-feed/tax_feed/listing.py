"""The lists of every capability from the outside: who may read, the filters all of them have, and
a page of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlalchemy import ColumnElement, Date, RowMapping, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth import Caller, allow
from shared.dependencies import ReadTx
from shared.paging import Page, PageDep
from shared.problems import problem
from tax_feed import store
from tax_feed.views import with_money

PREFIX = "/tax-feed/v1"

Reader = Annotated[
    Caller,
    allow("tax", "agency", "unit", "leading-group", "finance", "auditor", "operator"),
]
Month = Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="月份 · month, 2008-05")
MonthAsked = Annotated[str | None, Month]


@dataclass(frozen=True)
class Asked:
    """A caller's wish: whose rows, which page, of which units and employer."""

    caller: Caller
    tx: AsyncConnection
    page: Page
    request: Request
    response: Response
    unit: str | None
    employer_key: str | None

    def wanted(
        self,
        equal: Mapping[str, str | bool | None] | None = None,
        conditions: tuple[ColumnElement[bool], ...] = (),
    ) -> store.Wanted:
        """The common filters and those of one list."""
        own = {"unit": self.unit, "employer_key": self.employer_key}
        return store.Wanted({**own, **(equal or {})}, self.caller.units, conditions)

    async def page_of(
        self,
        table: Table,
        by: str,
        shown: Callable[[RowMapping], dict[str, Any]] = with_money,
        *,
        equal: Mapping[str, str | bool | None] | None = None,
        conditions: tuple[ColumnElement[bool], ...] = (),
    ) -> dict[str, Any]:
        """The rows in order of column ``by`` and natural key, as the answer's body."""
        after = self.page.after(str, str)
        dated = isinstance(table.c[by].type, Date)
        place = None if after is None else (_day(after[0]) if dated else after[0], after[1])
        wanted = self.wanted(equal, conditions)
        rows = await store.list_states(self.tx, table, by, wanted, place, self.page.limit + 1)
        return self.page.of(
            rows, lambda row: (str(row[by]), row["natural_key"]), self.request, self.response, shown
        )


async def asked(
    caller: Reader,
    tx: ReadTx,
    page: PageDep,
    request: Request,
    response: Response,
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
    employer_key: Annotated[
        str | None, Query(max_length=80, description="单位键 · employer key, oc:… or own:…")
    ] = None,
) -> Asked:
    """Dependency; refuses a unit the caller may not read."""
    if unit is not None:
        caller.require_unit(unit)
    return Asked(caller, tx, page, request, response, unit, employer_key)


AskedDep = Annotated[Asked, Depends(asked)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise problem("cursor-invalid") from None
