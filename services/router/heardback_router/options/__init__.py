"""Custom requests that recur, and whether they become an option for everybody."""
