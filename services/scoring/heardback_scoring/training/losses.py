"""Losses over batches whose rows know different things; rows that know nothing of a task cost nothing."""

from collections.abc import Sequence

import torch
from torch import nn

from heardback_scoring.training.network import Reading
from heardback_scoring.training.soft_labels import SoftLabels
from heardback_scoring.training.tasks import CUES, Example

_NEUTRAL = 1
_UNUSED = -100
SHARES = {
    # negative, neutral, positive of the train split
    "tweeteval_sentiment": (0.156, 0.448, 0.396),
    "goemotions": (0.225, 0.354, 0.421),
    "fabsa": (0.259, 0.15, 0.6),  # neutral is rarer still; its weight stops here
    "vader_amazon": (0.335, 0.209, 0.456),
}


def sentiment_loss(
    logits: torch.Tensor, rows: Sequence[Example], *, balanced: bool = False, smoothing: float = 0.05
) -> torch.Tensor:
    """Cross-entropy; a row of a set without neutral is judged between its two classes.

    `balanced` weighs the classes of a set by (even share ÷ own share) ** ½: what counts is to find each
    class, and the shares of a data set are not those of anybody's customers.
    """
    truth = torch.tensor([_UNUSED if e.labels.sentiment is None else e.labels.sentiment for e in rows])
    if not (truth != _UNUSED).any():
        return logits.sum() * 0
    binary = torch.tensor([e.labels.binary for e in rows])
    two = logits.masked_fill(binary[:, None] & (torch.arange(3) == _NEUTRAL)[None, :], -1e4)
    log = two.log_softmax(-1)
    known = truth != _UNUSED
    picked = -log[known].gather(1, truth[known, None]).squeeze(1)
    # Smoothing is spread over the classes the row can have.
    possible = two[known] > -1e3
    spread = -(log[known].masked_fill(~possible, 0.0).sum(1) / possible.sum(1))
    losses = (1 - smoothing) * picked + smoothing * spread
    if balanced:
        losses = losses * torch.tensor([_weight(e) for e in rows])[known]
    mean: torch.Tensor = losses.sum() / len(rows)
    return mean


def _weight(row: Example) -> float:
    shares = SHARES.get(row.source)
    return (
        1.0
        if shares is None or row.labels.sentiment is None
        else (1 / 3 / shares[row.labels.sentiment]) ** 0.5
    )


def emotion_loss(logits: torch.Tensor, rows: Sequence[Example], smoothing: float = 0.05) -> torch.Tensor:
    truth = torch.tensor([_UNUSED if e.labels.emotion is None else e.labels.emotion for e in rows])
    if not (truth != _UNUSED).any():
        return logits.sum() * 0
    total = nn.functional.cross_entropy(
        logits, truth, ignore_index=_UNUSED, reduction="sum", label_smoothing=smoothing
    )
    return total / len(rows)


def cue_loss(logits: torch.Tensor, rows: Sequence[Example]) -> torch.Tensor:
    """Binary cross-entropy over the cues a row knows of, summed over cues; the rare "yes" counts double."""
    known = torch.tensor([[cue in e.labels.cues for cue in CUES] for e in rows])
    if not known.any():
        return logits.sum() * 0
    truth = torch.tensor([[float(e.labels.cues.get(cue, False)) for cue in CUES] for e in rows])
    losses = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    mean: torch.Tensor = (losses * (1 + truth) * known).sum() / len(rows)
    return mean


def soft_loss(out: Reading, rows: Sequence[Example], soft: SoftLabels) -> torch.Tensor:
    """Cross-entropy with the teacher's probabilities where there are any (Hinton et al. 2015, temperature 1).

    The teacher learned the shares of its sets; its probabilities are balanced by the same weights as labels.
    Emotion is learned from it only where it sees a mood.
    """
    known, sentiment, emotion = soft.of([e.text for e in rows])
    if not known:
        return out.sentiment.sum() * 0
    wanted = torch.from_numpy(sentiment)
    shares = torch.tensor([SHARES.get(rows[i].source, (1 / 3,) * 3) for i in known])
    wanted = wanted * (1 / 3 / shares) ** 0.5
    wanted = wanted / wanted.sum(1, keepdim=True)
    loss = -(wanted * out.sentiment[known].log_softmax(-1)).sum()
    moody = 1 - torch.from_numpy(sentiment)[:, _NEUTRAL]
    felt = -(torch.from_numpy(emotion) * out.emotion[known].log_softmax(-1)).sum(1)
    total: torch.Tensor = (loss + 0.3 * (moody * felt).sum()) / len(rows)
    return total


def embedding_loss(given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """1 − cosine to the wanted embedding, and how far the cosines between the texts are off.

    The second is what few-shot categories are decided by.
    """
    apart = 1 - (given * wanted).sum(1).mean()
    between = (given @ given.T - wanted @ wanted.T).square().mean()
    total: torch.Tensor = apart + 10 * between
    return total
