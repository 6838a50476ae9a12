"""All sources of an environment. What is not configured has no source, and shows as not configured."""

from __future__ import annotations

from console.model.configuration import Environment
from console.model.maintenance import DEFAULT_MARKER
from console.model.observation import Source
from console.model.operations import Operations
from console.sources import (
    application,
    certificate,
    egress,
    github,
    host,
    metrics,
    postgres,
    prometheus,
    prometheus_users,
    supabase,
    vendors,
    vercel,
)
from console.sources.http import Clients


def build(environment: Environment, operations: Operations | None = None) -> list[Source]:
    """Every source configured, unopened: connections come with the first poll. `operations`: where what is only told
    beside the environment, such as its repository, is configured."""
    clients = Clients(environment.certificate_ca)
    maintenance = operations.maintenance if operations else None
    marker = maintenance.marker if maintenance else DEFAULT_MARKER
    return [
        *application.build(environment, clients, marker),
        *metrics.build(environment, clients),
        *prometheus_users.build(environment, clients),
        *postgres.build(environment),
        *vercel.build(environment, clients),
        *supabase.build(environment, clients),
        *vendors.build(environment, clients),
        *certificate.build(environment),
        *egress.build(environment, clients),
        *host.build(environment),
        *prometheus.build(environment, clients),
        *github.build(operations, clients),
    ]
