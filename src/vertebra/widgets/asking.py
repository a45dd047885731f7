"""A widget that asks the kernel: what its browser half wants comes in `wanted`, the answer goes out in `shown`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from vertebra import language
from vertebra.browser import DRAWS_STILLS
from vertebra.language import _

HERE = Path(__file__).parent


class Module:
    """A widget's ES module behind `words.js`, put together when a widget is made: in the language in use then.

    `source` is the module without words, as a page takes it that brings its own (`globalThis.vertebraWords`). also:
    messages that come from Python in English and are translated where they are shown.
    """

    def __init__(self, *texts: str, also: Iterable[str] = ()) -> None:
        self.source = "".join((script("words"), *texts))
        self._also = tuple(also)

    def __str__(self) -> str:
        return language.script(self.source, self._also) + self.source


def script(name: str) -> str:
    """Return one JavaScript file of this folder."""
    return (HERE / f"{name}.js").read_text(encoding="utf-8")


def module(*names: str) -> Module:
    """Return the ES module of a widget that asks, made of files; in front what all that ask have in common."""
    return Module(*map(script, ("asking", *names)))


def style(name: str) -> str:
    """Return the course's style sheet and a widget's own."""
    return "".join((HERE / f"{part}.css").read_text(encoding="utf-8") for part in ("style", name))


def check_known(caller: str, start: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError if `start` names what a widget does not know."""
    unknown = sorted(set(start) - set(known))
    if unknown:
        raise ValueError(f"{caller} knows no {unknown[0]!r}; give one of {', '.join(known)}")


class Pictured(anywidget.AnyWidget):  # type: ignore[misc]
    """A widget with a still view: a child's `still` returns it as HTML, for a page without a kernel."""

    still: Callable[[], str]

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the live view, and beside it one line of text and the still view."""
        live = super()._repr_mimebundle_(**kwargs)
        bundle, metadata = live if isinstance(live, tuple) else (live, {})
        stills = {"text/html": self.still()} if DRAWS_STILLS else {}
        return {**(bundle or {}), "text/plain": repr(self), **stills}, metadata


class Asking(Pictured):
    """Traits only: `wanted` comes from the browser, the rest goes to it.

    A child sets `refusal`, with which the sentence begins that says what could not be used, and has two methods:
    `answer` returns what is shown for what is wanted and remembers it, and `still`.
    """

    refusal: ClassVar[str]
    answer: Callable[[dict[str, Any]], dict[str, Any]]
    about = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, about: dict[str, Any], state: dict[str, Any]) -> None:
        wanted = {"seq": 0, **state}
        super().__init__(about=about, wanted=wanted, shown=self.answer(wanted))
        self.observe(self._on_wanted, "wanted")

    def _on_wanted(self, change: Any) -> None:
        try:
            self.shown = self.answer(change.new)
            self.problem = ""
        except (ValueError, KeyError, TypeError) as error:
            self.problem = f"{_(self.refusal)}: {error}"
            # Answered all the same, or the browser would wait: the same refusal twice changes nothing in `problem`.
            self.shown = self.shown | {"seq": change.new.get("seq", 0)}
