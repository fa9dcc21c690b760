"""A title for an item, from what the customer said first (personal data is redacted before it gets here)."""

from heardback_shared.contracts.feedback import FeedbackContent

LIMIT = 120
TELLING = 15
"""A first text shorter than this ("Hi there") says nothing; the next one that is longer is taken."""


def title_of(content: FeedbackContent) -> str:
    """One line of at most LIMIT characters, never empty."""
    texts = [" ".join(text.split()) for _, text in content.customer_texts]
    telling = next((text for text in texts if len(text) >= TELLING), None)
    words = telling or max(texts, key=len, default="")
    if not words:
        return _without_words(content)
    if len(words) <= LIMIT:
        return words
    return words[: LIMIT - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


def words_of(content: FeedbackContent) -> str:
    """What text search finds an item by: all the customer said, or the title of a feedback without words."""
    return "\n".join(text for _, text in content.customer_texts) or title_of(content)


def _without_words(content: FeedbackContent) -> str:
    at = f" at {content.touchpoint}" if content.touchpoint else ""
    if content.metric is None:
        return f"{content.kind.capitalize()} without words{at}"
    metric = content.metric
    return f"{metric.kind.upper()} {metric.value:g} on {metric.min:g} to {metric.max:g}{at}, without words"[
        :LIMIT
    ]
