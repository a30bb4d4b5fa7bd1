"""Features of a place from all that was received around it: dipole, rates, footprint, soil."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_positive
from ..alarm import Feature
from ..sensor import PulseTrain, Sensor
from ..sweep import Floats, Sweep
from ._fit_beside_soil import fit_without_soil
from ._footprint import measure_footprint, measure_ring
from ._nearby import REACH, Nearby, SoilAxes, gather, make_stand
from ._rate_search import RateSearch, make_search, quick_spectrum
from .inversion import DipoleFit
from .object_features import polarizability_features
from .preprocess import check_gated, received_decays

#: Features of :func:`place_features`, in the order of its columns.
PLACE_FEATURES: tuple[Feature, ...] = (
    Feature("cannot_analyse", "1", "1 where no dipole can be fitted, else 0"),
    Feature("dipole_size", "log10 of V m^2/A", "sum of L1, L2 and L3 at the first gate"),
    Feature("dipole_decay", "1", "L1 at the last gate over L1 at the first"),
    Feature("dipole_elongation", "1", "L1 over L2 at the first gate"),
    Feature("dipole_asymmetry", "1", "(L2 - L3) / L2 at the first gate"),
    Feature("dipole_depth", "m", "below ground; below the wires if their height is unknown"),
    Feature("dipole_depth_error", "m", "standard error of the depth"),
    Feature("dipole_offset", "m", "horizontal distance of the dipole from the peak"),
    Feature("dipole_coherence", "1", "share of the squares that the dipole or noise explains"),
    Feature("dipole_residual", "1", "root mean square misfit over the noise"),
    Feature("dipole_signal", "dB", "squares explained, for each number fitted"),
    Feature("rate_count", "1", "relaxations that stand out of the noise, up to 3"),
    Feature("dominant_tau", "log10 of s", "time constant of which most is received"),
    Feature("slowest_tau", "log10 of s", "longest time constant"),
    Feature("mean_tau", "log10 of s", "mean of the spectrum, weighed by what is received"),
    Feature("spectrum_entropy", "1", "entropy of the spectrum; 0 for a single time constant"),
    Feature("fast_share", "1", "share received with time constants below a third of the range"),
    Feature("slow_share", "1", "share received with time constants above two thirds of it"),
    Feature(
        "spectrum_misfit", "1", "root mean square misfit of the relaxations over the noise"
    ),
    Feature("footprint_along", "m", "width at half the amplitude, along track"),
    Feature("footprint_across", "m", "width at half the amplitude, across track"),
    Feature("footprint_size", "m", "geometric mean of the least and the greatest width"),
    Feature("footprint_ratio", "1", "the least width over the greatest"),
    Feature("ring_level", "dB", "early soil response 0.6 to 1.5 m away, against 1 nV/A"),
    Feature("ring_slope", "dB", "its early gradient, against 1 nV/A for each metre"),
    Feature("ring_likeness", "1", "share of the ring's variance that decays as soil does"),
    Feature("ring_contrast", "dB", "peak against the ring, both without the soil"),
)

_DIPOLE = slice(1, 11)
_RATES = slice(11, 19)
_FOOTPRINT = slice(19, 23)
_RING = slice(23, 27)
#: Signal below which rates are not told, dB.
_LEAST_SIGNAL = 10.0
#: Distance from the peak within which stations tell rates, m.
_TELLING = 0.25


def place_features(
    sweep: Sweep,
    traces: Sequence[int],
    channels: Sequence[int],
    *,
    spread: npt.ArrayLike,
    soil: npt.ArrayLike,
    spacing: float,
) -> Floats:
    r"""
    Describe candidate places by all that the head received around them.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane of a metal detector, its baseline removed, in V/A.
    traces, channels : (n,) sequence of int
        Trace and coil of each candidate.
    spread : (n_channels, n_gates) array_like
        Standard deviation of each gate over background, in V/A.
    soil : (n_gates,) array_like
        Decay of viscous soil at the gates, in any unit.
    spacing : float
        Distance between neighbouring traces, in metres.

    Returns
    -------
    features : (n, 27) float64 ndarray
        Columns as in :data:`PLACE_FEATURES`. A row of NaN where the trace itself is unusable.
        Where no dipole can be fitted `cannot_analyse` is 1 and what describes the object is
        NaN; that is an outcome, and such a place is dug. What else cannot be told is NaN as
        well.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a metal detector of gates, has fewer than three, `spread` or
        `soil` do not fit them or hold what they must not, `spacing` is not greater than zero
        or beyond 0.4 m, or a trace or channel is outside the sweep.

    Notes
    -----
    Stations are the channels with the candidate's head at all traces whose ground is credited,
    within 0.4 m of the peak, which is where most is left without the soil within 0.2 m of the
    candidate. Of more than 96, one is kept in each cell of a square grid.

    Soil may have any strength at any station: it is taken out of all gates by projection, and
    the dipole's own part along it is fitted beside a plane of soil. Noise is the spread less
    its soil. Principal polarizabilities are raised to their errors as
    in :func:`polarizability_features`. Coherence, residual and signal are given wherever a
    dipole was tried, also where it was not believed.

    Relaxations are those that all stations within 0.25 m share, up to three. Shares are of the
    mean voltage over the gates; time constants below a third and above two thirds of the
    gates' range, in logarithms, are fast and slow.

    Positions of the wires count: without them there are no stations, and nothing is told. A
    single line of stations tells no dipole.

    Examples
    --------
    A ring of aluminium under the third of five coils:

    >>> import numpy as np
    >>> from minesense.emi import soil_decay
    >>> from minesense.physics import array_response, ring_relaxation
    >>> from minesense.sensor import pulse_train_of
    >>> from minesense.sweep import Sweep
    >>> from minesense.synthetic import cart
    >>> sensor = cart(n_coils=5, width=0.7).coils
    >>> northing = 0.05 * np.arange(60)
    >>> places = np.column_stack([0 * northing, northing, 0 * northing + 0.05])
    >>> ring = ring_relaxation(
    ...     radius=0.02, wire_radius=0.001, conductivity=3.5e7, normal=[0.0, 0.0, 1.0]
    ... )
    >>> lane = Sweep(
    ...     samples=array_response(
    ...         places, sensor=sensor, object_position=[[0.02, 1.51, -0.1]], objects=[ring]
    ...     ),
    ...     time=northing,
    ...     position=places,
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ... )
    >>> row = place_features(
    ...     lane,
    ...     [30],
    ...     [2],
    ...     spread=np.full((5, 12), 1e-9),
    ...     soil=soil_decay(pulse_train_of(sensor)),
    ...     spacing=0.05,
    ... )[0]
    >>> found = {f.name: float(v) for f, v in zip(PLACE_FEATURES, row)}
    >>> round(found["dipole_depth"], 3), round(1e6 * 10 ** found["slowest_tau"])
    (0.1, 73)
    """
    n_traces, (n_channels, n_gates) = len(sweep), check_gated(sweep.sensor).shape
    spacing = check_positive(spacing, "spacing")
    if spacing > REACH:
        msg = f"Invalid spacing '{spacing}'. Must be at most {REACH} m, the reach looked at."
        raise ValueError(msg)
    if n_gates < 3:
        msg = f"Invalid sweep of {n_gates} gates. Must have at least 3."
        raise ValueError(msg)
    noise = _positive(check_array(spread, "spread", (n_channels, n_gates)), "spread")
    ground = _positive(check_array(soil, "soil", (n_gates,)), "soil")
    result = np.full((len(traces), len(PLACE_FEATURES)), np.nan)
    made: dict[int, _Describe] = {}  # by the first channel with the same head
    heads = sweep.sensor.channel_heads
    for row, (i, c) in enumerate(zip(traces, channels, strict=True)):
        if not (0 <= i < n_traces and 0 <= c < n_channels):
            msg = f"Invalid trace {i}, channel {c}. Must lie in {n_traces}, {n_channels}."
            raise ValueError(msg)
        if not sweep.is_usable[i]:
            continue
        first = [head is heads[c] for head in heads].index(True) if heads else 0
        if first not in made:
            made[first] = _Describe(sweep, first, noise, ground)
        result[row] = made[first](i, c)
    return result


class _Describe:
    """Describes candidates of the channels with one head, of one sweep."""

    def __init__(self, sweep: Sweep, channel: int, spread: Floats, soil: Floats):
        self._stand = make_stand(sweep, channel, spread, soil)
        self._search = _rate_search(sweep.sensor, self._stand.axes)

    def __call__(self, trace: int, channel: int) -> Floats:
        """Return the features of one candidate in the order of PLACE_FEATURES."""
        row = np.full(len(PLACE_FEATURES), np.nan)
        row[0] = 1.0
        found = gather(self._stand, trace, channel)
        if found is None:
            return row
        near, around = found
        axes, head = self._stand.axes, self._stand.head
        fit = None if head is None else fit_without_soil(near, axes, head)
        if fit is not None:
            row[0] = fit.outcome != "fitted"
            row[_DIPOLE] = _describe_dipole(fit)
        row[_RATES] = self._describe_rates(near)
        row[_FOOTPRINT] = measure_footprint(near)
        ring = measure_ring(around, axes)
        peak = math.sqrt(float((near.bare[0] ** 2).mean()))
        row[_RING] = [
            _decibel(ring.level / 1e-9),
            _decibel(ring.slope / 1e-9),
            ring.likeness,
            _decibel(peak / max(ring.bare, 0.1)) if ring.bare >= 0 else np.nan,
        ]
        return row

    def _describe_rates(self, near: Nearby) -> list[float]:
        """Return the features of the relaxations that stations near the peak share."""
        close = np.hypot(near.place[:, 0], near.place[:, 1]) <= _TELLING
        spectrum = quick_spectrum(self._search, near.bare[close])
        if not len(spectrum.rates) or spectrum.signal_to_noise < _LEAST_SIGNAL:
            return [0.0, *[np.nan] * 6, spectrum.misfit]
        grid, received = self._search.grid, self._search.received
        logs = -np.log10(grid)
        shares = spectrum.on_grid * received
        shares = shares / shares.sum()
        held = shares[shares > 0]
        # what is received of each rate, by the nearest of the grid in logarithms
        own = np.interp(np.log(spectrum.rates), np.log(grid), received) * spectrum.amplitudes
        third = (logs[0] - logs[-1]) / 3
        return [
            len(spectrum.rates),
            -math.log10(spectrum.rates[int(np.argmax(own))]),
            -math.log10(spectrum.rates[0]),
            float(shares @ logs),
            max(0.0, -float((held * np.log(held)).sum())),
            float(shares[logs < logs[-1] + third].sum()),
            float(shares[logs > logs[0] - third].sum()),
            spectrum.misfit,
        ]


def _describe_dipole(fit: DipoleFit) -> list[float]:
    """Return the features of a dipole; of one that is not believed how well it fits, only."""
    size, decay, elongation, asymmetry, depth, _ = polarizability_features([fit])[0].tolist()
    is_fitted = fit.outcome == "fitted"
    return [
        size,
        decay,
        elongation,
        asymmetry,
        depth,
        math.sqrt(float(fit.covariance[2, 2])) if is_fitted else np.nan,
        math.hypot(*fit.position[:2]) if is_fitted else np.nan,
        fit.coherence,
        fit.residual,
        fit.signal_to_noise,
    ]


def _rate_search(sensor: Sensor, axes: SoilAxes) -> RateSearch:
    """Return the tables by which relaxations are sought, over a range the gates can show."""
    excitation = sensor.excitation
    if isinstance(excitation, PulseTrain) and len(excitation.gates) == len(sensor.axis):
        train, start, stop = excitation, excitation.gates.min(), excitation.gates.max()
    else:
        train, start, stop = None, sensor.axis.min(), sensor.axis.max()

    def voltage(rates: Floats) -> Floats:
        if train is not None:
            return received_decays(train, 1 / rates)
        return np.asarray(rates[:, None] * np.exp(-rates[:, None] * sensor.axis))

    def courses(rates: Floats) -> Floats:
        return np.asarray((voltage(rates) / axes.noise) @ axes.bare)

    return make_search(courses, voltage, 1 / (3 * stop), 1 / (0.2 * start))


def _positive(values: Floats, name: str) -> Floats:
    """Return values that are all greater than zero."""
    if (values <= 0).any():
        msg = f"Invalid {name} '{values.min()}'. Must be greater than zero."
        raise ValueError(msg)
    return values


def _decibel(ratio: float) -> float:
    """Return an amplitude ratio in decibels, at least -60."""
    return float(20 * np.log10(np.maximum(ratio, 1e-3)))
