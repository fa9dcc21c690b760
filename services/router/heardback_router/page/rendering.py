"""The page as HTML: no script, nothing from elsewhere, one style that its hash allows."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from heardback_router.page.texts import LANGUAGES, TEXTS, Language, day_in_words, moment_in_words
from heardback_router.wording import language_name


class Pages:
    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("heardback_router.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        loader = self._environment.loader
        if loader is None:
            raise AssertionError("the templates come with the package")
        style = loader.get_source(self._environment, "style.css")[0]
        self._style = Markup(style)  # noqa: S704  our own file
        digest = b64encode(sha256(style.encode()).digest()).decode()
        self.headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            # Not no-referrer: a browser would then send `Origin: null` with our own forms.
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow",
        }

    def page(self, template: str, language: Language, zone: str, /, **shown: Any) -> str:
        words: Mapping[str, str] = TEXTS[language]

        def moment(at: datetime) -> str:
            return moment_in_words(at, zone, language)

        def day(on: date) -> str:
            return day_in_words(on, language)

        return self._environment.get_template(template).render(
            t=words,
            lang=language,
            languages=[(name, TEXTS[name]["lang_name"]) for name in LANGUAGES],
            style=self._style,
            moment=moment,
            day=day,
            zone=zone,
            language_name=language_name,
            **shown,
        )
