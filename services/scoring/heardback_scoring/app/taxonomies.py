"""Taxonomies, embedded by the model in use: each text once, however many tenants and drafts ask for it."""

import asyncio
import hashlib
from collections import OrderedDict

from heardback_scoring.app.understanding import Understanding, embedded_by
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy
from heardback_scoring.domain.taxonomy import Taxonomy

KEPT = 16


class Taxonomies:
    """Those asked for last are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], EmbeddedTaxonomy | None] = OrderedDict()

    async def embedded(self, taxonomy: Taxonomy, by: Understanding) -> EmbeddedTaxonomy | None:
        """Without corrections; None where the model has no embeddings. Its texts take turns with all others.

        Raises TextsRefused, InferenceBusy or InferenceClosed.
        """
        if taxonomy == by.policies.taxonomy and by.embedded is not None and not by.embedded.corrections:
            return by.embedded
        digest = hashlib.sha256(taxonomy.model_dump_json().encode()).hexdigest()
        key = (by.reader.scorer.model.sha256, digest)
        if key not in self._kept:
            readings = await by.reader.read(taxonomy.texts)
            self._kept[key] = await asyncio.to_thread(embedded_by, taxonomy, readings)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
