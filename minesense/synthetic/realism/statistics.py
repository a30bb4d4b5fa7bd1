"""All statistics of one sweep together."""

from __future__ import annotations

from dataclasses import dataclass

from ...sweep import Floats, Sweep
from .alarms import FalseAlarms, false_alarms
from .bounce import BounceJitter, bounce_jitter
from .coils import SoilSeries, gate_noise, quadrature_ratio, soil_series
from .decays import DecayExponent, metal_exponent, soil_exponent
from .fading import Fading, banding, fading
from .missing import Missing, told
from .noise import noise_floor
from .patches import Patches, patches
from .rank import SingularValues, singular_values
from .section import RadarSection, radar_section
from .spectra import Spectra, spectra
from .tails import AmplitudeLaw, amplitude_laws
from .variogram import Variogram, variograms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadarStatistics:
    """What a radar sweep is like, as far as its traces tell."""

    section: RadarSection
    velocity: float  #: m/s, assumed for wavelengths in the ground
    noise: float | Missing  #: dB
    laws: tuple[AmplitudeLaw | Missing, ...]
    variograms: tuple[Variogram | Missing, ...]
    banding: tuple[float | Missing, ...]  #: dB
    fading: Fading
    spectra: Spectra
    singular: SingularValues | Missing
    bounce: BounceJitter | Missing
    alarms: FalseAlarms | Missing
    patches: Patches | Missing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoilStatistics:
    """What a metal-detector sweep is like, as far as its samples tell."""

    lane: str
    axis: Floats  #: gate centres, s, or frequencies, Hz
    is_complex: bool
    noise: Floats | Missing  #: of each sample, in its unit
    soil: SoilSeries | Missing
    soil_exponent: DecayExponent | Missing
    metal_exponent: DecayExponent | Missing
    quadrature: tuple[float | Missing, ...]  #: of each frequency; empty for gates


def radar_statistics(sweep: Sweep, *, velocity: float = 1.2e8) -> RadarStatistics:
    """
    Return every statistic of a radar sweep.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded, real or SYNTHETIC.
    velocity : float
        Of waves in the ground, m/s, for lengths in wavelengths. A recording does not tell it.

    Returns
    -------
    statistics : RadarStatistics
        Each with a reason in its place where the data are too few for it.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis in seconds and a centre frequency
        that its sample interval can hold.
    TooFewError
        If fewer than fifty traces are usable, or the record is shorter than four periods.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_statistics
    >>> made = field(scenario("prepared", lanes={"length": 2.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> radar_statistics(radar).patches
    Missing(why='3 patches of 8 traces in a stretch of 25: at least 4 are needed')
    """
    section = radar_section(sweep)
    return RadarStatistics(
        section=section,
        velocity=velocity,
        noise=told(noise_floor, sweep),
        laws=amplitude_laws(section),
        variograms=variograms(section),
        banding=banding(section),
        fading=fading(section),
        spectra=spectra(section),
        singular=told(singular_values, section),
        bounce=told(bounce_jitter, section),
        alarms=told(false_alarms, sweep),
        patches=told(patches, section, velocity=velocity),
    )


def coil_statistics(sweep: Sweep) -> CoilStatistics:
    """
    Return every statistic of a metal-detector sweep.

    Parameters
    ----------
    sweep : Sweep
        A lane of pulse induction with a head, or of continuous wave.

    Returns
    -------
    statistics : CoilStatistics
        Each with a reason in its place where the data are too few for it, or where it is one
        of the other kind of detector.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector, or one of gates has no head to compute the soil
        from.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import coil_statistics
    >>> made = field(scenario("basalt", lanes={"length": 3.0, "run_in": 0.5}), seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> round(coil_statistics(coils).soil_exponent.step, 1)
    -1.0
    """
    sensor = sweep.sensor
    noise = told(gate_noise, sweep)
    if sensor.is_complex:
        gates = Missing("samples are phasors of continuous wave, not gates")
        ratios = told(quadrature_ratio, sweep)
        if isinstance(ratios, Missing):
            ratios = (ratios,) * len(sensor.axis)
        return CoilStatistics(
            lane=sweep.lane,
            axis=sensor.axis,
            is_complex=True,
            noise=noise,
            soil=gates,
            soil_exponent=gates,
            metal_exponent=gates,
            quadrature=ratios,
        )
    return CoilStatistics(
        lane=sweep.lane,
        axis=sensor.axis,
        is_complex=False,
        noise=noise,
        soil=told(soil_series, sweep),
        soil_exponent=told(soil_exponent, sweep),
        metal_exponent=told(metal_exponent, sweep),
        quadrature=(),
    )
