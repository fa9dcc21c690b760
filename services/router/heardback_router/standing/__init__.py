"""How a customer stands with us: told to whoever judges the customer's next feedback."""
