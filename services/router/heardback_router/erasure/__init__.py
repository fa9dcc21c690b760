"""When a customer's personal data were erased: what was composed about them goes too."""
