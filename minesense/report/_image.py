"""What sections have in common: one channel as an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sweep import Floats, Sweep

_FLAGGED = "#b39ddb"  # traces without usable samples: the violet of data not to be used
_GREYS = (2.0, 98.0)  # percentiles at which grey levels end


def edges_of(centres: Floats) -> Floats:
    """Return the borders between cells around points in order."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate(
        [[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]]
    )


def draw_image(axes: Any, sweep: Sweep, channel: int, edges: Floats) -> None:
    """Draw one channel as an image; unusable traces are violet."""
    samples = sweep.samples[:, channel, :].T.astype(np.float64)
    samples[:, ~sweep.is_usable] = np.nan
    finite = samples[np.isfinite(samples)]
    middle = float(np.median(finite)) if len(finite) else 0.0
    low, high = np.percentile(finite, _GREYS) if len(finite) else (-1.0, 1.0)
    limit = max(float(high) - middle, middle - float(low))
    # Where nearly all samples are the same, the others are what there is to see.
    limit = limit or float(np.abs(finite - middle).max(initial=0.0)) or 1.0
    axes.set_facecolor(_FLAGGED)
    rows = 1e9 * edges_of(sweep.sensor.axis)
    steps = np.diff(edges)
    options = {"cmap": "gray", "vmin": middle - limit, "vmax": middle + limit}
    image = np.ma.masked_invalid(samples)
    if np.ptp(steps) <= 1e-6 * steps.mean():
        # Averages where traces lie closer than pixels, so that none is left out.
        borders = (edges[0], edges[-1], rows[-1], rows[0])
        axes.imshow(image, extent=borders, aspect="auto", **options)
    else:
        axes.pcolorfast(edges, rows, image, **options)
    axes.set_ylim(1e9 * sweep.sensor.axis[-1], 1e9 * sweep.sensor.axis[0])
