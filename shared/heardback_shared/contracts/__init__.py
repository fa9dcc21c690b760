"""What services say to each other: topics, envelopes, and the shape of every event.

Readers ignore fields they do not know; writers send only what is declared here.
"""
