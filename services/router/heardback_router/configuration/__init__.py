"""Which policies are in force, for whom."""
