"""All sources of an environment. What is not configured has no source, and shows as not configured."""

from __future__ import annotations

import ssl

from console.model.configuration import Environment
from console.model.observation import Source
from console.sources import application
from console.sources.http import Clients


def build(environment: Environment, *, verify: ssl.SSLContext | None = None) -> list[Source]:
    """Every source configured, unopened: connections come with the first poll. `verify` replaces the trusted CAs."""
    clients = Clients(verify)
    return [*application.build(environment, clients)]
