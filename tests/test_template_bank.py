"""Test the bank of echoes against the radar model and the delays of rays."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sweep
from scipy.signal import hilbert

from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr.bank import template_bank
from minesense.gpr.matched import prescreen_templates
from minesense.physics import Surface, radar_frequencies, radar_traces, sphere_body
from minesense.sensor import Radar, Sensor

STEP = 62.5e-12
SENSOR = Sensor(
    name="test radar",
    kind="gpr",
    axis=STEP * np.arange(160),
    lever_arms=[[0, 0, 0]],
    radar=Radar(centre_frequency=1.5e9, separation=0.06, height=0.12),
)
OPTIONS = {"depths": [0.05, 0.1, 0.2], "permittivities": [4.0, 9.0], "ground_time": 2.5e-9}


def test_a_template_is_an_echo_of_the_model():
    """The model's trace with the pulse leaving when the bounce is then due, of unit energy."""
    bank = template_bank(SENSOR, **OPTIONS)
    npt.assert_allclose((bank**2).sum(axis=1), 1.0)
    band = {"n_samples": 160, "interval": STEP, "peak_frequency": 1.5e9}
    frequency = radar_frequencies(**band)
    ground = Surface(origin=[-0.2, -0.2], step=0.02, heights=np.zeros((21, 21)))
    for k, (soil, depth) in enumerate((e, d) for e in (4.0, 9.0) for d in (0.05, 0.1, 0.2)):
        echo = radar_traces(
            [[0, -0.03, 0.12]],
            [[0, 0.03, 0.12]],
            **band,
            permittivity=soil,
            surface=ground,
            scatterers=sphere_body([0, 0, -depth], radius=0.03, frequency=frequency, soil=soil),
            coupling=0.0,
            time_zero=2.5e-9 - np.hypot(0.24, 0.06) / SPEED_OF_LIGHT,
            surface_radius=0.0,
        )[0]
        npt.assert_allclose(bank[k], echo / np.linalg.norm(echo), atol=2e-3)


@pytest.mark.parametrize("start", [0.0, 1e-9])
def test_echoes_come_when_rays_do(start):
    """Small spheres answer the way to them and back after the bounce, wherever time starts."""
    radar = dataclasses.replace(SENSOR.radar, separation=0.0)
    sensor = dataclasses.replace(SENSOR, radar=radar, axis=start + SENSOR.axis)
    bank = template_bank(sensor, **OPTIONS, radius=0.004)
    peak = sensor.axis[np.abs(hilbert(bank, axis=1)).argmax(axis=1)]
    n = np.sqrt(np.repeat([4.0, 9.0], 3))
    expected = 2.5e-9 + 2 * np.tile([0.05, 0.1, 0.2], 2) * n / SPEED_OF_LIGHT
    npt.assert_allclose(peak, expected, atol=0.12e-9)


def test_metal_and_void_have_opposite_signs():
    """What is denser than the soil, and what is not, turn the pulse over."""
    options = OPTIONS | {"permittivities": [9.0], "radius": 0.004}
    metal = template_bank(SENSOR, **options)
    void = template_bank(SENSOR, **options, body_permittivity=1.0)
    assert ((metal * void).sum(axis=1) < -0.5).all()


def test_the_bank_finds_what_it_was_made_for():
    """An echo between two of its depths, in white noise of its own strength, by its span."""
    rng = np.random.default_rng(1)
    options = {"permittivities": [6.0], "ground_time": 2.5e-9}
    bank = template_bank(SENSOR, depths=np.arange(0.05, 0.26, 0.01), **options)
    echo = template_bank(SENSOR, depths=[0.135], **options)[0]
    clean, lane = (make_sweep(rng.normal(size=(200, 1, 160)), sensor=SENSOR) for _ in "ab")
    lane.samples[150, 0] += 8 * echo
    for statistic in ("glrt", "matched"):
        scores = prescreen_templates(
            lane,
            bank,
            spacing=0.05,
            block_length=3.2e-9,
            statistic=statistic,
            rank=4,
            clean=clean,
        )
        trace, _, block = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
        assert trace == 150
        delay = 2.5e-9 + 2 * 0.135 * np.sqrt(6) / SPEED_OF_LIGHT
        assert abs(scores.sensor.axis[block] - delay) < 1.7e-9


def test_the_height_may_be_given():
    """It stands in for that of the sensor, and must where there is none."""
    blind = dataclasses.replace(SENSOR, radar=dataclasses.replace(SENSOR.radar, height=None))
    first = template_bank(blind, **OPTIONS, height=0.12)
    npt.assert_array_equal(first, template_bank(SENSOR, **OPTIONS))
    with pytest.raises(ValueError, match="Invalid height 'None' for sensor 'test radar'"):
        template_bank(blind, **OPTIONS)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"depths": []}, r"Invalid depths \[\]\. Must be one or more"),
        ({"depths": [0.03, 0.1]}, r"Invalid depths \[0\.03, 0\.1\]\. Must .* beyond 0\.03 m"),
        ({"depths": [0.2, 0.1]}, "Must be strictly increasing"),
        ({"depths": [0.5]}, r"Invalid depths up to 0\.5 m: an echo at 1\.25e-08 s comes after"),
        ({"ground_time": 1.0}, r"Invalid ground_time '1\.0'\. Must lie in the record"),
        ({"height": 0}, r"Invalid height '0\.0'"),
        ({"radius": -1}, r"Invalid radius '-1\.0'"),
        ({"permittivities": [0.5]}, "permittivity|soil"),
        ({"permittivities": []}, r"Invalid permittivities \[\]\. Must be one or more"),
        ({"permittivities": [[6.0, 7.0]]}, "Invalid permittivities"),
        ({"permittivities": [np.inf]}, r"Invalid permittivities .* all finite"),
        (
            {"permittivities": [6.0], "body_permittivity": 6.0},
            r"Invalid body_permittivity '6\.0'\. Must not be that of the soil",
        ),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        template_bank(SENSOR, **OPTIONS | bad)


@pytest.mark.parametrize("name", ["permittivities", "body_permittivity"])
@pytest.mark.parametrize("value", ["clay", None])
def test_what_is_no_number_is_named(name, value):
    """Soils and bodies are numbers."""
    with pytest.raises(TypeError, match=f"Invalid {name} .*Must be"):
        template_bank(SENSOR, **OPTIONS | {name: value})


def test_bad_sensors_are_named():
    """Coils, and a radar of unknown frequency."""
    with pytest.raises(ValueError, match="'test coils' of kind 'emi'"):
        template_bank(make_coils(), **OPTIONS)
    with pytest.raises(ValueError, match=r"'test radar' without a Radar\. Must have one"):
        template_bank(dataclasses.replace(SENSOR, radar=None), **OPTIONS)
