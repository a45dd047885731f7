"""Damage done to JSON: every place of it removed or replaced, one at a time."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

GONE = object()


def spoiled(data: Any, values: Sequence[Any]) -> Iterator[Any]:
    """Yield copies of `data`, in each of which one place is removed and then, one after the other, holds each value."""
    text = json.dumps(data)
    for path in _places(data):
        for value in (GONE, *values):
            copied = json.loads(text)
            parent = copied
            for step in path[:-1]:
                parent = parent[step]
            if value is GONE:
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
            yield copied


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for step, value in inner for place in [(*path, step), *_places(value, (*path, step))]]
