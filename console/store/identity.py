"""Who acts: told by the kernel where it can, and recorded together with how it was told."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_UNSET = 4_294_967_295  # what the kernel shows when no login set it


@dataclass(frozen=True, slots=True)
class Who:
    """A person by their Unix account."""

    uid: int
    name: str
    source: Literal["loginuid", "sudo", "uid"]

    @property
    def words(self) -> str:
        """`op1 (loginuid)`."""
        return f"{self.name} ({self.source})"


def identity(
    environment: Mapping[str, str] | None = None, loginuid: str | None = None, *, trust_sudo: bool = False
) -> Who:
    """Kernel loginuid where set, else SUDO_UID when really run by root through sudo, else the real uid.

    SUDO_USER and LOGNAME are text that anybody can set; so is SUDO_UID, unless the process is root's, or that of an
    account which people can only become by sudo (`trust_sudo`).
    """
    values = os.environ if environment is None else environment
    login = _number(_loginuid() if loginuid is None else loginuid)
    if login is not None and login != _UNSET:
        return Who(login, _name(login), "loginuid")
    sudo = _number(values.get("SUDO_UID", ""))
    if sudo is not None and (trust_sudo or os.getuid() == 0):
        return Who(sudo, _name(sudo), "sudo")
    return Who(os.getuid(), _name(os.getuid()), "uid")


def who_is(uid: int) -> Who:
    """The account of that number."""
    return Who(uid, _name(uid), "uid")


def _loginuid() -> str:
    try:
        return Path("/proc/self/loginuid").read_text(encoding="ascii")
    except OSError:
        return ""


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
