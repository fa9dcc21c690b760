"""Policies of this service as it ships them."""
