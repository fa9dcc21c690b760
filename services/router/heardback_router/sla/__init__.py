"""By when: clocks over an item's log, working time, warnings and breaches."""
