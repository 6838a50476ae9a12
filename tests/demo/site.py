"""What the tests of the demo ask of a running one, as the console would: by its radar.toml, plain HTTP and SQL."""

from __future__ import annotations

import http.client
import itertools
import json
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from dotenv import dotenv_values


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or why there is none."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str = ""

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Site:
    """One running demo."""

    def __init__(self, configuration: Path) -> None:
        self.directory = configuration.parent
        self.settings: dict[str, Any] = tomllib.loads(configuration.read_text())["environments"]["demo"]
        self._clients = itertools.count()
        self.secrets = {name: value or "" for name, value in dotenv_values(self.directory / ".env").items()}

    def app(self, path: str, timeout_s: float = 5.0, **headers: str) -> Answer:
        """GET from the backend as the console reaches it, each time from another address: tests ask a lot."""
        address = {"x-forwarded-for": f"198.51.100.{next(self._clients) % 250}"}
        return get(self.settings["url"] + path, timeout_s, {**address, **headers})

    def vercel(self, path: str, method: str = "GET", body: object = None, timeout_s: float = 5.0) -> Answer:
        """Ask the stand-in for Vercel with the right token."""
        headers = {"authorization": f"Bearer {self.secrets['VERCEL_TOKEN']}"}
        return get(self.settings["vercel"]["api"] + path, timeout_s, headers, method, body)

    def project(self) -> dict[str, Any]:
        """The project at Vercel."""
        found: dict[str, Any] = self.vercel(f"/v9/projects/{self.settings['vercel']['project']}").json()
        return found

    def move(self, kind: str, deployment: str, timeout_s: float = 5.0) -> Answer:
        """Ask Vercel for a rollback or promotion."""
        project = self.settings["vercel"]["project"]
        return self.vercel(f"/v10/projects/{project}/{kind}/{deployment}", "POST", {}, timeout_s)

    def statuspage(self, path: str, method: str = "GET", body: object = None) -> Answer:
        """Ask the stand-in for our own status page."""
        settings = self.settings["statuspage"]
        headers = {"authorization": f"OAuth {self.secrets['STATUSPAGE_KEY']}"}
        return get(f"{settings['api']}/v1/pages/{settings['page']}{path}", 5.0, headers, method, body)

    def flag_address(self, key: str = "maintenance") -> str:
        """Where the application reads an item of its Edge Config."""
        return self.secrets["MAINTENANCE_FLAG_URL"].replace("/item/maintenance?", f"/item/{key}?")

    def received(self, to: str) -> list[Any]:
        """The bodies that have arrived at a place of notifications."""
        found = get(self.settings["statuspage"]["api"] + "/received", 5.0, {}).json()
        return [one["body"] for one in found if one["to"] == to]

    def production(self) -> dict[str, Any]:
        """The deployment that Vercel says is live."""
        live: dict[str, Any] = self.project()["targets"]["production"]
        return live

    def gateway(self, path: str) -> Answer:
        """Ask the stand-in for a Supabase project."""
        return get(self.settings["supabase"]["gateway"] + path, 5.0, {"apikey": self.secrets["SUPABASE_ANON_KEY"]})

    def supabase(self, path: str) -> Answer:
        """Ask the stand-in for Supabase's management API."""
        headers = {"authorization": f"Bearer {self.secrets['SUPABASE_ACCESS_TOKEN']}"}
        return get(self.settings["supabase"]["api"] + path, 5.0, headers)

    def vendor(self, name: str) -> Answer:
        """A vendor's status page."""
        url = next(vendor["url"] for vendor in self.settings["vendors"] if vendor["name"] == name)
        return get(url + "/api/v2/summary.json", 5.0, {})

    def github(self, path: str, method: str = "GET", **more: str) -> Answer:
        """Ask the stand-in for GitHub."""
        headers = {"authorization": f"Bearer {self.secrets['GITHUB_TOKEN']}", "user-agent": "test", **more}
        return get(self.settings["github"]["api"] + path, 5.0, headers, method)

    def runs(self, query: str = "") -> list[dict[str, Any]]:
        """The CI's runs, newest first."""
        found = self.github(f"/repos/{self.settings['github']['repository']}/actions/runs{query}")
        runs: list[dict[str, Any]] = found.json()["workflow_runs"]
        return runs

    def ci(self, run: int, what: str = "", method: str = "GET") -> Answer:
        """One run, or what is below it."""
        return self.github(f"/repos/{self.settings['github']['repository']}/actions/runs/{run}{what}", method)

    def sql(self, query: str, dsn: str = "DATABASE_URL", timeout_s: int = 3) -> Any:
        """One value, over a connection of its own, as `radar_monitor`."""
        options = f"-c statement_timeout={timeout_s * 1000}"
        with psycopg.connect(
            self.secrets[dsn], connect_timeout=timeout_s, options=options, autocommit=True
        ) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def figure(self, name: str) -> float:
        """The sum of a counter or gauge in the backend's own metrics."""
        lines = self.app("/api/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.partition("{")[0].partition(" ")[0] == name)


def get(url: str, timeout_s: float, headers: dict[str, str], method: str = "GET", body: object = None) -> Answer:
    """One request over a connection of its own; an answer with status 0 when none came."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s)
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), sent, headers)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {}, b"", f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def until(holds: Callable[[], object], within_s: float = 15.0, what: str = "") -> None:
    """Return when the condition holds; fail the test after `within_s`."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or holds}"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def below(root: int) -> set[int]:
    """The process and all that descend from it, at this moment."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, set()).add(int(entry.name))
    found, waiting = {root}, [root]
    while waiting:
        more = children.get(waiting.pop(), set())
        found |= more
        waiting += more
    return found
