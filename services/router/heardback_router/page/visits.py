"""Who is on the page: the link in the address, checked; and plain pages for those who cannot be let in."""

from collections.abc import Callable, Coroutine, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from heardback_router.loops.links import ExpiredError, PageClaim, TamperedError
from heardback_router.page.app import CustomerPage, NotTheirsError
from heardback_router.page.domain import PageView
from heardback_router.page.forms import CHANNELS
from heardback_router.page.rendering import Pages
from heardback_router.page.texts import LANGUAGES, Language, spoken

_SAME_SITE = frozenset({"same-origin", "none"})


class RefusedError(Exception):
    """Ends the request with a plain page; `word` names its texts."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


class Visit:
    """One request of somebody who holds a valid link."""

    def __init__(self, request: Request, token: str, claim: PageClaim) -> None:
        self.claim = claim
        self.base = f"/c/{token}"
        self.link = "sha256:" + sha256(token.encode()).hexdigest()[:16]
        """Names the link without being one."""
        chosen = request.query_params.get("lang")
        self._chosen = chosen if chosen in LANGUAGES else None
        self._accepted = request.headers.get("accept-language")

    @property
    def query(self) -> str:
        return f"?lang={self._chosen}" if self._chosen else ""

    def language(self, wished: str | None) -> Language:
        """What was chosen on the page, else the customer's, else the browser's."""
        return spoken(self._chosen or wished, self._accepted)

    def back(self, *, done: str | None = None, fault: str | None = None, place: str = "") -> Response:
        """Seen afresh by GET, so that reloading sends nothing again."""
        said = {"lang": self._chosen, "done": done, "fault": fault}
        query = "&".join(f"{name}={value}" for name, value in said.items() if value)
        return RedirectResponse(f"{self.base}{place}{'?' if query else ''}{query}", 303)


class Site:
    """What all routes of the page share."""

    def __init__(self, page: CustomerPage, pages: Pages, public_url: str) -> None:
        self.page = page
        self.pages = pages
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def visit(self, request: Request, token: str) -> Visit:
        try:
            return Visit(request, token, self.page.claim(token))
        except ExpiredError as error:
            raise RefusedError(410, "gone") from error
        except TamperedError as error:
            raise RefusedError(404, "unknown") from error

    def sent(self, request: Request, token: str) -> Visit:
        """As `visit`, for what changes something: not from a form on another site."""
        site = request.headers.get("sec-fetch-site", "none")
        origin = request.headers.get("origin", self._origin)
        if origin != self._origin or site not in _SAME_SITE:
            raise RefusedError(403, "forbidden")
        return self.visit(request, token)

    def whole(
        self,
        at: Visit,
        view: PageView,
        form: Mapping[str, str],
        status: int = 200,
        *,
        done: str | None = None,
        fault: str | None = None,
    ) -> HTMLResponse:
        html = self.pages.page(
            "page.html",
            at.language(view.who.language),
            view.who.time_zone or "UTC",
            view=view,
            form=form,
            base=at.base,
            query=at.query,
            channels=CHANNELS,
            done=done,
            fault=fault,
        )
        return HTMLResponse(html, status, self.pages.headers)

    def small(
        self, template: str, at: Visit, language: Language, status: int = 200, **shown: object
    ) -> HTMLResponse:
        html = self.pages.page(template, language, "UTC", base=at.base, query=at.query, **shown)
        return HTMLResponse(html, status, self.pages.headers)


def plain_errors(pages: Pages) -> type[APIRoute]:
    """Routes whose refusals people can read."""

    def plain(request: Request, status: int, word: str) -> HTMLResponse:
        language = spoken(request.query_params.get("lang"), request.headers.get("accept-language"))
        return HTMLResponse(pages.page("plain.html", language, "UTC", word=word), status, pages.headers)

    class PlainErrors(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    return await handle(request)
                except NotTheirsError:
                    return plain(request, 404, "missing")
                except RefusedError as error:
                    return plain(request, error.status, error.word)

            return handled

    return PlainErrors
