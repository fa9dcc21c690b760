"""Who may be reached, how, when and for what: preferences, consents, and how often somebody was reached.

Ingest (surveys) and router (messages) both ask in the transaction in which they act, so that a withdrawal
holds at once and no two of them go over a cap together.
"""
