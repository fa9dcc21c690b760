"""What was promised to customers: suggested from texts, confirmed by people, broken by time."""
