"""HTTP transport of scoring."""
