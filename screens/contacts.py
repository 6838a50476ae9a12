"""Contacts and links by kind of incident (`C`), those of the present reasons first; the next maintenance window."""

from __future__ import annotations

from console.model.text import clean
from console.model.views import HealthView
from screens.scroll import Content, ScrollPage
from widgets.ledger_lines import Row, contact_rows, contact_texts, emergency_lines, window_lines


class ContactsPage(ScrollPage[None]):
    """Whom to call, where to look."""

    NAME = "contacts"

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        verdict = view.verdict if isinstance(view, HealthView) else None
        incidents = [reason.incident for reason in verdict.reasons] if verdict else []
        rows: list[Row] = [(line, None) for line in window_lines(self._window_words(), width)]
        rows += contact_rows(self.host.settings.environment, incidents, width, self.host.glyphs, selected)
        rows += [(line, None) for line in emergency_lines(width)]
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])

    def _window_words(self) -> str:
        from console.model.maintenance_window import (
            window,
        )  # with the settings of acting, 7 ms that a start need not pay

        shown_ms = self.host.moment.shown_ms
        try:
            maintenance = self.host.settings.operations().maintenance
        except Exception as error:  # noqa: BLE001 - screens know no error of settings; a mistake there is told here
            return f"not known, the settings cannot be used: {clean(str(error), 120)}"
        return window(shown_ms, maintenance).words(shown_ms)

    def copied(self) -> str | None:
        """The selected contact's ways to be reached."""
        environment = self.host.settings.environment
        return contact_texts(environment.contacts, environment.links).get(self.selected or "")
