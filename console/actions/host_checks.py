"""Whether this host would end a runner with the session that started it: systemd's logind can."""

from __future__ import annotations

import configparser
import os
import pwd
from collections.abc import Iterable, Mapping
from pathlib import Path

from console.model.actions import Check, CheckResult, Plan, Risk

LONG_S = 60.0
"""From here on a run is long: somebody may well log out meanwhile."""
# As systemd reads them: the first logind.conf found, then every drop-in, by name, the nearest directory first.
_PLACES = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")


def session_check(
    plan: Plan, *, cgroup: str | None = None, settings: Mapping[str, str] | None = None
) -> tuple[Check, ...]:
    """A warning, or for long and destructive actions a refusal, where logging out would kill the run."""
    own = _own_cgroup() if cgroup is None else cgroup
    if ".scope" not in own or "session-" not in own:
        return ()
    chosen = logind_settings() if settings is None else settings
    if chosen.get("killuserprocesses", "no").lower() not in ("yes", "true", "1", "on"):
        return ()
    if _user() in chosen.get("killexcludeusers", "root").split():
        return ()
    grave = plan.risk is Risk.DESTRUCTIVE or plan.expected_s >= LONG_S
    words = (
        "logging out would kill the run (KillUserProcesses=yes): "
        "start radar by `systemd-run --user --scope`, or have an administrator run `loginctl enable-linger`"
    )
    result = CheckResult.FAIL if grave else CheckResult.WARN
    return (Check(key="session", result=result, words=words, source="logind"),)


def logind_settings(places: Iterable[str] = _PLACES) -> dict[str, str]:
    """The section Login of logind's files, keys in small letters."""
    found: dict[str, str] = {}
    dirs = [Path(place) for place in places]
    main = [path for place in dirs if (path := place / "logind.conf").is_file()][:1]
    drop_ins: dict[str, Path] = {}
    for place in reversed(dirs):
        drop_ins |= {path.name: path for path in sorted((place / "logind.conf.d").glob("*.conf"))}
    for path in [*main, *(drop_ins[name] for name in sorted(drop_ins))]:
        found |= _login_section(path)
    return found


def _login_section(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return {}  # systemd passes over what it cannot read, too
    return dict(parser["Login"]) if parser.has_section("Login") else {}


def _own_cgroup() -> str:
    try:
        return Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
