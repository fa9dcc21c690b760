"""Use cases for policies not in force: what they would say of kept feedback, and what is odd in them."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from heardback_scoring.app.policy_texts import Policy
from heardback_scoring.app.rejudge import Kept, Rejudged, What, rejudge
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.taught import Taught
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import Understanding, taught_by
from heardback_scoring.domain.context import ASKED_AGAIN, ASKS_AGAIN, PASSED_AROUND
from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.domain.taxonomy_check import check

KEPT = 4
MOST_WARNINGS = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """None leaves what was judged before as it is."""

    severity: SeverityPolicy | None = None
    taxonomy: Taxonomy | None = None


class Drafts:
    def __init__(self, serving: Serving, taxonomies: Taxonomies) -> None:
        self._serving = serving
        self._taxonomies = taxonomies
        self._kept: OrderedDict[str, tuple[Understanding, Taught, Draft, Understanding]] = OrderedDict()

    async def judge(self, tenant_id: str, draft: Draft, kept: Sequence[Kept]) -> list[Rejudged]:
        """In order. What people of this tenant corrected counts as it does for feedback that comes now.

        Raises ValueError for an embedding that cannot be one, naming its place, and TextsRefused,
        InferenceBusy or InferenceClosed while a taxonomy is embedded.
        """
        with self._serving.borrowed() as base:
            by = await self._drafted(base, tenant_id, draft)
            what = What(draft.severity is not None, draft.taxonomy is not None)
            return await asyncio.to_thread(rejudge, kept, by, what)

    async def warnings(self, tenant_id: str, policy: Policy) -> list[str]:
        """What a person should look at before the policy is put in force; at most `MOST_WARNINGS`."""
        if isinstance(policy, SeverityPolicy):
            return _about_severity(policy)[:MOST_WARNINGS]
        with self._serving.borrowed() as base:
            taught = base.for_tenant(tenant_id).taught
            found = [*_about_keywords(policy), *_about_corrections(policy, taught)]
            embedded = await self._taxonomies.embedded(policy, base)
        if embedded is None:
            return ["The model in use has no embeddings, so the examples were not compared.", *found]
        checked = await asyncio.to_thread(check, embedded)
        for one in checked.categories:
            if 2 * one.right < one.examples:
                found.append(
                    f"{one.path}: {one.right} of its {one.examples} examples are told by the others; "
                    "write more, or examples that are more alike."
                )
        for pair in checked.near_duplicates:
            found.append(
                f"{pair.path} and {pair.other_path} have examples that say the same: "
                f"{pair.text!r} and {pair.other_text!r}."
            )
        return found[:MOST_WARNINGS]

    async def _drafted(self, base: Understanding, tenant_id: str, draft: Draft) -> Understanding:
        taught = base.for_tenant(tenant_id).taught
        known = self._kept.get(tenant_id)
        if known is not None and known[0] is base and known[1] is taught and known[2] == draft:
            return known[3]
        drafted = replace(
            taught,
            severity=draft.severity or taught.severity,
            taxonomy=draft.taxonomy or taught.taxonomy,
        )
        taxonomy = drafted.taxonomy or base.policies.taxonomy
        embedded = await self._taxonomies.embedded(taxonomy, base)
        by = await asyncio.to_thread(taught_by, base, drafted, embedded)
        self._kept[tenant_id] = (base, taught, draft, by)
        self._kept.move_to_end(tenant_id)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return by


def _about_severity(policy: SeverityPolicy) -> list[str]:
    found = {rule.name for rule in CUES} | {ASKS_AGAIN, ASKED_AGAIN, PASSED_AROUND}
    weighed = set(policy.cues) | set(policy.floors)
    return [
        f"{name}: no pattern finds a cue of this name; it counts only if the model knows it."
        for name in sorted(weighed - found)
    ]


def _about_keywords(taxonomy: Taxonomy) -> list[str]:
    pairs = zip(taxonomy.paths, taxonomy.categories, strict=True)
    bare = [path for path, (_, _, category) in pairs if category.cause and not category.keywords]
    return [f"{path}: without keywords it is never found while the fallback reads." for path in bare]


def _about_corrections(taxonomy: Taxonomy, taught: Taught) -> list[str]:
    known = set(taxonomy.paths)
    lost = sorted({p for c in taught.corrected.values() for p in (*(c.right or ()), *c.wrong)} - known)
    return [
        f"{path}: people corrected feedback to or from it, but it is not in this taxonomy." for path in lost
    ]
