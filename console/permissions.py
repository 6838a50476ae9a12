"""What everybody on this host may do to the files of the configuration. Looks, and changes nothing."""

from __future__ import annotations

import stat
from pathlib import Path

from console.model.configuration import Doubt


def open_to_all(file: Path) -> tuple[str, str] | None:
    """Whether everybody can write `file`, or put another in its place, and so decide where the tokens are sent: what is
    wrong and what to do. None: nobody else can, or there is no such file."""
    if not file.exists():
        return None
    if file.stat().st_mode & stat.S_IWOTH:
        return "everybody on this host can change it", f"run: chmod o-w {file}"
    mode = file.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return "everybody on this host can put another in its place", f"run: chmod o-w {file.parent}"
    return None


def readable_by_all(*holders: tuple[Path, bool]) -> tuple[Doubt, ...]:
    """A doubt for each file that holds secrets, as told beside it, and that everybody can read."""
    return tuple(
        Doubt(
            "permissions",
            f"{holder} holds secrets and everybody on this host can read it",
            f"run: chmod o-rwx {holder}",
        )
        for holder, secret in holders
        if secret and holder.stat().st_mode & stat.S_IROTH
    )
