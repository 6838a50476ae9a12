"""The floor that the console is measured against: a Textual application with one line of text."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """Nothing but Textual itself."""

    def compose(self) -> ComposeResult:
        yield Static("bare and ready")


if __name__ == "__main__":
    BareApp().run()
