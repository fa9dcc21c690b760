"""The HTTP doors and the pages about what came through them."""
