"""Wire contracts and machinery that every service uses. No rule of the business lives here."""

__version__ = "0.1.0"
