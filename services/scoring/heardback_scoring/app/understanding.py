"""Everything needed to score, made once at start and shared by the stream, HTTP and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heardback_scoring.app.policies import Policies
from heardback_scoring.app.ports import Explain, LanguageGuesser, Opened, Reader
from heardback_scoring.app.taught import NOTHING_TAUGHT, NOTHING_TOLD, Taught, Told
from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.root_cause import Causes, EmbeddedTaxonomy, KeywordTaxonomy
from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.inference.ports import Scorer, TextReading


@dataclass(frozen=True, slots=True)
class Understanding:
    """`fallback` answers when the reader fails; `why_degraded` says why it is the reader from the start.

    `embedded` is None while the scorer has no embeddings; keywords decide then. Without `satisfaction` the
    formula of `domain/sentiment.py` says how content a conversation left the customer. `explain` says which
    feedback gets evidence. `tenants` are those that taught something, each with `taught` in effect.
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
    taught: Taught = NOTHING_TAUGHT
    remembered: Told = NOTHING_TOLD
    tenants: Mapping[str, "Understanding"] = field(default_factory=dict)

    def for_tenant(self, tenant_id: str | None) -> "Understanding":
        """The same model and languages, with what this tenant taught."""
        return self.tenants.get(tenant_id, self) if tenant_id is not None else self

    @property
    def taught_by_tenant(self) -> Mapping[str, Taught]:
        return {tenant_id: own.taught for tenant_id, own in self.tenants.items()}

    def told(self, feedback_id: str) -> Causes | None:
        """What a person said that the causes of this very feedback are; None where nobody did."""
        learnt = self.embedded.told(feedback_id) if self.embedded is not None else None
        return learnt or self.remembered.causes(feedback_id, self.policies.taxonomy)

    @property
    def taxonomy_version(self) -> str:
        """With the corrections it has learnt, and those it only remembers; keywords learn none."""
        plain = self.embedded.version if self.embedded is not None else self.policies.taxonomy.policy
        return plain + self.remembered.version

    @property
    def versions(self) -> tuple[str, ...]:
        """name@version of every policy, the taxonomy with its corrections, always in the same order."""
        plain, known = self.policies.taxonomy.policy, self.taxonomy_version
        return tuple(known if v == plain else v for v in self.policies.versions)


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
    """The same policies and languages around another model, with what tenants taught. Blocking.

    Taxonomies are embedded by that model. What was corrected under another one is only remembered.
    """
    base = understanding_of(
        by.policies,
        by.guesser,
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
        by.explain,
    )
    return teaching(base, by.taught_by_tenant)


def teaching(base: Understanding, taught: Mapping[str, Taught]) -> Understanding:
    """With what every tenant taught, each taxonomy embedded. Blocking."""
    tenants = {}
    for tenant_id, one in taught.items():
        taxonomy = one.taxonomy
        embedded = base.embedded if taxonomy is None else embed_taxonomy(taxonomy, base.reader.scorer)
        tenants[tenant_id] = taught_by(base, one, embedded)
    return replace(base, tenants=tenants)


def taught_by(base: Understanding, taught: Taught, embedded: EmbeddedTaxonomy | None) -> Understanding:
    """What a tenant taught put around a model. `embedded` is its taxonomy, without corrections. Blocking."""
    policies = replace(
        base.policies,
        severity=taught.severity or base.policies.severity,
        taxonomy=taught.taxonomy or base.policies.taxonomy,
    )
    corrections, remembered = taught.split(base.reader.scorer.model.version)
    if embedded is not None and corrections:
        embedded = embedded.corrected(corrections)
    return replace(
        base,
        policies=policies,
        keywords=base.keywords if taught.taxonomy is None else KeywordTaxonomy(taught.taxonomy),
        embedded=embedded,
        taught=taught,
        remembered=remembered,
        tenants={},
    )


def embed_taxonomy(taxonomy: Taxonomy, scorer: Scorer) -> EmbeddedTaxonomy | None:
    """None when the scorer has no embeddings. Blocking."""
    return embedded_by(taxonomy, scorer.read(taxonomy.texts))


def embedded_by(taxonomy: Taxonomy, readings: Sequence[TextReading]) -> EmbeddedTaxonomy | None:
    """From the readings of `taxonomy.texts`; None when any is without an embedding. Blocking."""
    known = [r.embedding for r in readings if r.embedding is not None]
    if len(known) != len(readings):
        return None
    return EmbeddedTaxonomy(taxonomy, np.stack(known))
