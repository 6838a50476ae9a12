"""`python -m console.demo.history PARENT_PID DIRECTORY`: writes the authored 30 days, then ends."""

from __future__ import annotations

from console.demo.link import Link, Message, run


async def main(link: Link, configuration: Message) -> None:
    """Write the store."""
    link.announce(ready=True)


if __name__ == "__main__":
    run(main)
