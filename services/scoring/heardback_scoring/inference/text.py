"""What must be true of a text before a tokenizer sees it."""


def valid_unicode(text: str) -> str:
    """The text with lone surrogates replaced; tokenizers take valid Unicode only."""
    return text if text.isascii() else text.encode("utf8", "replace").decode("utf8")
