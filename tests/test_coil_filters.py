"""Test recursive filters along time against SciPy, the difference equation and theory."""

import dataclasses

import naive_coils
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sensor, make_sweep
from scipy import signal

from minesense.emi._timing import sample_interval
from minesense.emi.filters import FilterInTime, RejectMains, filter_in_time, reject_mains
from minesense.emi.sections import SectionFilter, aliased_frequency, notch_section
from minesense.stage import run_lane
from minesense.sweep import Quality

SOS = np.vstack(
    [
        signal.butter(3, 0.3, output="sos"),
        np.hstack(signal.iirnotch(0.2, 5.0))[None],
    ]
)
ROWS = np.random.default_rng(seed=0).normal(size=(40, 3)).astype(np.float32)
RATE = 80.0


def make_lane(function, n_traces=400, *, rate=RATE, sensor=None, bad=()):
    """Return a lane whose samples are a function of time, with dropouts."""
    sensor = sensor or make_coils(2, 4)
    time = np.arange(n_traces) / rate
    samples = function(time)[:, None, None] * np.ones(sensor.shape)
    quality = np.zeros(n_traces, int)
    quality[list(bad)] = Quality.NOT_FINITE
    samples[list(bad)] = np.nan
    return make_sweep(samples, sensor=sensor, time=time, quality=quality)


def tone(frequency, phase=0.4):
    """Return a function of time that oscillates."""
    return lambda t: np.sin(2 * np.pi * frequency * t + phase)


def settled(sweep):
    """Return the samples after the flagged start."""
    return sweep.samples[(sweep.quality & Quality.INTERFERENCE == 0) & sweep.is_usable]


# --- sections


def test_is_sosfilt_with_its_initial_state():
    """The same numbers as SciPy's filter started with sosfilt_zi times the first row."""
    start = signal.sosfilt_zi(SOS)[:, :, None] * ROWS[0]
    expected, _ = signal.sosfilt(SOS, ROWS.astype(float), axis=0, zi=start)
    npt.assert_allclose(SectionFilter(SOS, 3).feed(ROWS), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bridges", [False, True])
@given(bad=st.sets(st.integers(0, 19)), cut=st.integers(0, 20))
def test_matches_the_difference_equation(bridges, bad, cut):
    """Sections in series, dropouts held or bridged, in two parts as in one."""
    is_usable = ~np.isin(np.arange(20), sorted(bad))
    rows = np.where(is_usable[:, None], ROWS[:20], np.float32(np.nan))
    expected = naive_coils.filter_sections(rows, is_usable, SOS[2:], bridges=bridges)
    sections = SectionFilter(SOS[2:], 3, bridges=bridges)
    parts = [sections.feed(rows[:cut], is_usable[:cut])]
    parts.append(sections.feed(rows[cut:], is_usable[cut:]))
    npt.assert_allclose(np.concatenate(parts), expected, rtol=1e-5, atol=1e-5)


def test_two_sections_are_bridged_from_the_last_to_the_first():
    """The bridge of a series, against the difference equation."""
    sos = np.stack([notch_section(f, interval=0.02, bandwidth=2.0) for f in (8.0, 17.0)])
    is_usable = ~np.isin(np.arange(40), [7, 8, 9, 25])
    expected = naive_coils.filter_sections(ROWS, is_usable, sos, bridges=True)
    result = SectionFilter(sos, 3, bridges=True).feed(ROWS, is_usable)
    npt.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_reset_settles_anew():
    """After a reset the filter is as new."""
    sections = SectionFilter(SOS, 3)
    first = sections.feed(ROWS)
    sections.reset()
    npt.assert_array_equal(sections.feed(ROWS), first)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[1, 0, 0, 1, 0, 1.0]], "1 of 1 have .* a pole that is not inside"),
        ([[1, 0, 0, 1, -1.5, 0.5]], "1 of 1 have"),
        ([[1, 0, 0, 2, 0, 0]], "a0 other than 1"),
        ([[0, 1, 0, 1, 0, 0]], "b0 of 0"),
        (np.empty((0, 6)), "0 of 0 have .* Must be one or more stable sections"),
        ([[1, 0, 0, 1, 0]], r"sections with shape \(1, 5\). Must be \(n_sections, 6\)"),
    ],
)
def test_bad_sections_are_named(bad, message):
    """Sections that are unstable or not normalised are refused."""
    with pytest.raises(ValueError, match=message):
        SectionFilter(bad, 3)


def test_bad_rows_are_named():
    """Rows of another width or type, and flags of another length."""
    sections = SectionFilter(SOS, 3)
    for rows in (ROWS[:, :2], ROWS[0], ROWS.astype(float)):
        with pytest.raises(ValueError, match=r"Invalid rows .* Must be \(n_rows, 3\)"):
            sections.feed(rows)
    with pytest.raises(ValueError, match=r"is_usable with shape \(2,\). Must be \(40,\)"):
        sections.feed(ROWS, np.ones(2, bool))


# --- notches


@pytest.mark.parametrize("frequency", [3.0, 30.0, 39.9])
def test_a_notch_is_scipys(frequency):
    """The coefficients of iirnotch; nothing of the frequency passes, all of zero does."""
    section = notch_section(frequency, interval=1 / RATE, bandwidth=1.5)
    b, a = signal.iirnotch(frequency, frequency / 1.5, fs=RATE)
    npt.assert_allclose(section, [*b, *a], rtol=1e-12, atol=1e-15)
    _, response = signal.freqz(section[:3], section[3:], worN=[0, frequency], fs=RATE)
    npt.assert_allclose(np.abs(response), [1, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("frequency", "rate", "alias"),
    [(50, 80, 30), (50, 120, 50), (60, 100, 40), (150, 80, 10), (50, 33, 16), (25, 50, 25)],
)
def test_frequencies_alias(frequency, rate, alias):
    """The tone at its alias has the same samples, up to the sign of its phase."""
    npt.assert_allclose(aliased_frequency(frequency, 1 / rate), alias, atol=1e-9)
    k = np.arange(50)
    npt.assert_allclose(
        np.cos(2 * np.pi * frequency * k / rate),
        np.cos(2 * np.pi * alias * k / rate),
        atol=1e-9,
    )


@pytest.mark.parametrize("mains", [50.0, 60.0])
@pytest.mark.parametrize("sensor", [make_coils(2, 4), make_phasors(), make_sensor(2, 5)])
def test_mains_vanish_and_levels_stay(mains, sensor):
    """The fundamental and a harmonic at once, on a level, for every kind of sensor."""
    rate = 87.0

    def field(t):
        return 5 + tone(mains)(t) + 0.3 * tone(3 * mains)(t)

    lane = make_lane(field, rate=rate, sensor=sensor)
    result = reject_mains(lane, mains=mains)
    assert len(settled(result)) > 200
    npt.assert_allclose(settled(result), 5.0, atol=0.02)
    npt.assert_allclose(result.samples[-50:], 5.0, atol=1e-3)
    only = settled(reject_mains(lane, mains=mains, harmonics=[1]))
    npt.assert_allclose(only.max(), 5.3, atol=0.02)


def test_other_frequencies_pass():
    """A tone half the bandwidth away keeps half its power; a slow one passes whole."""
    for frequency, gain in ((30.0 + 1.0, np.sqrt(0.5)), (0.5, 1.0)):
        result = reject_mains(make_lane(tone(frequency)), harmonics=[1], bandwidth=2.0)
        npt.assert_allclose(result.samples[100:].max(), gain, atol=0.03)


def test_the_start_is_flagged_until_the_mains_fade():
    """They fade as e^{-pi B t}: 1 % after 1.47 s at 1 Hz, counted in usable traces."""
    lane = make_lane(tone(50.0), bad=[0, 1, 5])
    result = reject_mains(lane, harmonics=[1])
    early = np.flatnonzero(result.quality == Quality.INTERFERENCE)
    n_start = int(np.ceil(np.log(100) / np.pi * RATE))
    npt.assert_array_equal(early, np.setdiff1d(np.arange(n_start + 3), [0, 1, 5]))
    fading = np.abs(result.samples[2:, 0, 0]) / np.exp(-np.pi * np.arange(398) / RATE)
    assert np.nanmax(fading[:150]) < 1.2


@pytest.mark.parametrize("n_bad", [1, 7, 40])
def test_mains_go_on_through_a_dropout(n_bad):
    """Behind a dropout there is no second start: the mains are still known."""
    lane = make_lane(lambda t: 5 + tone(50.0)(t), 700, bad=range(500, 500 + n_bad))
    result = reject_mains(lane, harmonics=[1])
    assert np.isnan(result.samples[500 : 500 + n_bad]).all()
    npt.assert_allclose(result.samples[500 + n_bad :], 5.0, atol=2e-3)


def test_mains_that_alias_to_the_soil_are_refused():
    """At 10 traces a second 50 Hz is a constant, which is what soil is."""
    with pytest.raises(ValueError, match=r"1 times 50 Hz appears at 0 Hz in traces every 0.1"):
        RejectMains(interval=0.1)
    with pytest.raises(ValueError, match=r"3 times 50 Hz appears at 0.5 Hz"):
        RejectMains(interval=1 / 149.5)
    RejectMains(interval=1 / 149.5, harmonics=[1])


# --- bands


def test_bands_are_butterworth():
    """Half the power at an edge; a constant is stopped or passed from the first trace."""
    for options, at_zero in (({"low": 2.0}, 0.0), ({"high": 2.0}, 1.0)):
        result = filter_in_time(make_lane(tone(2.0)), **options)
        npt.assert_allclose(result.samples[200:].max(), np.sqrt(0.5), atol=0.02)
        constant = filter_in_time(make_lane(lambda t: 7 + 0 * t), **options, order=3)
        npt.assert_allclose(constant.samples, 7 * at_zero, atol=1e-5)
    passed = filter_in_time(make_lane(tone(8.0)), low=2.0, high=30.0).samples
    npt.assert_allclose(passed[200:].max(), 1.0, atol=0.05)


def test_a_low_pass_delays_as_it_says():
    """Slow tones come 0.23 / f later through order 2."""
    lane = make_lane(tone(0.5), 1000)
    smooth = filter_in_time(lane, high=5.0).samples[400:, 0, 0]
    later = np.interp(lane.time[400:] - 0.23 / 5.0, lane.time, lane.samples[:, 0, 0])
    npt.assert_allclose(smooth, later, atol=0.01)


# --- time


def test_uneven_times_are_refused_wherever_the_lane_is_cut():
    """A step that is a tenth off is named; the stage goes on without that chunk."""
    lane = make_lane(tone(2.0), 60)
    stage = FilterInTime(interval=1 / RATE, high=5.0)
    results = [stage.process(lane[:20])]
    with pytest.raises(ValueError, match=r"step before trace 0 is 0.025 s. Must be .* 0.0125"):
        stage.process(lane[21:])
    late = lane.time.copy()
    late[30:] += 0.003
    with pytest.raises(ValueError, match=r"step before trace 10 is 0.0155 s"):
        stage.process(dataclasses.replace(lane, time=late)[20:])
    results += [stage.process(lane[20:]), stage.flush()]
    whole = run_lane(FilterInTime(interval=1 / RATE, high=5.0), lane)
    npt.assert_array_equal(np.concatenate([r.samples for r in results]), whole.samples)
    with pytest.raises(ValueError, match=r"uneven|step before trace 30"):
        filter_in_time(dataclasses.replace(lane, time=late), high=5.0)


def test_the_interval_needs_two_traces():
    """One trace has no interval; given, it is filtered as any other."""
    lane = make_lane(tone(2.0), 1)
    with pytest.raises(ValueError, match=r"sweep with 1 traces. Must have two or more"):
        sample_interval(lane)
    assert len(filter_in_time(lane, interval=0.1, high=2.0)) == 1


@pytest.mark.parametrize(
    ("new", "bad", "message"),
    [
        (RejectMains, {"mains": 0}, "Invalid mains '0.0'"),
        (RejectMains, {"harmonics": [0]}, "Invalid harmonics '0'. Must be at least 1"),
        (RejectMains, {"harmonics": []}, r"Invalid harmonics \(\). Must hold one"),
        (RejectMains, {"bandwidth": -1}, "Invalid bandwidth '-1.0'"),
        (RejectMains, {"interval": 0}, "Invalid interval '0.0'"),
        (FilterInTime, {}, "Invalid band from None to None Hz"),
        (FilterInTime, {"low": 3, "high": 3}, "Invalid band from 3.0 to 3.0"),
        (FilterInTime, {"low": 40}, "Must have one edge .* below 40 Hz"),
        (FilterInTime, {"high": 2, "order": 9}, "Invalid order '9'. Must be at most 8"),
    ],
)
def test_bad_options_are_named(new, bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        new(**{"interval": 1 / RATE} | bad)


def test_words_and_single_numbers_are_refused_by_name():
    """Multiples come in a row, an interval is that of a sweep, numbers in words are numbers."""
    with pytest.raises(
        TypeError, match=r"Invalid harmonics 3\. Must be whole numbers in a row"
    ):
        RejectMains(interval=0.0125, harmonics=3)
    for filtered in (reject_mains, filter_in_time):
        with pytest.raises(
            TypeError, match=r"Invalid sweep of type NoneType\. Must be a Sweep"
        ):
            filtered(None)
    expected = notch_section(10.0, interval=0.02, bandwidth=1.0)
    npt.assert_array_equal(notch_section("10", interval="0.02", bandwidth="1"), expected)


def test_a_notch_must_fit_the_rate():
    """Frequencies and bandwidths beyond half the rate are refused."""
    for options in ({"frequency": 41.0, "bandwidth": 1.0}, {"frequency": 9.0, "bandwidth": 40}):
        with pytest.raises(ValueError, match="Must be below 40 Hz"):
            notch_section(options.pop("frequency"), interval=1 / RATE, **options)
