"""E-mail to customers and to people of the tenant, by SMTP."""
