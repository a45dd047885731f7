"""WCAG's contrast between two colours."""

from typing import Any

import numpy as np


def luminance(colour: Any) -> Any:
    """Return the relative luminance of sRGB colours (..., 3) of 0 to 255."""
    share = np.asarray(colour, dtype=float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one: Any, other: Any) -> Any:
    """Return the contrast ratio, 1 to 21, of colours (..., 3) of 0 to 255."""
    a, b = luminance(one), luminance(other)
    return (np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05)
