"""How many customers to ask, which survey asks them, and what being asked does to them. Pure."""
