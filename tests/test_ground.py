"""Test heads over ground: images at any pose, tables of them, patches, and conducting soil."""

import dataclasses
import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.physics import (
    DetectorSoil,
    Surface,
    attitude,
    conductive_flux,
    detector_soil,
    ground_table,
    ground_weights,
    heads,
    image_flux,
    image_inductance,
    late_conductive_voltage,
    moved,
    mutual_inductance,
    soil_class,
    soil_pulse_voltage,
    soil_wave_response,
    tabulate_ground,
    vrm_susceptibility,
    winding_inductance,
)
from minesense.physics.ground_image import lowest
from minesense.sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain

MU_0 = naive_emi.MU_0
WAVE = ContinuousWave(frequencies=[2.4e3, 19.2e3])
TRAIN = PulseTrain(
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
SINGLE = heads.single(radius=0.1, turns=3, excitation=WAVE)
ASIDE = Head(
    transmitter=(Circle(radius=0.1, centre=[0, 0.02, 0]),),
    receiver=(Polygon(vertices=[[0.05, 0, 0], [0.25, 0, 0.02], [0.2, 0.1, 0]], turns=2),),
    excitation=WAVE,
)
PAIR = heads.coaxial_pair(radius=0.1, receiver_radius=0.08, distance=0.03, excitation=WAVE)
QUAD = heads.quad(width=0.3, length=0.2, excitation=WAVE)
TILTED = attitude([0.7], pitch=0.15, roll=-0.2)


# Images


@pytest.mark.parametrize("head", [SINGLE, ASIDE, PAIR], ids=["single", "aside", "pair"])
@pytest.mark.parametrize("rotation", [attitude([0.3]), TILTED], ids=["level", "tilted"])
def test_the_image_is_the_volume_integral_of_faint_soil(head, rotation):
    """Born is exact to first order for any wire at any pose; beta is chi / 2."""
    image = image_inductance([0.1], head=head, rotation=rotation)[0] / MU_0
    npt.assert_allclose(image / 2, naive_emi.born_flux(head, 0.1, rotation[0]), rtol=2e-4)


def test_level_circles_take_maxwells_formula():
    heights = np.array([0.04, 0.1, 0.3])
    npt.assert_allclose(
        image_inductance(heights, head=SINGLE), 9 * mutual_inductance(0.1, 0.1, 2 * heights)
    )
    near, far = (mutual_inductance(0.1, 0.08, 2 * heights + s * 0.03) for s in (-1, 1))
    npt.assert_allclose(image_inductance(heights, head=PAIR), near - far, rtol=1e-12)
    upside_down = dataclasses.replace(
        SINGLE, receiver=(Circle(radius=0.05, axis=[0, 0, -1]), Circle(radius=0.05))
    )
    npt.assert_allclose(image_inductance(heights, head=upside_down), 0, atol=1e-22)


def test_heading_does_not_matter_and_small_tilt_joins_level():
    turned = attitude(np.linspace(0, 6, 7), pitch=0.15, roll=-0.2)
    values = image_inductance([0.1] * 7, head=ASIDE, rotation=turned)
    npt.assert_allclose(values, values[0], rtol=1e-9)
    level = image_inductance([0.1], head=SINGLE)
    nearly = image_inductance([0.1], head=SINGLE, rotation=attitude([0.0], roll=1e-6))
    npt.assert_allclose(nearly, level, rtol=1e-9)
    # to second order a tilt brings one side nearer than it takes the other away
    lean = image_inductance([0.1], head=SINGLE, rotation=attitude([0.0], roll=0.2))
    assert 1.005 < lean[0] / level[0] < 1.05


def test_the_image_is_what_the_mirrored_wire_sends():
    stand = {"offset": [0, 0, 0.1], "rotation": TILTED[0]}
    above = moved(ASIDE.transmitter, **stand), moved(ASIDE.receiver, **stand)
    flip = np.array([1, 1, -1])
    circle = above[0][0]
    image = (
        dataclasses.replace(circle, centre=circle.centre * flip, axis=-circle.axis * flip),
    )
    expected = winding_inductance(image, above[1])
    seen = image_inductance([0.1], head=ASIDE, rotation=TILTED)[0]
    npt.assert_allclose(seen, expected, rtol=1e-9)
    # reciprocity: the ground does not tell transmitter from receiver
    swapped = Head(transmitter=ASIDE.receiver, receiver=ASIDE.transmitter, excitation=WAVE)
    npt.assert_allclose(
        image_inductance([0.1], head=swapped, rotation=TILTED)[0], seen, rtol=1e-9
    )


def test_the_lowest_wire():
    level = np.array([[0.0, 0.0, 1.0]])
    assert lowest(PAIR.receiver, level)[0] == -0.03
    lean = np.array([[math.sin(0.2), 0.0, math.cos(0.2)]])
    npt.assert_allclose(lowest(SINGLE.transmitter, lean), -0.1 * math.sin(0.2), rtol=1e-12)
    npt.assert_allclose(lowest(QUAD.transmitter, lean), -0.15 * math.sin(0.2), rtol=1e-12)


# Tables


@pytest.mark.parametrize(
    ("head", "tolerance"),
    [(SINGLE, 1e-6), (PAIR, 1e-5), (ASIDE, 1e-4)],
    ids=["single", "pair", "aside"],
)
def test_tables_keep_their_tolerance(head, tolerance):
    table = tabulate_ground(head, heights=(0.08, 0.2), tilt=0.15, tolerance=tolerance)
    assert table.error <= tolerance
    rng = np.random.default_rng(seed=5)
    heights = rng.uniform(0.08, 0.2, 40)
    lean = 0.15 * np.sqrt(rng.random(40))
    angle = rng.uniform(0, 6.28, 40)
    stand = attitude(
        rng.uniform(-3, 3, 40), pitch=lean * np.cos(angle), roll=lean * np.sin(angle) * 0.99
    )
    exact = image_inductance(heights, head=head, rotation=stand)
    found = table.inductance(heights, rotation=stand)
    assert np.abs(found - exact).max() < 3 * tolerance * np.abs(exact).max()
    ends = np.array([0.08, 0.2])
    npt.assert_allclose(
        table.inductance(ends), image_inductance(ends, head=head), rtol=30 * tolerance
    )


def test_tables_stand_for_the_integral():
    head = dataclasses.replace(SINGLE, excitation=TRAIN)
    table = tabulate_ground(head, heights=(0.06, 0.12), tilt=0.1, tolerance=1e-5)
    stand = attitude([0.0, 1.0], roll=[0.05, -0.08])
    soil = {"susceptibility": [1e-3, 2e-3], "viscous_share": 0.6, "rotation": stand}
    exact = soil_pulse_voltage([0.07, 0.1], head=head, **soil)
    quick = soil_pulse_voltage([0.07, 0.1], head=head, table=table, **soil)
    npt.assert_allclose(quick, exact, rtol=1e-4)
    waves = soil_wave_response([0.07, 0.1], head=SINGLE, table=table, **soil)
    npt.assert_allclose(waves, soil_wave_response([0.07, 0.1], head=SINGLE, **soil), rtol=1e-4)
    with pytest.raises(ValueError, match="table of another head: its receiver differs"):
        soil_wave_response([0.1], head=PAIR_OF_SINGLE, susceptibility=1e-3, table=table)


PAIR_OF_SINGLE = Head(
    transmitter=SINGLE.transmitter, receiver=(Circle(radius=0.05),), excitation=WAVE
)


def test_a_tolerance_out_of_reach_is_named(monkeypatch):
    monkeypatch.setattr(ground_table, "_LAST", (12, 4))
    with pytest.raises(ValueError, match=r"reached with polynomials of degree 12 and 4"):
        tabulate_ground(SINGLE, heights=(0.08, 0.2), tilt=0.2, tolerance=1e-9)


# Patches


@pytest.mark.parametrize("head", [SINGLE, ASIDE, PAIR], ids=["single", "aside", "pair"])
def test_weights_of_uniform_ground_are_half_the_image(head):
    weights = ground_weights(head, height=0.08, n_rings=16, n_directions=24)
    assert weights.error < 0.01
    image = image_inductance([0.08], head=head)[0] / MU_0
    npt.assert_allclose(weights.volume.sum(), image / 2, atol=0.011 * abs(weights.volume).sum())
    step = 1e-4
    above, below = (image_inductance([0.08 + s], head=head)[0] / MU_0 for s in (step, -step))
    # raising the ground is lowering the head
    slope = (below - above) / (2 * step) / 2
    npt.assert_allclose(weights.surface.sum(), slope, atol=0.02 * np.abs(weights.surface).sum())
    one = weights.sum_of(lambda e, n: 1.0 + 0 * e, [3.0], [4.0], [0.5])
    npt.assert_allclose(one, weights.volume.sum(), rtol=1e-12)


def test_means_follow_patches_of_every_size():
    """A long wave in full, one as long as the head in part, a short one not at all."""
    weights = ground_weights(SINGLE, height=0.05, n_rings=24, n_directions=32)
    shares = []
    for length in (4.0, 0.4, 0.1):

        def wave(east, north, length=length):
            return np.cos(2 * np.pi * east / length)

        shares.append(float(weights.mean_of(wave, [0.0], [0.0], [0.0])[0]))
    assert shares[0] > 0.97
    assert 0.1 < shares[1] < 0.7
    assert abs(shares[2]) < 0.15
    # superposed, as soil with several length scales is
    both = weights.mean_of(
        lambda e, n: np.cos(2 * np.pi * e / 4) + np.cos(2 * np.pi * e / 0.4),
        [0.0],
        [0.0],
        [0.0],
    )
    npt.assert_allclose(both, shares[0] + shares[1], rtol=1e-12)


def test_weights_turn_with_the_platform_and_follow_it():
    weights = ground_weights(ASIDE, height=0.08, n_rings=16, n_directions=24)
    east_half = weights.mean_of(
        lambda e, n: 1.0 * (e > 10.0), [10.0, 10.0], [7.0, 7.0], [0.0, math.pi]
    )
    npt.assert_allclose(east_half.sum(), 1, atol=1e-9)
    assert east_half[0] > 0.6  # its receiver lies to the right
    ahead = weights.mean_of(lambda e, n: n - 7.0, [10.0], [7.0], [0.0])
    aside = weights.mean_of(lambda e, n: e - 10.0, [10.0], [7.0], [math.pi / 2])
    npt.assert_allclose(aside, ahead, rtol=1e-9)


def test_ground_under_a_head_is_that_of_flat_ground():
    weights = ground_weights(SINGLE, height=0.05, n_rings=16, n_directions=16)
    flat = weights.ground_under(lambda e, n: 0.02 + 0 * e, [0.0], [0.0], [0.0])
    npt.assert_allclose(flat, 0.02, rtol=1e-12)
    slope = weights.ground_under(lambda e, n: 0.1 * n, [0.0], [3.0], [1.0])
    npt.assert_allclose(slope, 0.3, rtol=1e-9)


def test_a_grid_counts_as_its_bilinear_surface_and_as_its_edge_beyond():
    """Sums on a grid are those of the surface that passes through its points."""
    rng = np.random.default_rng(3)
    grid = Surface(origin=[-0.4, -0.3], step=0.1, heights=rng.normal(size=(10, 7)))
    weights = ground_weights(ASIDE, height=0.08, n_rings=12, n_directions=20)
    place = rng.uniform(-0.4, 0.4, 5), rng.uniform(-0.3, 0.3, 5), rng.uniform(0, 6, 5)
    npt.assert_allclose(
        weights.sum_of(grid, *place), weights.sum_of(grid.height_at, *place), rtol=1e-12
    )
    far = weights.mean_of(grid, [100.0, -100.0], [100.0, -100.0], [0.0, 1.0])
    npt.assert_allclose(far, [grid.heights[-1, -1], grid.heights[0, 0]], rtol=1e-12)


def test_nulled_heads_have_no_mean_but_feel_differences():
    weights = ground_weights(QUAD, height=0.05, n_rings=16, n_directions=24)
    assert abs(weights.volume.sum()) < 1e-9 * np.abs(weights.volume).sum()
    right = weights.sum_of(lambda e, n: 1e-3 * (e > 0), [0.0], [0.0], [0.0])
    left = weights.sum_of(lambda e, n: 1e-3 * (e < 0), [0.0], [0.0], [0.0])
    assert right[0] > 0
    npt.assert_allclose(left, -right, rtol=1e-9)
    for call in (weights.mean_of, weights.ground_under):
        with pytest.raises(ValueError, match="cancels, so that there is no mean"):
            call(lambda e, n: e, [0.0], [0.0], [0.0])


# Conducting ground


@pytest.mark.parametrize("mr", [1.0, 1.02 - 0.003j])
def test_conductive_flux_is_the_integral(mr):
    for height, frequency, b in [(0.03, 2.4e3, 0.1), (0.05, 2e4, 0.06), (0.1, 1e6, 0.1)]:
        expected = naive_emi.conductive_flux(height, frequency, 0.1, b, 0.5, mr)
        seen = conductive_flux(
            [height],
            frequency=[frequency],
            radius=0.1,
            receiver_radius=b,
            conductivity=0.5,
            susceptibility=mr - 1,
        )[0, 0]
        assert abs(seen / expected - 1) < 2e-6


def test_conductive_flux_has_known_values():
    seen = conductive_flux([0.03], frequency=[20e3], radius=0.1, conductivity=0.1)[0, 0]
    npt.assert_allclose(seen.imag, -3.80e-12, rtol=2e-3)
    viscous = image_flux(0.03, radius=0.1, susceptibility=vrm_susceptibility(20e3, chi0=1e-3))
    npt.assert_allclose(viscous.imag, -2.88e-12, rtol=2e-3)


def test_conductive_flux_has_its_limits():
    """None without conductivity, the image of magnetic ground, a mirror at high frequency."""
    options = {"frequency": [1e4], "radius": 0.1}
    dry = conductive_flux([0.05], conductivity=0.0, susceptibility=1e-2, **options)
    npt.assert_allclose(dry[0, 0], image_flux(0.05, radius=0.1, susceptibility=1e-2))
    assert conductive_flux([0.05], conductivity=0.0, **options)[0, 0] == 0
    assert conductive_flux([], conductivity=1.0, **options).shape == (0, 1)
    still = conductive_flux([0.05], conductivity=1.0, frequency=[0.0], radius=0.1)
    assert still[0, 0] == 0
    mirror = conductive_flux([0.05], frequency=[1e5], radius=0.1, conductivity=1e9)[0, 0]
    npt.assert_allclose(mirror, -mutual_inductance(0.1, 0.1, 0.1), rtol=2e-3)
    # weak: in proportion to frequency and conductivity, against the image of a magnet
    weak = conductive_flux([0.05], frequency=[1.0, 2.0], radius=0.1, conductivity=0.01)[0]
    npt.assert_allclose(weak[1].imag / weak[0].imag, 2, rtol=1e-4)
    assert weak[0].imag < 0
    both = conductive_flux([0.05], conductivity=0.1, susceptibility=1e-3, **options)[0, 0]
    parts = conductive_flux([0.05], conductivity=0.1, **options)[0, 0] + image_flux(
        0.05, radius=0.1, susceptibility=1e-3
    )
    npt.assert_allclose(both, parts, rtol=2e-3)
    # displacement currents show far above the frequencies of metal detectors alone
    for frequency, change in ((2e4, 3e-3), (3e7, 0.5)):
        one, other = (
            conductive_flux(
                [0.05], frequency=[frequency], radius=0.1, conductivity=0.01, permittivity=e
            )[0, 0]
            for e in (1.0, 20.0)
        )
        assert (abs(other / one - 1) > change) == (change == 0.5)


IDEAL = PulseTrain(
    pulse=math.inf,
    ramp=0.0,
    receiver_tau=0.0,
    gates=[[t * (1 - 1e-6), t * (1 + 1e-6)] for t in (20e-6, 100e-6)],
    polarity="single",
)


WET = {"height": 0.0, "radius": 0.1, "conductivity": 0.1}


def test_late_voltage_has_the_known_value():
    seen = late_conductive_voltage(IDEAL, receiver_radius=0.05, **WET)
    npt.assert_allclose(seen[0], 8.8276e-9 * math.pi * 0.05**2, rtol=1e-5)
    npt.assert_allclose(seen[0] / seen[1], 5**2.5, rtol=1e-9)
    coil = (Circle(radius=0.1),)
    head = Head(transmitter=coil, receiver=coil, excitation=IDEAL)
    viscous = soil_pulse_voltage([0.03], head=head, susceptibility=1e-3)[0, 0]
    wet = late_conductive_voltage(IDEAL, **WET)[0]
    npt.assert_allclose(viscous / wet, 331, rtol=3e-3)


@pytest.mark.parametrize("height", [0.02, 0.1])
@pytest.mark.parametrize("conductivity", [0.1, 1.0])
def test_late_voltage_is_the_end_of_the_inverse_transform(height, conductivity):
    """Of the same integral in the Laplace domain; the rest shrinks as 1 / t."""
    rest = []
    for late, time in zip(
        late_conductive_voltage(
            IDEAL, height=height, radius=0.1, conductivity=conductivity, receiver_radius=0.06
        ),
        IDEAL.gates.mean(axis=1),
        strict=True,
    ):
        exact = naive_emi.conductive_voltage(time, height, 0.1, 0.06, conductivity, 20)
        rest.append(late / exact - 1)
    bound = MU_0 * conductivity * (0.01 + height**2) / 20e-6
    assert abs(rest[0]) < 3 * bound
    npt.assert_allclose(rest[1], rest[0] / 5, rtol=0.2, atol=3e-5)  # noise of the transform


@pytest.mark.parametrize("polarity", ["bipolar", "unipolar", "single"])
def test_late_voltage_through_ramp_pulse_train_and_gate(polarity):
    """Every pulse an off and an on, averaged over ramp and gate by brute force."""
    half_period = None if polarity == "single" else 1e-3
    train = dataclasses.replace(
        TRAIN, ramp=20e-6, receiver_tau=0.0, polarity=polarity, half_period=half_period
    )
    lift = 1.25 * math.sqrt(math.pi) * 0.05 * math.sqrt(MU_0 * 0.1)
    scale = late_conductive_voltage(IDEAL, **WET)[0] * (20e-6) ** 2.5

    def law(time):
        return scale * (time**-2.5 - lift * time**-3.0)

    expected = []
    for start, stop in train.gates:
        time = start + (stop - start) * (np.arange(200) + 0.5) / 200
        total = 0.0
        for k in range(1 if half_period is None else 4000):
            at = time + k * (half_period or 0.0)
            lag = 20e-6 * (np.arange(50 if k < 20 else 1) + 0.5) / (50 if k < 20 else 1)
            pulse = law(at[:, None] + lag).mean() - law(at + 220e-6).mean()
            total += pulse * (-1) ** (k * (polarity == "bipolar"))
        expected.append(total)
    seen = late_conductive_voltage(train, **WET | {"height": 0.05})
    npt.assert_allclose(seen, expected, rtol=1e-4)


def test_the_receiver_delays_what_is_late():
    slow = dataclasses.replace(IDEAL, receiver_tau=1e-6)
    seen, plain = (late_conductive_voltage(train, **WET) for train in (slow, IDEAL))
    s = np.linspace(0, 18e-6, 40_001)
    exact = np.trapezoid((20e-6 - s) ** -2.5 * np.exp(-s / 1e-6), s) / 1e-6 / (20e-6) ** -2.5
    npt.assert_allclose(seen[0] / plain[0], exact, rtol=0.02)


# Classes


def test_soils_are_of_their_class():
    for name in ("neutral", "moderate", "severe", "very severe"):
        soil = detector_soil(name)
        assert soil_class(soil.susceptibility) == name
        assert "assumption" in soil.source
        assert "unverified" in soil.source
        volts = soil_pulse_voltage(
            [0.05], head=dataclasses.replace(SINGLE, excitation=TRAIN), **soil.magnetic
        )
        assert (volts > 0).all()
    assert [soil_class(x * 1e-5) for x in (-1, 49.9, 50, 499, 500, 1999, 2000)] == [
        "neutral",
        "neutral",
        "moderate",
        "moderate",
        "severe",
        "severe",
        "very severe",
    ]


@given(susceptibility=st.floats(0, 0.1), share=st.floats(0, 1))
def test_every_soil_is_passive(susceptibility, share):
    chi = vrm_susceptibility([1e2, 1e6], chi0=susceptibility, viscous_share=share)
    assert (chi.imag <= 0).all()
    assert (chi.real >= 0).all()


SOIL = {"name": "x", "susceptibility": 1e-3, "viscous_share": 0.5, "conductivity": 0.1}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: image_inductance([0.0], head=SINGLE),
            ValueError,
            "the lowest wire is 0 m over",
        ),
        (
            lambda: image_inductance([0.1, 0.02], head=PAIR),
            ValueError,
            r"height '0.02' at position 1: the lowest wire is -0.01 m over the ground",
        ),
        (
            lambda: image_inductance([0.02], head=SINGLE, rotation=TILTED),
            ValueError,
            "Must be above it",
        ),
        (lambda: image_inductance(0.1, head=SINGLE), ValueError, r"height with shape \(\)"),
        (lambda: image_inductance([0.1], head=None), TypeError, "head of type NoneType"),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.2, 0.1), tilt=0.1),
            ValueError,
            r"heights \(0.2, 0.1\). Must increase",
        ),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.0, 0.1), tilt=0.1),
            ValueError,
            "heights '0.0'",
        ),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.1, 0.2), tilt=1.2),
            ValueError,
            "tilt '1.2'. Must be at most 1 rad",
        ),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.1, 0.2), tilt=0.0),
            ValueError,
            "tilt '0.0'",
        ),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.02, 0.2), tilt=0.3),
            ValueError,
            "the lowest wire is",
        ),
        (
            lambda: tabulate_ground(SINGLE, heights=(0.1, 0.2), tilt=0.1, tolerance=0),
            ValueError,
            "tolerance '0.0'",
        ),
        (
            lambda: TABLE.inductance([0.21]),
            ValueError,
            "height '0.21' at position 0. Must be from 0.1 to 0.2 m",
        ),
        (
            lambda: TABLE.inductance([0.15], rotation=attitude([0.0], roll=0.11)),
            ValueError,
            "tilted by 1.1 times the sine of 0.1 rad",
        ),
        (
            lambda: TABLE.inductance([0.15], rotation=attitude([0.0], roll=math.pi)),
            ValueError,
            "or upside down",
        ),
        (lambda: ground_weights(SINGLE, height=0), ValueError, "height '0.0'"),
        (lambda: ground_weights(SINGLE, height=0.1, n_rings=3), ValueError, "n_rings '3'"),
        (
            lambda: ground_weights(SINGLE, height=0.1, n_directions=3),
            ValueError,
            "n_directions",
        ),
        (
            lambda: ground_weights(SINGLE, height=0.02, n_rings=4),
            ValueError,
            "n_rings '4' or n_directions '16': uniform ground is off by",
        ),
        (
            lambda: WEIGHTS.sum_of(lambda e, n: e, [0.0], [0.0, 1.0], [0.0]),
            ValueError,
            r"northing with shape \(2,\). Must be \(1,\)",
        ),
        (
            lambda: soil_pulse_voltage(
                [0.1], head=dataclasses.replace(SINGLE, excitation=TRAIN), susceptibility=-0.01
            ),
            ValueError,
            "susceptibility '-0.01'. Must be not negative where it is viscous",
        ),
        (
            lambda: soil_wave_response([0.1], head=SINGLE, susceptibility=[-0.01]),
            ValueError,
            "susceptibility '-0.01'. Must be not negative where it is viscous",
        ),
        (
            lambda: image_flux(0.1, radius=0.1, susceptibility=1e-3 + 1e-4j),
            ValueError,
            "imaginary part of zero or less",
        ),
        (
            lambda: _flux(susceptibility=[1e-3 + 1e-4j]),
            ValueError,
            "imaginary part of zero or less",
        ),
        (
            lambda: _flux(susceptibility=[1e-3, 1e-3]),
            ValueError,
            r"susceptibility with shape \(2,\). Must be \(\) or \(1,\)",
        ),
        (lambda: _flux(conductivity=-1), ValueError, "conductivity '-1.0'"),
        (
            lambda: _flux(permittivity=0.9),
            ValueError,
            "permittivity '0.9'. Must",
        ),
        (lambda: _flux(susceptibility=-1.5), ValueError, "susceptibility '-1.5'"),
        (lambda: _flux(frequency=[-1.0]), ValueError, "frequency '-1.0'"),
        (lambda: _flux(radius=0), ValueError, "radius '0.0'"),
        (lambda: _flux(receiver_radius=0), ValueError, "receiver_radius '0.0'"),
        (lambda: _flux(height=[0.0]), ValueError, "height '0.0'"),
        (
            lambda: late_conductive_voltage(TRAIN, **WET | {"conductivity": -1}),
            ValueError,
            "conductivity '-1.0'",
        ),
        (
            lambda: late_conductive_voltage(
                dataclasses.replace(TRAIN, receiver_tau=3e-6), **WET
            ),
            ValueError,
            "first gate begins at 2e-05 s. Must be later than 3e-05 s",
        ),
        (
            lambda: late_conductive_voltage(
                TRAIN, **WET | {"height": 1.0, "conductivity": 5.0}
            ),
            ValueError,
            "when the field has spread",
        ),
        (lambda: late_conductive_voltage(WAVE, **WET), TypeError, "Must be a PulseTrain"),
        (lambda: detector_soil("mud"), ValueError, "name 'mud'. Must be one of 'neutral'"),
        (lambda: soil_class(-1), ValueError, "susceptibility '-1.0'. Must be greater than -1"),
        (
            lambda: DetectorSoil(**SOIL | {"susceptibility": -2.0}, source="assumption"),
            ValueError,
            "susceptibility '-2.0'. Must be greater than -1",
        ),
        (
            lambda: DetectorSoil(**SOIL | {"susceptibility": -0.1}, source="assumption"),
            ValueError,
            "not negative where it is viscous",
        ),
        (
            lambda: DetectorSoil(**SOIL | {"viscous_share": 2}, source="assumption"),
            ValueError,
            "viscous_share '2.0'",
        ),
        (
            lambda: DetectorSoil(**SOIL | {"conductivity": -1}, source="assumption"),
            ValueError,
            "conductivity '-1.0'",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def _flux(*, height=(0.1,), **options):
    """Return the flux of one loop over wet ground, with some options changed."""
    return conductive_flux(
        height, **{"frequency": [1e4], "radius": 0.1, "conductivity": 0.1} | options
    )


TABLE = tabulate_ground(SINGLE, heights=(0.1, 0.2), tilt=0.1, tolerance=1e-2)
WEIGHTS = ground_weights(SINGLE, height=0.1)
