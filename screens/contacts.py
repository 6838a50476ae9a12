"""Contacts and links by kind of incident (`C`), those of the present reasons first."""

from __future__ import annotations

from console.model.views import HealthView
from screens.scroll import Content, ScrollPage
from widgets.ledger_lines import contact_rows, contact_texts


class ContactsPage(ScrollPage[None]):
    """Whom to call, where to look."""

    NAME = "contacts"

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        verdict = view.verdict if isinstance(view, HealthView) else None
        incidents = [reason.incident for reason in verdict.reasons] if verdict else []
        rows = contact_rows(self.host.settings.environment, incidents, width, self.host.glyphs, selected)
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])

    def copied(self) -> str | None:
        """The selected contact's ways to be reached."""
        environment = self.host.settings.environment
        return contact_texts(environment.contacts, environment.links).get(self.selected or "")
