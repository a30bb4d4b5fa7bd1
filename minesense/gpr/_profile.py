"""What imaging asks of a profile, and the image as a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .._validation import check_number, check_positive
from .._version import __version__
from ..constants import SPEED_OF_LIGHT
from ..sweep import Quality, Samples, Sweep


def check_velocity(velocity: float) -> float:
    """Return a velocity that a wave can have in the ground."""
    number = check_number(velocity, "velocity")
    if not SPEED_OF_LIGHT / 10 <= number <= SPEED_OF_LIGHT:
        msg = (
            f"Invalid velocity '{number:g}'. Must be from a tenth of the speed of light to "
            "that of light, 3.0e7 to 3.0e8 m/s."
        )
        raise ValueError(msg)
    return number


def check_spacing(sweep: Sweep, spacing: float) -> float:
    """Return the spacing if no gap lies in the lane and its positions agree with it."""
    spacing = check_positive(spacing, "spacing")
    gaps = (sweep.quality[1:] & Quality.GAP) != 0
    if gaps.any():
        msg = (
            f"Invalid sweep of lane '{sweep.lane}': a gap lies before "
            f"{np.count_nonzero(gaps)} of its traces, the first is trace "
            f"{np.argmax(gaps) + 1}. Must be continuous: use split_at_gaps."
        )
        raise ValueError(msg)
    known = np.flatnonzero(np.isfinite(sweep.position[:, :2]).all(axis=1))
    if len(known) < 2:
        return spacing
    n_steps = np.diff(known)
    steps = np.hypot(*np.diff(sweep.position[known, :2], axis=0).T) / n_steps
    typical = float(np.hypot(*(sweep.position[known[-1]] - sweep.position[known[0]])[:2]))
    typical /= int(n_steps.sum())
    uneven = np.abs(steps - spacing) > 0.3 * spacing
    if uneven.any() or abs(typical - spacing) > 0.05 * spacing:
        worst = int(np.argmax(np.abs(steps - spacing)))
        msg = (
            f"Invalid spacing '{spacing:g}' for lane '{sweep.lane}': its traces are "
            f"{typical:.4g} m apart from end to end, and {steps[worst]:.4g} m before trace "
            f"{known[worst + 1]}. Must agree within 5 %, and 30 % for each trace, on a "
            "straight lane."
        )
        raise ValueError(msg)
    return spacing


def share(function: Callable[..., None], items: Iterable[object], workers: int) -> None:
    """Call a function with each item, in threads if there are more than one."""
    if workers == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(function, items))


def image_of(
    sweep: Sweep, samples: Samples, name: str, options: Mapping[str, object], unit: str
) -> Sweep:
    """Return an image in place of the samples; flagged traces are NaN."""
    samples[~sweep.is_usable] = np.nan
    call = ", ".join(f"{option}={value!r}" for option, value in options.items())
    return dataclasses.replace(
        sweep,
        samples=samples,
        sensor=dataclasses.replace(sweep.sensor, quantity="image", unit=unit),
        history=(*sweep.history, f"minesense {__version__}: {name}({call})"),
    )
