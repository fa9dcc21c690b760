"""Loops: one customer's stake in one resolved item, from being told to having answered."""
