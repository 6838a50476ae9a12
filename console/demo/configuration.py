"""Writes the demo's radar.toml and .env: the console reads them as it reads a real environment's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.demo import business
from console.demo.ports import LOOPBACK
from console.demo.world import EDGE_CONFIG, ORGANISATION, PROJECT, REF, REPOSITORY, TEAM
from console.store.identity import identity

STATE = "state"
ROUTES = ("/", "/pricing", "/api/v1/audits", "/api/v1/reviews", "/api/v1/clients", "/api/v1/system/ping")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Made-up credentials of this demo, new at each start."""

    vercel: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    supabase: str = field(default_factory=lambda: "sbp_" + secrets.token_hex(20))
    anon_key: str = field(default_factory=lambda: "sb_publishable_" + secrets.token_urlsafe(16))
    github: str = field(default_factory=lambda: "github_pat_" + secrets.token_urlsafe(24))
    statuspage: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    prometheus: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    slack_path: str = field(default_factory=lambda: f"T0DEMO/B0DEMO/{secrets.token_urlsafe(18)}")
    pagerduty: str = field(default_factory=lambda: secrets.token_hex(16))
    webhook: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    heartbeat: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    edge_config: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    """With which the application reads its Edge Config; the API's token is another."""


def flag_address(port: int, tokens: Tokens) -> str:
    """Where the application reads its maintenance flag; a secret."""
    return f"http://{LOOPBACK}:{port}/{EDGE_CONFIG}/item/maintenance?token={tokens.edge_config}"


def write(directory: Path, ports: Mapping[str, int], tokens: Tokens, password: str) -> Path:
    """Write both files, mode 0600, and give the path of radar.toml."""
    _write(directory / ".env", "".join(f"{name}={value}\n" for name, value in _secrets(ports, tokens, password)))
    _write(directory / "radar.toml", _toml(directory, ports))
    return directory / "radar.toml"


def _secrets(ports: Mapping[str, int], tokens: Tokens, password: str) -> list[tuple[str, str]]:
    def dsn(port: int) -> str:
        return f"postgresql://radar_monitor:{password}@{LOOPBACK}:{port}/postgres"

    sinks = f"http://{LOOPBACK}:{ports['sinks']}"
    return [
        ("DATABASE_URL", dsn(ports["database"])), ("POOLER_URL", dsn(ports["pooler"])), ("VERCEL_TOKEN", tokens.vercel),
        ("SUPABASE_ACCESS_TOKEN", tokens.supabase), ("SUPABASE_ANON_KEY", tokens.anon_key),
        ("GITHUB_TOKEN", tokens.github), ("STATUSPAGE_KEY", tokens.statuspage),
        ("PROMETHEUS_TOKEN", tokens.prometheus),
        ("SLACK_WEBHOOK_URL", f"{sinks}/services/{tokens.slack_path}"),
        ("PAGERDUTY_ROUTING_KEY", tokens.pagerduty), ("WEBHOOK_URL", f"{sinks}/hooks/desk"),
        ("WEBHOOK_TOKEN", tokens.webhook), ("HEARTBEAT_URL", f"{sinks}/heartbeat/{tokens.heartbeat}"),
        ("MAINTENANCE_FLAG_URL", flag_address(ports["edge_config"], tokens)),
    ]  # fmt: skip


def _toml(directory: Path, ports: Mapping[str, int]) -> str:
    def url(name: str) -> str:
        return f"http://{LOOPBACK}:{ports[name]}"

    vendors = "".join(_vendor(name, url("status"), components) for name, components in _VENDORS.items())
    return _TEMPLATE.format(
        state=_text(str(directory / STATE)), directory=_text(str(directory)), url=url("backend"), routes=_list(ROUTES),
        certificate=f"{LOOPBACK}:{ports['tls']}", ca=_text(str(directory / "tls" / "ca.pem")), project=PROJECT,
        team=TEAM, vercel=url("vercel"), ref=REF, supabase=url("supabase"), gateway=url("gateway"), vendors=vendors,
        witness1=url("witness1"), witness2=url("witness2"), status=url("status"),
        github=url("github"), custom=business.toml(url("prometheus")), staging=url("staging"), sinks=url("sinks"),
        repository=f"{ORGANISATION}/{REPOSITORY}", edge_config=EDGE_CONFIG, user=_text(identity().name),
    )  # fmt: skip


_VENDORS = {
    "vercel": ("Edge Network", "Builds", "Serverless Functions"),
    "supabase": ("API Gateway", "Auth", "Database", "Connection Pooler"),
    "github": ("Actions",),
}

_TEMPLATE = """\
# Written by `radar demo` at each start. Everything is on this machine, every name and token is made up.
state_directory = {state}

[demo]
directory = {directory}

[environments.demo]
url = "{url}"
label = "demo"
routes = {routes}
metrics = "/api/metrics"
database = "${{DATABASE_URL}}"
certificates = ["{certificate}"]
certificate_ca = {ca}
staging = "{staging}"

[environments.demo.vercel]
token = "${{VERCEL_TOKEN}}"
project = "{project}"
team = "{team}"
api = "{vercel}"

[environments.demo.supabase]
ref = "{ref}"
token = "${{SUPABASE_ACCESS_TOKEN}}"
anon_key = "${{SUPABASE_ANON_KEY}}"
api = "{supabase}"
gateway = "{gateway}"
pooler = "${{POOLER_URL}}"
{vendors}
[environments.demo.egress]
targets = ["{witness1}/generate_204", "{witness2}/generate_204"]
name = "localhost"

# Quicker than a real one only where a fault can be switched and watched: of a deployment within two rounds of five
# seconds, of the others while one still looks.
[environments.demo.intervals]
vercel_s = 5
supabase_s = 10
vendors_s = 15
certificate_s = 15

# Shorter than at a real one for the same reason.
[environments.demo.thresholds]
blocked_warn_s = 2
blocked_alert_s = 20
idle_in_transaction_s = 5

[environments.demo.contacts]
application = [
  {{ name = "Mira Okafor (application)", phone = "+49 30 5550 1001", email = "mira@tabletalk.example" }},
  {{ name = "Runbook: application", link = "https://wiki.tabletalk.example/runbooks/application" }},
]
database = [
  {{ name = "Luis Prado (database)", phone = "+49 30 5550 1002", email = "luis@tabletalk.example" }},
  {{ name = "Supabase support", link = "https://supabase.com/dashboard/support/new" }},
]
deployment = [{{ name = "Jonas Weber (release)", phone = "+49 30 5550 1003", email = "jonas@tabletalk.example" }}]
vendor = [
  {{ name = "Vercel support", link = "https://vercel.com/help" }},
  {{ name = "Supabase support", link = "https://supabase.com/dashboard/support/new" }},
]
security = [{{ name = "Aiko Tanabe (security)", phone = "+49 30 5550 1004", email = "security@tabletalk.example" }}]
bastion = [{{ name = "Infrastructure desk", phone = "+49 30 5550 1005", email = "infra@tabletalk.example" }}]
any = [{{ name = "On-call lead", phone = "+49 30 5550 1000", email = "oncall@tabletalk.example" }}]

[environments.demo.links]
application = "{url}/"
status = "{status}/supabase/api/v2/summary.json"
github = "{github}"
runbooks = "https://wiki.tabletalk.example/runbooks"

[environments.demo.access]
admins = [{user}]
operators = ["@oncall"]

[environments.demo.github]
token = "${{GITHUB_TOKEN}}"
repository = "{repository}"
workflow = "ci.yml"
api = "{github}"
interval_s = 5

# A second apart: what an action has done is to be seen while one still looks.
[environments.demo.verification]
rounds = 3
interval_s = 1
window_s = 45

[environments.demo.maintenance]
provider = "edge-config"
edge_config = "{edge_config}"

[environments.demo.slack]
webhook = "${{SLACK_WEBHOOK_URL}}"

[environments.demo.statuspage]
key = "${{STATUSPAGE_KEY}}"
page = "page_demo"
components = ["cmp_website", "cmp_api"]
api = "{sinks}"

[environments.demo.pagerduty]
routing_key = "${{PAGERDUTY_ROUTING_KEY}}"
api = "{sinks}"

[[environments.demo.webhooks]]
name = "desk"
url = "${{WEBHOOK_URL}}"
token = "${{WEBHOOK_TOKEN}}"

[environments.demo.notify]
heartbeat = "${{HEARTBEAT_URL}}"
group_s = 5
escalate_s = {{ high = 300 }}

# The machine's own log is no place for a demo.
[environments.demo.audit]
syslog = false
{custom}"""


def _vendor(name: str, url: str, components: tuple[str, ...]) -> str:
    return f'\n[[environments.demo.vendors]]\nname = "{name}"\nurl = "{url}/{name}"\ncomponents = {_list(components)}\n'


def _list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"


def _text(value: str) -> str:
    """A TOML basic string: paths may hold anything."""
    escaped = "".join(f"\\u{ord(letter):04x}" if ord(letter) < 32 or letter in '"\\' else letter for letter in value)
    return f'"{escaped}"'


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
