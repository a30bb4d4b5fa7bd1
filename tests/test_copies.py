"""Copies of lanes are refused, whatever was done to hide them; lanes recorded apart are not."""

import dataclasses
import itertools

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense import synthetic
from minesense.sweep import Quality
from minesense.training.copies import (
    COPIED,
    _correlation,
    _series_of,
    refuse_copied_rows,
    refuse_copies,
)

RNG = np.random.default_rng(seed=8)


def lane_of(samples, name="A", **options):
    """Return a lane of these samples."""
    return dataclasses.replace(
        make_sweep(samples, sensor=make_sensor(2, 16)), lane=name, **options
    )


def drop(lane, each):
    """Return a lane of which each so many traces are dropouts."""
    is_lost = np.arange(len(lane)) % each == 0
    samples = np.where(is_lost[:, None, None], np.nan, lane.samples)
    quality = np.where(is_lost, int(Quality.SATURATED), 0)
    return dataclasses.replace(lane, samples=samples, quality=quality)


LANE = lane_of(np.cumsum(RNG.normal(size=(200, 2, 16)), axis=0))


def naive(first, second):
    """Return the greatest mean product of two lanes' steps, one shift at a time."""
    a, b = _series_of(first).steps, _series_of(second).steps
    least, best = max(60, -(-min(len(a), len(b)) // 2)), 0.0
    for shift in range(-len(b) + 1, len(a)):
        rows = [
            (i, i - shift)
            for i in range(len(a))
            if 0 <= i - shift < len(b) and a[i].any() and b[i - shift].any()
        ]
        if len(rows) >= least:
            x, y = (np.array([c[r[k], :-1] for r in rows]) for k, c in enumerate((a, b)))
            best = max(best, abs((x * y).sum(axis=1).mean()))
    return best


@pytest.mark.parametrize("n", [[130, 200], [200, 200], [199, 63], [150, 151]])
def test_the_correlation_is_that_of_the_definition(n):
    """Without a spectrum, and with shifts that leave half of the shorter lane."""
    first = drop(lane_of(LANE.samples[: n[0]]), 9)
    second = drop(lane_of(RNG.normal(size=(n[1], 2, 16)) + LANE.samples[-n[1] :] / 8, "B"), 7)
    a, b = (_series_of(lane).steps for lane in (first, second))
    assert set(np.hypot.reduce(a[:, :-1], axis=1).round(12)) <= {0.0, 1.0}
    spectra = (np.fft.rfft(steps, 512, axis=0) for steps in (a, b))
    found = _correlation(*spectra, (len(a), len(b)), 512)
    npt.assert_allclose(found, naive(first, second), rtol=1e-9)
    assert n == [199, 63] or 0 < found < 1


COPIES = {
    "as it is": LANE.samples,
    "cut": LANE.samples[3:150],
    "scaled": -3 * LANE.samples,
    "shifted": LANE.samples + 40,
    "turned round": LANE.samples[::-1],
    "noisy": LANE.samples + 1e-2 * RNG.normal(size=(200, 2, 16)),
    "in another lane": np.concatenate([RNG.normal(size=(20, 2, 16)), LANE.samples[20:]]),
}


@pytest.mark.parametrize("samples", COPIES.values(), ids=COPIES)
def test_copies_are_refused(samples):
    with pytest.raises(ValueError, match=r"lanes 'A' and 'B' of kind 'gpr' have a correlation"):
        refuse_copies([LANE, lane_of(samples, "B")])
    with pytest.raises(ValueError, match=r"lanes 'B' and 'A' of kind"):
        refuse_copies([lane_of(samples, "B"), LANE])


def test_the_shortest_copy_is_refused_turned_round_too():
    """61 traces have 60 steps: no shift but one leaves enough of them."""
    for samples in (LANE.samples[:61], LANE.samples[60::-1]):
        with pytest.raises(ValueError, match="correlation"):
            refuse_copies([LANE[:61], lane_of(samples, "B")])
    refuse_copies([LANE[:60], lane_of(LANE.samples[59::-1], "B")])


def test_a_copy_with_dropouts_is_refused():
    with pytest.raises(ValueError, match="correlation"):
        refuse_copies([LANE, dataclasses.replace(drop(LANE, 5), lane="B")])


def test_what_is_no_copy_is_not_refused():
    """Chunks of one lane, other sensors, short ones, empty ones, and lanes of nothing."""
    coils = dataclasses.replace(make_sweep(LANE.samples, sensor=make_coils(2, 16)), lane="B")
    flat = [lane_of(np.ones((200, 2, 16)), name) for name in "BC"]
    refuse_copies([LANE, LANE[:100], coils, *flat])
    refuse_copies([LANE, lane_of(LANE.samples[:60], "B"), lane_of(LANE.samples[:0], "C")])
    refuse_copies([])


def test_lanes_over_the_same_ground_are_no_copies_and_others_are_far_from_it():
    """Of a field: neighbours hardly agree, nor two passes, each with noise of its own."""
    field = synthetic.field("farmland", seed=3)
    cart = synthetic.cart(n_antennas=2, n_coils=1)
    sweeps = field.sweep(cart, lanes=field.training[:3])
    refuse_copies(sweeps)
    for a, b in itertools.combinations(sweeps, 2):
        if a.sensor.kind == b.sensor.kind:
            assert naive(a[:300], b[:300]) < 0.5 * COPIED


def test_rows_of_another_lane_are_refused():
    """As many as half of a lane; the same ones of discrete or unknown features are not."""
    rows = RNG.normal(size=(20, 3))
    mixed = np.concatenate([rows[:10], RNG.normal(size=(10, 3))])
    lanes = ["A"] * 20 + ["B"] * 20
    refused = r"10 of 20 rows of lane 'B' are rows of lane 'A' as well"
    with pytest.raises(ValueError, match=refused):
        refuse_copied_rows(np.concatenate([rows, mixed]), lanes)
    mixed[9] += 1
    refuse_copied_rows(np.concatenate([rows, mixed]), lanes)
    refuse_copied_rows(np.concatenate([rows.round(), rows.round()]), lanes)
    refuse_copied_rows(np.full((40, 3), np.nan), lanes)
    refuse_copied_rows(np.full((40, 3), 0.5), lanes)
    refuse_copied_rows(np.concatenate([rows, rows]), ["A"] * 40)
