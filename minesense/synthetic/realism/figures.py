"""Statistics as a list of named figures, each with its unit and what counts as like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .coils import SoilSeries
from .missing import Missing
from .rank import COUNTS
from .section import SLICES
from .spectra import Spectrum
from .statistics import CoilStatistics, RadarStatistics
from .tails import SHARES

Measure = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One number about a sweep, or why there is none.

    The tolerance says what counts as like, and is a choice (assumption): the factor between
    two figures that are compared by their ratio, or their difference.
    """

    key: str  #: by which figures of two sweeps are paired
    name: str  #: in words, with the two-way times of a slice
    unit: str  #: "" for none
    value: float | Missing
    measure: Measure = "ratio"
    tolerance: float = 1.25
    is_detail: bool = False  #: left out of tables for people


def radar_figures(statistics: RadarStatistics) -> list[Figure]:
    """
    Return the statistics of a radar sweep as figures.

    Parameters
    ----------
    statistics : RadarStatistics
        Of :func:`radar_statistics`.

    Returns
    -------
    figures : list of Figure
        Always the same keys in the same order.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_figures, radar_statistics
    >>> made = field(scenario("prepared", lanes={"length": 2.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> figures = {figure.key: figure for figure in radar_figures(radar_statistics(radar))}
    >>> figures["slice_1.weibull"].name
    'Weibull shape, 1.33-2.33 ns'
    """
    return [
        *_instrument(statistics),
        *_fading(statistics),
        *(figure for k in range(len(SLICES)) for figure in _slice(statistics, k)),
        *_patterns(statistics),
        *_bounce(statistics),
        *_alarms(statistics),
    ]


def coil_figures(statistics: CoilStatistics) -> list[Figure]:
    """
    Return the statistics of a metal-detector sweep as figures.

    Parameters
    ----------
    statistics : CoilStatistics
        Of :func:`coil_statistics`.

    Returns
    -------
    figures : list of Figure
        Always the same keys in the same order, for sensors of the same kind and axis.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import coil_figures, coil_statistics
    >>> made = field(scenario("basalt", lanes={"length": 3.0, "run_in": 0.5}), seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> figures = coil_figures(coil_statistics(coils))
    >>> figures[0].name, figures[0].unit
    ('noise of the gate at 13.9 us', 'nV')
    """
    noise = statistics.noise
    words = "gate at {:.3g} us" if not statistics.is_complex else "part at {:.4g} kHz"
    places = statistics.axis * (1e6 if not statistics.is_complex else 1e-3)
    times = 1 if not statistics.is_complex else 2
    figures = [
        Figure(
            key=f"noise_{k + 1}",
            name="noise of the " + words.format(places[k // times]),
            unit="nV",
            value=noise if isinstance(noise, Missing) else 1e9 * float(noise[k]),
            is_detail=0 < k < times * len(places) - 1,
        )
        for k in range(times * len(places))
    ]
    if statistics.is_complex:
        return figures + [
            Figure(
                key=f"quadrature_{k + 1}",
                name=f"soil, quadrature over in-phase at {place:.4g} kHz",
                unit="",
                value=ratio,
                measure="difference",
                tolerance=0.05,
            )
            for k, (place, ratio) in enumerate(zip(places, statistics.quadrature, strict=True))
        ]
    return figures + list(_soil(statistics))


def _of(record: Any, *names: str) -> Any:
    """Return an attribute of an attribute, or the first reason on the way for none."""
    for name in names:
        if isinstance(record, Missing):
            return record
        record = getattr(record, name)
    return record


def _scaled(value: Any, factor: float) -> float | Missing:
    """Return a number in another unit."""
    return value if isinstance(value, Missing) else factor * float(value)


def _instrument(statistics: RadarStatistics) -> Iterator[Figure]:
    """Yield what the radar itself does."""
    yield Figure(
        key="noise",
        name="noise against the direct wave",
        unit="dB",
        value=statistics.noise,
        measure="difference",
        tolerance=3.0,
    )
    frequency = statistics.section.frequency
    found: Spectrum | Missing
    for key, words in (("pulse", "pulse"), ("clutter", "clutter")):
        found = getattr(statistics.spectra, key)
        for part, name in (
            ("peak", "peak frequency"),
            ("centre", "centre frequency"),
            ("low", "lower end at -10 dB"),
            ("high", "upper end at -10 dB"),
        ):
            yield Figure(
                key=f"{key}.{part}",
                name=f"{words}, {name} over the nominal",
                unit="",
                value=_scaled(_of(found, part), 1 / frequency),
            )


def _fading(statistics: RadarStatistics) -> Iterator[Figure]:
    """Yield how clutter fades."""
    yield Figure(
        key="fading",
        name="slope of the level",
        unit="dB/ns",
        value=_scaled(statistics.fading.slope, 1e-9),
    )
    yield Figure(
        key="fading.end",
        name="clutter sinks into the noise after",
        unit="ns",
        value=_scaled(statistics.fading.end, 1e9),
    )


def _slice(statistics: RadarStatistics, k: int) -> Iterator[Figure]:
    """Yield the figures of one slice of depth."""
    period = 1e9 * statistics.section.period
    start, stop = (period * x for x in SLICES[k])
    where = f", {start:.3g}-{stop:.3g} ns"
    law, variogram = statistics.laws[k], statistics.variograms[k]
    key = f"slice_{k + 1}"
    yield Figure(
        key=f"{key}.weibull",
        name=f"Weibull shape{where}",
        unit="",
        value=_of(law, "weibull"),
        tolerance=1.1,
    )
    yield Figure(
        key=f"{key}.texture",
        name=f"texture 1/nu of a K law{where}",
        unit="",
        value=_of(law, "texture"),
        measure="difference",
        tolerance=0.15,
    )
    for share, place in zip(SHARES, range(len(SHARES)), strict=True):
        yield Figure(
            key=f"{key}.q{round(100 * share):02d}",
            name=f"amplitude over its rms, {100 * share:g} % below{where}",
            unit="",
            value=law if isinstance(law, Missing) else float(law.quantiles[place]),
            is_detail=share != 0.99,
        )
    yield Figure(
        key=f"{key}.nugget",
        name=f"share that is new in each trace{where}",
        unit="",
        value=_of(variogram, "nugget"),
        measure="difference",
        tolerance=0.15,
    )
    length = _of(variogram, "length")
    yield Figure(key=f"{key}.length", name=f"correlation length{where}", unit="m", value=length)
    yield Figure(
        key=f"{key}.wavelengths",
        name=f"correlation length{where}",
        unit="wavelengths",
        value=_scaled(length, statistics.section.frequency / statistics.velocity),
        is_detail=True,
    )
    yield Figure(
        key=f"{key}.banding",
        name=f"same all along, over the rest{where}",
        unit="dB",
        value=statistics.banding[k],
        measure="difference",
        tolerance=3.0,
    )


def _patterns(statistics: RadarStatistics) -> Iterator[Figure]:
    """Yield how the energy is spread over singular vectors."""
    found = statistics.singular
    for k, count in enumerate(COUNTS):
        yield Figure(
            key=f"singular.share_{count}",
            name=f"energy in the first {count} singular vectors",
            unit="",
            value=found if isinstance(found, Missing) else found.shares[k],
            measure="difference",
            tolerance=0.1,
        )
    yield Figure(
        key="singular.slope",
        name="slope of the singular energies",
        unit="",
        value=_of(found, "slope"),
    )
    yield Figure(
        key="singular.patterns",
        name="singular vectors that matter",
        unit="",
        value=_of(found, "patterns"),
        tolerance=1.5,
    )


def _bounce(statistics: RadarStatistics) -> Iterator[Figure]:
    """Yield how the ground bounce comes and goes."""
    found = statistics.bounce
    what = "first arrival" if statistics.section.arrivals.is_joined else "ground bounce"
    for key, name, unit, value in (
        ("delay", "spread of its delay", "ps", _scaled(_of(found, "delay"), 1e12)),
        ("height", "the same as height", "mm", _scaled(_of(found, "height"), 1e3)),
        ("white", "new in each trace", "ps", _scaled(_of(found, "white_delay"), 1e12)),
        ("length", "correlation length of its delay", "m", _of(found, "delay_law", "length")),
        ("gain", "spread of its gain", "", _of(found, "gain")),
    ):
        yield Figure(
            key=f"bounce.{key}",
            name=f"{what}, {name}",
            unit=unit,
            value=value,
            tolerance=1.5 if key == "white" else 1.25,
        )


def _alarms(statistics: RadarStatistics) -> Iterator[Figure]:
    """Yield how often the prescreener alarms."""
    found = statistics.alarms
    yield Figure(
        key="alarms",
        name="alarms of the prescreener",
        unit="1/m",
        value=_of(found, "per_metre"),
        tolerance=1.5,
    )
    yield Figure(
        key="alarms.score",
        name="score that 1 % of the traces exceed",
        unit="",
        value=_of(found, "high_score"),
    )


def _soil(statistics: CoilStatistics) -> Iterator[Figure]:
    """Yield what soil and metal do to gates."""
    soil: SoilSeries | Missing = statistics.soil
    yield Figure(
        key="soil.share",
        name="share of the variance along the decay of soil",
        unit="",
        value=_of(soil, "share"),
        measure="difference",
        tolerance=0.05,
    )
    yield Figure(
        key="soil.spread",
        name="spread of the logarithm of the soil's response",
        unit="",
        value=_of(soil, "spread"),
    )
    yield Figure(
        key="soil.height",
        name="spread of the height that would do the same",
        unit="mm",
        value=_scaled(_of(soil, "height"), 1e3),
    )
    yield Figure(
        key="soil.time",
        name="correlation time of the soil's response",
        unit="s",
        value=_of(soil, "law", "length"),
    )
    yield Figure(
        key="soil.nugget",
        name="share of it that is new in each trace",
        unit="",
        value=_of(soil, "law", "nugget"),
        measure="difference",
        tolerance=0.15,
    )
    for key, words, found in (
        ("soil", "decay of soil", statistics.soil_exponent),
        ("metal", "decay of metal", statistics.metal_exponent),
    ):
        for part, name in (("voltage", "as recorded"), ("step", "after a step")):
            yield Figure(
                key=f"{key}.{part}",
                name=f"{words}, power of time {name}",
                unit="",
                value=_of(found, part),
                measure="difference",
                tolerance=0.15,
            )
