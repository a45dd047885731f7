"""How a test says that it holds a model against something outside it. `tools/validation_page.py` reads these claims.

    @validates("cement.flow", "Pressure at the tip", against="radial flow in closed form", kind="analytic",
               tolerance="0.03 of the value")
    def test_radial_flow_converges_to_the_exact_pressure(): ...

Mark only a test that would fail if the model were wrong in what is claimed, and give the tolerance that it really uses.
"""

from collections.abc import Callable
from typing import TypeVar

KINDS = {
    "analytic": "An exact solution",
    "published": "A published number",
    "library": "An independent library",
    "computation": "An independent computation",
    "property": "A property that must hold",
}
EXACT = "exactly equal"
USUAL = "1e-6 of the value, pytest's usual"

Test = TypeVar("Test", bound=Callable[..., object])


def validates(
    module: str, what: str, *, against: str, kind: str, tolerance: str, source: tuple[str, ...] = ()
) -> Callable[[Test], Test]:
    """Return a decorator that leaves a test as it is; the claim stands in the source, where the page finds it.

    `module` is named below `vertebra`, `kind` is one of `KINDS`, `source` holds ids of references. Raises ValueError
    for a kind that there is not, and for a published number without a source.
    """
    if kind not in KINDS:
        raise ValueError(f"{module}: there is no kind {kind!r}; it is one of {', '.join(KINDS)}")
    if kind == "published" and not source:
        raise ValueError(f"{module}: {what}: a published number needs the id of its reference in `source`")
    return lambda test: test
