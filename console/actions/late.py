"""The desk as a console has it: its parts are imported when somebody acts, not at the start (30 ms)."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from console.model.configuration import Settings
from console.model.ports import PlanTicket, Refused

if TYPE_CHECKING:
    from console.actions.desk import Desk
    from console.model.actions import ActionRequest


class LateDesk:
    """See `ports.ActionDesk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _desk(self) -> Desk:
        from console.actions.desk import Desk

        return Desk(self._settings)

    @property
    def role_words(self) -> str:
        """`OPERATOR`, `VIEWER`, …: for the header. Blocks. Settings of actions that cannot work are told in full when
        somebody acts."""
        from console.settings import SettingsError

        try:
            return self._desk.role_words
        except SettingsError:
            return "ROLE ?"

    @property
    def authority_words(self) -> str:
        """`guard rails` or `enforced`. Blocks."""
        return self._desk.authority_words

    def prepare(self) -> None:
        """Somebody may well act soon: have a runner wait with its imports done."""
        from console.settings import SettingsError

        with suppress(Refused, SettingsError):  # whoever acts is told of it
            self._desk.prepare()

    def plan(self, request: ActionRequest) -> PlanTicket:
        """Look at the live facts and make the plan. Raises `Refused`."""
        return self._desk.plan(request)

    def resume(self, token: str) -> PlanTicket:
        """The rest of an interrupted or unknown run. Raises `Refused`."""
        return self._desk.resume(token)

    def close_run(self, token: str, reason: str) -> str:
        """End an open run by hand; what became of it, in words. Raises `Refused`."""
        return self._desk.close_run(token, reason)

    def close(self) -> None:
        """Let a runner that waits go."""
        if "_desk" in self.__dict__:
            self._desk.close()
