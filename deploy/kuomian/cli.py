"""``kuomian``: serve, migrate, push, look after. Every command explains itself with ``--help``.

Exit code 0 for success, 1 for a failure told in one line, 2 for a command written wrongly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer
from pydantic import ValidationError

from kuomian import cli_again, cli_data, cli_keys, cli_outbox, cli_serve
from kuomian.cli_data import DataDir, data_dir_of
from kuomian.words import Failure, fail_words

app = typer.Typer(
    name="kuomian",
    help="扩面:谁应当参保而尚未参保,离目标还有多远。\n\n"
    "Who should have an urban pension insurance and has not, and how far there is to go.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(cli_serve.serve)
app.command()(cli_serve.migrate)
app.command()(cli_serve.reencrypt)
app.command()(cli_serve.demo)
app.command(hidden=True)(cli_serve.gateway)
app.command()(cli_data.push)
app.command()(cli_keys.keys)
app.command()(cli_keys.verify_receipt)
app.command()(cli_again.rebuild)
app.command()(cli_again.republish)
app.add_typer(cli_data.dead_letters, name="dead-letters")
app.add_typer(cli_outbox.outbox, name="outbox")
app.command()(cli_serve.forget)


@app.command()
def token(
    department: Annotated[str, typer.Argument(help="部门 · department, such as tax or unit")],
    unit: Annotated[
        list[str] | None, typer.Option(help="填报单位,可多次 · reporting unit; repeatable")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="有效天数 · days it is valid")] = 30,
    subject: Annotated[str, typer.Option(help="持有人 · who holds it")] = "",
    data_dir: DataDir = None,
) -> None:
    """签发令牌(内置签发者) · a bearer token signed by the embedded issuer.

    Whoever can read DATA_DIR can make tokens; with AUTH_JWKS set the services do not believe them.

    **Examples**

    `kuomian token tax`

    `kuomian token unit --unit 210502 --days 7`
    """
    from shared.auth import Issuer  # noqa: PLC0415 - quick --help

    try:
        made = Issuer(data_dir_of(data_dir)).token(
            subject or f"{department}@cli", department, unit, timedelta(days=days)
        )
    except ValueError as error:
        raise Failure(str(error)) from error
    print(made)


@app.command()
def settings() -> None:
    """设置一览 · every setting: variable, type, default, meaning.

    **Example**

    `kuomian settings`
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from shared.settings import settings_table  # noqa: PLC0415

    table = Table("变量 · variable", "类型 · type", "缺省 · default", "含义 · meaning")
    for row in settings_table():
        table.add_row(row.env, row.type, row.default, row.description)
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(table)


@app.command(name="version")
def show_version() -> None:
    """版本 · which release this is, and which plan it has built in.

    **Example**

    `kuomian version`
    """
    from shared.plan import Plan  # noqa: PLC0415

    try:
        release = version("kuomian")
    except PackageNotFoundError:
        release = "0 (not installed)"
    plan = Plan.default()
    print(f"kuomian {release} · Python {sys.version.split()[0]} · {plan.identity.name.zh}")
    print(f"plan {plan.version}")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a failure becomes one line on standard error and exit code 1."""
    _run(lambda: app(args=arguments, prog_name="kuomian"))


def _run(command: Callable[[], object]) -> None:
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            name = "_".join(map(str, detail["loc"])).upper()
            print(f"设置 · setting {name}: {detail['msg']}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        print(f"kuomian: {fail_words(error)}", file=sys.stderr)
        sys.exit(1)
