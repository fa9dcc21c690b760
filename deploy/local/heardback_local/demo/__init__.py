"""The whole loop once, on sample events, with every number checked."""
