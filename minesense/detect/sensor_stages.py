"""The stages that a lane of each sensor goes through, and its prescreener."""

from __future__ import annotations

from .. import along_track, emi, gpr
from ..sensor import Sensor
from ..stage import LaneStage, Pipeline, Stage
from .settings import DetectorSettings, RadarSettings


def radar_stages(settings: RadarSettings) -> tuple[Pipeline, Stage]:
    """
    Return the stages of a radar lane and its prescreener.

    Parameters
    ----------
    settings : RadarSettings
        Lengths, times and frequencies.

    Returns
    -------
    prepare : Pipeline
        From raw traces to whitened residuals, aligned to the ground.
    prescreen : Stage
        From those to scores.

    Examples
    --------
    >>> from minesense.detect import RadarSettings, radar_stages
    >>> prepare, prescreen = radar_stages(RadarSettings())
    >>> prepare.latency > 0
    True
    """
    s = settings
    prepare = Pipeline(
        gpr.AlignTimeZero(spacing=s.spacing),
        gpr.Dewow(window=s.dewow),
        gpr.AlignGround(
            search=s.ground_search, ground_time=s.ground_time, polarity=s.ground_polarity
        ),
        gpr.BandPass(low=s.band[0], high=s.band[1]),
        along_track.RemoveMedianBackground(spacing=s.spacing, half_width=s.background),
        along_track.Whiten(spacing=s.spacing, length=s.whitening, guard=s.whitening_guard),
    )
    start_time = s.ground_time + s.start
    if s.shapes is not None:
        return prepare, gpr.PrescreenShapes(
            s.shapes, bin_length=s.bin_length, start_time=start_time
        )
    if s.prescreener == "prediction":
        return prepare, gpr.PrescreenPrediction(
            spacing=s.spacing, bin_length=s.bin_length, start_time=start_time
        )
    prescreen = gpr.PrescreenEnergy(
        spacing=s.spacing,
        bin_length=s.bin_length,
        guard=s.guard,
        ring=s.ring,
        start_time=start_time,
        reference=s.prescreener,
    )
    return prepare, prescreen


def coil_stages(settings: DetectorSettings, sensor: Sensor) -> tuple[LaneStage, Stage]:
    """
    Return the stages of a metal-detector lane and its prescreener.

    Parameters
    ----------
    settings : DetectorSettings
        Lengths and decay times.
    sensor : Sensor
        The coils; their waveform gives the decay of soil.

    Returns
    -------
    prepare : Stage
        From raw decays to decays without their baseline.
    prescreen : Stage
        From those to scores.

    Raises
    ------
    ValueError
        If the sensor has no record of its coil.

    Examples
    --------
    >>> from minesense.detect import DetectorSettings, coil_stages
    >>> from minesense.synthetic import cart
    >>> prepare, prescreen = coil_stages(DetectorSettings(), cart().coils)
    >>> prepare.latency  # traces of 5 cm: the baseline looks 1 m ahead
    20
    """
    s = settings.coils
    prepare = along_track.RemoveMedianBackground(spacing=s.spacing, half_width=s.baseline)
    prescreen = emi.PrescreenDecay(
        spacing=s.spacing,
        taus=s.taus,
        noise_length=s.noise_length,
        footprint=s.footprint,
        guard=s.guard,
    )
    return prepare, prescreen
