"""When records.db cannot be written and something must be done all the same: a second file, explicitly and loudly."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from console.actions.authority import Standing
from console.model.actions import Check, CheckResult
from console.model.configuration import Settings
from console.model.ports import Refused
from console.model.roles import Role
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace
from console.store.records import Records


def places(settings: Settings) -> tuple[Path, ...]:
    """Where a second file may be, the most lasting first; memory last, for a disk that is full."""
    name = f"radar-break-glass-{os.getuid()}"
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return tuple(place / name / settings.environment.name for place in (home, Path("/var/tmp"), Path("/dev/shm")))


def second_place(settings: Settings, candidates: Iterable[Path] | None = None) -> Path:
    """The first of them that takes a record. Raises `Refused` when records.db itself does, or none of them."""
    if trouble_of(settings.records_path) is None:
        raise Refused(f"{settings.records_path} can be written: there is no glass to break")
    for place in places(settings) if candidates is None else candidates:
        if _is_ours(place) and trouble_of(place / "records.db") is None:
            return place
    raise Refused("no second place takes a record either: the escape card needs none (radar rollback --escape)")


def trouble_of(path: Path) -> str | None:
    """Why that file takes no record; None: it does."""
    try:
        with closing(Records.open(path)) as records:
            records.write(lambda connection: connection.execute("UPDATE run SET words = words WHERE id = -1"))
    except (StoreError, UnsuitablePlace, OSError) as error:
        return str(error)
    return None


def check(place: Path, standing: Standing) -> Check:
    """The line of the plan that says so, to an admin; a refusal to anybody else."""
    if standing.role is not Role.ADMIN:
        words = f"breaking the glass is for admins: {standing.role_words}"
        return Check(key="glass", result=CheckResult.FAIL, words=words, source="this host")
    words = f"BREAK GLASS: recorded in {place}/records.db, where nobody looks; tell the others, and keep that file"
    return Check(key="glass", result=CheckResult.WARN, words=words, source="this host")


def _is_ours(place: Path) -> bool:
    """A directory that somebody else put into /var/tmp is none to write into."""
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = place.parent.lstat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not found.st_mode & 0o022 and not place.parent.is_symlink()
