"""Whether lanes are copies of others: held out, one would be known by the other."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Floats, Sweep

#: Correlation of two lanes from which one counts as a copy of the other. Of lanes that were
#: recorded apart, even over the same ground, each has its own noise.
COPIED = 0.9

#: Share of the shorter lane, and traces at least, over which they must agree.
_SHARE, _LEAST = 0.5, 60

#: Rows of features that two lanes must share.
_LEAST_ROWS = 5

#: Numbers that stand for a trace: its products with so many vectors of random signs.
_N_NUMBERS = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """How the traces of a lane change from one to the next."""

    lane: str
    kind: str
    #: (n, 9), of length 1, and a 1 that counts it; 0 where nothing changes or a trace lacks
    steps: Floats


def refuse_copies(sweeps: Sequence[Sweep]) -> None:
    r"""
    Raise if a lane holds what another one recorded.

    Parameters
    ----------
    sweeps : sequence of Sweep
        Of several lanes.

    Raises
    ------
    ValueError
        If over half of the shorter lane, 60 traces at least, the steps from trace to trace
        of two lanes of one kind of sensor have a correlation of 0.9 or more, at any shift
        and in either direction: copies that were cut, shifted, scaled, turned round, or had
        a little noise added.

    Notes
    -----
    Each trace is taken as its products with eight vectors of random signs. The steps of these
    from trace to trace, divided by their length so that one strong target does not stand for
    the lane, are :math:`a_i`. The correlation at a shift l is

    .. math:: r_l = \Big| \frac{1}{n_l} \sum_i a_{i+l} \cdot b_i \Big|

    over the :math:`n_l` steps i at which both lanes change. Lanes that were recorded
    twice over the same ground differ by their noise; those are told by the targets that both
    passed.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import replace
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.training.copies import refuse_copies
    >>> axis = 1e-10 * np.arange(8)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> lane = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(size=(100, 1, 8)),
    ...     time=np.arange(100),
    ...     position=np.zeros((100, 3)),
    ...     heading=np.zeros(100),
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> refuse_copies([lane, replace(lane[10:], samples=2 * lane.samples[10:], lane="B")])
    Traceback (most recent call last):
    ValueError: Invalid sweeps: lanes 'A' and 'B' of kind 'gpr' have a correlation of 1.000...
    """
    series = [_series_of(sweep) for sweep in sweeps]
    longest = max((len(item.steps) for item in series), default=1)
    size = 2 ** math.ceil(math.log2(2 * longest + 1))
    spectra = [np.fft.rfft(item.steps, size, axis=0) for item in series]
    for i, j in _pairs(series):
        a, b = series[i], series[j]
        last = len(b.steps) - 1
        phase = np.exp(-2j * np.pi / size * last * np.arange(len(spectra[j])))
        # the other one as it is, and turned round
        for other in (spectra[j], np.conj(spectra[j]) * phase[:, None]):
            found = _correlation(spectra[i], other, (len(a.steps), len(b.steps)), size)
            if found >= COPIED:
                msg = (
                    f"Invalid sweeps: lanes '{a.lane}' and '{b.lane}' of kind '{a.kind}' have "
                    f"a correlation of {found:.4f} from trace to trace. Must be recorded once "
                    "each: copies leak."
                )
                raise ValueError(msg)


def refuse_copied_rows(features: Floats, lanes: Sequence[str]) -> None:
    """
    Raise if rows of one lane are those of another one.

    Parameters
    ----------
    features : (n, n_features) float64 ndarray
        Features of each place.
    lanes : (n,) sequence of str
        Lane of each.

    Raises
    ------
    ValueError
        If five different rows or more, and half of those of a lane, are bit for bit rows of
        another lane. Rows of whole numbers alone, or with nothing known, tell of no copy.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.training.copies import refuse_copied_rows
    >>> rows = np.random.default_rng(seed=0).normal(size=(6, 2))
    >>> refuse_copied_rows(np.concatenate([rows, rows]), ["A"] * 6 + ["B"] * 6)
    Traceback (most recent call last):
    ValueError: Invalid features: 6 of 6 rows of lane 'B' are rows of lane 'A' as well. Must ...
    """
    known = np.isfinite(features)
    tells = (known & (np.where(known, features, 0.0) % 1 != 0)).any(axis=1)
    sizes = Counter(lanes)
    owners: dict[bytes, set[str]] = {}
    shared: Counter[tuple[str, str]] = Counter()
    for i in np.flatnonzero(tells).tolist():
        others = owners.setdefault(features[i].tobytes(), set())
        if lanes[i] not in others:
            shared.update((other, lanes[i]) for other in others)
            others.add(lanes[i])
    for (other, lane), n in sorted(shared.items()):
        if n >= _LEAST_ROWS and n >= _SHARE * min(sizes[lane], sizes[other]):
            msg = (
                f"Invalid features: {n} of {sizes[lane]} rows of lane '{lane}' are rows of "
                f"lane '{other}' as well. Must be of lanes recorded once each: copies leak."
            )
            raise ValueError(msg)


def _series_of(sweep: Sweep) -> _Series:
    """Return the steps of a lane's traces."""
    rows = sweep.samples.reshape(len(sweep), math.prod(sweep.sensor.shape))
    parts: list[npt.NDArray[Any]] = [rows.real, rows.imag] if np.iscomplexobj(rows) else [rows]
    rng = np.random.default_rng(0)
    numbers = np.zeros((len(sweep), _N_NUMBERS))
    usable = sweep.is_usable
    for part in parts:
        signs = rng.choice([-1.0, 1.0], (part.shape[1], _N_NUMBERS))
        numbers[usable] += np.asarray(part[usable], np.float64) @ signs
    steps = np.diff(numbers, axis=0)
    steps[~(usable[1:] & usable[:-1])] = 0.0
    length = np.sqrt((steps**2).sum(axis=1))
    least = 1e-9 * np.abs(numbers).max(initial=0.0)  # less is rounding
    steps = np.where(length[:, None] > least, steps / np.maximum(length, 1e-300)[:, None], 0.0)
    steps = np.column_stack([steps, length > least])
    return _Series(sweep.lane, sweep.sensor.kind, steps)


def _pairs(series: Sequence[_Series]) -> Iterator[tuple[int, int]]:
    """Return pairs of different lanes of one kind of sensor that are long enough."""
    for i, j in itertools.combinations(range(len(series)), 2):
        a, b = series[i], series[j]
        is_long = min(len(a.steps), len(b.steps)) >= _LEAST
        if a.kind == b.kind and a.lane != b.lane and is_long:
            yield i, j


def _correlation(
    first: npt.NDArray[Any], second: npt.NDArray[Any], lengths: tuple[int, int], size: int
) -> float:
    """Return the greatest size of a mean product at any shift, from spectra of steps."""
    n, m = lengths
    least = max(_LEAST, math.ceil(_SHARE * min(n, m)))
    product = first * np.conj(second)
    shift = np.arange(least - m, n - least + 1)  # of the second along the first
    sums = np.fft.irfft(product[:, :-1].sum(axis=1), size)[shift]
    counts = np.rint(np.fft.irfft(product[:, -1], size)[shift])
    is_told = counts >= least  # where nothing changes, nothing is told
    return float(np.max(np.abs(sums[is_told]) / counts[is_told], initial=0.0))
