"""The responses file: what a student hands in, as one small JSON file that is read and never run.

The digest finds accidents (a cut-off upload, a stray key stroke) and careless edits. It is not a signature: whoever can
read this file can compute a new one.
"""

import hashlib
import json
import os
import re
import reprlib
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from vertebra.quiz.scoring import is_number

FORMAT = "vertebra-responses/1"
LIMIT = 1_000_000  # bytes; a quiz of 100 questions needs about 20 000
DEEPEST = 50  # lists and objects inside each other; a quiz writes 4, and each Python has another end of its own

STUDENT_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")

Reason = Literal["unreadable", "truncated", "oversized", "foreign", "wrong-version", "edited", "bad-answer"]

_HEADER = {
    "quiz": (re.compile(r"[A-Za-z0-9._-]{1,80}"), "the quiz's name"),
    "build": (re.compile(r"[0-9a-f]{1,64}"), "the hex digest of the questions"),
    "student": (re.compile(STUDENT_CODE.pattern + "|"), "empty or 1 to 40 letters, digits, dots, dashes, underscores"),
    "saved": (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ"), "a time such as 2026-11-21T10:05Z"),
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_AGAIN = "open the quiz again, save, and hand in the new file"
# What a cut inside a number or a literal leaves after the place of the parser's error; else the error is at the end.
_CUT = re.compile(r"-|\.|[eE][+-]?|t|tr|tru|f|fa|fal|fals|n|nu|nul|")


class ResponsesError(ValueError):
    """A responses file that cannot be used; `reason` is a word for a program, the text names file, place and mend."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


def utc_minute() -> str:
    """Return the present time in UTC to the minute, as `saved` holds it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


@dataclass(frozen=True)
class Responses:
    """A student's responses to one quiz.

    answers: {item id: {"answer": JSON value or None, "certainty": 1, 2, 3 or None}}. build: hex digest of the questions
    that were shown. student: the code that was entered, or "". saved: UTC, to the minute.
    """

    quiz: str
    build: str
    answers: Mapping[str, Mapping[str, Any]]
    student: str = ""
    saved: str = field(default_factory=utc_minute)

    def record(self) -> dict[str, Any]:
        """Return all that the file holds but its digest, which is taken of this."""
        return {"format": FORMAT, **vars(self)}


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no spaces, the one text a digest is taken of; NaN is a ValueError."""
    return _canonical(value)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `value` in 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def build_of(public_items: Iterable[Mapping[str, Any]]) -> str:
    """Return the build of a quiz that no assignment mixed: the digest of the ids and versions of its questions."""
    return digest([[item["id"], item.get("version")] for item in public_items])


def write_responses(path: Path | str, responses: Responses) -> None:
    """Write the responses to `path` so that a crash leaves either the old file or the new one, never half of one.

    Raises ResponsesError for responses that could not be read back and OSError when the folder cannot be written.
    """
    path = Path(path)
    data = responses.record()
    _check_fields(data, path.name)
    _check_answers(data["answers"], path.name)
    data["digest"] = digest(data)
    text = json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    raw = text.encode()
    if len(raw) > LIMIT:
        raise ResponsesError("oversized", f"{path.name}: the answers take {len(raw)} bytes, the limit is {LIMIT}")
    write_whole(path, raw)


def write_whole(path: Path, raw: bytes, mode: int = 0o666) -> None:
    """Write a file so that a crash leaves the old one or the new one, never half of one. Raises OSError.

    mode: the rights of the file, from which the user's umask takes away; it never has more, not even for a moment.
    """
    # Its own name each time, so that two notebooks on one quiz do not write into each other's half-written file.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def set_aside(path: Path) -> str:
    """Rename a file that cannot be read, so that it is never overwritten, and return its new name. Raises OSError."""
    n = 1
    while os.path.lexists(aside := path.with_name(f"{path.stem}.unreadable-{n}{path.suffix}")):
        n += 1
    path.rename(aside)
    return aside.name


def read_responses(path: Path | str, any_answer: bool = False) -> Responses:
    """Read and check a responses file; raises ResponsesError with a reason and a sentence that names the mend.

    Each answer has one of the JSON shapes of the formats; whether it fits its question is for `scoring.score` to say.
    With `any_answer` the responses to the questions may be any JSON at all, for whoever judges them one by one.
    """
    path = Path(path)
    return parse_responses(_read(path), path.name, any_answer)[0]


def parse_responses(raw: bytes, name: str, any_answer: bool = False) -> tuple[Responses, str]:
    """Check the bytes of a responses file as `read_responses` does, and return the responses and their digest.

    name: what the file is called in an error.
    """
    data = _parse(raw, name)
    written = data.get("format") if isinstance(data, dict) else None
    if not isinstance(written, str) or not written.startswith(FORMAT.split("/")[0] + "/"):
        raise ResponsesError("foreign", f"{name}: is not a responses file; hand in the file that the quiz saved")
    if written != FORMAT:
        mend = f"this version reads {FORMAT}; use the version of the course that handed the quiz out"
        raise ResponsesError("wrong-version", f"{name}: format is {reprlib.repr(written)}; {mend}")
    stated = data.pop("digest", None)
    _check_fields(data, name)
    if not any_answer:
        _check_answers(data["answers"], name)
    try:
        found = digest(data)
    except (ValueError, RecursionError):  # 1e999, or half a letter
        what = f"answers: hold a value that no quiz writes; {_AGAIN}"
        raise ResponsesError("bad-answer", f"{name}: {what}") from None
    if stated != found:
        what = "was changed after it was saved (the digest does not fit)"
        raise ResponsesError("edited", f"{name}: {what}; {_AGAIN}")
    del data["format"]
    return Responses(**data), found


def _read(path: Path) -> bytes:
    def refuse(reason: Reason, what: str) -> ResponsesError:
        return ResponsesError(reason, f"{path.name}: {what}; {_AGAIN}")

    try:
        # A link could point at the key or at a device; a pipe would never end.
        if path.is_symlink():
            raise refuse("unreadable", "is a link, not a file")
        raw = read_plain(path, LIMIT + 1)
        if raw is None:
            raise refuse("unreadable", "is not a plain file")
    except FileNotFoundError:
        raise refuse("unreadable", f"there is no such file in {path.parent}") from None
    except OSError as error:
        raise refuse("unreadable", f"cannot be opened ({error.strerror})") from None
    if len(raw) > LIMIT:
        raise refuse("oversized", f"is larger than {LIMIT} bytes, which no quiz needs")
    return raw


def read_plain(path: Path, most: int) -> bytes | None:
    """Return the first bytes of a file, None if it is not a plain one; no link is followed. Raises OSError."""
    with open(path, "rb", buffering=0, opener=_open_plain) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        raw = b""
        while len(raw) < most and (more := file.read(most - len(raw))):
            raw += more
        return raw


def _open_plain(path: str, flags: int) -> int:
    # Both flags are missing on Windows, where a student cannot make such files either.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _parse(raw: bytes, name: str) -> Any:
    def refuse(reason: Reason, what: str) -> ResponsesError:
        return ResponsesError(reason, f"{name}: {what}; {_AGAIN}")

    try:
        text = raw.decode("utf-8-sig")  # an editor on Windows may have put a byte order mark in front
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise refuse("truncated", "is cut off at its end") from None
        raise refuse("unreadable", f"is not text (byte {error.start})") from None
    text = text.rstrip()
    try:
        data = json.loads(text, parse_constant=_no_constant)
        # Most files have too few brackets to be deep.
        if text.count("{") + text.count("[") > DEEPEST and _is_deep(data):
            raise RecursionError
        return data
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        if error.msg.startswith("Unterminated") or _CUT.fullmatch(text[error.pos :]):
            raise refuse("truncated", f"is cut off at its end ({place})" if text else "is empty") from None
        raise refuse("unreadable", f"is not JSON at {place}") from None
    except (ValueError, RecursionError):  # NaN, a number of more than 4300 digits, or thousands of brackets
        raise refuse("unreadable", "holds a value that no quiz writes") from None


def _is_deep(data: Any) -> bool:
    """Say whether more than DEEPEST lists and objects lie inside each other; counted level by level, without calls."""
    level = [data]
    for _ in range(DEEPEST + 1):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [part for parts in inner for part in parts]
    return bool(level)


def _no_constant(constant: str) -> Any:
    raise ValueError(constant)


def _check_fields(data: dict[str, Any], name: str) -> None:
    """Raise ResponsesError unless there are the fields that the quiz writes, and all but the answers are sound."""

    def refuse(place: str, what: str) -> ResponsesError:
        return ResponsesError("edited", f"{name}: {place}: {what}; {_AGAIN}")

    fields = {"format", "answers", *_HEADER}
    for place in sorted(fields ^ data.keys()):
        raise refuse(reprlib.repr(place), "is missing" if place in fields else "does not belong here")
    for place, (pattern, meaning) in _HEADER.items():
        if not isinstance(data[place], str) or not pattern.fullmatch(data[place]):
            raise refuse(place, f"is {reprlib.repr(data[place])}, must be {meaning}")
    if not isinstance(data["answers"], Mapping):
        raise refuse("answers", "must hold one entry for each answered question")


def _check_answers(answers: Mapping[str, Any], name: str) -> None:
    """Raise ResponsesError unless every response has a shape that the quiz writes."""

    def refuse(place: str, what: str) -> ResponsesError:
        return ResponsesError("bad-answer", f"{name}: {place}: {what}; {_AGAIN}")

    for item, response in answers.items():
        place = f"answers, question {reprlib.repr(item)}"
        if not _is_id(item):
            raise refuse(place, "is not the id of a question")
        if not isinstance(response, Mapping) or not response.keys() <= {"answer", "certainty"}:
            raise refuse(place, "must hold an answer and a certainty and nothing else")
        certainty = response.get("certainty")
        if certainty is not None and (type(certainty) is not int or certainty not in (1, 2, 3)):
            raise refuse(place, f"certainty is {reprlib.repr(certainty)}, must be 1, 2, 3 or null")
        if not is_answer(response.get("answer")):
            raise refuse(place, f"no question takes the answer {reprlib.repr(response['answer'])}")


def is_answer(value: Any) -> bool:
    """Say whether `value` has the shape of an answer in any format, or is None."""
    match value:
        case None:
            return True
        case list():
            return _is_ids(value)
        case {"point": [x, y], **rest} if not rest:
            return is_number(x) and is_number(y)
        case dict():
            # A prompt has an option or none, a control a number, a decision a list of options or none.
            return all(
                _is_id(name) and (part is None or _is_id(part) or is_number(part) or _is_ids(part))
                for name, part in value.items()
            )
    return _is_id(value) or is_number(value)


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_id, value))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))
