"""Test what features of places say of objects that are known, and what they must not heed."""

import dataclasses
import functools
import math

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_phasors, make_sensor, make_sweep

from minesense.emi import (
    COIL_FEATURES,
    PLACE_FEATURES,
    fit_decays,
    place_features,
    received_decays,
    soil_decay,
)
from minesense.emi._fit_beside_soil import fit_without_soil, strong_courses
from minesense.emi._footprint import measure_footprint, measure_ring
from minesense.emi._nearby import Nearby, gather, make_stand, soil_axes, thin
from minesense.emi._rate_search import make_search, quick_spectrum
from minesense.physics import (
    array_response,
    nail,
    pulse_tensors,
    ring_relaxation,
    sphere_relaxation,
)
from minesense.sensor import pulse_train_of
from minesense.sweep import Quality
from minesense.synthetic import cart

SENSOR = cart().coils
TRAIN = pulse_train_of(SENSOR)
SOIL = soil_decay(TRAIN)
HEIGHT = SENSOR.head.height
NAMES = [feature.name for feature in PLACE_FEATURES]
OBJECT = NAMES[1:8]  # what a dipole that is not believed does not tell
SPHERE = sphere_relaxation(radius=0.02, conductivity=3.5e7, permeability=1.0)
ROD = nail(length=0.05, diameter=0.004)
LOOP = {"radius": 0.02, "wire_radius": 0.001, "conductivity": 3.5e7}
RING = ring_relaxation(**LOOP, normal=[0.0, 0.0, 1.0])
TILTED = ring_relaxation(**LOOP, normal=[0.6, 0.3, 0.7])
PLACE = np.array([0.03, 2.01, -0.10])


def track(n=80, spacing=0.05):
    """Return positions northward."""
    northing = spacing * np.arange(n)
    return np.column_stack([0 * northing, northing, 0 * northing + HEIGHT])


@functools.cache
def _clean(body, place, sensor):
    """Return what coils receive of an object, (80, n_channels, n_gates)."""
    return array_response(track(), sensor=sensor, object_position=[place], objects=[body])


def receive(body=RING, place=PLACE, *, sensor=SENSOR, soil=0.0, noise=0.0, seed=0):
    """Return samples over rough soil, with noise."""
    rng = np.random.default_rng(seed)
    samples = _clean(body, tuple(place), sensor) if body is not None else 0.0
    shape = (80, *sensor.shape)
    rough = soil * rng.normal(size=shape[:2])[..., None] * SOIL / SOIL[0]
    return samples + rough + noise * rng.normal(size=shape)


def row(samples, *, sensor=SENSOR, cell=None, spread=1e-10, soil=SOIL, **options):
    """Return the features of one candidate by name: of the strongest cell, if not told."""
    samples = np.array(samples, np.float64)
    options = {"position": track(len(samples))} | options
    if cell is None:
        early = np.nan_to_num(samples[:, :, : max(1, samples.shape[2] // 3)]).mean(axis=2)
        cell = np.unravel_index(np.argmax(early), early.shape)
    sweep = make_sweep(samples, sensor=sensor, **options)
    noise = np.broadcast_to(spread, sensor.shape)
    values = place_features(sweep, [cell[0]], [cell[1]], spread=noise, soil=soil, spacing=0.05)
    assert values.shape == (1, len(NAMES))
    return dict(zip(NAMES, values[0].tolist(), strict=True))


def truth_of(body):
    """Return log10 of the size and the decay ratio."""
    values = np.linalg.eigvalsh(pulse_tensors([body], train=TRAIN)[0])
    return math.log10(values[0].sum()), values[-1].max() / values[0].max()


def same(one, two, *, but=()):
    """Check that two rows are the same but for some features."""
    for name in NAMES:
        if name not in but:
            npt.assert_allclose(one[name], two[name], atol=3e-3, rtol=5e-3, err_msg=name)


def test_every_feature_has_a_name_of_its_own_and_a_unit():
    """Also beside those of the coils."""
    names = NAMES + [feature.name for feature in COIL_FEATURES]
    assert len(set(names)) == len(names)
    assert all(feature.unit and feature.meaning for feature in PLACE_FEATURES)


# Truth


@pytest.mark.parametrize(
    "body", [SPHERE, ROD, RING, TILTED], ids=["sphere", "rod", "ring", "tilt"]
)
def test_exact_data_tell_the_object(body):
    """Size, decay and depth to their rounding; the offset is that of the peak."""
    found = row(receive(body))
    size, decay = truth_of(body)
    assert found["cannot_analyse"] == 0
    npt.assert_allclose(found["dipole_size"], size, atol=1e-3)
    npt.assert_allclose(found["dipole_decay"], decay, atol=1e-3)
    npt.assert_allclose(found["dipole_depth"], 0.10, atol=1e-4)
    npt.assert_allclose(found["dipole_coherence"], 1, atol=1e-6)
    assert found["dipole_depth_error"] < 1e-3


def test_shape_is_told():
    """Three alike are a ball, one alone a rod or a ring."""
    ball, rod = row(receive(SPHERE)), row(receive(ROD))
    npt.assert_allclose(ball["dipole_elongation"], 1, atol=0.02)
    npt.assert_allclose(ball["dipole_asymmetry"], 0, atol=0.02)
    assert rod["dipole_elongation"] > 20


@pytest.mark.parametrize("depth", [0.04, 0.15, 0.25])
def test_depth_is_below_ground(depth):
    """Within four standard errors, which grow with depth."""
    found = row(receive(RING, [0.03, 2.01, -depth], noise=1e-10))
    assert abs(found["dipole_depth"] - depth) < max(4 * found["dipole_depth_error"], 1e-3)
    assert found["dipole_depth_error"] < 0.015


def test_offset_is_from_the_peak():
    """A ball right below a coil has none; 3 cm aside and 1 cm on it is that far."""
    assert row(receive(SPHERE, [0.0, 2.0, -0.1]))["dipole_offset"] < 1e-4
    npt.assert_allclose(
        row(receive(SPHERE))["dipole_offset"], math.hypot(0.03, 0.01), atol=1e-4
    )


def test_a_single_relaxation_is_told():
    """The ring's slowest time constant, whatever its pose."""
    tau = math.log10(RING.taus[0])
    for body in (RING, TILTED):
        found = row(receive(body))
        npt.assert_allclose(found["dominant_tau"], tau, atol=0.01)
        npt.assert_allclose(found["slowest_tau"], tau, atol=0.01)


def test_quick_rates_are_those_of_the_careful_fit():
    """Two relaxations at several places: the same count and rates as fit_decays."""
    rng = np.random.default_rng(seed=2)
    noise, taus = 1e-3, np.array([150e-6, 30e-6])
    unit = received_decays(TRAIN, taus)
    mix = rng.uniform(0.5, 3, (6, 2)) / unit.max(axis=1)
    rows = mix @ unit + noise * rng.normal(size=(6, 12)) + rng.normal(size=(6, 1)) * SOIL / 1e5
    axes = soil_axes(np.full(12, noise), SOIL)

    def voltage(rates):
        return received_decays(TRAIN, 1 / rates)

    def courses(rates):
        return (voltage(rates) / noise) @ axes.bare

    search = make_search(courses, voltage, 1 / 1.2e-3, 1 / 2e-6)
    found = quick_spectrum(search, (rows / noise) @ axes.bare)
    careful = fit_decays(rows, train=TRAIN, noise=noise, columns=[SOIL])
    assert len(found.rates) == len(careful.rates) == 2
    npt.assert_allclose(found.rates, careful.rates, rtol=0.05)
    npt.assert_allclose(1 / found.rates, taus, rtol=0.1)
    assert (found.amplitudes > 0).all()
    assert 0.5 < found.misfit < 1.5


def test_noise_has_no_rate():
    """Zero rates, and a negative object has those of a positive one."""
    noise = np.random.default_rng(seed=1).normal(size=(12, 11))
    axes = soil_axes(np.ones(12), SOIL)

    def courses(rates):
        return received_decays(TRAIN, 1 / rates) @ axes.bare

    search = make_search(courses, courses, 1e3, 5e5)
    assert not len(quick_spectrum(search, noise).rates)
    signal = 1e3 * courses(np.array([2e4])) / np.linalg.norm(courses(np.array([2e4])))
    npt.assert_allclose(quick_spectrum(search, signal).rates, [2e4], rtol=1e-3)
    npt.assert_allclose(quick_spectrum(search, -signal).rates, [2e4], rtol=1e-3)


# What must not matter


def test_pose_does_not_matter_to_size_decay_and_rates():
    """A ring upright and askew; only the footprint sees it."""
    names = ("dipole_size", "dipole_decay", "dominant_tau", "mean_tau", "spectrum_entropy")
    upright, askew = row(receive(RING)), row(receive(TILTED))
    npt.assert_allclose(
        [upright[name] for name in names], [askew[name] for name in names], atol=5e-3
    )


def test_rough_soil_does_not_matter_to_the_place_and_the_rates():
    """Soil of any strength from station to station; what is along it is told nearly."""
    bare, rough = row(receive(noise=1e-10)), row(receive(noise=1e-10, soil=2e-9))
    for name in ("dipole_depth", "dipole_offset", "dipole_signal", "footprint_along"):
        npt.assert_allclose(rough[name], bare[name], rtol=0.05, atol=0.003, err_msg=name)
    npt.assert_allclose(rough["dipole_size"], truth_of(RING)[0], atol=0.05)
    npt.assert_allclose(rough["slowest_tau"], bare["slowest_tau"], atol=0.1)
    assert rough["ring_level"] > bare["ring_level"] + 20
    assert rough["ring_likeness"] > 0.9 > bare["ring_likeness"]


def test_amplitudes_scale():
    """Ten times data and noise: one more in the size, 20 dB in what has a unit."""
    samples = receive(SPHERE, noise=1e-10, soil=1e-9)
    one, ten = row(samples), row(10 * samples, spread=1e-9)
    scaled = {"dipole_size": 1, "ring_level": 20, "ring_slope": 20}
    same(one, ten, but=scaled)
    for name, change in scaled.items():
        npt.assert_allclose(ten[name] - one[name], change, atol=1e-3)


def test_whole_traces_along_the_lane_do_not_matter():
    """Object, noise and soil ten traces on."""
    samples = receive(SPHERE, noise=1e-10, soil=1e-9)
    moved = np.roll(samples, 7, axis=0)
    same(row(samples), row(moved))


def test_mirrored_coils_do_not_matter():
    """Left for right."""
    samples = receive(SPHERE, noise=1e-10, soil=1e-9)
    same(row(samples), row(samples[:, ::-1]))


def test_direction_does_not_matter():
    """The lane turned on the map."""
    samples = receive(TILTED, noise=1e-10)
    angle = 0.8
    position = track()
    turned = position.copy()
    turned[:, 0], turned[:, 1] = (
        math.sin(angle) * position[:, 1] + 3e5,
        math.cos(angle) * position[:, 1] + 5e6,
    )
    same(row(samples), row(samples, position=turned, heading=np.full(80, angle)))


@pytest.mark.parametrize("flag", [Quality.SATURATED, Quality.POSE_JUMP, Quality.STUCK])
def test_flagged_traces_are_never_used(flag):
    """Whatever they hold, the features are the same."""
    quality = np.zeros(80, np.int64)
    quality[[35, 42, 44, 60]] = flag
    samples = receive(SPHERE, noise=1e-10)
    expected = row(samples, quality=quality, cell=(40, 3))
    samples[quality != 0] = 1e3
    assert row(samples, quality=quality, cell=(40, 3)) == pytest.approx(expected, nan_ok=True)
    assert expected["cannot_analyse"] == 0


def test_a_flagged_candidate_gives_a_row_of_nan():
    """It was not observed."""
    quality = np.zeros(80, np.int64)
    quality[40] = Quality.SATURATED
    found = row(receive(), quality=quality, cell=(40, 3))
    assert all(math.isnan(value) for value in found.values())


def test_the_same_input_gives_the_same_bytes():
    """Alone and among others."""
    sweep = make_sweep(receive(SPHERE, noise=1e-10), sensor=SENSOR, position=track())
    options = {"spread": np.full((7, 12), 1e-10), "soil": SOIL, "spacing": 0.05}
    both = place_features(sweep, [40, 20], [3, 5], **options)
    for k, (trace, channel) in enumerate([(40, 3), (20, 5)]):
        alone = place_features(sweep, [trace], [channel], **options)
        assert alone.tobytes() == both[k : k + 1].tobytes()
    assert place_features(sweep, [], [], **options).shape == (0, len(NAMES))


# What cannot be told


def test_noise_cannot_be_analysed():
    """An outcome, with NaN for what describes an object, and no rate."""
    found = row(receive(None, noise=1e-10), cell=(40, 3))
    assert found["cannot_analyse"] == 1
    assert all(math.isnan(found[name]) for name in OBJECT)
    assert found["rate_count"] == 0
    assert math.isnan(found["dominant_tau"])
    assert math.isnan(found["footprint_along"])
    assert found["dipole_signal"] < 10
    assert found["ring_likeness"] < 0.3


def test_one_coil_on_a_line_tells_no_dipole():
    """Rates, the soil and the width along track it tells."""
    one = cart(n_coils=1).coils
    found = row(receive(RING, [0.0, 2.0, -0.1], sensor=one), sensor=one)
    assert found["cannot_analyse"] == 1
    assert all(math.isnan(found[name]) for name in OBJECT)
    npt.assert_allclose(found["slowest_tau"], math.log10(RING.taus[0]), atol=0.02)
    assert 0.1 < found["footprint_along"] < 0.2
    assert math.isnan(found["footprint_across"])


def test_a_swung_head_tells_all():
    """One coil to and fro across a lane, many stations: the same object."""
    one = cart(n_coils=1).coils
    n = 3000
    phase = np.linspace(0, 20 * np.pi, n)
    places = np.column_stack(
        [0.5 * np.sin(phase), 2 + 1.6 * (np.arange(n) / n - 0.5), np.full(n, HEIGHT)]
    )
    samples = array_response(places, sensor=one, object_position=[PLACE], objects=[SPHERE])
    found = row(samples, sensor=one, position=places, time=0.01 * np.arange(n))
    assert found["cannot_analyse"] == 0
    npt.assert_allclose(found["dipole_size"], truth_of(SPHERE)[0], atol=1e-3)
    npt.assert_allclose(found["dipole_depth"], 0.10, atol=1e-3)
    npt.assert_allclose(found["footprint_ratio"], 1, atol=0.1)
    assert found["footprint_across"] == pytest.approx(found["footprint_along"], rel=0.1)


def test_without_positions_nothing_is_told():
    """The flag alone."""
    found = row(
        receive(),
        cell=(40, 3),
        position=np.full((80, 3), np.nan),
        heading=np.full(80, np.nan),
        quality=np.full(80, int(Quality.POSE_NONE)),
    )
    assert found.pop("cannot_analyse") == 1
    assert all(math.isnan(value) for value in found.values())


def test_without_a_head_no_dipole_is_told():
    """Plain exponentials at the gate times stand for the record of the head."""
    bare = dataclasses.replace(SENSOR, head=None)
    decay = np.exp(-SENSOR.axis / 80e-6)
    bump = np.exp(-(((np.arange(80) - 40) / 3.0) ** 2))
    samples = 1e-7 * bump[:, None, None] * decay * np.ones((80, 7, 12))
    found = row(samples, sensor=bare, cell=(40, 3))
    assert found["cannot_analyse"] == 1
    npt.assert_allclose(found["dominant_tau"], math.log10(80e-6), atol=0.01)


# Parts


def test_the_search_finds_what_a_fine_one_does():
    """Half the spacing and 30 starts: the same place."""
    for k, body in enumerate((SPHERE, ROD, TILTED)):
        samples = receive(body, [0.05, 1.98, -0.08 - 0.05 * k], noise=1e-10, soil=1e-9, seed=k)
        sweep = make_sweep(samples, sensor=SENSOR, position=track())
        stand = make_stand(sweep, 0, np.full((7, 12), 1e-10), SOIL)
        near, _ = gather(stand, 40, 3)
        quick = fit_without_soil(near, stand.axes, SENSOR.head)
        fine = fit_without_soil(near, stand.axes, SENSOR.head, grid=0.025, starts=30)
        npt.assert_allclose(quick.position, fine.position, atol=1e-6)
        npt.assert_allclose(quick.principal, fine.principal, rtol=1e-4, atol=1e-12)


def test_courses_stand_out_of_the_noise():
    """Two strong ones among noise; of noise alone one, since one there must be."""
    rng = np.random.default_rng(seed=3)
    noise = rng.normal(size=(60, 11))
    signal = 100 * rng.normal(size=(60, 2)) @ rng.normal(size=(2, 11))
    assert len(strong_courses(signal + noise)) == 2
    assert len(strong_courses(0.5 * noise)) == 1


def test_thinning_keeps_few_and_the_middle():
    """At most as many as asked, mirrored alike, and the origin always."""
    rng = np.random.default_rng(seed=4)
    places = np.vstack([[[0.0, 0.0]], rng.uniform(-0.4, 0.4, (2000, 2))])
    kept = thin(places, 96)
    assert 60 <= len(kept) <= 96
    assert kept[0] == 0
    npt.assert_array_equal(thin(places * [-1, 1], 96), kept)
    npt.assert_array_equal(thin(places[:50], 96), np.arange(50))


def make_near(place, bare, soil=None):
    """Return stations with given data."""
    place = np.column_stack([place, np.zeros(len(place))])
    soil = np.zeros(len(place)) if soil is None else soil
    return Nearby(place=place, turn=np.zeros(len(place)), bare=bare, soil=soil)


def test_widths_of_a_known_bell():
    """(1 + a^2 / 2 + b^2 / 2)^-3 askew by 30 degrees: least and greatest are its own."""
    axis = np.linspace(-0.3, 0.3, 9)
    place = np.column_stack([g.ravel() for g in np.meshgrid(axis, axis)])
    place = np.vstack([[[0.0, 0.0]], place])
    angle, scale = math.radians(30), np.array([0.1, 0.25])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    bell = (1 + ((place @ turn.T / scale) ** 2).sum(axis=1) / 2) ** -3.0
    near = make_near(place, 1e3 * bell[:, None] * [0.6, 0.8])
    found = measure_footprint(near)
    half = 2 * math.sqrt(2 * (2 ** (1 / 3) - 1))
    npt.assert_allclose(found.size, half * math.sqrt(scale.prod()), rtol=1e-6)
    npt.assert_allclose(found.ratio, 0.4, rtol=1e-6)
    bend = turn.T @ np.diag(scale**-2) @ turn
    npt.assert_allclose(found.across, half / math.sqrt(bend[0, 0]), rtol=1e-6)
    npt.assert_allclose(found.along, half / math.sqrt(bend[1, 1]), rtol=1e-6)
    flat = measure_footprint(make_near(place, 0 * near.bare + 100.0))
    assert math.isnan(flat.size)
    assert math.isnan(measure_footprint(make_near(place, 0 * near.bare)).along)


@pytest.mark.parametrize("depth", [0.1, 0.2])
def test_width_is_that_of_the_response(depth):
    """Against half the amplitude along a dense line right over a ball, within 10 %."""
    one, fine = cart(n_coils=1).coils, np.linspace(-0.5, 0.5, 1001)
    places = np.column_stack([0 * fine, fine, 0 * fine + HEIGHT])
    volts = array_response(
        places, sensor=one, object_position=[[0.0, 0.0, -depth]], objects=[SPHERE]
    )[:, 0]
    strength = volts @ volts[500]
    width = np.ptp(fine[strength > strength.max() / 2])
    found = row(receive(SPHERE, [0.0, 2.0, -depth]))
    npt.assert_allclose(found["footprint_along"], width, rtol=0.1)
    npt.assert_allclose(found["footprint_size"], width, rtol=0.1)


def test_the_ring_tells_soil():
    """A slope and noise that are known, a loud object among them that does not count."""
    rng = np.random.default_rng(seed=5)
    place = rng.uniform(-1.5, 1.5, (4000, 2))
    axes = soil_axes(np.full(12, 1e-10), SOIL)
    early = (axes.soil * axes.noise)[:4].mean()
    soil = 5 * rng.normal(size=4000) + place @ [0.3, 0.4]
    bare = rng.normal(size=(4000, 11))
    loud, quiet = soil.copy(), bare.copy()
    loud[:40], quiet[:40] = 1e4, 1e4
    for s, y in ((soil, bare), (loud, quiet)):
        found = measure_ring(make_near(place, y, s), axes)
        npt.assert_allclose(found.level, 5 * early, rtol=0.06)
        npt.assert_allclose(found.likeness, 25 / 36, rtol=0.05)
        npt.assert_allclose(found.bare, 1, rtol=0.05)
    npt.assert_allclose(
        measure_ring(make_near(place, bare, soil), axes).slope, 0.5 * early, rtol=0.4
    )
    few = measure_ring(make_near(place[:9], bare[:9], soil[:9]), axes)
    assert all(map(math.isnan, few))


# Bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0.0}, "spacing '0.0'. Must be finite and greater"),
        ({"spacing": 0.5}, "spacing '0.5'. Must be at most 0.4 m"),
        ({"spread": np.zeros((7, 12))}, "Invalid spread '0.0'. Must be greater than zero"),
        ({"spread": np.ones((6, 12))}, r"Invalid spread with shape \(6, 12\)"),
        ({"spread": np.full((7, 12), np.nan)}, "Invalid spread: 84 of 84"),
        ({"soil": np.zeros(12)}, "Invalid soil '0.0'. Must be greater than zero"),
        ({"soil": SOIL[:3]}, r"Invalid soil with shape \(3,\)"),
        ({"traces": [80]}, "Invalid trace 80, channel 3. Must lie in 80, 7"),
        ({"traces": [-1]}, "Invalid trace -1, channel 3"),
        ({"channels": [7]}, "Invalid trace 40, channel 7"),
    ],
)
def test_bad_input_is_named(bad, message):
    """The error names the argument, its value and the rule."""
    good = {
        "traces": [40],
        "channels": [3],
        "spread": np.full((7, 12), 1e-10),
        "soil": SOIL,
        "spacing": 0.05,
    }
    sweep = make_sweep(np.zeros((80, 7, 12)), sensor=SENSOR)
    with pytest.raises(ValueError, match=message):
        place_features(sweep, **good | bad)


@pytest.mark.parametrize(
    ("sensor", "message"),
    [
        (make_sensor(1, 4), "of kind 'gpr'. Must be 'emi'"),
        (make_phasors(1), "of complex samples. Must be gates"),
        (make_coils(1, 2), "Invalid sweep of 2 gates. Must have at least 3"),
    ],
)
def test_other_instruments_are_named(sensor, message):
    """Gates of a metal detector, three or more."""
    sweep = make_sweep(np.zeros((9, *sensor.shape)), sensor=sensor)
    options = {"spread": np.ones(sensor.shape), "soil": np.ones(sensor.shape[1])}
    with pytest.raises(ValueError, match=message):
        place_features(sweep, [4], [0], **options, spacing=0.05)
