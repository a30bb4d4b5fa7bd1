"""Test statistics of radar sections against laws that are known, and slow versions."""

import dataclasses
import math

import naive_realism as naive
import numpy as np
import numpy.testing as npt
import pytest
import scipy.signal
import scipy.stats
from carriers import SILENT_RADAR, quiet
from lanes import make_coils, make_sensor, make_sweep
from realism_lanes import GROUND, INTERVAL, PERIOD, clutter, lane, radar_axis, raised, ricker

from minesense.constants import SPEED_OF_LIGHT
from minesense.sweep import Quality
from minesense.synthetic import cart, field, ornstein_uhlenbeck, scenario
from minesense.synthetic.realism import (
    SHARES,
    SLICES,
    Missing,
    TooFewError,
    along,
    amplitude_laws,
    banding,
    bounce_jitter,
    envelope,
    fading,
    find_arrivals,
    k_texture,
    ks_distance,
    level_envelope,
    mean_spectrum,
    noise_floor,
    path_difference,
    radar_section,
    semivariogram,
    singular_values,
    spectra,
    told,
    variograms,
    weibull_shape,
)
from minesense.synthetic.realism.kept import MOST_LAGS, rows_of
from minesense.synthetic.simulate import lane_track


def generator(seed=0):
    """Return a source of chance."""
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def plain():
    """Return the section of a long lane of Gaussian clutter."""
    return radar_section(lane(clutter(2000, rng=generator())))


# -- amplitude laws ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [0.7, 1.0, 1.4, 2.0, 3.5])
def test_weibull_shape_of_weibull_samples(shape):
    """Within four standard errors of the law drawn from, whatever the unit."""
    values = generator().weibull(shape, size=20_000)
    found = weibull_shape(values)
    assert abs(found - shape) < 4 * 0.78 * shape / math.sqrt(len(values))
    assert weibull_shape(1e-6 * values) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("shape", [0.8, 2.5])
def test_weibull_shape_is_the_likeliest(shape):
    """No other shape makes the samples more likely."""
    values = generator(3).weibull(shape, size=60)
    found = weibull_shape(values)
    best = naive.weibull_likelihood(values, found)
    others = [naive.weibull_likelihood(values, found * x) for x in (0.9, 0.999, 1.001, 1.1)]
    assert best > max(others)


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0, 10.0])
def test_k_texture_of_k_samples(shape):
    """The inverse shape of the gamma law of the power, whatever the unit."""
    rng = generator(1)
    power = rng.gamma(shape, size=200_000)
    values = np.sqrt(power * rng.exponential(size=len(power)))
    assert k_texture(values) == pytest.approx(1 / shape, rel=0.06, abs=0.005)
    assert k_texture(1e5 * values) == pytest.approx(k_texture(values), rel=1e-9)


def test_gaussian_clutter_has_no_texture():
    """A Rayleigh law has a Weibull shape of 2 and no texture; lighter tails less than none."""
    rng = generator(2)
    assert abs(k_texture(rng.rayleigh(size=100_000))) < 0.01
    assert k_texture(rng.uniform(0.9, 1.1, size=10_000)) < -0.5


def test_ks_distance_is_the_greatest_difference():
    """As the slow version and SciPy have it; zero for the same values."""
    rng = generator(4)
    one, other = rng.normal(size=40), rng.normal(0.7, 1.5, size=55).round(1)
    assert ks_distance(one, other) == pytest.approx(naive.ks_distance(one, other), abs=1e-12)
    assert ks_distance(one, other) == pytest.approx(scipy.stats.ks_2samp(one, other).statistic)
    assert ks_distance(one, one) == 0


@pytest.mark.parametrize("n", [64, 65])
def test_envelope_is_that_of_the_analytic_signal(n):
    """As SciPy has it, for an even and an odd number of samples."""
    values = generator().normal(size=(3, 2, n))
    npt.assert_allclose(envelope(values), np.abs(scipy.signal.hilbert(values)), atol=1e-12)


def test_gaussian_clutter_is_found_to_be_gaussian(plain):
    """In every slice, its quantiles those of a Rayleigh law over its root mean square."""
    for law in amplitude_laws(plain):
        assert law.weibull == pytest.approx(2.0, abs=0.06)
        assert law.texture == pytest.approx(0.0, abs=0.05)
        expected = np.sqrt(-np.log1p(-np.array(SHARES)))
        npt.assert_allclose(law.quantiles, expected, rtol=0.06)
        assert (law.amplitude**2).mean() == pytest.approx(1.0, abs=1e-6)


def test_a_gain_changes_no_amplitude_law(plain):
    """A recorder whose gain grows by 60 dB in the record leaves the laws as they are."""
    ground = clutter(2000, rng=generator())
    time = radar_axis()
    louder = radar_section(lane(ground * 10 ** (3 * time / time[-1])))
    for law, other in zip(amplitude_laws(plain), amplitude_laws(louder), strict=True):
        assert other.weibull == pytest.approx(law.weibull, abs=0.02)


def test_a_strong_first_arrival_does_not_reach_deep_amplitudes(plain):
    """Neither its changing height nor its jitter is felt in slices behind it."""
    rng = generator(5)
    ground = clutter(2000, rng=generator())
    loud = lane(ground, direct=3e3, gain=1 + 0.2 * rng.normal(size=len(ground)))
    laws = amplitude_laws(radar_section(loud))
    for law, other in zip(amplitude_laws(plain)[1:], laws[1:], strict=True):
        assert other.weibull == pytest.approx(law.weibull, abs=0.03)


def test_patchy_ground_has_texture():
    """Clutter whose power is gamma from place to place has the texture of that law."""
    rng = generator(6)
    power = np.repeat(rng.gamma(2.0, size=1000), 4)
    ground = np.sqrt(power)[:, None] * clutter(4000, length=0.005, rng=rng)
    texture = [law.texture for law in amplitude_laws(radar_section(lane(ground)))]
    npt.assert_allclose(texture, 0.5, atol=0.12)


def test_level_is_that_of_the_residual(plain):
    """Root mean square over the lane and one period."""
    _, level = level_envelope(plain)
    deep = plain.time > 2e-9
    npt.assert_allclose(level[0, deep], plain.residual[:, 0, deep].std(), rtol=0.05)
    alone = np.where(np.arange(len(plain.time)) == 100, plain.residual, 0)
    _, level = level_envelope(dataclasses.replace(plain, residual=alone))
    assert np.count_nonzero(level > 0) == round(PERIOD / INTERVAL)


# -- along the track -----------------------------------------------------------------------


def test_semivariogram_is_that_of_the_definition():
    """With holes, in several columns of different spread."""
    values = generator().normal(size=(90, 3)) * [1.0, 5.0, 0.2]
    values[[4, 5, 40]] = np.nan
    values[60, 1] = np.nan
    found = semivariogram(values, spacing=0.1, longest=7)
    expected = [naive.semivariance(values, k) for k in range(1, 8)]
    npt.assert_allclose(found.value, expected, rtol=1e-12)
    npt.assert_allclose(found.lag, 0.1 * np.arange(1, 8))


@pytest.mark.parametrize("length", [0.15, 0.6])
@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_correlation_length_of_an_exponential_covariance(length, noise):
    """The length it was made with, and the share of white noise that was added."""
    rng = generator(7)
    series = ornstein_uhlenbeck(40_000, step=0.03, time=length, std=1.0, rng=rng)
    found = semivariogram(series + noise * rng.normal(size=len(series)), spacing=0.03)
    share = noise**2 / (1 + noise**2)
    assert found.nugget == pytest.approx(share, abs=0.045)
    assert found.length == pytest.approx(length, rel=0.12)


def test_an_exponential_variogram_at_every_lag():
    """It is 1 - exp(-h / l) within the errors of a long series."""
    series = ornstein_uhlenbeck(60_000, step=0.05, time=0.4, std=2.0, rng=generator(8))
    found = semivariogram(series, spacing=0.05, longest=40)
    npt.assert_allclose(found.value, 1 - np.exp(-found.lag / 0.4), atol=0.03)


def test_noise_and_trends_have_no_length():
    """Nothing but noise has none, nor has what changes over more than was looked at."""
    noise = semivariogram(generator().normal(size=2000), spacing=0.1)
    assert isinstance(noise.length, Missing)
    assert "noise from trace to trace" in noise.length.why
    trend = semivariogram(np.linspace(0, 1, 300), spacing=0.1, longest=30)
    assert isinstance(trend.length, Missing)
    assert "longer than the 3 " in trend.length.why


def test_lags_have_thirty_pairs_of_traces():
    """Of traces, not of samples; by default lags end at a third, and at 200 traces."""
    values = generator().normal(size=(60, 3))
    found = semivariogram(values, spacing=0.1, longest=40)
    assert np.isfinite(found.value).tolist() == [k <= 30 for k in range(1, 41)]
    for n, longest in ((300, 100), (900, MOST_LAGS)):
        assert len(semivariogram(generator().normal(size=n), spacing=0.1).lag) == longest


@pytest.mark.parametrize(("share", "has_length"), [(0.84, True), (0.95, False)])
def test_nine_tenths_of_noise_hide_a_length(share, has_length):
    """What is left then is too little; a smooth series has no noise at all."""
    rng = generator(7)
    series = ornstein_uhlenbeck(40_000, step=0.03, time=0.3, std=1.0, rng=rng)
    noise = math.sqrt(share / (1 - share)) * rng.normal(size=len(series))
    found = semivariogram(series + noise, spacing=0.03)
    assert isinstance(found.length, float) == has_length
    assert semivariogram(np.sin(0.1 * np.arange(500)), spacing=0.03).nugget == 0


def test_a_length_is_found_across_lags_without_pairs():
    """Between the lags on both sides of those that nothing is known of."""
    series = ornstein_uhlenbeck(20_000, step=1.0, time=3.5, std=1.0, rng=generator(7))
    series[np.arange(len(series)) % 7 > 2] = np.nan
    found = semivariogram(series, spacing=1.0)
    assert np.isnan(found.value[:7]).tolist() == [False, False, True, True, False, False, False]
    assert 3 < found.length < 5


def test_clutter_has_the_length_it_was_made_with(plain):
    """In every slice, in metres."""
    for variogram in variograms(plain):
        assert variogram.length == pytest.approx(0.1, rel=0.2)
    first = plain.samples_of(*SLICES[1]).start
    residual = plain.residual.copy()
    residual[..., first] = generator().normal(size=residual.shape[:2])
    spoilt = variograms(dataclasses.replace(plain, residual=residual))[1]
    assert spoilt.length == pytest.approx(0.1, rel=0.2)  # one sample of twenty is not the rest


def test_a_trace_left_out_is_in_no_pair():
    """Flagged traces change nothing but the number of pairs, whatever they hold."""
    ground = clutter(1500, rng=generator())
    quality = np.zeros(1500, np.int64)
    quality[200:1400:7] = Quality.INTERFERENCE
    spoilt = ground.copy()
    spoilt[quality != 0] *= 1e6
    whole = variograms(radar_section(lane(ground)))[1]
    section = radar_section(lane(spoilt, quality=quality))
    assert section.n_flagged == 172
    npt.assert_allclose(variograms(section)[1].value[:20], whole.value[:20], rtol=0.05)


def test_rows_keep_the_places_of_what_is_missing():
    """Steps of a multiple of the spacing leave places empty; wild steps have no spacing."""
    position = np.zeros((60, 3))
    position[:, 1] = np.where(np.arange(60) < 30, 0.1, 0.1) * np.arange(60)
    position[30:, 1] += 0.4
    sweep = make_sweep(np.zeros((60, 1, 4)), position=position)
    row, spacing = rows_of(sweep)
    assert spacing == pytest.approx(0.1)
    assert (row[29], row[30]) == (29, 34)
    position[:, 1] = np.cumsum(generator().uniform(0.01, 0.3, 60))
    row, spacing = rows_of(make_sweep(np.zeros((60, 1, 4)), position=position))
    assert math.isnan(spacing)
    assert row.tolist() == list(range(60))


@pytest.mark.parametrize(
    ("off", "n", "is_regular"),
    [
        (0.29, 40, True),
        (0.31, 40, False),
        (0.4, 10, True),
        (0.4, 11, False),
        (-1.0, 10, True),
        (-1.0, 11, False),
        (-1.0, 60, False),
    ],
)
def test_steps_are_regular_within_their_limits(off, n, is_regular):
    """A tenth may be off by more than 30 %, or stand still; rows increase all the same."""
    steps = np.full(100, 0.1)
    steps[generator().permutation(100)[:n]] *= 1 + off
    position = np.zeros((101, 3))
    position[1:, 1] = np.cumsum(steps)
    row, spacing = rows_of(make_sweep(np.zeros((101, 1, 4)), position=position))
    assert math.isfinite(spacing) == is_regular
    assert (np.diff(row) == 1).all()


def test_a_gap_is_as_wide_as_its_positions_say():
    """Flagged or not; a trace whose place is not known lies one further."""
    ground = clutter(200, rng=generator())
    position = np.zeros((200, 3))
    position[:, 1] = 0.025 * np.arange(200)
    position[100:, 1] += 0.1
    position[150] = np.nan
    quality = np.zeros(200, np.int64)
    quality[100], quality[150] = Quality.GAP, Quality.POSE_NONE
    heading = np.where(np.arange(200) == 150, np.nan, 0.0)
    told_of = {"position": position, "heading": heading, "quality": quality}
    section = radar_section(lane(ground, **told_of))
    assert section.spacing == pytest.approx(0.025)
    expected = np.arange(200)
    expected[100:] += 4
    assert section.row.tolist() == expected.tolist()
    table = along(section, section.traces[:, 0])
    assert np.isnan(table[100:104]).all()
    npt.assert_array_equal(table[expected], section.traces[:, 0])


def test_a_gap_of_unknown_length_is_never_bridged():
    """Without positions a flagged gap is wider than any lag."""
    quality = np.full(60, int(Quality.POSE_NONE))
    quality[20] |= Quality.GAP
    position, heading = np.full((60, 3), np.nan), np.full(60, np.nan)
    lost = {"position": position, "heading": heading, "quality": quality}
    row, spacing = rows_of(make_sweep(np.zeros((60, 1, 4)), **lost))
    assert math.isnan(spacing)
    assert row[20] - row[19] == MOST_LAGS + 1


# -- fading, bands, spectra, singular values, noise ----------------------------------------


@pytest.mark.parametrize("slope", [-6.0, -2.5])
def test_fading_of_a_known_slope(slope):
    """In dB/ns, above noise that is not fitted."""
    rng = generator(9)
    time = radar_axis() - GROUND
    ground = clutter(600, rng=rng) * 10 ** (slope * time * 1e9 / 20)
    found = fading(radar_section(lane(ground + 0.02 * rng.normal(size=ground.shape))))
    assert 1e-9 * found.slope == pytest.approx(slope, rel=0.06)
    assert found.fitted[0] == pytest.approx(SLICES[0][0] * PERIOD, abs=INTERVAL)
    end = found.time[-1] if isinstance(found.end, Missing) else found.end - INTERVAL
    assert found.fitted[1] == pytest.approx(end)
    if slope == -6.0:  # in the band of the pulse the noise is 0.0117 of one sample's clutter
        assert 1e9 * found.end == pytest.approx(20 * math.log10(1 / 0.0117) / 6, abs=0.5)
    else:
        assert found.end == Missing("clutter is above the noise until the record ends")


def test_fading_of_a_gain_is_told_as_it_is():
    """Its sign too: the gain of a recorder is not known and not undone."""
    ground = clutter(600, rng=generator()) * 10 ** (3.0 * radar_axis() * 1e9 / 20)
    assert 1e-9 * fading(radar_section(lane(ground))).slope == pytest.approx(3.0, rel=0.06)


def test_fading_within_two_periods_is_told():
    """A slope needs one period above the noise, no more."""
    rng = generator(9)
    ground = clutter(600, rng=rng) * 10 ** (-12.0 * (radar_axis() - GROUND) * 1e9 / 20)
    found = fading(radar_section(lane(ground + 0.06 * rng.normal(size=ground.shape))))
    assert PERIOD < found.fitted[1] - found.fitted[0] < 2 * PERIOD
    assert -13e9 < found.slope < -10e9


def test_the_level_is_that_of_the_definition(plain):
    """Mean decibels of all traces, over half a period, the largest after the bounce at zero."""
    early = np.where(plain.time < PERIOD, 10, 1).astype(np.float32)
    plain = dataclasses.replace(plain, residual=early * plain.residual)
    amplitude, spread = level_envelope(plain)
    decibels = (20 * np.log10(amplitude * spread)).mean(axis=(0, 1))
    reach = round(0.5 * PERIOD / INTERVAL) // 2
    middle = range(reach, len(decibels) - reach)
    level = np.array([decibels[k - reach : k + reach + 1].mean() for k in middle])
    found = fading(plain).level
    after = plain.time >= SLICES[0][0] * PERIOD
    assert found[after].max() == pytest.approx(0.0, abs=1e-9)
    npt.assert_allclose(np.diff(found[reach:-reach]), np.diff(level), atol=1e-9)


def test_far_traces_do_not_make_noise_of_clutter():
    """Traces alone among flagged ones differ as noise does; their few neighbours tell."""
    quality = np.full(3000, int(Quality.INTERFERENCE))
    quality[::30] = quality[1:300:30] = 0
    found = fading(radar_section(lane(clutter(3000, rng=generator()), quality=quality)))
    assert found.end == Missing("clutter is above the noise until the record ends")


def test_fading_into_noise_at_once_is_not_told():
    """White noise alone has no slope."""
    found = fading(radar_section(lane(generator().normal(size=(300, 240)))))
    assert found.slope == Missing("clutter sinks into the noise within a period of the bounce")


def test_banding_is_the_ratio_of_mean_and_rest():
    """Bands of known height over clutter of known power; chance alone in long lanes."""
    ground = clutter(2000, length=0.01, rng=generator())
    late = radar_axis() > GROUND + 1.2 * PERIOD
    bands = 2.0 * math.sqrt(2) * np.sin(2 * np.pi * 1.5e9 * radar_axis()) * late
    found = banding(radar_section(lane(ground + bands)))
    npt.assert_allclose(found[1:], 20 * math.log10(2.0), atol=0.5)
    assert max(banding(radar_section(lane(ground)))) < -20


def test_a_ricker_pulse_has_its_band():
    """0.365 to 1.834 times its peak at -10 dB, its peak at its peak."""
    time = INTERVAL * (np.arange(4001) - 2000)
    found = mean_spectrum(np.tile(ricker(time), (2, 1)), interval=INTERVAL)
    assert found.peak / 1.5e9 == pytest.approx(1.0, abs=0.01)
    assert found.low / 1.5e9 == pytest.approx(0.365, abs=0.003)
    assert found.high / 1.5e9 == pytest.approx(1.834, abs=0.003)
    inside = np.linspace(0.365, 1.834, 10_001)
    power = inside**4 * np.exp(-2 * inside**2)
    assert found.centre / 1.5e9 == pytest.approx(
        (inside * power).sum() / power.sum(), abs=0.005
    )


def test_noise_hides_the_end_of_a_band():
    """Up to half the sampling rate: neither end nor centre is a number then."""
    found = mean_spectrum(generator().normal(size=(200, 64)), interval=INTERVAL)
    assert isinstance(found.high, Missing)
    assert found.centre == found.high


def test_clutter_and_pulse_have_their_own_spectra(plain):
    """Both around the frequency they were made with."""
    found = spectra(plain)
    assert found.pulse.peak / 1.5e9 == pytest.approx(1.0, abs=0.15)
    assert found.clutter.peak / 1.5e9 == pytest.approx(1.0, abs=0.15)
    assert found.clutter.low < found.clutter.centre < found.clutter.high
    for one in (found.pulse, found.clutter):
        decibels = 10 * np.log10(one.power)
        npt.assert_allclose(np.interp([one.low, one.high], one.frequency, decibels), -10.0)


def test_a_band_begins_at_zero_where_nothing_falls_off():
    """Slow traces have no lower end."""
    slow = mean_spectrum([np.arange(64.0) - 31.5 + 40 * np.hanning(64)], interval=INTERVAL)
    assert slow.low == 0


def test_clutter_has_the_spectrum_of_five_periods(plain):
    """Neither what is the same all along nor what comes later changes it."""
    wide = plain.wide + 100 * np.sin(2 * np.pi * 4e9 * plain.time).astype(np.float32)
    wide[..., plain.time > 7.2 * PERIOD] *= generator().normal(size=(len(wide), 1, 1))
    found = spectra(dataclasses.replace(plain, wide=wide)).clutter
    npt.assert_allclose(found.power, spectra(plain).clutter.power, atol=1e-3)


def test_singular_values_of_a_known_section():
    """Shares, slope and number of patterns of energies k^-2 put in by hand."""
    section = radar_section(lane(clutter(300, rng=generator())))
    first = int(np.searchsorted(section.time, SLICES[0][0] * PERIOD))
    n = section.residual.shape[2] - first
    rng = generator(3)
    centred = rng.normal(size=(300, 30))
    left = np.linalg.qr(centred - centred.mean(axis=0))[0]
    right = np.linalg.qr(rng.normal(size=(n, 30)))[0]
    energy = np.arange(1, 31) ** -2.0
    residual = np.zeros_like(section.residual)
    residual[:, 0, first:] = left * np.sqrt(energy) @ right.T
    residual[:, 0, :first] = 1e3  # the bounce is not part of it
    found = singular_values(dataclasses.replace(section, residual=residual))
    energy /= energy.sum()
    npt.assert_allclose(found.energy[:30], energy, rtol=1e-4, atol=1e-9)
    npt.assert_allclose(found.shares, np.cumsum(energy)[[0, 1, 4, 9]], rtol=1e-4)
    assert found.slope == pytest.approx(-2.0, abs=1e-3)
    assert found.patterns == pytest.approx(1 / (energy**2).sum(), rel=1e-4)


def test_singular_values_of_channels_are_those_of_their_mean():
    """Each with its shares, however loud; the slope is that of the first twenty."""
    section = radar_section(lane(clutter(300, rng=generator())))
    first = int(np.searchsorted(section.time, SLICES[0][0] * PERIOD))
    rng = generator(3)
    centred = rng.normal(size=(300, 40))
    left = np.linalg.qr(centred - centred.mean(axis=0))[0]
    right = np.linalg.qr(rng.normal(size=(section.residual.shape[2] - first, 40)))[0]
    number = np.arange(1, 41)
    energy = np.array([np.exp(-number / 4), 50 * np.exp(-number / 15)])
    residual = np.zeros((300, 2, section.residual.shape[2]), np.float32)
    residual[..., first:] = np.stack([left * np.sqrt(e) @ right.T for e in energy], axis=1)
    found = singular_values(dataclasses.replace(section, residual=residual))
    shares = energy / energy.sum(axis=1, keepdims=True)
    mean = shares.mean(axis=0)
    npt.assert_allclose(found.shares, np.cumsum(mean)[[0, 1, 4, 9]], rtol=1e-4)
    slope = np.polyfit(np.log(number[:20]), np.log(mean[:20]), 1)[0]
    assert found.slope == pytest.approx(slope, abs=1e-3)
    assert found.patterns == pytest.approx((1 / (shares**2).sum(axis=1)).mean(), rel=1e-4)


def test_noise_floor_is_that_of_white_noise():
    """In the band of the antenna, against the direct wave; no gain and no wow matters."""
    rng = generator(10)
    noise = 0.1 * rng.normal(size=(500, 240))
    frequency = np.fft.rfftfreq(480, INTERVAL)
    share = np.clip((frequency - 3e9) / 0.9e9, 0, 1)
    in_band = ((0.5 + 0.5 * np.cos(np.pi * share)) ** 2).mean()
    lost = 1 / 13  # of the power in the band: the means of windows of 13 samples
    expected = 10 * math.log10(0.1**2 * (in_band - lost) / 100.0**2)
    # the least of 16 windows lies a little below their mean
    assert noise_floor(lane(noise)) == pytest.approx(expected - 0.2, abs=0.3)
    louder = noise * 10 ** np.clip(radar_axis() / 4e-9 - 0.5, 0, None)
    assert noise_floor(lane(louder)) == pytest.approx(expected, abs=0.6)
    wow = noise + 2 * rng.normal(size=(500, 1)) * np.exp(-radar_axis() / 20e-9)
    assert noise_floor(lane(wow)) == pytest.approx(expected, abs=0.8)


def test_noise_is_that_between_neighbours():
    """Thirty traces need one; traces farther apart differ by their clutter too."""
    ground = clutter(3000, rng=generator())
    quality = np.full(3000, int(Quality.INTERFERENCE))
    quality[::6] = 0
    quality[1:174:6] = 0  # 29 of five hundred have a neighbour
    few = told(noise_floor, lane(ground, quality=quality))
    assert few == Missing("29 traces with a neighbour: at least 30 are needed")
    quality[1:900:6] = 0
    whole = noise_floor(lane(ground))
    assert noise_floor(lane(ground, quality=quality)) == pytest.approx(whole, abs=0.8)


# -- ground bounce -------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [0.0, 15e-12])
def test_bounce_jitter_of_known_delays(jitter):
    """Their spread, its white part and its length along the track; the gain by itself."""
    rng = generator(11)
    n = 6000
    slow = ornstein_uhlenbeck(n, step=0.025, time=0.4, std=25e-12, rng=rng)
    gain = 1 + 0.1 * rng.normal(size=n)
    delay = slow + jitter * rng.normal(size=n)
    found = bounce_jitter(radar_section(lane(np.zeros((n, 240)), delay=delay, gain=gain)))
    assert found.delay == pytest.approx(delay.std(), rel=0.02)
    assert found.white_delay == pytest.approx(jitter, rel=0.1, abs=3e-12)
    assert found.slow_delay == pytest.approx(slow.std(), rel=0.03)
    assert found.delay_law.length == pytest.approx(0.4, rel=0.2)
    assert found.gain == pytest.approx(0.1, rel=0.03)
    assert isinstance(found.height, Missing)


def test_delays_that_come_and_go_are_all_white(plain):
    """Every second trace later: nothing of it is slow."""
    delay = 1e-11 * np.where(np.arange(len(plain.row)) % 2, 1.0, -1.0)[:, None]
    found = bounce_jitter(dataclasses.replace(plain, ground_delay=delay))
    assert found.white_delay == pytest.approx(1e-11)
    assert found.slow_delay == 0


def test_aligned_traces_lie_on_the_ground():
    """Delays of several samples are undone: what is left of the arrival is small."""
    rng = generator(12)
    delay = ornstein_uhlenbeck(800, step=0.025, time=0.4, std=60e-12, rng=rng)
    section = radar_section(lane(np.zeros((800, 240)), delay=delay))
    assert np.abs(section.residual).max() < 0.02 * np.abs(section.traces).max()
    assert section.ground_gain.std() < 2e-3
    peak = section.time[np.abs(section.traces.mean(axis=0)[0]).argmax()]
    assert abs(peak) <= INTERVAL


def test_each_channel_has_its_own_bounce():
    """One later and ten times as strong: delay and gain are about the mean of each."""
    rng = generator(13)
    delays, gains = 20e-12 * rng.normal(size=(2, 300)), 1 + 0.1 * rng.normal(size=(2, 300))
    parts = [
        lane(np.zeros((300, 240)), direct=direct, delay=late + delay, gain=gain).samples
        for direct, late, delay, gain in zip(
            (100, 1000), (0, 1e-10), delays, gains, strict=True
        )
    ]
    sensor = make_sensor(2, 240, interval=INTERVAL)
    section = radar_section(make_sweep(np.concatenate(parts, axis=1), sensor=sensor))
    npt.assert_allclose(section.ground_delay.mean(axis=0), 0.0, atol=1e-15)
    npt.assert_allclose(section.ground_delay.std(axis=0), delays.std(axis=1), rtol=0.02)
    npt.assert_allclose(section.ground_gain.std(axis=0), gains.std(axis=1), rtol=0.03)


def test_bounce_jitter_of_a_swaying_cart():
    """Over flat ground it is the sway of the simulator, as height."""
    options = quiet(radar_errors=SILENT_RADAR)
    motion = dataclasses.replace(options.pop("motion"), height_spread=0.006)
    recipe = scenario(
        "prepared",
        lanes={"length": 25.0, "run_in": 0.5, "training": 1, "blind": 0},
        ground={
            "soils": ["even"],
            "own": {"even": even_soil()},
        },
        layout={"density": 0.0},
        targets={"kinds": ()},
        clutter={"metal_density": 0.0, "dielectric_density": 0.0},
    )
    carrier = cart(n_antennas=1, n_coils=1, motion=motion, **options)
    made = field(recipe, seed=2)
    radar, _ = made.sweep(carrier)
    track = lane_track(made, made.lanes[0], carrier)
    sway = track.position[carrier.steps(len(track), is_radar=True), 2]
    jitter = bounce_jitter(radar_section(radar))
    assert jitter.height == pytest.approx(sway.std(), rel=0.08)
    assert jitter.height == pytest.approx(SPEED_OF_LIGHT * jitter.delay / 2)
    assert jitter.white_delay < 0.2 * jitter.delay
    expected = semivariogram(sway, spacing=0.025)
    assert jitter.delay_law.length == pytest.approx(expected.length, rel=0.1)


def even_soil():
    """Return a soil without roughness and nearly without lumps."""
    return {
        "sand": 0.9,
        "clay": 0.03,
        "bulk_density": 1.6,
        "moisture": [0.05, 0.05],
        "conductivity": [1e-4, 1e-4],
        "susceptibility": [1e-5, 1e-5],
        "viscous_share": [0.5, 0.5],
        "permittivity_spread": 1e-4,
        "correlation_length": 0.1,
        "moisture_spread": 0.0,
        "susceptibility_spread": 0.0,
        "patch_length": 3.0,
        "roughness": 0.0,
        "surface_length": 0.5,
    }


# -- arrivals and sections -----------------------------------------------------------------


def test_arrivals_apart_and_joined():
    """A bounce is looked for where the height puts it, else it is the first arrival."""
    time = radar_axis()
    late = (math.hypot(0.24, 0.06) - 0.06) / SPEED_OF_LIGHT
    trace = 100 * ricker(time - GROUND) - 40 * ricker(time - GROUND - late)
    sweep = make_sweep(np.tile(trace, (60, 1, 1)), sensor=raised())
    found = find_arrivals(sweep)
    assert path_difference(sweep) == pytest.approx(late)
    assert not found.is_joined
    assert found.is_negative
    assert found.direct == pytest.approx(GROUND, abs=INTERVAL)
    assert found.ground == pytest.approx(GROUND + late, abs=2 * INTERVAL)
    joined = find_arrivals(lane(np.zeros((60, 240))))
    assert joined.is_joined
    assert joined.ground == joined.direct == pytest.approx(GROUND, abs=INTERVAL)
    low = find_arrivals(make_sweep(np.tile(trace, (60, 1, 1)), sensor=raised(height=0.02)))
    assert low.is_joined


@pytest.mark.parametrize(("periods", "is_joined"), [(0.58, True), (0.62, False)])
def test_arrivals_are_apart_from_six_tenths_of_a_period(periods, is_joined):
    """By the height and separation of the antennas."""
    path = 0.06 + periods * PERIOD * SPEED_OF_LIGHT
    sensor = raised(height=math.sqrt(path**2 - 0.06**2) / 2)
    sweep = lane(clutter(60, rng=generator()), sensor=sensor)
    assert path_difference(sweep) == pytest.approx(periods * PERIOD)
    assert find_arrivals(sweep).is_joined == is_joined


def test_an_offset_of_the_recorder_hides_no_arrival():
    """Ten times the first arrival, another for each trace."""
    ground = clutter(60, rng=generator())
    offset = 1e3 * (1 + generator(1).random((60, 1)))
    assert find_arrivals(lane(ground + offset)) == find_arrivals(lane(ground))


def test_slices_lie_in_the_record_and_hold_four_samples(plain):
    """To the end of its last sample and no further."""
    end = (plain.time[-1] + INTERVAL) / PERIOD
    assert plain.samples_of(end - 1, end).stop == len(plain.time)
    with pytest.raises(TooFewError, match="the record ends"):
        plain.samples_of(end - 1, end + 0.01)
    middle = plain.time[100] / PERIOD - 0.01
    few = plain.samples_of(middle, middle + 4 * INTERVAL / PERIOD)
    assert few == slice(100, 104)
    with pytest.raises(TooFewError, match="3 samples in the slice"):
        plain.samples_of(middle, middle + 3 * INTERVAL / PERIOD)


def test_flagged_traces_are_left_out_altogether():
    """The section of a lane with spoilt traces is that of the lane without them."""
    ground = clutter(400, rng=generator())
    quality = np.zeros(400, np.int64)
    quality[[3, 50, 51, 60, 70, 80, 90, 399]] = [
        Quality.SATURATED,
        Quality.STUCK,
        Quality.INTERFERENCE,
        Quality.BASELINE_STEP,
        Quality.SETTING_CHANGED,
        Quality.CHECK_FAILED,
        Quality.OUT_OF_DOMAIN,
        Quality.NOT_FINITE,
    ]
    spoilt = ground.copy()
    spoilt[quality != 0] = 1e7
    spoilt[[3, 50, 399]] = np.nan
    section = radar_section(lane(spoilt, quality=quality))
    kept = radar_section(lane(ground[quality == 0]))
    assert section.n_flagged == 8
    assert np.isfinite(section.residual).all()
    npt.assert_allclose(section.residual, kept.residual, atol=1e-2)
    assert section.row.tolist() == np.flatnonzero(quality == 0).tolist()


def test_the_same_statistics_for_any_unit():
    """Counts of a recorder or volts: shapes do not change."""
    ground = clutter(600, rng=generator())
    one = radar_section(lane(ground))
    other = radar_section(lane(1e4 * ground, direct=1e6))
    for law, same in zip(amplitude_laws(one), amplitude_laws(other), strict=True):
        assert same.weibull == pytest.approx(law.weibull, rel=1e-3)
    assert singular_values(other).shares == pytest.approx(singular_values(one).shares, rel=1e-3)
    assert fading(other).slope == pytest.approx(fading(one).slope, rel=1e-3, abs=1e6)


# -- too little, and bad input -------------------------------------------------------------


def test_too_little_is_said():
    """Each statistic that data do not suffice for gives words and no number."""
    few = told(radar_section, lane(clutter(40, rng=generator())))
    assert few == Missing("40 usable traces: at least 50 are needed")
    short = radar_section(lane(clutter(80, 120, rng=generator())))
    end = f"the record ends {1e9 * short.time[-1]:.3g} ns after the ground"
    assert amplitude_laws(short)[3:] == (Missing(end), Missing(end))
    assert variograms(short)[3:] == (Missing(end), Missing(end))
    assert banding(short)[3:] == (Missing(end), Missing(end))
    dead = radar_section(lane(np.zeros((80, 240))))
    assert amplitude_laws(dead)[0] == Missing("all traces are the same in part of the slice")
    assert variograms(dead)[0] == Missing("all values are the same")
    assert banding(dead)[0] == Missing("all traces are the same in the slice")
    assert told(singular_values, dead) == Missing("all traces are the same")
    flat = dataclasses.replace(dead, wide=np.zeros_like(dead.wide))
    assert spectra(flat).clutter == spectra(flat).pulse == Missing("all samples are the same")
    assert (
        "neighbouring traces are the same" in told(noise_floor, lane(np.zeros((80, 240)))).why
    )


def test_without_positions_nothing_is_told_along_the_track():
    """Nor is the count of traces taken for a distance; the rest is told."""
    ground = clutter(300, rng=generator())
    lost = {
        "position": np.full((300, 3), np.nan),
        "heading": np.full(300, np.nan),
        "quality": np.full(300, int(Quality.POSE_NONE)),
    }
    section = radar_section(lane(ground, **lost))
    why = Missing("the distance between traces is not known, or not regular")
    assert set(variograms(section)) == {why}
    jitter = bounce_jitter(section)
    assert (jitter.delay_law, jitter.white_delay, jitter.slow_delay) == (why, why, why)
    assert amplitude_laws(section)[0].weibull == pytest.approx(2, abs=0.2)


def test_an_offset_gather_is_no_lane():
    """Its traces are out of the domain and none is used."""
    quality = np.full(100, int(Quality.OUT_OF_DOMAIN))
    found = told(radar_section, lane(clutter(100, rng=generator()), quality=quality))
    assert found == Missing("0 usable traces: at least 50 are needed")


def test_a_short_record_is_refused():
    """Of less than four periods nothing is told."""
    sensor = make_sensor(1, 54, interval=INTERVAL)
    sweep = make_sweep(generator().normal(size=(80, 1, 54)), sensor=sensor)
    assert "at least 4 are needed" in told(radar_section, sweep).why


@pytest.mark.parametrize(
    ("function", "arguments", "options", "error", "message"),
    [
        (weibull_shape, [np.ones((40, 2))], {}, ValueError, r"amplitudes with shape \(40, 2\)"),
        (weibull_shape, [np.r_[np.ones(40), 0.0]], {}, ValueError, "one is '0.0'. Must be gr"),
        (weibull_shape, [np.ones(40)], {}, ValueError, "all are '1.0'. Must differ"),
        (weibull_shape, [np.r_[np.ones(40), np.nan]], {}, ValueError, "1 of 41 values are NaN"),
        (weibull_shape, [["a"] * 40], {}, TypeError, "Invalid amplitudes of dtype"),
        (k_texture, [np.arange(1.0, 30.0)], {}, TooFewError, "29 amplitudes: at least 30"),
        (ks_distance, [np.ones(40), np.ones(3)], {}, TooFewError, "3 amplitudes"),
        (ks_distance, [np.ones(40), [np.inf] * 40], {}, ValueError, "Invalid other"),
        (envelope, [[1.0, np.nan]], {}, ValueError, "Invalid samples"),
        (semivariogram, [np.ones(60)], {"spacing": 0.0}, ValueError, "Invalid spacing '0.0'"),
        (semivariogram, [np.ones((60, 2, 2))], {"spacing": 1.0}, ValueError, "Invalid values"),
        (semivariogram, [[np.inf] * 60], {"spacing": 1.0}, ValueError, "one is infinite"),
        (semivariogram, [np.ones(60)], {"spacing": 1.0}, TooFewError, "values are the same"),
        (semivariogram, [np.arange(20)], {"spacing": 1.0}, TooFewError, "20 values: at least"),
        (
            semivariogram,
            [np.arange(60)],
            {"spacing": 1.0, "longest": 1},
            ValueError,
            "Invalid longest '1'",
        ),
        (mean_spectrum, [np.ones((2, 16))], {"interval": -1.0}, ValueError, "Invalid interval"),
        (mean_spectrum, [np.ones(16)], {"interval": 1.0}, ValueError, "Invalid traces"),
        (mean_spectrum, [np.ones((2, 16))], {"interval": 1.0}, TooFewError, "are the same"),
        (mean_spectrum, [np.ones((2, 7))], {"interval": 1.0}, TooFewError, "7 samples of 2"),
    ],
)
def test_bad_input_is_named(function, arguments, options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        function(*arguments, **options)


def test_sensors_that_are_no_radar_are_refused():
    """By kind, without a frequency, or with one that its samples cannot hold."""
    coils = make_sweep(np.zeros((60, 2, 12)), sensor=make_coils())
    with pytest.raises(ValueError, match="of kind 'emi'"):
        radar_section(coils)
    bare = make_sensor(1, 240, interval=INTERVAL)
    object.__setattr__(bare, "radar", None)
    with pytest.raises(ValueError, match="no centre frequency"):
        radar_section(make_sweep(np.zeros((60, 1, 240)), sensor=bare))
    fast = make_sensor(1, 240, interval=INTERVAL, centre_frequency=1.01e10)
    with pytest.raises(ValueError, match=r"Invalid centre_frequency '10100000000\.0'"):
        radar_section(make_sweep(np.zeros((60, 1, 240)), sensor=fast))
