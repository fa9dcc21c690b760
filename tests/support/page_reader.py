"""Reads a page as an assistive program does: what is labelled, what is named, what it would load or run."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

FIELDS = frozenset({"input", "select", "textarea"})
VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple[str, ...] = ()


@dataclass
class Page:
    elements: list[Element] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        return [e for e in self.elements if e.tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(e.text for e in self.elements if e.tag != "style").split())

    def faults(self) -> list[str]:
        """What WCAG 2.2 AA asks of a structure as far as it can be told from the page itself."""
        return [*self._landmarks(), *self._names(), *self._references(), *self._foreign()]

    def _landmarks(self) -> list[str]:
        found = [f"{len(self.all(t))} of {t}" for t in ("main", "h1", "title") if len(self.all(t)) != 1]
        (html,) = self.all("html")
        if html.attributes.get("lang") not in {"en", "de"}:
            found.append("no language")
        levels = [int(e.tag[1]) for e in self.all("h1", "h2", "h3", "h4", "h5", "h6")]
        found += [f"heading {b} after {a}" for a, b in pairwise(levels) if b > a + 1]
        if not any(e.attributes.get("href") == "#content" for e in self.all("a")):
            found.append("no way to skip to the content")
        return found

    def _names(self) -> list[str]:
        labelled = {e.attributes.get("for") for e in self.all("label") if e.text.strip()}
        found = [
            f"{e.tag} {e.attributes.get('name')} has no label"
            for e in self.all(*FIELDS)
            if e.attributes.get("type") != "hidden" and e.attributes.get("id") not in labelled
        ]
        found += ["a button without words" for e in self.all("button") if not e.text.strip()]
        found += ["a link without words" for e in self.all("a") if not e.text.strip()]
        fieldsets = len(self.all("fieldset"))
        return found + (["a fieldset without legend"] if len(self.all("legend")) != fieldsets else [])

    def _references(self) -> list[str]:
        ids = [e.attributes["id"] for e in self.elements if "id" in e.attributes]
        found = [f"id {i} is there twice" for i in set(ids) if ids.count(i) > 1]
        for element in self.elements:
            for name in ("aria-labelledby", "aria-describedby", "for"):
                wanted = element.attributes.get(name, "").split()
                found += [f"{name} names {one}, which is not there" for one in wanted if one not in ids]
        return found

    def _foreign(self) -> list[str]:
        found = [f"<{e.tag}>" for e in self.all("script", "iframe", "img", "link", "object", "embed")]
        for element in self.elements:
            for name, value in element.attributes.items():
                if name.startswith("on") or name == "style":
                    found.append(f"{name} on {element.tag}")
                if name in {"href", "src", "action"} and not value.startswith(("/c/", "#", "?")):
                    found.append(f"{name} goes to {value}")
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(
            tag, {name: value or "" for name, value in attrs}, inside=tuple(e.tag for e in self._open)
        )
        self.page.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened.tag == tag, f"</{tag}> closes <{opened.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self._open[-1:]:
            element.text += data


def read_page(html: str) -> Page:
    """Fails where elements are not closed as they were opened."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader._open
    return reader.page
