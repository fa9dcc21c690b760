"""The customer's page over HTTP. No API key: the token in the address is the right to this one page.

Only POST changes anything. A POST of which a browser says that it comes from another site is refused; mail
programs, which say nothing, may unsubscribe with one request (RFC 8058).
"""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from heardback_router.loops.domain import Answer
from heardback_router.page.app import Agreement, CustomerPage, NotSentError, TooManyCodesError
from heardback_router.page.domain import Deed, PageView
from heardback_router.page.forms import Fields, FormError, address_of, comment_of, read_form, wishes_of
from heardback_router.page.rendering import Pages
from heardback_router.page.texts import CONSENT_VERSION, LANGUAGES, TEXTS
from heardback_router.page.visits import RefusedError, Site, Visit
from heardback_shared.contact.domain import Purpose
from heardback_shared.contact.wishes import Scope
from heardback_shared.errors import ProblemError
from heardback_shared.http.rate_limit import RateLimiter

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SCOPES: tuple[Scope, ...] = get_args(Scope)
_DONE = frozenset(word.removeprefix("done_") for word in TEXTS["en"] if word.startswith("done_"))
_FAULTS = frozenset(word.removeprefix("error_") for word in TEXTS["en"] if word.startswith("error_"))
_ANSWERS: dict[str, Answer] = {"confirm": "confirmed", "dispute": "disputed"}
Id = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Word = Annotated[str | None, Query(max_length=40)]


PREFIX = "/c/"


def page_routes(page: CustomerPage, pages: Pages, public_url: str, limiter: RateLimiter) -> APIRouter:
    api = APIRouter(prefix=PREFIX + "{token}", include_in_schema=False)
    site = Site(page, pages, public_url, limiter)
    _add_page(api, site)
    _add_answers(api, site)
    _add_purposes(api, site)
    _add_unsubscribe(api, site)
    _add_step_up(api, site)
    return api


def _add_page(api: APIRouter, site: Site) -> None:
    visiting = Annotated[Visit, Depends(site.visit)]
    sending = Annotated[Visit, Depends(site.sent)]

    @api.get("")
    async def show(at: visiting, done: Word = None, fault: Word = None) -> Response:
        view = await site.page.view(at.claim)
        return site.whole(
            at,
            view,
            _filled(view),
            done=done if done in _DONE else None,
            fault=fault if fault in _FAULTS else None,
        )

    @api.post("/preferences")
    async def save(request: Request, at: sending) -> Response:
        form = read_form(await request.body())
        try:
            await site.page.wish(at.claim, wishes_of(form))
        except FormError as error:
            view = await site.page.view(at.claim)
            said = {name: form.of(name) for name in _filled(view)}
            return site.whole(at, view, said, 422, fault=error.word)
        return at.back(done="saved")


def _add_answers(api: APIRouter, site: Site) -> None:
    sending = Annotated[Visit, Depends(site.sent)]

    @api.post("/loops/{loop_id}/{answer}")
    async def answer(request: Request, at: sending, loop_id: Id, answer: str) -> Response:
        form = read_form(await request.body())
        try:
            comment = comment_of(form)
            if answer == "contest":
                await site.page.contest(at.claim, loop_id, comment)
                return at.back(done="contested")
            if answer not in _ANSWERS:
                raise RefusedError(404, "missing")
            said = comment if answer == "dispute" else None
            await site.page.answer(at.claim, loop_id, _ANSWERS[answer], said)
        except FormError as error:
            return at.back(fault=error.word)
        except ProblemError as error:
            if error.status != 409:
                raise
            return at.back(fault="answered")
        return at.back(done="answered")


def _add_purposes(api: APIRouter, site: Site) -> None:
    sending = Annotated[Visit, Depends(site.sent)]
    stopping = Annotated[Visit, Depends(site.stopping)]

    @api.post("/stop")
    async def stop(request: Request, at: stopping) -> Response:
        form = read_form(await request.body())
        item_id = _item(form)
        await site.page.refuse(at.claim, "case_updates" if item_id else _scope(form), item_id)
        return at.back(done="stopped")

    @api.post("/allow")
    async def allow(request: Request, at: sending) -> Response:
        form = read_form(await request.body())
        item_id = _item(form)
        scope = "case_updates" if item_id else _scope(form)
        if scope == "everything":
            raise RefusedError(404, "missing")
        language = at.language((await site.page.view(at.claim)).who.language)
        text = TEXTS[language]["agree_item" if item_id else f"agree_{scope}"]
        agreed = Agreement(text, f"{CONSENT_VERSION}/{language}", at.link)
        await site.page.allow(at.claim, scope, agreed, item_id)
        return at.back(done="allowed")


def _add_unsubscribe(api: APIRouter, site: Site) -> None:
    leaving = Annotated[Visit, Depends(site.leaving)]

    @api.get("/unsubscribe/{purpose}")
    async def ask_unsubscribe(at: leaving, purpose: str) -> Response:
        known = _purpose(purpose)
        language = at.language((await site.page.view(at.claim)).who.language)
        return site.small("unsubscribe.html", at, language, purpose=known)

    @api.post("/unsubscribe/{purpose}")
    async def unsubscribe(at: leaving, purpose: str) -> Response:
        # Any sender: mail programs come from anywhere, and all this does is to leave the customer alone.
        await site.page.refuse(at.claim, _purpose(purpose))
        return at.back(done="stopped")


def _add_step_up(api: APIRouter, site: Site) -> None:
    visiting = Annotated[Visit, Depends(site.visit)]
    sending = Annotated[Visit, Depends(site.sent)]

    async def step_up(at: Visit, deed: Deed, payload: str | None) -> Response:
        language = at.language((await site.page.view(at.claim)).who.language)
        try:
            code_id = await site.page.ask(at.claim, deed, payload, language)
        except TooManyCodesError:
            return at.back(fault="many")
        except NotSentError:
            return at.back(fault="not_sent")
        return at.back(place=f"/code/{code_id}") if code_id else at.back(done="erase_unconfirmed")

    @api.post("/erasure")
    async def erasure(at: sending) -> Response:
        return await step_up(at, "erase", None)

    @api.post("/address")
    async def address(request: Request, at: sending) -> Response:
        try:
            wanted = address_of(read_form(await request.body()))
        except FormError as error:
            view = await site.page.view(at.claim)
            return site.whole(at, view, _filled(view), 422, fault=error.word)
        return await step_up(at, "address", wanted)

    @api.get("/code/{code_id}")
    async def ask_code(at: visiting, code_id: Id) -> Response:
        language = at.language((await site.page.view(at.claim)).who.language)
        return site.small("code.html", at, language, code_id=code_id, fault=None)

    @api.post("/code/{code_id}")
    async def enter_code(request: Request, at: sending, code_id: Id) -> Response:
        code = read_form(await request.body()).of("code").replace(" ", "")[:20]
        judged, deed = await site.page.enter(at.claim, code_id, code)
        if judged == "right":
            return at.back(done=deed)
        language = at.language((await site.page.view(at.claim)).who.language)
        status = 422 if judged == "wrong" else 410
        return site.small("code.html", at, language, status, code_id=code_id, fault=judged)


def _filled(view: PageView) -> dict[str, str]:
    """The form as the customer's own wishes fill it."""
    own: dict[str, Any] = dict(view.own)
    channels, quiet = own.get("channels", ()), own.get("quiet_hours", {})
    form = {f"channel_{n}": channels[n - 1] if n <= len(channels) else "" for n in range(1, 5)}
    language = own.get("language", "")
    return {
        **form,
        "language": language if language in LANGUAGES else "",
        "time_zone": own.get("time_zone", ""),
        "quiet_from": quiet.get("start", ""),
        "quiet_to": quiet.get("end", ""),
        "digest": own.get("digest", "none"),
    }


def _scope(form: Fields) -> Scope:
    found = next((scope for scope in SCOPES if scope == form.of("purpose")), None)
    if found is None:
        raise RefusedError(404, "missing")
    return found


def _purpose(name: str) -> Purpose:
    found = next((purpose for purpose in PURPOSES if purpose == name), None)
    if found is None:
        raise RefusedError(404, "missing")
    return found


def _item(form: Fields) -> str | None:
    item_id = form.of("item")
    if len(item_id) > 100:
        raise RefusedError(404, "missing")
    return item_id or None
