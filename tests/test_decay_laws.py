"""Test empirical laws of a voltage: their values, gate means, fits and refusals."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.physics import (
    PasionOldenburg,
    SmithMorrisonBecker,
    VoltageLaw,
    combine_axes,
    fit_decay_law,
    pulse_tensors,
    sphere_relaxation,
)
from minesense.sensor import PulseTrain

EDGES = np.geomspace(1e-5, 2e-3, 16)
GATES = np.column_stack([EDGES[:-1], EDGES[1:]])
LAWS = (SmithMorrisonBecker, PasionOldenburg)


def test_laws_have_their_values():
    law = SmithMorrisonBecker(scale=3.0, alpha=1e-4, beta=2.0, gamma=1e-3)
    npt.assert_allclose(law.voltage(0.0), 3.0)
    npt.assert_allclose(law.voltage([1e-4, 4e-4]), [3 / 4 * math.exp(-0.1), math.exp(-0.4) / 3])
    law = PasionOldenburg(scale=3.0, alpha=1e-4, beta=2.0, gamma=1e-3)
    npt.assert_allclose(law.voltage([0.0, 1e-4]), [3e8, 3e8 / 4 * math.exp(-0.1)], rtol=1e-14)


@pytest.mark.parametrize("kind", LAWS)
def test_gate_means_are_integrals(kind):
    law = kind(scale=-2.0, alpha=3e-5, beta=1.3, gamma=5e-4)
    for gate, mean in zip(GATES, law.gate_means(GATES), strict=True):
        time = np.linspace(*gate, 20_001)
        npt.assert_allclose(
            mean, np.trapezoid(law.voltage(time), time) / np.ptp(gate), rtol=1e-7
        )


@settings(max_examples=15)
@given(
    kind=st.sampled_from(LAWS),
    alpha=st.floats(2e-6, 3e-4),
    beta=st.floats(0.3, 3),
    gamma=st.floats(1e-4, 1e-2),
    sign=st.sampled_from([-1, 1]),
)
def test_fits_repeat_the_curve(kind, alpha, beta, gamma, sign):
    true = kind(scale=sign * 1e-8, alpha=alpha, beta=beta, gamma=gamma)
    fitted, misfit = fit_decay_law(kind, GATES, true.gate_means(GATES))
    assert isinstance(fitted, kind)
    assert misfit < 2e-3
    npt.assert_allclose(fitted.gate_means(GATES), true.gate_means(GATES), rtol=1e-2)


def test_a_steel_ball_follows_the_law_of_smith_morrison_and_becker():
    """The voltage of a real list, over two decades of time."""
    train = PulseTrain(pulse=math.inf, ramp=0, receiver_tau=0, gates=GATES, polarity="single")
    ball = sphere_relaxation(radius=0.02, conductivity=4e6, permeability=100.0)
    voltage = pulse_tensors([ball], train=train)[0, :, 2, 2]
    _, misfit = fit_decay_law(SmithMorrisonBecker, GATES, voltage)
    assert misfit < 0.02


def test_spreads_weigh_the_gates():
    rng = np.random.default_rng(seed=2)
    true = SmithMorrisonBecker(scale=1e-8, alpha=3e-5, beta=1.5, gamma=4e-4)
    voltage, spread = true.gate_means(GATES), np.full(15, 1e-12)
    spoilt = voltage + spread * rng.normal(size=15)
    spoilt[7] *= 3
    spread[7] = 1.0  # a gate that nobody believes
    fitted, misfit = fit_decay_law(SmithMorrisonBecker, GATES, spoilt, spread=spread)
    assert misfit < 1.5
    npt.assert_allclose(fitted.gate_means(GATES)[:8], voltage[:8], rtol=0.02)


def test_a_law_is_no_body():
    law = PasionOldenburg(scale=1.0, alpha=1e-4, beta=1.0, gamma=1e-3)
    assert isinstance(law, VoltageLaw)
    with pytest.raises(TypeError, match="Must be a Relaxation"):
        combine_axes(law, law, law)


GOOD = {"scale": 1.0, "alpha": 1.0, "beta": 1.0, "gamma": 1.0}


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"scale": np.nan}, "scale 'nan'"),
        ({"alpha": 0}, "alpha '0.0'"),
        ({"beta": -1}, "beta '-1.0'"),
        ({"gamma": 0}, "gamma '0.0'"),
    ],
)
def test_bad_laws_are_named(kind, bad, message):
    with pytest.raises(ValueError, match=message):
        kind(**{**GOOD, **bad})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit_decay_law(VoltageLaw, GATES, EDGES[:-1]), TypeError, "Must be SmithMo"),
        (
            lambda: fit_decay_law(PasionOldenburg, GATES[:3], [1, 2, 3]),
            ValueError,
            "3 of them. Must be at least four",
        ),
        (
            lambda: fit_decay_law(PasionOldenburg, GATES, EDGES),
            ValueError,
            r"voltage with shape \(16,\). Must be \(15,\)",
        ),
        (
            lambda: fit_decay_law(PasionOldenburg, GATES, np.zeros(15)),
            ValueError,
            "voltage '0.0' without a spread. Must be greater",
        ),
        (
            lambda: fit_decay_law(PasionOldenburg, GATES, EDGES[:-1], spread=np.zeros(15)),
            ValueError,
            "spread '0.0'",
        ),
        (lambda: PasionOldenburg(**GOOD).voltage(-1.0), ValueError, "time '-1.0'"),
        (
            lambda: PasionOldenburg(**GOOD).gate_means([[0, 1]]),
            ValueError,
            "Must hold 0 < start < stop",
        ),
        (
            lambda: VoltageLaw(scale=1.0).voltage(1.0),
            NotImplementedError,
            "Use one of the laws",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
