"""Signed webhooks: endpoints, the delivery queue, and the dispatcher that empties it."""
