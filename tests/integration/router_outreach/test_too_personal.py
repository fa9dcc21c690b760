"""Who says it is too personal is left alone by machines: from the words to the next message that is held."""

from tests.integration.router_loops.receiver import Receiver
from tests.support.outreach import Station, draft
from tests.support.router import router_on
from tests.support.scored import incoming, scored

from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.words import Text
from heardback_shared.contact.holds import PostgresHolds, Stop
from heardback_shared.contracts.events import FeedbackScored

WORDS = "Your last mail was far too personal. How do you know that I am divorced?"


def said(number: int, words: str, customer: str = "c-1") -> FeedbackScored:
    """A scored feedback with the cues that scoring finds in these words."""
    feedback = scored(number, customer=customer)
    cues = CueFinder(CUES).find(0, Text.of(words))
    return feedback.model_copy(update={"score": feedback.score.model_copy(update={"cues": tuple(cues)})})


async def holds(station: Station, customer: str = "c-1") -> list[Stop]:
    async with station.database.tenant("default") as connection:
        return list(await PostgresHolds().of_customer(connection, "default", customer))


async def test_the_next_automated_step_is_held_until_a_person_lifts_it(
    station: Station, receiver: Receiver
) -> None:
    await router_on(station.database).receive(incoming(said(1, WORDS)), incoming(said(2, "All fine.", "c-2")))
    await station.enqueue(draft(1), draft(2, customer_id="c-2"))
    await station.send()
    assert await station.states() == {"me_1_told": "waiting", "me_2_told": "sent"}
    standing = await station.standing("me_1_told")
    assert standing.code == "on_hold"
    assert standing.reason is not None
    assert "too personal" in standing.reason
    await station.hold(held=False)
    station.clock.forward(minutes=15)
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"


async def test_a_person_may_write_all_the_same(station: Station, receiver: Receiver) -> None:
    await router_on(station.database).receive(incoming(said(1, WORDS)))
    await station.enqueue(draft(1, automatic=False))
    await station.send()
    assert len(receiver.received) == 1


async def test_feedback_that_was_heeded_is_not_heeded_again(station: Station) -> None:
    router, event = router_on(station.database), incoming(said(1, WORDS))
    await router.receive(event)
    await router.receive(event)
    await station.hold(held=False)
    await router.receive(event)
    assert [line.held for line in await holds(station)] == [True, False]
    await router.receive(incoming(said(2, WORDS)))
    assert [line.held for line in await holds(station)] == [True, False, True]
    assert await holds(station, "c-2") == []
