"""The pictures of a case, drawn by the course's own models: in the background, before they are looked at."""

import io
from concurrent.futures import Future, wait
from functools import lru_cache
from threading import Lock, Thread

import numpy as np
from numpy.typing import NDArray

from vertebra.imaging import ct, films, mri
from vertebra.quiz.cases import Film, Mri
from vertebra.spine.dimensions import LEVELS
from vertebra.spine.shape import Shape

FILM_NOTE = "A film of the course's own model, not of a patient."
ENLARGED = 2  # an MRI has few pixels
PATIENCE = 0.2  # s that `ready` waits for a picture which is nearly done

_begun: dict[Film | Mri, Future[bytes]] = {}
_brush = Lock()  # one picture at a time, or the one that is wanted first would come later


def note(spec: Film | Mri) -> str:
    """Return what must stand beside the picture."""
    return FILM_NOTE if isinstance(spec, Film) else mri.NOTE


def fault(spec: Film | Mri) -> str:
    """Say what is wrong with a picture without drawing it, and the mend; "" if nothing is."""
    if isinstance(spec, Mri):
        if spec.pattern not in mri.PATTERNS:
            return f"there is no pattern {spec.pattern}; give one of {', '.join(mri.PATTERNS)}"
        if spec.level not in ct.LEVELS[1:-1]:
            return f"there is no MRI of {spec.level}; give one of {', '.join(ct.LEVELS[1:-1])}"
        return ""
    for level in (spec.level, *(level for level, _ in spec.shapes)):
        if level not in LEVELS:
            return f"the model has no level {level}; give one of {', '.join(LEVELS)}"
    try:
        _shapes(spec)
    except (TypeError, ValueError) as error:
        return f"{str(error).removeprefix('Shape.__init__() ')}; see the fields of vertebra.spine.shape.Shape"
    return ""


def _shapes(spec: Film) -> dict[str, Shape]:
    return {level: Shape(**dict(fields)) for level, fields in spec.shapes}


@lru_cache(maxsize=32)
def png(spec: Film | Mri) -> bytes:
    """Return the picture as a PNG file: seconds the first time, nothing afterwards."""
    from PIL import Image

    if isinstance(spec, Film):
        image = Image.fromarray(_named(*films.film_of(spec.level, _shapes(spec), spec.seed)))
    else:
        section = mri.section(spec.pattern, spec.level)  # type: ignore[arg-type]  # checked by `fault`
        views = [mri.picture(section, name) for name in spec.sequences]  # type: ignore[arg-type]
        gap = np.zeros((views[0].shape[0], 4), dtype=np.uint8)
        row = np.hstack([part for view in views for part in (gap, view)][1:])
        image = Image.fromarray(row)
        image = image.resize((ENLARGED * image.width, ENLARGED * image.height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def begin(spec: Film | Mri) -> None:
    """Begin to draw a picture in the background, unless that was done; where there are no threads nothing is begun."""
    if spec in _begun:
        return
    drawn = Future[bytes]()

    def draw() -> None:
        try:
            with _brush:
                drawn.set_result(png(spec))
        except Exception as error:  # said by `ready`, to whoever wants the picture
            drawn.set_exception(error)

    try:
        Thread(target=draw, daemon=True).start()
    except RuntimeError:  # in the browser: nobody should wait for a picture before it is looked at
        return
    _begun[spec] = drawn


def ready(spec: Film | Mri) -> bytes | None:
    """Return the PNG file if it is drawn, else None and begin to draw it; without threads it is drawn now.

    Raises what went wrong in drawing, once.
    """
    begin(spec)
    drawn = _begun.get(spec)
    if drawn is None:
        return png(spec)
    if not wait([drawn], PATIENCE).done:
        return None
    if drawn.exception():
        del _begun[spec]  # asked again, it is tried again
    return drawn.result()


def _named(picture: NDArray[np.uint8], outlines: dict[str, films.FloatArray]) -> NDArray[np.uint8]:
    """Print the name of the highest whole body on a film, so that levels can be counted from it."""
    from PIL import Image, ImageDraw, ImageFont

    level = min(outlines, key=LEVELS.index)
    image = Image.fromarray(picture)
    x, y = outlines[level][:, 0].min() - 10, outlines[level][:, 1].mean()
    font = ImageFont.load_default(18)
    ImageDraw.Draw(image).text((x, y), level, 255, font, anchor="rm", stroke_width=2, stroke_fill=0)
    return np.asarray(image)
