"""The parts of the customer master, wired to each other: one place, used by `main`."""

from dataclasses import dataclass

from heardback_ingest.adapters.postgres_accounts import PostgresAccounts
from heardback_ingest.adapters.postgres_handling import PostgresHandling
from heardback_ingest.adapters.postgres_imports import PostgresClassRuns, PostgresImports
from heardback_ingest.adapters.postgres_links import PostgresLinks
from heardback_ingest.adapters.postgres_profiles import PostgresProfiles
from heardback_ingest.adapters.postgres_sources import PostgresSources
from heardback_ingest.app.accounts import KeepAccounts
from heardback_ingest.app.cards import WriteCards
from heardback_ingest.app.classes import Classes
from heardback_ingest.app.customer_door import CustomerDoor
from heardback_ingest.app.customers import KeepCustomers
from heardback_ingest.app.handling import KeepHandling
from heardback_ingest.app.identity import Identity
from heardback_ingest.app.imports import ImportCustomers
from heardback_ingest.app.kafka_door import Tenants
from heardback_ingest.app.settling import SettleClasses
from heardback_ingest.app.sources import HearSources
from heardback_ingest.app.surveys.ports import SurveyLog
from heardback_ingest.customer_ports import Cards, Policies
from heardback_ingest.ports import DeadLetters, Vault
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics


@dataclass(frozen=True)
class CustomerMaster:
    keep: KeepCustomers
    classes: Classes
    accounts: KeepAccounts
    identity: Identity
    handling: KeepHandling
    imports: ImportCustomers
    sources: HearSources
    door: CustomerDoor


def build_master(
    database: Database,
    keyring: Keyring,
    vault: Vault,
    cards: Cards,
    surveys: SurveyLog,
    *,
    policies: Policies,
    tenants: Tenants,
    letters: DeadLetters,
    clock: Clock,
    metrics: Metrics,
    default_tenant: str,
) -> CustomerMaster:
    profiles, links, accounts = PostgresProfiles(), PostgresLinks(), PostgresAccounts()
    heard = PostgresSources()
    settling = SettleClasses(profiles, policies)
    written = WriteCards(cards, links, accounts, policies)
    sources = HearSources(database, heard, policies, metrics, clock)
    keep = KeepCustomers(
        database,
        profiles,
        links,
        vault,
        keyring,
        classes=settling,
        cards=written,
        surveys=surveys,
        sources=sources,
        policies=policies,
        clock=clock,
    )
    return CustomerMaster(
        keep=keep,
        classes=Classes(database, profiles, PostgresClassRuns(), settling, written, policies, clock),
        accounts=KeepAccounts(database, accounts, profiles, written, clock),
        identity=Identity(database, links, profiles, written, clock),
        handling=KeepHandling(database, PostgresHandling(), profiles, vault, policies, clock),
        imports=ImportCustomers(database, PostgresImports(), keep, clock),
        sources=sources,
        door=CustomerDoor(
            database, keep, heard, tenants, letters, clock, metrics, default_tenant=default_tenant
        ),
    )
