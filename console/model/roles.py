"""Who may do what: roles by Unix user and group, and the two levels of authority."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from console.model.actions import Risk
from console.model.operations import Access


class Role(StrEnum):
    """What a person is to an environment. Whoever is named nowhere is a viewer."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Authority(StrEnum):
    """How well a refusal holds."""

    GUARD_RAILS = "guard rails"  # all under the person's own account: hinders accidents, not who holds the tokens
    ENFORCED = "enforced"  # runner, tokens and records belong to a service account


_MAY = {
    Role.VIEWER: frozenset[Risk](),
    Role.OPERATOR: frozenset({Risk.SAFE, Risk.DISRUPTIVE}),
    Role.ADMIN: frozenset(Risk),
}

READ_ONLY = "read-only: access.read_only is set in radar.toml"


def role_of(user: str, groups: Collection[str], access: Access) -> tuple[Role, str]:
    """The role and by what: `operator by group oncall`. Entries are users, or groups as `@name`."""
    if access.read_only:
        return Role.VIEWER, READ_ONLY
    for role, entries in ((Role.ADMIN, access.admins), (Role.OPERATOR, access.operators)):
        for entry in entries:
            if entry == user or (entry.startswith("@") and entry[1:] in groups):
                by = f"group {entry[1:]}" if entry.startswith("@") else f"user {user}"
                return role, f"{role} by {by}"
    return Role.VIEWER, f"viewer: {user} is named in no role"


def may(role: Role, risk: Risk) -> bool:
    """Whether that role may do something of that risk."""
    return risk in _MAY[role]
