"""radar.toml and the `.env` beside it -> frozen typed settings. Reads files, changes nothing.

The start of the console pays for this: tomllib and dotenv are imported when there is something to read.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.model.configuration import (
    Display,
    Doubt,
    Environment,
    Prometheus,
    Settings,
    Supabase,
    Vercel,
    Withheld,
)
from console.model.configuration_rules import ENVIRONMENT_NAME, check, figures
from console.model.conversion import KeyPath, Misfit, as_key, convert
from console.model.misfits import all_misfits
from console.permissions import open_to_all, readable_by_all

if TYPE_CHECKING:
    from console.model.operations import Operations

SYSTEM_FILE = Path("/etc/radar/radar.toml")
SHARED_STATE = Path("/var/lib/radar")
DEFAULT_ENVIRONMENT = "production"
LARGEST_FILE_BYTES = 1 << 20
LEAST_CONFIGURATION = '[environments.production]\nurl = "https://app.example.com"'

_TOP_LEVEL = ("environments", "display", "state_directory", "demo")
_SECRET_KEYS = frozenset(
    field.name
    for kind in (Environment, Vercel, Supabase, Prometheus)
    for field in dataclasses.fields(kind)
    if "Secret" in field.type
) | {"key", "hook", "hook_token", "webhook", "routing_key", "heartbeat"}  # of operations, which are read later
_OPERATIONS = frozenset(
    ("access", "github", "maintenance", "verification", "slack", "statuspage", "pagerduty", "webhooks", "notify")
) | {"audit", "staging"}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_LINE = r"\(at line (\d+), column \d+\)"


@dataclasses.dataclass(frozen=True)
class _Demo:
    directory: str


class SettingsError(Exception):
    """Unusable configuration, for people: which file, line and key, what is wrong, what to do. Holds no secret.

    `others`: what else is wrong in it, told after the first.
    """

    def __init__(
        self,
        file: Path | None,
        line: int | None,
        key: str | None,
        problem: str,
        fix: str,
        others: Sequence[SettingsError] = (),
    ) -> None:
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.fix = fix
        self.others = tuple(others)
        self.place = ", ".join(str(part) for part in (file, f"line {line}" if line else None) if part)
        own = ": ".join(part for part in (self.place, key, problem) if part) + f"\n  {fix}"
        super().__init__("\n".join([own, *map(str, self.others)]))


def find_file(path: Path | None, process_environment: Mapping[str, str]) -> Path:
    """The configuration file: `path`, `$RADAR_CONFIG`, the user's own, the system's. Never the working directory's:
    a cloned repository must not name its own base URL and be sent the operator's token.
    """
    named = path or (Path(process_environment["RADAR_CONFIG"]) if process_environment.get("RADAR_CONFIG") else None)
    if named:
        return named.expanduser().absolute()
    places = (_user_directory(process_environment, "XDG_CONFIG_HOME", ".config") / "radar" / "radar.toml", SYSTEM_FILE)
    for place in places:
        if place.exists():
            return place
    looked = " and ".join(str(place) for place in places)
    fix = f"write one of them; the least is\n\n{LEAST_CONFIGURATION}\n\n  or try `radar demo`, which needs none"
    raise SettingsError(None, None, None, f"there is no configuration: looked at {looked}", fix)


def load(path: Path | None, environment: str | None, process_environment: Mapping[str, str]) -> Settings:
    """The settings of one environment (`--env`; else `production`, else the only one). Raises `SettingsError`."""
    file = find_file(path, process_environment)
    text = _read(file)
    _refuse_writable_by_all(file)
    _refuse_writable_by_all(file.parent / ".env")
    table = _parse(file, text)
    try:
        return _settings(file, text, table, environment, process_environment)
    except Misfit:

        def read(rest: dict[str, Any]) -> object:
            return _settings(file, text, rest, environment, process_environment)

        raise _told(file, text, *all_misfits(table, read)) from None


def _told(file: Path, text: str, first: Misfit, *others: Misfit) -> SettingsError:
    from console.model.toml_lines import key_lines, line_of  # only a wrong file pays for it

    line = line_of(key_lines(text), first.path)
    beside = [_told(file, text, other) for other in others]
    return SettingsError(file, line, as_key(first.path) or None, first.problem, first.fix, beside)


def _settings(
    file: Path, text: str, table: dict[str, Any], asked: str | None, process_environment: Mapping[str, str]
) -> Settings:
    _top_level(table)
    names = _names(table)
    name = _choose(names, asked)
    path: KeyPath = ("environments", name)
    whole = table["environments"][name]
    withheld = _service_of_another(whole) is not None
    variables = _Variables(file, process_environment, own_first="demo" in table, withheld=withheld)
    watched, acted = _parted(whole) if isinstance(whole, dict) else (whole, {})
    chosen, misfits = _environment(variables.fill(watched, path), name, path)

    def operations() -> Operations:
        from console.model.operations_rules import operations_of

        def read(rest: dict[str, Any]) -> Operations:
            return operations_of(variables.fill(rest["environments"][name], path), path)

        nested = {"environments": {name: acted}}
        try:
            return read(nested)
        except Misfit:
            raise _told(file, text, *all_misfits(nested, read)) from None

    return Settings(
        file=file,
        environment=_settled(chosen, file),
        environments=names,
        state_directory=_state_directory(file, table, name, process_environment),
        display=convert(table.get("display", {}), Display, ("display",)),
        demo_directory=_demo_directory(file, table),
        operations=operations,
        held_by=_service_of_another(whole),
        warnings=(
            *readable_by_all((file, _literal_secret(table)), (variables.env_file, variables.env_file.exists())),
            *(_left_out(_told(file, text, misfit)) for misfit in misfits),
        ),
    )


def _service_of_another(table: Any) -> str | None:
    """The account that holds the secrets of an environment whose authority is enforced, where we are not that one."""
    access = table.get("access") if isinstance(table, dict) else None
    service = access.get("service") if isinstance(access, dict) else None
    return service if isinstance(service, str) and service != _user_name() else None


def _parted(table: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What says how the environment is watched, and what says how one acts on it and who is told."""
    watched = {name: value for name, value in table.items() if name not in _OPERATIONS}
    return watched, {name: value for name, value in table.items() if name in _OPERATIONS}


def _environment(table: Any, name: str, path: KeyPath) -> tuple[Environment, tuple[Misfit, ...]]:
    """The environment with the figures of its own that can work, and the mistakes of those that cannot."""
    entries = table.get("custom", []) if isinstance(table, dict) else []
    rest = {**table, "custom": []} if isinstance(entries, list) and isinstance(table, dict) else table
    chosen = convert(rest, Environment, path, given={"name": name}, beside=_OPERATIONS)
    check(chosen, path)
    custom, misfits = figures(entries, chosen, (*path, "custom"))
    return dataclasses.replace(chosen, custom=custom), misfits


def _left_out(error: SettingsError) -> Doubt:
    from console.model.text import clean  # keys come from the file; only a wrong one pays for it

    return Doubt("custom", clean(f"{error.place}: {error.key}: {error.problem}: the figure is left out"), error.fix)


def _settled(environment: Environment, file: Path) -> Environment:
    """The url without a slash at its end, and the files of authorities as absolute paths."""
    return dataclasses.replace(
        environment,
        url=environment.url.rstrip("/"),
        database_ca=environment.database_ca and str(_beside(file, environment.database_ca)),
        certificate_ca=environment.certificate_ca and str(_beside(file, environment.certificate_ca)),
    )


def _beside(file: Path, value: str) -> Path:
    """A configured path; a relative one is beside the configuration, never in the working directory."""
    return (file.parent / Path(value).expanduser()).absolute()


# --- the file -------------------------------------------------------------------------------------------------------


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_FILE_BYTES + 1)
    except IsADirectoryError:
        fix = f"name the file itself: --config {file / 'radar.toml'}"
        raise SettingsError(file, None, None, "this is a directory, not a configuration", fix) from None
    except OSError as error:
        fix = f"make it readable for {_user_name()}, or name another file with --config"
        raise SettingsError(file, None, None, f"cannot be read: {(error.strerror or 'error').lower()}", fix) from None
    if len(data) > LARGEST_FILE_BYTES:
        raise SettingsError(file, None, None, "is larger than 1 MiB", "name the right file with --config")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SettingsError(file, line, None, "is not UTF-8 text", "save it as UTF-8") from None


def _parse(file: Path, text: str) -> dict[str, Any]:
    import tomllib  # 3 ms that `radar --help` need not pay

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(_LINE, str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        problem = re.sub(_LINE, "", str(error)).removesuffix("(at end of document)").strip()
        raise SettingsError(file, line, None, f"is not valid TOML: {problem}", "mend that line") from None


def _refuse_writable_by_all(file: Path) -> None:
    if found := open_to_all(file):
        raise SettingsError(file, None, None, *found)


def _literal_secret(value: object, key: str = "") -> bool:
    """Whether a secret stands in the file itself rather than as `${NAME}`."""
    if isinstance(value, dict):
        return any(_literal_secret(part, name) for name, part in value.items())
    return key in _SECRET_KEYS and isinstance(value, str) and not _VARIABLE.search(value)


# --- variables ------------------------------------------------------------------------------------------------------


class _Variables:
    """`${NAME}` in parsed values, from the process environment, else from the `.env` beside the file.

    In parsed values, so that a value with a quote in it cannot become another key; the process environment is
    never changed, so that no child inherits what stands in `.env`. `own_first`: the file outranks the process, for a
    demo, which must not reach the systems whose DATABASE_URL its user has exported. `withheld`: another account holds
    the secrets, so a variable that is not to be had is none to complain of.
    """

    def __init__(
        self, file: Path, process_environment: Mapping[str, str], *, own_first: bool = False, withheld: bool = False
    ) -> None:
        self.env_file = file.parent / ".env"
        self._withheld = withheld
        self._process = process_environment
        self._own_first = own_first
        self._beside: Mapping[str, str | None] | None = None

    def fill(self, value: Any, path: KeyPath) -> Any:
        """`value` with every variable replaced, deep. Raises `Misfit` for one that is not set."""
        if isinstance(value, dict):
            return {name: self.fill(part, (*path, name)) for name, part in value.items()}
        if isinstance(value, list):
            return [self.fill(part, (*path, position)) for position, part in enumerate(value)]
        if not isinstance(value, str):
            return value
        if self._withheld and any(self._find(found[1]) is None for found in _VARIABLE.finditer(value)):
            return Withheld()
        return _VARIABLE.sub(lambda found: self._value(found[1], path), value)

    def _value(self, name: str, path: KeyPath) -> str:
        value = self._find(name)
        if not value:
            problem = f"the variable {name} is {'not set' if value is None else 'empty'}"
            raise Misfit(path, problem, f"export {name}, or write {name}=… into {self.env_file}")
        return value

    def _find(self, name: str) -> str | None:
        own = self._from_file() if self._own_first or name not in self._process else {}
        return own[name] if name in own else self._process.get(name)

    def _from_file(self) -> Mapping[str, str | None]:
        if self._beside is None:
            hidden = self._withheld and not os.access(self.env_file, os.R_OK)
            self._beside = self._parsed() if self.env_file.exists() and not hidden else {}
        return self._beside

    def _parsed(self) -> Mapping[str, str | None]:
        import io

        from dotenv import dotenv_values  # 3 ms, only where a variable is not exported

        return dotenv_values(stream=io.StringIO(_read(self.env_file)), interpolate=False)


# --- environments and directories -----------------------------------------------------------------------------------


def _top_level(table: dict[str, Any]) -> None:
    for key in table:
        if key not in _TOP_LEVEL:
            raise Misfit((key,), f"{key!r} is not a setting here", f"possible are: {', '.join(_TOP_LEVEL)}")


def _names(table: dict[str, Any]) -> tuple[str, ...]:
    environments = table.get("environments")
    if not isinstance(environments, dict) or not environments:
        raise Misfit(("environments",), "no environment is configured", f"the least is\n\n{LEAST_CONFIGURATION}")
    for name in environments:
        if not re.fullmatch(ENVIRONMENT_NAME, name):
            fix = "write small letters, digits, - and _, at most 32: it also names a directory"
            raise Misfit(("environments", name), "this is no name for an environment", fix)
    return tuple(environments)


def _choose(names: tuple[str, ...], asked: str | None) -> str:
    known = ", ".join(names)
    if asked is not None and asked not in names:
        raise Misfit(("environments",), f"there is no environment {asked!r}", f"write --env with one of: {known}")
    if asked is not None:
        return asked
    if DEFAULT_ENVIRONMENT in names:
        return DEFAULT_ENVIRONMENT
    if len(names) > 1:
        raise Misfit(("environments",), "which environment is meant is not clear", f"write --env with one of: {known}")
    return names[0]


def _state_directory(file: Path, table: dict[str, Any], name: str, process_environment: Mapping[str, str]) -> Path:
    """Below the configured directory, the shared one where it was made for us, else the user's own."""
    if configured := _directory(file, table, "state_directory"):
        return configured / name
    shared = SHARED_STATE / name
    if shared.is_dir() and os.access(shared, os.W_OK | os.X_OK):
        return shared
    return _user_directory(process_environment, "XDG_STATE_HOME", ".local/state") / "radar" / name


def _demo_directory(file: Path, table: dict[str, Any]) -> Path | None:
    """Where the demo that wrote this file runs: `[demo]` with `directory`."""
    if "demo" not in table:
        return None
    return _beside(file, convert(table["demo"], _Demo, ("demo",)).directory)


def _directory(file: Path, table: dict[str, Any], key: str) -> Path | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Misfit((key,), "this must be the path of a directory", "put it into double quotes")
    return _beside(file, value)


def _user_directory(process_environment: Mapping[str, str], variable: str, default: str) -> Path:
    """By the XDG rules: a relative value counts as not set."""
    configured = process_environment.get(variable, "")
    if configured.startswith("/"):
        return Path(configured)
    home = process_environment.get("HOME", "")
    return (Path(home) if home.startswith("/") else Path.home()) / default


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
