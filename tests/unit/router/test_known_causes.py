"""Which causes a correction may name, as scoring tells; when it cannot, nothing is refused."""

import httpx
import pytest
from tests.support.clock import FakeClock

from heardback_router.configuration.owners import ScoringClient
from heardback_router.corrections.causes import AskScoring, strangers

TAXONOMY = {"taxonomy": "t@1", "categories": [{"path": "operations/billing"}, {"path": "product/defect"}]}
KNOWN = frozenset({"operations/billing", "product/defect"})


def asking(answer: httpx.Response | Exception, asked: list[httpx.Request], clock: FakeClock) -> AskScoring:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return AskScoring(ScoringClient("http://scoring", httpx.MockTransport(handle)), clock)


async def test_scoring_is_asked_with_the_callers_key_and_not_each_time() -> None:
    asked: list[httpx.Request] = []
    clock = FakeClock()
    causes = asking(httpx.Response(200, json=TAXONOMY), asked, clock)
    assert await causes.of("t1", "Bearer a") == await causes.of("t1", "Bearer b") == KNOWN
    assert [(r.url.path, r.headers["Authorization"]) for r in asked] == [("/v1/taxonomy", "Bearer a")]
    assert await causes.of("t2", "Bearer c") == KNOWN
    clock.forward(minutes=1)
    assert await causes.of("t1", "Bearer d") == KNOWN
    assert len(asked) == 3


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={}),
        httpx.Response(200, content=b"nonsense"),
        httpx.Response(200, json={"else": 1}),
        httpx.ConnectError("away"),
    ],
)
async def test_a_scoring_that_cannot_tell_refuses_nothing(answer: httpx.Response | Exception) -> None:
    assert await asking(answer, [], FakeClock()).of("t1", "Bearer a") is None


async def test_without_an_address_nobody_can_tell() -> None:
    assert await AskScoring(ScoringClient(None), FakeClock()).of("t1", "Bearer a") is None


def test_a_stranger_is_named_with_what_it_may_have_meant() -> None:
    [(pointer, mend)] = strangers("root_causes", ["product/defect", "operations/biling"], KNOWN)
    assert pointer == "/root_causes/1"
    assert "did you mean operations/billing" in mend
    assert strangers("root_causes", sorted(KNOWN), KNOWN) == []
