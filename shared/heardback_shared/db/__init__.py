"""PostgreSQL: connections that belong to one tenant, bulk writes, the outbox, migrations."""
