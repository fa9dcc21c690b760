"""How many are asked, by which survey, and what being asked does to them."""
