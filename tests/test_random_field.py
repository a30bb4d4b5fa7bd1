"""Test random fields: their variance, their covariance, and that cuts do not matter."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from scipy.special import gamma, kv

from minesense.physics import FourierField, gaussian_field

SCALE = 0.6
K0 = 2 * math.pi / SCALE
STEP = 1 / (6 * K0)


def matern(r, hurst):
    """Correlation at distance r, in units of 1 / k0."""
    return 2 ** (1 - hurst) / gamma(hurst) * r**hurst * kv(hurst, r)


def correlation(fields, lag, axis):
    """Mean product of values some steps apart along an axis; the true mean is 0."""
    pairs = [np.take(f, range(lag, f.shape[axis]), axis) for f in fields]
    heads = [np.take(f, range(f.shape[axis] - lag), axis) for f in fields]
    return np.mean([np.mean(a * b) for a, b in zip(pairs, heads, strict=True)])


def crossing(fields, axis):
    """Distance, in units of 1 / k0, at which the correlation falls to 1/e."""
    lags = np.arange(1, 24)
    values = np.array([correlation(fields, lag, axis) for lag in lags])
    values /= correlation(fields, 0, axis)
    return np.interp(-math.exp(-1), -values, lags) * STEP * K0


@pytest.mark.parametrize(("hurst", "tolerance"), [(0.5, 0.08), (0.8, 0.06)])
def test_plane_field(hurst, tolerance):
    rng = np.random.default_rng(seed=1)
    fields = [
        gaussian_field((300, 301), STEP, outer_scale=SCALE, std=2.0, rng=rng, hurst=hurst)
        for _ in range(5)
    ]
    npt.assert_allclose(np.sqrt(np.mean(np.square(fields))), 2.0, rtol=0.02)
    r = np.linspace(0.5, 3, 2000)
    expected = np.interp(-math.exp(-1), -matern(r, hurst), r)
    for axis in (0, 1):
        npt.assert_allclose(crossing(fields, axis), expected, rtol=tolerance)


def test_opposite_edges_are_no_neighbours():
    rng = np.random.default_rng(seed=2)
    edges = [
        gaussian_field((12, 12), STEP, outer_scale=SCALE, std=1.0, rng=rng)[[0, -1]]
        for _ in range(200)
    ]
    across = np.mean([low * high for low, high in edges])
    npt.assert_allclose(across, math.exp(-11 / 6), atol=0.1)


def test_volume_field_is_stretched_upward():
    rng = np.random.default_rng(seed=3)
    fields = [
        gaussian_field((64, 64, 64), STEP, outer_scale=SCALE, std=1.0, rng=rng, stretch=2.0)
        for _ in range(3)
    ]
    npt.assert_allclose(np.sqrt(np.mean(np.square(fields))), 1.0, rtol=0.05)
    npt.assert_allclose(crossing(fields, 0), 1, rtol=0.12)
    npt.assert_allclose(crossing(fields, 1), 1, rtol=0.12)
    npt.assert_allclose(crossing(fields, 2), 2, rtol=0.12)


def test_no_deviation_is_flat():
    rng = np.random.default_rng(seed=1)
    assert not gaussian_field((4, 5), 0.1, outer_scale=0.5, std=0.0, rng=rng).any()


@pytest.mark.parametrize(("hurst", "stretch"), [(0.5, 1.0), (0.8, 2.0)])
def test_waves_have_the_same_covariance(hurst, stretch):
    rng = np.random.default_rng(seed=4)
    field = FourierField(
        3, outer_scale=SCALE, std=3.0, rng=rng, hurst=hurst, stretch=stretch, n_waves=3000
    )
    places = rng.uniform(-40, 40, (2000, 3))
    npt.assert_allclose(np.sqrt(np.mean(field(places) ** 2)), 3.0, rtol=0.06)
    for r in (0.5, 1.0, 2.0):
        for axis, g in ((0, 1.0), (2, stretch)):
            moved = places.copy()
            moved[:, axis] += g * r / K0
            product = np.mean(field(places) * field(moved)) / 9
            npt.assert_allclose(product, matern(r, hurst), atol=0.06)


def test_cuts_do_not_matter():
    field = FourierField(2, outer_scale=SCALE, std=1.0, rng=np.random.default_rng(seed=5))
    places = np.random.default_rng(seed=6).uniform(0, 500, (1500, 2))
    whole = field(places)
    parts = [field(part) for part in np.array_split(places, [1, 7, 700, 701])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert field(np.empty((0, 2))).shape == (0,)


def test_a_seed_repeats():
    for make in (
        lambda rng: gaussian_field((5, 6), 0.1, outer_scale=0.5, std=1.0, rng=rng),
        lambda rng: FourierField(2, outer_scale=0.5, std=1.0, rng=rng)([[0.3, 0.4]]),
    ):
        first, again, other = (make(np.random.default_rng(seed=s)) for s in (1, 1, 2))
        assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"shape": (5,)}, ValueError, "two or three axes"),
        ({"shape": (5, 0)}, ValueError, "Invalid shape '0'"),
        ({"spacing": 0}, ValueError, "Invalid spacing"),
        ({"hurst": 0}, ValueError, "Invalid hurst"),
        ({"stretch": 2.0}, ValueError, "without upward axis"),
        ({"std": -1}, ValueError, "Invalid std"),
        ({"rng": 3}, TypeError, "Invalid rng"),
    ],
)
def test_fields_refuse(change, error, message):
    options = {
        "shape": (5, 5), "spacing": 0.1, "outer_scale": 0.5, "std": 1.0,
        "rng": np.random.default_rng(seed=1), **change,
    }  # fmt: skip
    with pytest.raises(error, match=message):
        gaussian_field(options.pop("shape"), options.pop("spacing"), **options)


def test_waves_refuse():
    rng = np.random.default_rng(seed=1)
    with pytest.raises(ValueError, match="Invalid n_axes '4'"):
        FourierField(4, outer_scale=1.0, std=1.0, rng=rng)
    with pytest.raises(ValueError, match="Invalid points with shape"):
        FourierField(3, outer_scale=1.0, std=1.0, rng=rng)([[0, 0]])
