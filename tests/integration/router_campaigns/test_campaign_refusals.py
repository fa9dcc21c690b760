"""What keeps a campaign from being sent, and who has to say yes."""

from typing import Any

import pytest
from tests.integration.router_campaigns.stage import TELL, Stage, urgent

NOTE = "Do not tell anybody that the ledger job counted closed seats twice since March."


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 409, answer.text
    assert answer.json()["title"] == "It cannot be sent as it is"
    return [one["detail"].split(":")[0] for one in answer.json()["errors"]]


async def submit(stage: Stage, item: str, *changes: str) -> Any:
    return await stage.do(await stage.campaign([item], changes), "submit")


async def test_a_claim_without_a_reviewed_change_is_not_sent(stage: Stage) -> None:
    item = await stage.item("c-1")
    assert codes(await submit(stage, item)) == ["no_change"]
    change = await stage.change(item, review=False)
    assert codes(await submit(stage, item, change)) == ["not_reviewed"]
    await stage.bo.post(f"/v1/changes/{change}:review")
    assert (await submit(stage, item, change)).status_code == 200


async def test_while_work_is_open_nobody_is_told(stage: Stage) -> None:
    item = await stage.item("c-1", resolved=False)
    change = await stage.change(item)
    assert codes(await submit(stage, item, change)) == ["item_open"]
    await stage.resolve(item)
    campaign = await stage.campaign([item], [change])
    assert (await stage.do(campaign, "submit")).status_code == 200
    await stage.ana.act(item, "reopen", {"reason": "It came back."})
    assert codes(await stage.do(campaign, "approve", stage.bo)) == ["item_open"]
    assert (await stage.show(campaign))["state"] == "submitted"
    await stage.resolve(item)
    assert (await stage.do(campaign, "approve", stage.bo)).status_code == 200


async def test_while_work_that_another_team_does_for_it_is_open_nobody_is_told(stage: Stage) -> None:
    item = await stage.item("c-1")
    child = await stage.item("c-2", direction=9, resolved=False)
    async with stage.database.tenant("default") as connection:
        await connection.exec_driver_sql(
            "UPDATE router.item SET children = jsonb_build_array($1::text) WHERE id = $2", (child, item)
        )
    change = await stage.change(item)
    assert codes(await submit(stage, item, change)) == ["child_open"]
    await stage.resolve(child)
    assert (await submit(stage, item, change)).status_code == 200


@pytest.mark.parametrize("result", ["partial", "declined"])
async def test_what_is_not_done_is_not_called_done(stage: Stage, result: str) -> None:
    item = await stage.item("c-1")
    claim = await stage.change(item, result=result, tell="The number of seats is fixed.")
    assert codes(await submit(stage, item, claim)) == ["text"]
    honest = await stage.change(item, result=result, tell="The price per seat stays as it is.")
    answer = await submit(stage, item, honest)
    assert answer.status_code == 200
    people = await stage.people(answer.json()["id"])
    said = people["c-1"]["message"]["body"]
    assert "still open" in said if result == "partial" else "not changing this" in said


async def test_a_promise_that_is_not_on_record_is_not_sent(stage: Stage) -> None:
    item = await stage.item("c-1", resolved=False)
    said = "Seats are right now. We will refund the difference by 30 November."
    change = await stage.change(item, tell=said, result="partial")
    assert codes(await submit(stage, item, change)) == ["promise"]
    promise = {"what": "Refund of the difference", "due_at": "2026-11-30T00:00:00Z"}
    tag = (await stage.ana.get(f"/v1/items/{item}")).headers["ETag"]
    made = await stage.ana.post(f"/v1/items/{item}/promises", promise, If_Match=tag)
    assert made.status_code == 200, made.text
    assert (await submit(stage, item, change)).status_code == 200


async def test_words_of_a_colleague_are_found_in_comments_causes_and_reasons(stage: Stage) -> None:
    item = await stage.item("c-1")
    await stage.ana.post(f"/v1/items/{item}:comment", {"text": NOTE})
    await stage.ana.act(
        item, "reopen", {"reason": "Somebody in the branch of Graz pressed the wrong button."}
    )
    await stage.resolve(item)
    for leak in (
        "We saw that the ledger job counted closed seats twice.",
        "It was the branch of Graz pressed the wrong button.",
        "Now the job patched and the ledger rebuilt by night.",
    ):
        change = await stage.change(item, tell=leak)
        answer = await submit(stage, item, change)
        assert codes(answer) == ["leak"]
        error = answer.json()["errors"][0]
        assert error["pointer"] == f"/changes/{change}/tell"
        assert item in error["detail"]
        assert "Graz" not in answer.text
        assert "ledger job" not in answer.text


async def test_a_customers_words_are_not_read_by_another_customer(stage: Stage) -> None:
    words = "my trainee Jonas Meier was shouted at by your driver on Monday"
    item = await stage.item("c-1", comment=words)
    change = await stage.change(item, tell=f"You wrote: {words}. We have spoken with the driver.")
    alone = await submit(stage, item, change)
    assert alone.status_code == 200
    await stage.more_customers(item, 1)
    assert codes(await submit(stage, item, change)) == ["leak"]
    again = await stage.do(alone.json()["id"], "approve", stage.bo)
    assert codes(again) == ["leak"]
    assert "Jonas" not in again.text


async def test_many_people_or_high_stakes_need_a_second_person_and_few_do_not(stage: Stage) -> None:
    small = await stage.item("c-1")
    change = await stage.change(small)
    campaign = await stage.campaign([small], [change])
    await stage.do(campaign, "submit")
    assert (await stage.do(campaign, "approve")).status_code == 200

    grave = await stage.item("c-2", direction=5, cause="product/defect")
    async with stage.database.tenant("default") as connection:
        await connection.exec_driver_sql(
            "UPDATE router.item_feedback SET score = $1 WHERE item_id = $2",
            (urgent("safety").model_dump_json(), grave),
        )
    crowded = await stage.item("c-3", direction=7)
    await stage.more_customers(crowded, 49)
    for item, why in ((grave, "safety"), (crowded, "Many customers")):
        campaign = await stage.campaign([item], [await stage.change(item, tell=TELL)])
        assert (await stage.show(campaign))["would_be"]["second_person"] is True
        await stage.do(campaign, "submit")
        own = await stage.do(campaign, "approve")
        assert (own.status_code, own.json()["title"]) == (403, "Somebody else has to do this")
        assert why in own.json()["detail"]
        assert (await stage.do(campaign, "approve", stage.bo)).status_code == 200
        shown = await stage.show(campaign)
        assert why in " ".join(shown["decision"]["because"])


async def test_the_table_itself_refuses_who_made_it_as_second_person(stage: Stage) -> None:
    item = await stage.item("c-1")
    campaign = await stage.campaign([item], [await stage.change(item)])
    with pytest.raises(Exception, match="check constraint"):
        async with stage.database.tenant("default") as connection:
            await connection.exec_driver_sql(
                "UPDATE router.campaign SET state = 'sending', approved_by = 'ana', approved_at = now(), "
                "submitted_by = 'bo', decision = '{\"second_person\": true}' WHERE id = $1",
                (campaign,),
            )
    with pytest.raises(Exception, match="check constraint"):
        async with stage.database.tenant("default") as connection:
            await connection.exec_driver_sql(
                "UPDATE router.change SET reviewed_by = recorded_by, reviewed_at = now()"
            )
