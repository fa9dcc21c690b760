"""Reading texts with a model: the `Scorer` port and what implements it."""
