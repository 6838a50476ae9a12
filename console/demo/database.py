"""The demo's database: its schema, roles and authored rows, and the sessions that faults open in it."""

from __future__ import annotations

import contextlib
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from console.demo.server import EmbeddedPostgres
from console.demo.world import World

CONNECT_TIMEOUT_S = 3
MOST_SESSIONS = 100
Session = psycopg.Connection[Any]

_SLOW_FUNCTION: LiteralString = """
CREATE OR REPLACE FUNCTION public.{name}() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM pg_sleep(0.5 + random() * 0.7);  -- a lost index, without burning the machine's processor for it
  RETURN ({body});
END $$
"""
_SLOW_ROUTES = ("latest_audits", "latest_reviews")


def create(server: EmbeddedPostgres, world: World) -> None:
    """Fill an empty cluster: Supabase's surroundings, the application's schema and the world's migrations."""
    script = resources.files("console.demo").joinpath("schema.sql").read_text()
    with psycopg.connect(server.dsn(), connect_timeout=CONNECT_TIMEOUT_S) as connection:
        connection.execute(sql.SQL(script).format(password=sql.Literal(server.password)))
        connection.cursor().executemany(
            "INSERT INTO supabase_migrations.schema_migrations (version, statements, name) VALUES (%s, %s, %s)",
            [(one.version, [f"-- {one.name}"], one.name) for one in world.migrations],
        )
        connection.cursor().executemany(
            "INSERT INTO public.schema_migrations (version, name, executed_at)"
            " VALUES (%s, %s, to_timestamp(%s::float8 / 1000))",
            [(one.number, one.name, one.at_ms) for one in world.migrations],
        )


class FaultSessions:
    """Opens and ends the sessions of database faults. Blocking: called by the supervisor's main thread only."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._open: dict[str, list[Session]] = {}
        self._saved: dict[str, str] = {}

    def begin(self, fault: str) -> None:
        """Do what the fault does. Raises psycopg.Error when the server does not let it."""
        match fault:
            case "connections-exhausted":
                self.refill()
            case "idle-in-transaction":
                self._idle_in_transaction(fault)
            case "ci-migration-lock":
                self._migration_lock(fault)
            case "slow-queries":
                self._slow()
            case "lying-health":
                self._administer("REVOKE SELECT ON public.system_health FROM radar_app")

    def end(self, fault: str) -> None:
        """Undo it; the transactions of its sessions roll back."""
        sessions = self._open.pop(fault, [])
        # Waiters first, else ending the session that blocks them would let the ALTER TABLE through.
        for session in reversed(sessions):
            self._end(session)
        if fault == "slow-queries":
            self._restore()
        elif fault == "lying-health":
            self._administer("GRANT SELECT ON public.system_health TO radar_app")

    def refill(self) -> None:
        """Open sessions until the server refuses one: a runaway import that takes what the application gives back."""
        sessions = self._open.setdefault("connections-exhausted", [])
        with contextlib.suppress(psycopg.OperationalError):  # the refusal is what we came for
            while len(sessions) < MOST_SESSIONS:
                sessions.append(self._session("radar_worker", "review-import"))

    def drop(self) -> None:
        """Forget all sessions without asking the server: it is gone, or hangs."""
        for sessions in self._open.values():
            for session in sessions:
                session.pgconn.finish()
        self._open.clear()

    def _session(self, user: str, name: str) -> Session:
        return psycopg.connect(
            self._server.dsn(user), connect_timeout=CONNECT_TIMEOUT_S, application_name=name, autocommit=True
        )

    def _idle_in_transaction(self, fault: str) -> None:
        session = self._session("radar_worker", "invoice-job")
        self._open[fault] = [session]
        session.execute("BEGIN")
        session.execute("UPDATE public.clients SET plan = plan WHERE id <= 3")

    def _migration_lock(self, fault: str) -> None:
        """An idle reader, the CI's ALTER TABLE behind it, readers behind that one."""
        reader = self._session("radar_reports", "weekly-report")
        sessions = self._open[fault] = [reader]
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM public.audits")
        migration = self._session("migrator", "github-actions")
        sessions.append(migration)
        _send(migration, "ALTER TABLE public.audits ADD COLUMN weights jsonb NOT NULL DEFAULT '{}'")
        self._wait_until_blocked(migration.info.backend_pid)
        for _ in range(3):
            queued = self._session("radar_reports", "dashboard")
            sessions.append(queued)
            _send(queued, "SELECT avg(score) FROM public.audits")

    def _wait_until_blocked(self, pid: int) -> None:
        """Until the statement stands in the queue, so that those that follow stand behind it."""
        with self._admin() as connection:
            connection.execute("SET statement_timeout = '5s'")
            connection.execute(
                "DO $$ BEGIN WHILE cardinality(pg_blocking_pids(" + str(pid) + ")) = 0 LOOP"
                " PERFORM pg_sleep(0.01); END LOOP; END $$"
            )

    def _slow(self) -> None:
        with self._admin() as connection:
            for name in _SLOW_ROUTES:
                row = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (name,)).fetchone()
                body = str(row[0]) if row else ""
                self._saved.setdefault(name, body)
                connection.execute(_function(name, self._saved[name], slow=True))

    def _restore(self) -> None:
        with self._admin() as connection:
            for name, body in self._saved.items():
                connection.execute(_function(name, body, slow=False))
        self._saved.clear()

    def _end(self, session: Session) -> None:
        pid = session.info.backend_pid
        session.pgconn.finish()
        # A session that waits for a lock does not see that its client has gone.
        with contextlib.suppress(psycopg.Error), self._admin() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))

    def _administer(self, statement: LiteralString) -> None:
        with self._admin() as connection:
            connection.execute(statement)

    def _admin(self) -> Session:
        return psycopg.connect(self._server.dsn(), connect_timeout=CONNECT_TIMEOUT_S, autocommit=True)


def _send(session: Session, statement: LiteralString) -> None:
    """Begin a statement and do not wait for its end."""
    session.pgconn.send_query(statement.encode())


def _function(name: str, body: str, *, slow: bool) -> LiteralString:
    text = _SLOW_FUNCTION.format(name=name, body=body.strip().rstrip(";"))
    if not slow:
        text = f"CREATE OR REPLACE FUNCTION public.{name}() RETURNS text LANGUAGE sql STABLE AS $${body}$$"
    return text
