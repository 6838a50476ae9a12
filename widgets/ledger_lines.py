"""The ledger and the contacts: what somebody must undo, and whom to call."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from console.model.configuration import Contact, Environment
from console.model.views import Header, OpenItem
from widgets.bars import item_title, over_words
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, blank, choosable, cut, fit
from widgets.words import age, duration, full, when


def _open_width(width: int) -> int:
    # owner 10, since 6, until: a time of day and how long, or from 120 columns the whole moment
    return max(20, width - (44 if width < 120 else 64))


Row = tuple[Line, str | None]
"""A line, and its key when it can be selected."""


def ledger_rows(header: Header | None, width: int, now_ms: int, glyphs: Glyphs, selected: str | None) -> list[Row]:
    """One line an entry: what, by whom, since, until."""
    items = header.open_items if header else ()
    head = f" {fit('OPEN', _open_width(width))} {fit('OWNER', 10)} {fit('SINCE', 6, 'right')}  UNTIL"
    rows: list[Row] = [(cut([Span(head, "head")], width), None)]
    if not items:
        rows.append(
            (cut([Span(" Nothing abnormal is open: no silence, nothing pinned, nothing interrupted.")], width), None)
        )
        rows.append((cut([Span(" What somebody must undo later stands here until it is undone.", "dim")], width), None))
    for index, item in enumerate(items):
        key = item_key(index, item)
        marked = key == selected
        until = "-"
        if item.expires_ms is not None:
            left = (item.expires_ms - now_ms) / 1000
            moment = full(item.expires_ms) if width >= 120 else when(item.expires_ms, now_ms)
            past = over_words(item, now_ms) if item.is_overdue(now_ms) else "past"
            until = f"{moment}, in {duration(left)}" if left > 0 else f"{moment}, {past}"
        spans = [
            Span(fit(item_title(item), _open_width(width), ellipsis=glyphs.ellipsis), "strong" if marked else "text"),
            Span(f" {fit(item.owner or '-', 10)} "),
            Span(fit(age(now_ms, item.since_ms), 6, "right"), "dim"),
            Span(f"  {until}", "warn" if item.is_overdue(now_ms) else "text"),
        ]
        rows.append((choosable(spans, width, marked=marked, bar=glyphs.bar, ellipsis=glyphs.ellipsis), key))
        if marked:
            rows += [(line, None) for line in _rest(item, width)]
        if item.undo:
            told = cut(
                [Span("   ends by: ", "dim"), Span(item.undo, "text" if marked else "dim")], width, glyphs.ellipsis
            )
            rows.append((told, None))
    return rows


def _rest(item: OpenItem, width: int) -> list[Line]:
    """What of the selected entry its own line has no room for."""
    title = item_title(item)
    owner = item.owner or ""
    if cell_len(title) <= _open_width(width) and cell_len(owner) <= 10:
        return []
    by = f"   by {owner}" if cell_len(owner) > 10 else ""
    texts = [*textwrap.wrap(title, width - 4), *([by.strip()] if by else [])]
    return [cut([Span("   "), Span(text, "text")], width) for text in texts]


def item_key(index: int, item: OpenItem) -> str:
    """Under which an entry is selected."""
    return f"{index}:{item.text}"


def contact_rows(
    environment: Environment, incidents: Sequence[str], width: int, glyphs: Glyphs, selected: str | None
) -> list[Row]:
    """Contacts by kind of incident, those of the present reasons first; then the links."""
    contacts = environment.contacts
    if not contacts and not environment.links:
        return [(line, None) for line in _no_contacts(environment, width)]
    rows: list[Row] = []
    now = [kind for kind in dict.fromkeys(incidents) if kind in contacts]
    if incidents and not now and "any" in contacts:
        now = ["any"]
    for kind in [*now, *(kind for kind in contacts if kind not in now)]:
        mark = [Span("  now", "warn")] if kind in now else []
        rows.append((cut([Span(f" {kind.upper()}", "head"), *mark], width), None))
        rows += [_contact(contact, kind, width, glyphs, selected) for contact in contacts[kind]]
        rows.append((blank(width), None))
    if environment.links:
        rows.append((cut([Span(" LINKS", "head")], width), None))
        rows += [_link(name, link, width, glyphs, selected) for name, link in environment.links.items()]
    return rows


def window_lines(words: str, width: int) -> list[Line]:
    """The regular maintenance window with its countdown: above the contacts, whose list may be longer than the page."""
    return [cut([Span(" MAINTENANCE  ", "head"), Span(words, "text")], width), blank(width)]


def emergency_lines(width: int) -> list[Line]:
    """What is promised beside it (SU1)."""
    words = " In an emergency, announced one hour before: radar maintenance on --in 1h"
    return [blank(width), cut([Span(words, "dim")], width)]


def contact_texts(contacts: Mapping[str, Sequence[Contact]], links: Mapping[str, str]) -> dict[str, str]:
    """What `y` copies, by row key."""
    texts = {_key(kind, one): "  ".join(_ways(one)) or one.name for kind, many in contacts.items() for one in many}
    return {**texts, **{f"link:{name}": link for name, link in links.items()}}


def _key(kind: str, contact: Contact) -> str:
    return f"{kind}:{contact.name}"


def _ways(contact: Contact) -> list[str]:
    return [way for way in (contact.phone, contact.email, contact.link) if way]


def _contact(contact: Contact, kind: str, width: int, glyphs: Glyphs, selected: str | None) -> Row:
    key = _key(kind, contact)
    return _line(contact.name, "   ".join(_ways(contact)) or "no way given", key, width, glyphs, selected)


def _link(name: str, link: str, width: int, glyphs: Glyphs, selected: str | None) -> Row:
    return _line(name, link, f"link:{name}", width, glyphs, selected)


def _line(name: str, words: str, key: str, width: int, glyphs: Glyphs, selected: str | None) -> Row:
    marked = key == selected
    # The ways to be reached must be seen whole, else the name takes what room there is.
    room = max(24, min(cell_len(name), width - cell_len(words) - 6))
    named = Span(f"{fit(name, room, ellipsis=glyphs.ellipsis)}  ", "strong" if marked else "text")
    spans = [Span("  "), named, Span(words)]
    return choosable(spans, width, marked=marked, bar=glyphs.bar, ellipsis=glyphs.ellipsis), key


def _no_contacts(environment: Environment, width: int) -> list[Line]:
    table = f"[[environments.{environment.name}.contacts.database]]"
    words = [
        (" No contacts and no links are configured.", "text"),
        (" These lines in radar.toml would fill this page:", "dim"),
        (f"   {table}", "text"),
        ('   name = "Database on call"', "text"),
        ('   phone = "+49 30 1234567"', "text"),
    ]
    return [cut([Span(text, "dim" if tone == "dim" else "text")], width) for text, tone in words]
