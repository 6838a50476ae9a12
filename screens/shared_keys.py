"""The keys that act on every page. Letters and digits never act inside a field."""

from __future__ import annotations

from textual.binding import BindingType

from screens.page import key

KEYS: list[BindingType] = [
    key("1", "app.switch('health')", "Health", "screen.health", short="Health"),
    key("2", "app.switch('metrics')", "Metrics", "screen.metrics", short="Metrics"),
    key("5", "app.switch('deployments')", "Deployments", "screen.deployments", short="Dep"),
    key("9", "app.switch('alerts')", "Alerts", "screen.alerts", short="Alerts"),
    key("comma,left_square_bracket", "app.step(False)", "the change before", "time.back"),
    key("full_stop,right_square_bracket", "app.step(True)", "the next change", "time.forth"),
    key("at", "app.ask_moment", "go to a time", "time.at", short="time"),
    key("L", "app.live", "live: back to now", "time.live"),
    key("p", "app.pause", "pause, or go on", "time.pause"),
    key("r", "app.poll", "poll now", "app.poll"),
    key("o", "app.ledger", "what must be undone", "app.ledger"),
    key("i", "app.note", "incident note", "app.note"),
    key("C", "app.contacts", "contacts and links", "app.contacts"),
    key("y", "app.copy", "copy", "app.copy"),
    # First of all, so that what is typed on at once goes into the palette and does not act below it.
    key("colon,ctrl+p", "app.palette", "go to anything", "app.palette", short="go", first=True),
    key("question_mark", "app.help", "help", "app.help", short="help"),
    key("escape", "app.back", "back", "app.back"),
    key("q", "app.leave", "quit", "app.quit", short="quit"),
    key("ctrl+c", "app.stay", "", "app.stay"),
]
