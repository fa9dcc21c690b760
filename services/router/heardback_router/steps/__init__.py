"""Steps that an item calls for, and deviations from what is usual that need somebody's approval."""
