"""Who is on the page: the link in the address, checked; and plain pages for those who cannot be let in."""

from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from heardback_router.loops.links import ExpiredError, PageClaim, TamperedError
from heardback_router.page.app import CustomerPage
from heardback_router.page.domain import PageView
from heardback_router.page.forms import CHANNELS
from heardback_router.page.rendering import Pages
from heardback_router.page.texts import LANGUAGES, TEXTS, Language, spoken
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import Face
from heardback_shared.http.rate_limit import RateLimiter

_SAME_SITE = frozenset({"same-origin", "none"})


class RefusedError(ProblemError):
    """Ends the request with a plain page; `word` names its texts."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(status, word, TEXTS["en"][f"{word}_title"], TEXTS["en"][f"{word}_text"])


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

    def __init__(self, page: CustomerPage, pages: Pages, public_url: str, limiter: RateLimiter) -> None:
        self.page = page
        self.pages = pages
        self._limiter = limiter
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"

    async def leaving(self, request: Request, token: str) -> Visit:
        """For what only leaves the customer alone: that is taken after an erasure too, as mails with a link
        to it are still about."""
        try:
            claim = self.page.claim(token)
        except ExpiredError as error:
            raise RefusedError(410, "gone") from error
        except TamperedError as error:
            raise RefusedError(404, "unknown") from error
        self._limiter.spend(f"{claim.tenant_id}\x1f{claim.customer_id}")
        return Visit(request, token, claim)

    async def visit(self, request: Request, token: str) -> Visit:
        at = await self.leaving(request, token)
        if await self.page.is_erased(at.claim):
            raise RefusedError(410, "erased")
        return at

    async def stopping(self, request: Request, token: str) -> Visit:
        """As `leaving`, but not from a form on another site."""
        self._check_site(request)
        return await self.leaving(request, token)

    async def sent(self, request: Request, token: str) -> Visit:
        """As `visit`, for what changes something: not from a form on another site."""
        self._check_site(request)
        return await self.visit(request, token)

    def _check_site(self, request: Request) -> None:
        site = request.headers.get("sec-fetch-site", "none")
        origin = request.headers.get("origin", self._origin)
        if origin != self._origin or site not in _SAME_SITE:
            raise RefusedError(403, "forbidden")

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
            here=at.base,
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


_WORDS = {"link-expired": "gone", "unknown-link": "unknown"}
_OF_STATUS = {405: "method", 409: "answered", 413: "large", 422: "unread", 429: "hurried", 503: "busy"}


def face_of(pages: Pages) -> Face:
    """Whatever goes wrong on the page, as something a person can read; in the language chosen on the page,
    else the browser's, as who they are may be just what cannot be asked."""

    def face(request: Request, problem: ProblemError) -> Response:
        language = spoken(request.query_params.get("lang"), request.headers.get("accept-language"))
        word = _WORDS.get(problem.slug, problem.slug)
        if f"{word}_title" not in TEXTS[language]:
            word = _OF_STATUS.get(problem.status, "missing" if problem.status < 500 else "failed")
        stopped = request.query_params.get("done") == "stopped"
        html = pages.page("plain.html", language, "UTC", word=word, stopped=stopped)
        return HTMLResponse(html, problem.status, pages.headers)

    return face
