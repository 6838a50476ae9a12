"""Makes the table of the maintenance flag: an action of its own, for nothing else of ours changes a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from console.actions.base import Context, done, failed
from console.actions.maintenance import EXCLUSION
from console.actions.maintenance_providers import provider_of
from console.actions.maintenance_row import DatabaseRow
from console.model.actions import ActionRequest, Check, CheckResult, Plan, Risk, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.sources.faults import Fault


class MakeMaintenanceTable:
    """`maintenance-table` {}."""

    NAME: ClassVar[str] = "maintenance-table"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """Whether it is there. Raises `Refused` where the flag is kept elsewhere."""
        try:
            row = _row(context)
            return {"exists": await row.exists(), "why_not": await row.why_not_made(), "fault": None}
        except Fault as fault:
            return {"exists": None, "fault": fault.words}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """One statement."""
        row, maintenance = _row(context), context.operations.maintenance
        table = maintenance.table if maintenance else ""
        statement = row.definition.as_string(None)
        return Plan(
            action=self.NAME,
            title=f"Make the table {table}",
            environment=context.environment.name,
            target=row.name,
            short_id="table",
            risk=Risk.DISRUPTIVE,
            exclusion=EXCLUSION,
            checks=(_check(facts, table),),
            steps=(Step(key="table", kind=StepKind.CHANGE, words=f"make the table {table}", call=statement),),
            afterwards=("the application's role needs SELECT on it; nothing else changes",),
            undo=f"DROP TABLE {table}, by hand: radar drops nothing",
            escape=(f"psql \"$MAINTENANCE_DATABASE_URL\" -c '{statement}'",),
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Make it, unless it is there."""
        await _row(context).make_table()
        return done("the table is there")

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """By whether it is there."""
        if await _row(context).exists():
            return done("the table is there")
        return failed("there is no such table: nothing was made")


def _row(context: Context) -> DatabaseRow:
    provider = provider_of(context.environment, context.operations.maintenance, context.clients)
    if not isinstance(provider, DatabaseRow):
        raise Refused(f'the flag is kept in {provider.name}: a table is needed with provider = "database" only')
    return provider


def _check(facts: Mapping[str, Json], table: str) -> Check:
    if facts.get("fault"):
        return Check(key="database", result=CheckResult.FAIL, words=str(facts["fault"]), source="database")
    if why_not := facts.get("why_not"):
        words = f"{why_not}: GRANT CREATE ON SCHEMA to it, or make the table by another role (see the escape card)"
        return Check(key="database", result=CheckResult.FAIL, words=words, source="database")
    words = f"{table} is there already: nothing will be made" if facts.get("exists") else f"there is no {table} yet"
    return Check(key="database", result=CheckResult.PASS, words=words, source="database")
