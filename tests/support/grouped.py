"""Feedback with words and vectors whose nearness is chosen, for tests of grouping."""

import base64
import math
from datetime import datetime
from typing import Any

import numpy as np

from heardback_shared.contracts.events import Embedding, FeedbackScored
from tests.support.clock import NOON
from tests.support.scored import score, scored

MODEL = "reader@1"
DIMENSION = 384


def embedding(direction: int, away: float = 0.0, *, aside: int = 1, model: str = MODEL) -> Embedding:
    """A unit vector at `away` degrees from the direction's own axis, towards axis 200 + `aside`."""
    vector = np.zeros(DIMENSION)
    vector[direction] = math.cos(math.radians(away))
    vector[200 + aside] = math.sin(math.radians(away))
    return Embedding(model=model, values=base64.b64encode(vector.astype("<f2").tobytes()).decode())


def saying(
    number: int,
    direction: int | None,
    away: float = 0.0,
    *,
    cause: str | None = "product/defect",
    confidence: float = 0.9,
    customer: str | None = None,
    at: datetime = NOON,
    model: str = MODEL,
    severity: float = 60.0,
    **more: Any,
) -> FeedbackScored:
    """A feedback that says `direction`; its customer is its own unless one is given."""
    reading = score(severity, cause)
    causes = tuple(c.model_copy(update={"confidence": confidence}) for c in reading.root_causes)
    found = scored(
        number,
        customer=customer or f"c-{number}",
        accepted_at=at,
        reading=reading.model_copy(update={"root_causes": causes}),
        **more,
    )
    said = embedding(direction, away, aside=number % 100, model=model) if direction is not None else None
    return found.model_copy(update={"embedding": said})
