"""Whether a customer may be asked something: rules, suppressions, and the life of one invitation. Pure."""
