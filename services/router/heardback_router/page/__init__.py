"""The customer's own page behind a signed link: what they said, what became of it, what they wish."""
