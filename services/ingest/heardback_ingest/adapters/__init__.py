"""PostgreSQL behind the ports; all SQL of the service is here."""
