"""Everything needed to score, made once at start and shared by the stream, HTTP and the command line."""

from dataclasses import dataclass

import numpy as np

from heardback_scoring.app.policies import Policies
from heardback_scoring.app.ports import Explain, LanguageGuesser, Opened, Reader
from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy, KeywordTaxonomy
from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.inference.ports import Scorer


@dataclass(frozen=True, slots=True)
class Understanding:
    """`fallback` answers when the reader fails; `why_degraded` says why it is the reader from the start.

    `embedded` is None while the scorer has no embeddings; keywords decide then. Without `satisfaction` the
    formula of `domain/sentiment.py` says how content a conversation left the customer. `explain` says which
    feedback gets evidence.
    """

    policies: Policies
    guesser: LanguageGuesser
    reader: Reader
    fallback: Scorer
    cues: CueFinder
    keywords: KeywordTaxonomy
    embedded: EmbeddedTaxonomy | None = None
    why_degraded: str | None = None
    satisfaction: SatisfactionModel | None = None
    explain: Explain = "off"

    @property
    def taxonomy_version(self) -> str:
        """With the corrections it has learnt; keywords learn none."""
        return self.embedded.version if self.embedded is not None else self.policies.taxonomy.policy

    @property
    def versions(self) -> tuple[str, ...]:
        """name@version of every policy, the taxonomy with its corrections, always in the same order."""
        plain = self.policies.taxonomy.policy
        return tuple(self.taxonomy_version if v == plain else v for v in self.policies.versions)


def understanding_of(
    policies: Policies,
    guesser: LanguageGuesser,
    reader: Reader,
    fallback: Scorer,
    why_degraded: str | None = None,
    satisfaction: SatisfactionModel | None = None,
    explain: Explain = "off",
) -> Understanding:
    """Compiles the patterns and embeds the taxonomy's examples with the reader's scorer. Blocking."""
    return Understanding(
        policies=policies,
        guesser=guesser,
        reader=reader,
        fallback=fallback,
        cues=CueFinder(CUES),
        keywords=KeywordTaxonomy(policies.taxonomy),
        embedded=embed_taxonomy(policies.taxonomy, reader.scorer),
        why_degraded=why_degraded,
        satisfaction=satisfaction,
        explain=explain,
    )


def around(by: Understanding, opened: Opened) -> Understanding:
    """The same policies and languages around another model, the taxonomy embedded by that one. Blocking."""
    return understanding_of(
        by.policies,
        by.guesser,
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
        by.explain,
    )


def embed_taxonomy(taxonomy: Taxonomy, scorer: Scorer) -> EmbeddedTaxonomy | None:
    """None when the scorer has no embeddings."""
    vectors = [r.embedding for r in scorer.read(taxonomy.texts)]
    known = [v for v in vectors if v is not None]
    if len(known) != len(vectors):
        return None
    return EmbeddedTaxonomy(taxonomy, np.stack(known))
