"""Interface strings in the reader's language, through gettext: buttons, labels, headings, status and error sentences.

What the course teaches (lessons, questions, evidence, cases) stays English, and so do the still figures that are stored
in lessons. Numbers and units stay as they are, SI with a decimal point, in every language: a dose or an angle that is
written in two ways is read wrong sooner or later.

Nothing but the standard library is used, so that a browser's Python speaks as the desk's does. Catalogues are
`locale/<code>/LC_MESSAGES/vertebra.po` for translators, and beside them the `.mo` that is read;
`python tools/extract_words.py` brings both to the code.
"""

import gettext
import json
import os
import warnings
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

LOCALE = Path(__file__).with_name("locale")
DOMAIN = "vertebra"
VARIABLE = "VERTEBRA_LANGUAGE"
ENGLISH = "en"
NAMES = {"en": "English", "es": "Español", "th": "ไทย"}
CONTEXT = "\x04"  # between context and message in a catalogue
PERIOD = 100  # every plural rule in use repeats itself in the hundreds
Key = TypeVar("Key")
_chosen: list[str] = []


def use(code: str | None) -> None:
    """Choose the language of what is made from now on; None goes back to VERTEBRA_LANGUAGE, else English.

    Raises ValueError for a language without a catalogue.
    """
    if code is not None and code not in NAMES:
        raise ValueError(f"there is no catalogue for {code!r}; choose one of {', '.join(NAMES)}")
    _chosen[:] = [] if code is None else [code]


def current() -> str:
    """Return the code of the language in use: that of `use`, else of VERTEBRA_LANGUAGE ("th" or "th_TH.UTF-8")."""
    return _chosen[0] if _chosen else _of_environment(os.environ.get(VARIABLE, ""))


@cache
def _of_environment(wanted: str) -> str:
    code = wanted.replace("-", "_").split("_")[0].split(".")[0].lower() or ENGLISH
    if code in NAMES:
        return code
    warnings.warn(f"{VARIABLE} is {wanted!r}; the course speaks {', '.join(NAMES)}, and English now", stacklevel=3)
    return ENGLISH


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, languages=[code])


def _(message: str) -> str:
    """Return a message in the language in use."""
    return _catalogue(current()).gettext(message)


def pgettext(context: str, message: str) -> str:
    """Return a message whose English means several things: the context says which ("side", "right")."""
    return _catalogue(current()).pgettext(context, message)


def ngettext(one: str, many: str, n: int) -> str:
    """Return the form for n things, its placeholders unfilled."""
    return _catalogue(current()).ngettext(one, many, n)


def N_(message: str) -> str:
    """Return the message as it is: marks a constant that is translated where it is shown."""
    return message


def labels(constants: Mapping[Key, str]) -> dict[Key, str]:
    """Return constants that are marked with N_, in the language in use."""
    return {key: _(text) for key, text in constants.items()}


@cache
def catalogues() -> dict[str, dict[str, str | list[str]]]:
    """Return each language's messages by English message; one with plural forms has the list of them.

    A message with a context has it in front, with U+0004 between, as in the catalogue itself.
    """
    return {code: _messages(code) for code in NAMES if code != ENGLISH}


def _messages(code: str) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    pairs: dict[Any, str] = _catalogue(code)._catalog  # type: ignore[attr-defined]  # the one place it is kept
    for key, text in sorted(pairs.items(), key=str):
        if isinstance(key, tuple):
            forms = found.setdefault(key[0], [])
            assert isinstance(forms, list)
            forms.append(text)  # sorted: form 0 first
        elif key:
            found[key] = text
    return found


def words(code: str, source: str | None = None, also: Collection[str] = ()) -> dict[str, Any]:
    """Return what `words.js` translates with: {"language", "name", "plural", "words"}.

    plural: the form of 0, 1, ... 199 things, a digit each, from the catalogue's own rule; beyond that it repeats every
    hundred. source: the JavaScript that is to be translated; only messages in it, or in `also`, are returned.
    """
    messages = catalogues()[code]
    if source is not None:
        messages = {key: text for key, text in messages.items() if key in also or _quoted(key) in source}
    rule = _catalogue(code).plural  # type: ignore[attr-defined]
    forms = [rule(n) for n in range(10 * PERIOD)]
    plural = forms[: 2 * PERIOD]
    if any(form != plural[n if n < PERIOD else PERIOD + n % PERIOD] for n, form in enumerate(forms)):
        raise ValueError(f"the plural rule of {code} does not repeat every {PERIOD}; widen PERIOD here and in words.js")
    return {"language": code, "name": NAMES[code], "plural": "".join(map(str, plural)), "words": messages}


def _quoted(key: str) -> str:
    """Return a message as JavaScript writes it in double quotes."""
    return json.dumps(key.partition(CONTEXT)[2] or key, ensure_ascii=False)


def script(source: str, also: Collection[str] = ()) -> str:
    """Return the line of JavaScript that brings a module its `words`, none if the language in use is English."""
    if current() == ENGLISH:
        return ""
    # A line separator is a line's end in older JavaScript, and "</" would end a script that stands in a page.
    text = (
        json.dumps(words(current(), source, also), ensure_ascii=False)
        .replace("\u2028", "\\u2028")
        .replace("</", "<\\/")
    )
    return f"const WORDS = {text};\n"
