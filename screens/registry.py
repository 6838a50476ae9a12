"""Every page that the console can show: for who must know all of their keys. Imports them all."""

from __future__ import annotations

from screens.actions import ActionsPage
from screens.alerts import AlertPage, AlertsScreen
from screens.card import CardPage
from screens.component import ComponentPage
from screens.contacts import ContactsPage
from screens.deployments import DeploymentPage, DeploymentsScreen, RunDetailPage
from screens.dialogs.act import ActPage
from screens.dialogs.choose import ChoosePage
from screens.dialogs.close import ClosePage
from screens.dialogs.maintenance import MaintenancePage
from screens.health import HealthScreen
from screens.help import HelpPage
from screens.ledger import LedgerPage
from screens.metrics import MetricsScreen
from screens.moments import MomentPage
from screens.note import NotePage
from screens.palette import PalettePage
from screens.plan import PlanPage
from screens.reasons import ReasonsPage
from screens.run import RunPage
from screens.slo import SloPage, TargetPage

PAGES = (
    HealthScreen,
    ComponentPage,
    ReasonsPage,
    MetricsScreen,
    SloPage,
    TargetPage,
    DeploymentsScreen,
    DeploymentPage,
    RunDetailPage,
    ChoosePage,
    ClosePage,
    MaintenancePage,
    AlertsScreen,
    AlertPage,
    ActPage,
    LedgerPage,
    ActionsPage,
    PlanPage,
    CardPage,
    RunPage,
    NotePage,
    ContactsPage,
    HelpPage,
    MomentPage,
    PalettePage,
)
