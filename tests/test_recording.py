"""Test the screen of recordings that no model knows: made ones, then real ones."""

import dataclasses
import math
import warnings

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.detect import recording_settings, screen_recording
from minesense.io import FormatWarning, read
from minesense.sweep import Quality

PLACES = (4.0, 8.5)  # m along the line
SPACING = 0.05


def line(
    n_traces=240, *, spacing=SPACING, frequency=4e8, places=PLACES, quality=None, **options
):
    """Return a line of a 400 MHz radar: direct wave, two reflectors at 0.6 m, noise."""
    interval = 5e-10
    time = interval * np.arange(110)
    distance = (spacing if math.isfinite(spacing) else SPACING) * np.arange(n_traces)

    def ricker(delay):
        argument = (np.pi * 4e8 * (time - np.asarray(delay)[..., None])) ** 2
        return (1 - 2 * argument) * np.exp(-argument)

    samples = 20 * ricker(np.full(n_traces, 6e-9))
    for place in places:
        delay = 6e-9 + 2 * np.hypot(0.6, distance - place) / 1e8
        samples += ricker(delay) * np.exp(-(((distance - place) / 0.3) ** 2))[:, None]
    samples += 0.1 * np.random.default_rng(seed=6).normal(size=samples.shape)
    sensor = make_sensor(1, 110, interval=interval, centre_frequency=frequency)
    flags = np.zeros(n_traces, np.int64) if quality is None else quality.copy()
    if not math.isfinite(spacing):
        flags |= int(Quality.POSE_NONE)
        options["position"] = np.full((n_traces, 3), np.nan)
    samples[(flags & Quality.SATURATED) != 0] = np.nan
    return make_sweep(
        samples[:, None],
        spacing=spacing,
        sensor=sensor,
        quality=flags,
        time=0.1 * np.arange(n_traces),
        **options,
    )


def assert_counts_add_up(screening, sweep):
    """Fail if a trace, an alarm or a metre is unaccounted for."""
    parts = screening.screened.parts
    assert sum(len(part.scores) for part in parts) == screening.n_traces == len(sweep)
    judged = np.concatenate([part.scores.is_judged for part in parts])
    assert screening.n_observed == judged.sum()
    not_observed = screening.n_traces - screening.n_observed
    assert sum(screening.reasons.values()) >= not_observed
    assert all(0 < count <= not_observed for count in screening.reasons.values())
    assert len(screening.alarms) == sum(len(part.candidates) for part in parts)
    scores = [alarm.score for alarm in screening.alarms]
    assert scores == sorted(scores, reverse=True)
    identifiers = [alarm.identifier for alarm in screening.alarms]
    assert len(set(identifiers)) == len(identifiers)
    for alarm in screening.alarms:
        trace = int(alarm.evidence["trace"])
        assert judged[trace]
        assert alarm.time == sweep.time[trace]
        assert alarm.score > screening.settings.radar.threshold
        assert math.isnan(alarm.probability)
        assert alarm.depth >= 0
        position = sweep.channel_position[trace, int(alarm.evidence["channel"])]
        npt.assert_array_equal([alarm.easting, alarm.northing], position[:2])
    if math.isfinite(screening.length):
        assert 0 <= screening.observed_length <= screening.length * (1 + 1e-9)


def test_two_reflectors_are_found():
    """The strongest alarms lie within 0.2 m of them, at their depth in their medium."""
    sweep = line()
    screening = screen_recording(sweep)
    assert_counts_add_up(screening, sweep)
    best = sorted(alarm.northing for alarm in screening.alarms[:2])
    npt.assert_allclose(best, PLACES, atol=0.2)
    for alarm in screening.alarms[:2]:
        apex = 6e-9 + 2 * 0.6 / 1e8
        npt.assert_allclose(alarm.evidence["two_way_time_s"], apex, atol=2.5e-9)
        velocity = screening.settings.radar.velocity
        npt.assert_allclose(alarm.depth, velocity * 0.6 / 1e8, atol=velocity * 1.3e-9)
        npt.assert_allclose(alarm.position_error, SPACING)
        assert alarm.lane == sweep.lane
    npt.assert_allclose(screening.length, 239 * SPACING)
    npt.assert_allclose(
        screening.alarms_per_metre, len(screening.alarms) / screening.observed_length
    )


@pytest.mark.endtoend
def test_an_empty_line_is_quiet():
    """Noise alone raises no alarm at twice the threshold."""
    assert screen_recording(line(places=()), threshold=18.0).alarms == ()


@pytest.mark.endtoend
def test_the_threshold_is_the_one_asked_for():
    """A lower one never loses an alarm."""
    high, low = (screen_recording(line(), threshold=limit) for limit in (12.0, 6.0))
    assert high.settings.radar.threshold == 12.0
    assert len(low.alarms) >= len(high.alarms) > 0
    assert {a.northing for a in high.alarms} <= {a.northing for a in low.alarms}


@pytest.mark.endtoend
def test_without_positions_alarms_have_no_place():
    """They have a trace and a time; lengths are not known rather than zero."""
    sweep = line(spacing=math.nan)
    screening = screen_recording(sweep)
    assert_counts_add_up(screening, sweep)
    assert math.isnan(screening.length)
    assert math.isnan(screening.observed_length)
    assert math.isnan(screening.alarms_per_metre)
    traces = sorted(alarm.evidence["trace"] for alarm in screening.alarms[:2])
    npt.assert_allclose(traces, np.array(PLACES) / SPACING, atol=4)
    for alarm in screening.alarms:
        assert math.isnan(alarm.northing)
        assert math.isnan(alarm.easting)
        assert math.isnan(alarm.position_error)


@pytest.mark.endtoend
def test_dropouts_are_counted_by_their_reason():
    """They leave the observed traces and metres, and raise no alarm."""
    quality = np.zeros(240, np.int64)
    quality[75:86] = Quality.SATURATED
    sweep = line(quality=quality)
    screening, whole = screen_recording(sweep), screen_recording(line())
    assert_counts_add_up(screening, sweep)
    assert screening.reasons["SATURATED"] == 11
    assert screening.n_observed <= whole.n_observed - 11
    assert screening.observed_length <= whole.observed_length - 11 * SPACING
    assert not any(75 <= alarm.evidence["trace"] < 86 for alarm in screening.alarms)


@pytest.mark.endtoend
def test_a_gap_is_reported():
    """Two parts, the traces of the second still counted from the start of the lane."""
    northing = SPACING * np.arange(240) + np.where(np.arange(240) >= 120, 3.0, 0.0)
    sweep = line(position=np.column_stack([0 * northing, northing, 0 * northing]))
    screening = screen_recording(sweep)
    assert_counts_add_up(screening, sweep)
    (gap,) = screening.gaps
    npt.assert_allclose(gap.length, 3.0 + SPACING)
    assert any(alarm.evidence["trace"] >= 120 for alarm in screening.alarms)
    assert screening.observed_length < screening.length - gap.length


def test_windows_scale_with_the_wavelength():
    """Half the frequency has lengths and times twice as long, within the recording."""
    low = recording_settings(line(frequency=4e8)).radar
    high = recording_settings(line(frequency=8e8)).radar
    npt.assert_allclose(low.dewow, 2 * high.dewow)
    npt.assert_allclose(low.band[0], high.band[0] / 2)
    npt.assert_allclose(low.guard, 2 * high.guard)
    npt.assert_allclose([low.spacing, high.spacing], SPACING)
    assert low.background <= 0.5 * 239 * SPACING
    npt.assert_allclose(low.ground_time, 6e-9)
    unlocated = recording_settings(line(spacing=math.nan)).radar
    assert unlocated.spacing == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: line()[:0], r"'lane 1': 0 traces\. Must hold"),
        (lambda: line(1, places=()), "too few for the windows"),
        (lambda: line(3, places=()), "too few for the windows"),
        (lambda: make_sweep(np.zeros((50, 2, 12)), sensor=make_coils(2)), "Must be a radar"),
        (lambda: line(frequency=1e9), r"centre_frequency .* Must be below 1e\+09 Hz"),
        (lambda: line(frequency=1e7), r"centre_frequency .* and above 7\.\d+e\+07 Hz"),
    ],
    ids=["empty", "one trace", "short", "coils", "too high", "too low"],
)
def test_what_cannot_be_screened_is_named(make, message):
    """The error has the value and the rule."""
    with pytest.raises(ValueError, match=message):
        screen_recording(make())


def test_a_radar_without_a_record_is_refused():
    """The band and the windows follow from its frequency."""
    sweep = line()
    bare = dataclasses.replace(sweep, sensor=dataclasses.replace(sweep.sensor, radar=None))
    with pytest.raises(ValueError, match=r"'test radar' of kind 'gpr'\. Must be a radar"):
        screen_recording(bare)


@pytest.mark.endtoend
def test_a_recording_of_dropouts_alone_is_not_observed():
    """Not an error, no alarm, no trace observed, and the reason."""
    sweep = line(quality=np.full(240, int(Quality.SATURATED), np.int64))
    screening = screen_recording(sweep)
    assert_counts_add_up(screening, sweep)
    assert (screening.n_observed, screening.alarms) == (0, ())
    assert screening.reasons["SATURATED"] == 240
    assert screening.observed_length == 0
    assert math.isnan(screening.alarms_per_metre)


@pytest.mark.endtoend
def test_every_real_recording_is_screened(test_data):
    """None crashes, and every trace, metre and alarm of each is accounted for."""
    paths = sorted(
        path
        for path in (test_data / "gpr").rglob("*")
        if path.suffix.lower() in {".dzt", ".dt1"}
    )
    assert paths
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            sweep = read(path).to_sweep(lane=path.stem)
        screening = screen_recording(sweep)
        assert_counts_add_up(screening, sweep)
        assert screening.n_observed > 0.5 * screening.n_traces, path
