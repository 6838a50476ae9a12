"""Who asks, what they may do, and how well a refusal holds: judged in the process that acts, by the kernel's word."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass

from console.model.actions import Check, CheckResult, Risk
from console.model.operations import Access
from console.model.ports import EntryKind
from console.model.roles import READ_ONLY, Authority, Role, may, role_of
from console.store.identity import Who, identity


@dataclass(frozen=True, slots=True)
class Standing:
    """A person before an environment."""

    who: Who
    role: Role
    role_words: str
    authority: Authority
    read_only: bool = False

    def check(self, risk: Risk) -> Check:
        """Whether they may do something of that risk, as a line of the preflight."""
        allowed = may(self.role, risk)
        verb = "you may do this" if allowed else f"you may not do this, which is {risk}"
        fix = "" if allowed or self.read_only else "; access.operators or access.admins in radar.toml name who may"
        return Check(
            key="authority",
            result=CheckResult.PASS if allowed else CheckResult.FAIL,
            words=f"{verb}: {self.role_words} ({self.authority}){fix}",
            source="this host",
        )

    def entry_refusal(self, kind: EntryKind) -> str:
        """Why they may not put that on record; empty: they may. An alert that is acknowledged or silenced is hidden
        from everybody: that takes an operator at both levels. A note and a request to poll hide nothing."""
        if self.read_only:
            return READ_ONLY
        free = kind in ("note", "poll", "disarm") and self.authority is Authority.GUARD_RAILS
        if free or may(self.role, Risk.SAFE):
            return ""
        what = _ENTRY_WORDS[kind]
        return f"only an operator may {what}; {self.role_words}; access.operators in radar.toml names who may"


_ENTRY_WORDS: dict[EntryKind, str] = {
    "acknowledge": "acknowledge alerts",
    "silence": "silence alerts",
    "end-silence": "end a silence",
    "poll": "ask for a poll",
    "note": "put a note on record",
    "disarm": "disarm",
    "dismiss": "take a message that came to no good off the ledger",
}


def standing(access: Access, *, as_service: bool = False) -> Standing:
    """Of whoever started this process. `as_service`: started by sudo's rule, so what sudo says of them counts."""
    who = identity(trust_sudo=as_service)
    role, words = role_of(who.name, groups_of(who), access)
    authority = Authority.ENFORCED if as_service else Authority.GUARD_RAILS
    return Standing(who, role, words, authority, access.read_only)


def groups_of(who: Who) -> frozenset[str]:
    """The names of the groups that the system's files give this account (not the groups of the process)."""
    try:
        account = pwd.getpwuid(who.uid)
        numbers = os.getgrouplist(account.pw_name, account.pw_gid)
    except KeyError:
        return frozenset()
    return frozenset(name for number in numbers if (name := _group(number)))


def _group(number: int) -> str | None:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return None
