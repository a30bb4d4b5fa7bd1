"""How real simulated ground is: statistics of recordings and simulations over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..synthetic.realism import SLICES, CoilStatistics, Missing, RadarStatistics, Variogram
from ._canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    check_image_format,
    drawing,
    printable,
    to_bytes,
)

_COLOURS = (BLUE, ORANGE, PURPLE, RED, GREY, "#8c6d1f")
_WIDTH, _RADAR, _COILS = 17.0, 6.4, 3.6  # inches: of the picture, and heights of a block

Statistics: TypeAlias = RadarStatistics | CoilStatistics
_Looks: TypeAlias = "Sequence[tuple[RealismLine, dict[str, Any]]]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealismLine:
    """One sweep in a picture of statistics."""

    label: str  #: lines of the same label look the same and are named once
    statistics: Statistics
    is_reference: bool = False  #: drawn black and thick
    is_varied: bool = False  #: drawn with dashes, in the colour of the line before without


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealismBlock:
    """
    Sweeps of one kind of sensor, drawn over each other.

    Raises
    ------
    ValueError
        If there is no line, or lines are not all of radar or all of metal detectors.
    """

    title: str
    lines: Sequence[RealismLine]

    def __post_init__(self) -> None:
        if len({type(line.statistics) for line in self.lines}) != 1:
            msg = "Invalid lines. Must be of radar, or of metal detectors, at least one."
            raise ValueError(msg)


def realism_figure(blocks: Sequence[RealismBlock], *, image_format: str = "png") -> bytes:
    """
    Draw statistics of sweeps over each other.

    Parameters
    ----------
    blocks : sequence of RealismBlock
        From above.
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image : bytes
        For a radar amplitudes and semivariograms in two slices of depth, the delay of the
        bounce, spectra, the level against time, singular values and what is the same all
        along; for a metal detector noise, and for gates what moves the response of the soil,
        for continuous wave its phase. SYNTHETIC is printed on it.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If there is no block, or the format is unknown.

    Examples
    --------
    >>> from minesense.report import RealismBlock, RealismLine, realism_figure
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_statistics
    >>> made = field(scenario("prepared", lanes={"length": 2.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> line = RealismLine(label="sand", statistics=radar_statistics(radar))
    >>> realism_figure([RealismBlock(title="prepared ground", lines=[line])])[1:4]
    b'PNG'
    """
    check_image_format(image_format)
    if not blocks:
        msg = "Invalid blocks of length 0. Must hold at least one."
        raise ValueError(msg)
    heights = [
        _RADAR if isinstance(block.lines[0].statistics, RadarStatistics) else _COILS
        for block in blocks
    ]
    with drawing(_WIDTH, sum(heights) + 0.3) as figure:
        parts = figure.subfigures(len(blocks), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, block in zip(parts, blocks, strict=True):
            _draw_block(part, block)
        return to_bytes(figure, image_format, is_synthetic=True)


def _draw_block(part: Any, block: RealismBlock) -> None:
    """Draw one block into its part of the figure."""
    looks = _looks(block.lines)
    part.suptitle(printable(block.title), x=0.01, ha="left", fontsize=12, weight="bold")
    first = block.lines[0].statistics
    panels: Sequence[Callable[[Any, _Looks], None]]
    if isinstance(first, RadarStatistics):
        panels, shape = _RADAR_PANELS, (2, 5)
    else:
        panels = _WAVE_PANELS if first.is_complex else _GATE_PANELS
        shape = (1, len(panels))
    axes = np.ravel(part.subplots(*shape))
    for place, draw in zip(axes, panels, strict=True):
        draw(place, looks)
        if not place.lines:
            place.text(0.5, 0.5, "too few data", transform=place.transAxes, ha="center")
        _plain_ticks(place)
        place.grid(color="#e2e2e2", linewidth=0.5)
        place.set_axisbelow(True)
        place.tick_params(labelsize=8)
    named: dict[str, dict[str, Any]] = {}
    for line, look in looks:
        named.setdefault(printable(line.label), look)
    handles = [axes[0].plot([], [], **{**look, "alpha": 1.0})[0] for look in named.values()]
    part.legend(handles, named.keys(), loc="outside lower left", ncols=min(6, len(named)))


def _plain_ticks(axes: Any) -> None:
    """Label decades of logarithmic axes with plain numbers, and nothing between them."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415 - an extra

    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            low, high = sorted(axis.get_view_interval())
            marks = (1.0,) if high > 30 * low else (1.0, 2.0, 5.0)
            axis.set_major_locator(LogLocator(subs=marks, numticks=30))
            axis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.set_minor_formatter(NullFormatter())


def _looks(lines: Sequence[RealismLine]) -> _Looks:
    """Return lines with how each is drawn."""
    colours: dict[str, str] = {}
    found = []
    for line in lines:
        look: dict[str, Any] = {"linewidth": 1.2, "linestyle": "--" if line.is_varied else "-"}
        if line.is_reference:
            look |= {"color": INK, "linewidth": 2.2, "zorder": 5}
        else:
            soil = line.label.partition(",")[0]
            colours.setdefault(soil, _COLOURS[len(colours) % len(_COLOURS)])
            look |= {"color": colours[soil], "alpha": 0.85}
        found.append((line, look))
    return found


def _told(
    looks: _Looks, pick: Callable[[Any], Any]
) -> Iterable[tuple[Any, Any, dict[str, Any]]]:
    """Yield statistics, the part of them that a panel shows, and the look, where it is told."""
    for line, look in looks:
        found = pick(line.statistics)
        if found is not None and not isinstance(found, Missing):
            yield line.statistics, found, look


def _where(looks: _Looks, k: int) -> str:
    """Return the two-way times of a slice."""
    period = 1e9 * looks[0][0].statistics.section.period  # type: ignore[union-attr]
    start, stop = (period * x for x in SLICES[k])
    return f"{start:.3g}-{stop:.3g} ns"


def _amplitudes(k: int) -> Callable[[Any, _Looks], None]:
    """Return what draws the law of amplitudes in a slice."""

    def draw(axes: Any, looks: _Looks) -> None:
        for _, law, look in _told(looks, lambda x: x.laws[k]):
            n = len(law.amplitude)
            chosen = np.unique(np.geomspace(1, n, 300).astype(int))  # more of the tail
            axes.plot(law.amplitude[n - chosen], chosen / n, **look)
        grid = np.linspace(0.0, 6.0, 100)
        if axes.lines:
            axes.plot(grid, np.exp(-(grid**2)), color=GREY, linewidth=1.0, linestyle=":")
            axes.text(1.75, 0.06, "Gaussian ···", color=GREY, fontsize=8)
        axes.set(yscale="log", xlim=(0, 6), ylim=(1e-4, 1.2), xlabel="amplitude over its rms")
        axes.set_title(f"share of amplitudes above, {_where(looks, k)}", fontsize=9)

    return draw


def _along(k: int) -> Callable[[Any, _Looks], None]:
    """Return what draws the semivariogram of a slice."""

    def draw(axes: Any, looks: _Looks) -> None:
        for _, law, look in _told(looks, lambda x: x.variograms[k]):
            axes.plot(law.lag, law.value, **look)
        axes.set(xscale="log", ylim=(0, 1.4), xlabel="lag along the track (m)")
        axes.set_title(f"semivariogram, {_where(looks, k)}", fontsize=9)

    return draw


def _delays(axes: Any, looks: _Looks) -> None:
    """Draw how the delay of the bounce wanders."""
    for statistics, law, look in _told(looks, _delay_law):
        spread = 1e12 * statistics.bounce.delay
        axes.plot(law.lag, spread * np.sqrt(2 * law.value), **look)
    axes.set(xscale="log", xlabel="lag along the track (m)", ylim=(0, None))
    joined = looks[0][0].statistics.section.arrivals.is_joined  # type: ignore[union-attr]
    what = "first arrival" if joined else "ground bounce"
    axes.set_title(f"rms change of delay, {what} (ps)", fontsize=9)


def _delay_law(statistics: RadarStatistics) -> Variogram | Missing:
    """Return the semivariogram of the delay of the bounce."""
    bounce = statistics.bounce
    return bounce if isinstance(bounce, Missing) else bounce.delay_law


def _spectrum(name: str) -> Callable[[Any, _Looks], None]:
    """Return what draws one of the spectra."""

    def draw(axes: Any, looks: _Looks) -> None:
        for _, found, look in _told(looks, lambda x: getattr(x.spectra, name)):
            level = 10 * np.log10(np.maximum(found.power, 1e-6))
            axes.plot(1e-9 * found.frequency, level, **look)
        nominal = looks[0][0].statistics.section.frequency  # type: ignore[union-attr]
        axes.axvline(1e-9 * nominal, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, 4e-9 * nominal), ylim=(-30, 1), xlabel="frequency (GHz)")
        axes.set_title(f"spectrum of the {name} (dB)", fontsize=9)

    return draw


def _levels(axes: Any, looks: _Looks) -> None:
    """Draw the level of clutter against time."""
    for statistics, found, look in _told(looks, lambda x: x.fading):
        after = found.time >= SLICES[0][0] * statistics.section.period
        axes.plot(1e9 * found.time[after], found.level[after], **look)
    axes.set(ylim=(-40, 3), xlabel="time after the ground (ns)")
    axes.set_title("level of the clutter (dB)", fontsize=9)


def _singular(axes: Any, looks: _Looks) -> None:
    """Draw the energies of the singular vectors."""
    for _, found, look in _told(looks, lambda x: x.singular):
        axes.plot(np.arange(1, len(found.energy) + 1), found.energy, **look)
    axes.set(xscale="log", yscale="log", xlabel="singular vector", ylim=(1e-5, 1))
    axes.set_title("share of the energy", fontsize=9)


def _bands(axes: Any, looks: _Looks) -> None:
    """Draw how much is the same all along, by depth."""
    for line, look in looks:
        statistics: Any = line.statistics
        period = 1e9 * statistics.section.period
        pairs = [
            (period * sum(limits) / 2, value)
            for limits, value in zip(SLICES, statistics.banding, strict=True)
            if not isinstance(value, Missing)
        ]
        if pairs:
            axes.plot(*zip(*pairs, strict=True), marker="o", markersize=3, **look)
    axes.set(xlabel="time after the ground (ns)")
    axes.set_title("same all along the lane, over the rest (dB)", fontsize=9)


def _noise(axes: Any, looks: _Looks) -> None:
    """Draw the noise of gates, or of phasors."""
    for statistics, noise, look in _told(looks, lambda x: x.noise):
        values = np.asarray(noise).reshape(-1, len(statistics.axis)).mean(axis=0)
        if statistics.is_complex:
            values = np.asarray(noise).reshape(len(statistics.axis), -1).mean(axis=1)
        axes.plot(_places(statistics), 1e9 * values, marker="o", markersize=3, **look)
    axes.set(xscale="log", yscale="log", xlabel=_axis_name(looks))
    axes.set_title("noise that is new in each trace (nV)", fontsize=9)


def _soil_spectrum(axes: Any, looks: _Looks) -> None:
    """Draw the spectrum of the soil's response."""
    for _, soil, look in _told(looks, lambda x: x.soil):
        if len(soil.frequency):
            axes.plot(soil.frequency, soil.power, **look)
    axes.set(xscale="log", yscale="log", xlabel="frequency along the lane (Hz)")
    axes.set_title("spectrum of the logarithm of the soil's response (1/Hz)", fontsize=9)


def _soil_law(axes: Any, looks: _Looks) -> None:
    """Draw the semivariogram of the soil's response over time."""
    for _, law, look in _told(looks, lambda x: x.soil if _no(x.soil) else x.soil.law):
        axes.plot(law.lag, law.value, **look)
    axes.set(xscale="log", xlabel="lag (s)", ylim=(0, 1.6))
    axes.set_title("semivariogram of the logarithm of the soil's response", fontsize=9)


def _no(found: object) -> bool:
    """Return whether something cannot be told."""
    return isinstance(found, Missing)


def _quadrature(axes: Any, looks: _Looks) -> None:
    """Draw the phase of what soil does to phasors."""
    for line, look in looks:
        statistics: Any = line.statistics
        pairs = [
            (place, ratio)
            for place, ratio in zip(_places(statistics), statistics.quadrature, strict=True)
            if not isinstance(ratio, Missing)
        ]
        if pairs:
            axes.plot(*zip(*pairs, strict=True), marker="o", markersize=3, **look)
    axes.set(xscale="log", xlabel=_axis_name(looks))
    axes.set_title("soil, quadrature over in-phase", fontsize=9)


def _places(statistics: CoilStatistics) -> np.ndarray:
    """Return gates in microseconds, or frequencies in kilohertz."""
    return statistics.axis * (1e-3 if statistics.is_complex else 1e6)


def _axis_name(looks: _Looks) -> str:
    """Return what samples of a metal detector lie along."""
    is_complex = looks[0][0].statistics.is_complex  # type: ignore[union-attr]
    return "frequency (kHz)" if is_complex else "gate (µs)"


_RADAR_PANELS = (
    _amplitudes(0),
    _amplitudes(1),
    _along(0),
    _along(1),
    _delays,
    _spectrum("pulse"),
    _spectrum("clutter"),
    _levels,
    _singular,
    _bands,
)
_GATE_PANELS = (_noise, _soil_spectrum, _soil_law)
_WAVE_PANELS = (_noise, _quadrature)
