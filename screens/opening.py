"""What the console opens over the page that is shown: ledger, journal, notes, help, palette. A part of the App."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import App

from console.model.observation import Json
from screens.host import Host
from screens.keys import actions, key_table
from screens.page import Page

if TYPE_CHECKING:
    from console.model.deployments import DeploymentsView


class Opening:
    """Actions that show a page over the one on top. Pages are imported when they are first opened."""

    THEMES: ClassVar[Sequence[str]] = ()
    """Names of the colours to choose from."""

    @property
    def _top(self) -> Page[object]:
        return cast("Page[object]", cast("App[None]", self).screen)

    async def _open(self, page: Page[None]) -> None:
        """Show a page over this one, unless it is this one."""
        if type(page) is not type(self._top):
            await self._top.open_page(page)

    async def action_ledger(self) -> None:
        """What somebody must undo."""
        from screens.ledger import LedgerPage

        await self._open(LedgerPage())

    async def action_journal(self) -> None:
        """What was done, what is due, what is open."""
        from screens.actions import ActionsPage

        await self._open(ActionsPage())

    async def action_contacts(self) -> None:
        """Whom to call."""
        from screens.contacts import ContactsPage

        await self._open(ContactsPage())

    async def action_board(self) -> None:
        """The service level targets with their budgets."""
        from screens.slo import SloPage

        await self._open(SloPage())

    async def action_deployment(self, key: str, words: str) -> None:
        """Deployments, with that line selected; `words` name it where it is not in the list."""
        from screens.deployments import DeploymentsScreen

        app = cast("App[None]", self)
        await app.switch_mode(DeploymentsScreen.NAME)
        while len(app.screen_stack) > 1:
            await app.pop_screen()
        page = self._top
        page.come()
        if isinstance(page, DeploymentsScreen):
            page.seek(key, words)

    async def action_help(self) -> None:
        """The keys of this page."""
        from screens.help import HelpPage

        await self._open(HelpPage(key_table(self._top)))

    async def action_note(self) -> None:
        """Write a note of the incident."""
        from screens.note import open_note

        await open_note(self._top)

    async def action_plan(self, action: str, parameters: Mapping[str, Json]) -> None:
        """The plan of an action, asked for by name."""
        from console.model.actions import ActionRequest
        from screens.plan import open_plan

        await open_plan(self._top, ActionRequest(action=action, parameters=parameters))

    def action_promote(self) -> None:
        """Which deployment could be promoted, by what is on record; then the plan that does."""
        cast(Host, self).feed.ask(self._top, lambda reads: reads.deployments(None), self._promotable)

    def _promotable(self, view: DeploymentsView) -> None:
        from console.model.deployment_rules import deeds_to_promote
        from screens.deployments import choose_deed

        deeds = deeds_to_promote(view)
        if deeds:
            cast("App[None]", self).call_later(choose_deed, self._top, "Which deployment should be promoted?", deeds)
        else:
            self._top.say("nothing is on record that could be promoted: 5 lists the deployments")

    async def action_announce(self) -> None:
        """When a maintenance begins and what people are told, then the plan that announces it."""
        from screens.dialogs.maintenance import NOTICES

        about = "When should the maintenance begin? It is announced now; the collector's service puts it on then."
        await self._ask_maintenance("announce", {}, about, NOTICES)

    async def action_maintenance(self) -> None:
        """How long a maintenance is planned to last and what people are told, then its plan."""
        from screens.dialogs.maintenance import LENGTHS

        await self._ask_maintenance("maintenance", {"on": True}, "For how long is it planned?", LENGTHS)

    async def _ask_maintenance(
        self, action: str, given: Mapping[str, Json], about: str, choices: Sequence[tuple[str, Mapping[str, Json]]]
    ) -> None:
        from screens.dialogs.maintenance import MaintenancePage

        def asked(more: Mapping[str, Json] | None) -> None:
            if more is not None:
                cast("App[None]", self).call_later(self.action_plan, action, {**given, **more})

        await self._top.open_page(MaintenancePage(about, choices), asked)

    async def action_palette(self) -> None:
        """Every screen, action and setting by name; in a demo its faults, once it has told them."""
        from screens.palette import PalettePage, all_commands, fault_commands, plan_commands
        from widgets.glyphs import SETS

        below, host = self._top, cast(Host, self)
        if isinstance(below, PalettePage):
            return
        commands = all_commands(actions(below), self.THEMES, tuple(SETS))
        page = PalettePage([*commands, *(plan_commands() if host.desk is not None else ())])
        await below.open_page(page, lambda action: self._run(action, below))
        if host.faults is not None:
            host.hands.do(page, host.faults.list, then=lambda faults: page.add(fault_commands(faults)))

    def _run(self, action: str | None, page: Page[object]) -> None:
        if action is not None:
            app = cast("App[None]", self)
            app.call_later(app.run_action, action, page)
