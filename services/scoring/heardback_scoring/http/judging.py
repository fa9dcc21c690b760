"""The door for policies not in force yet: are they sound, and what would they say of kept feedback?"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Response

from heardback_scoring.app.drafts import Draft, Drafts
from heardback_scoring.app.policy_texts import (
    Policy,
    PolicyKind,
    PolicyRefused,
    read_policy,
    read_severity,
    read_taxonomy,
)
from heardback_scoring.app.rejudge import Kept
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.http.problems import told_when_busy
from heardback_scoring.http.schemas import (
    CategoryShown,
    CheckedAnswer,
    CheckIn,
    JudgedAnswer,
    JudgedRow,
    JudgeIn,
    KeptIn,
    TaxonomyAnswer,
)
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.http.app import serve_routes
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

P = TypeVar("P", bound=Policy)


def add_judging(app: FastAPI, serving: Serving, drafts: Drafts, guard: Guard) -> None:
    router = APIRouter(prefix="/v1", tags=["policies"])
    readers = Annotated[
        Principal, Depends(guard.needs("score:write", "items:read", "items:write", "policies:read"))
    ]
    drafters = Annotated[Principal, Depends(guard.needs("score:write", "policies:write"))]

    @router.post(
        "/judge",
        response_model=JudgedAnswer,
        summary="What severity and causes would be under other policies",
    )
    async def judge(who: drafters, body: JudgeIn) -> Response:
        """Nothing is stored, and no model reads the feedback again: only what was kept of it is judged.

        A policy that is null leaves severity, or causes, as they were. With the policies that judged first
        (and the same corrections) the answer is the same to the last bit.
        """
        draft = Draft(
            None if body.severity is None else await _read(read_severity, body.severity, "/severity"),
            None if body.taxonomy is None else await _read(read_taxonomy, body.taxonomy, "/taxonomy"),
        )
        kept = list(_kept(body.feedback, serving.understanding))
        with told_when_busy():
            judged = await drafts.judge(who.tenant_id, draft, kept)
        rows = tuple(
            JudgedRow(
                feedback_id=one.accepted.feedback_id,
                severity=found.severity,
                root_causes=found.root_causes,
                runners_up=found.runners_up,
                taxonomy=found.taxonomy,
                because=found.because,
            )
            for one, found in zip(kept, judged, strict=True)
        )
        return Response(to_bytes(JudgedAnswer(judged=rows)), media_type="application/json")

    @router.post("/policies/{kind}:check", summary="Can this policy be used, and is anything odd in it?")
    async def check_policy(who: drafters, kind: PolicyKind, body: CheckIn) -> CheckedAnswer:
        """A policy that cannot be used is a problem that names every fault. Nothing is stored."""
        policy = await _read(partial(read_policy, kind), body.text, "/text")
        with told_when_busy():
            warnings = await drafts.warnings(who.tenant_id, policy)
        return CheckedAnswer(policy=policy.policy, warnings=tuple(warnings))

    @router.get("/taxonomy", summary="The root causes there are, by the taxonomy in force for the caller")
    async def taxonomy(who: readers) -> TaxonomyAnswer:
        by = serving.understanding.for_tenant(who.tenant_id)
        pairs = zip(by.policies.taxonomy.paths, by.policies.taxonomy.categories, strict=True)
        return TaxonomyAnswer(
            taxonomy=by.taxonomy_version,
            categories=tuple(
                CategoryShown(path=path, description=one.description, cause=one.cause)
                for path, (*_, one) in pairs
            ),
        )

    serve_routes(app, router)


async def _read(read: Callable[[str], P], text: str, field: str) -> P:
    try:
        return await asyncio.to_thread(read, text)
    except PolicyRefused as refused:
        faults = tuple((field + pointer, mend) for pointer, mend in refused.faults)
        raise invalid(faults, f"The policy has {len(faults)} fault(s); nothing of it is used.") from refused


def _kept(rows: tuple[KeptIn, ...], by: Understanding) -> Iterator[Kept]:
    length = None if by.embedded is None else by.embedded.vectors.shape[1]
    for number, row in enumerate(rows):
        embedding = row.embedding
        # Where the model is another one the length may differ; it is not compared then.
        if embedding is not None and length is not None and embedding.model == by.reader.scorer.model.version:
            found = len(embedding.data) // 2
            if found != length:
                pointer = f"/feedback/{number}/embedding/values"
                raise invalid(((pointer, f"must hold {length} numbers for this model, not {found}"),))
        yield Kept(row.accepted, row.score, embedding)
