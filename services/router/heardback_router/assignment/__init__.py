"""Who of a team takes an item: people, how much each takes at a time, and fair shares."""
