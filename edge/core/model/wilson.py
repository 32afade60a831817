"""The interval of a share. It needs no NumPy, which takes more memory than some programs do."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""97.5 % point of the standard normal distribution."""


def wilson(share: float, total: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a `share` of `total`, which may be an effective number.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927).
    """
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    # The limits are exact for a share of 0 or 1, where rounding would change them.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
