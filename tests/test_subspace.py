"""Test the removal of subspaces and low-rank parts against definitions and theory."""

import dataclasses
import math
import warnings

import naive_subspace as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.gpr import _low_rank, remove_low_rank, remove_subspace
from minesense.sweep import Quality

REMOVALS = (
    lambda lane: remove_subspace(lane, rank=1).sweep,
    lambda lane: remove_low_rank(lane, tolerance=1e-5).sweep,
)


def lane_of(traces, **options):
    """Return traces as a lane of a radar."""
    traces = np.asarray(traces, np.float32)
    return make_sweep(traces, sensor=make_sensor(*traces.shape[1:]), **options)


def noise(*shape, seed=0):
    """Return white noise."""
    return np.random.default_rng(seed=seed).normal(size=shape)


def low_rank(m, n, rank, seed=0):
    """Return a section of a given rank, whose vectors spread over lane and samples."""
    return noise(m, rank, seed=seed) @ noise(rank, n, seed=seed + 1) / math.sqrt(rank)


def spikes(m, n, share, seed=2):
    """Return a section that is zero but for a share of its values."""
    rng = np.random.default_rng(seed=seed)
    return np.where(rng.random((m, n)) < share, rng.choice([-5.0, 5.0], (m, n)), 0.0)


def quiet(sweep, **options):
    """Return the removal without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return remove_subspace(sweep, **options)


# Singular vectors


@given(
    m=st.integers(4, 40), n=st.integers(4, 40), rank=st.integers(1, 3), seed=st.integers(0, 99)
)
def test_subspace_matches_the_svd(m, n, rank, seed):
    """Sections high and wide: what is left, and the shares of energy, as of NumPy's SVD."""
    traces = noise(m, 2, n, seed=seed) + 2
    removal = quiet(lane_of(traces), rank=rank)
    assert removal.sweep.samples.dtype == np.float32
    assert removal.removed.shape == (2, rank)
    for c in range(2):
        expected, shares = naive.remove_subspace(np.float32(traces[:, c]), rank)
        npt.assert_allclose(removal.sweep.samples[:, c], expected, atol=2e-5)
        npt.assert_allclose(removal.removed[c], shares, rtol=1e-6)


def test_more_traces_than_a_block():
    """The products add up over blocks of traces."""
    traces = noise(2100, 1, 24)
    removal = remove_subspace(lane_of(traces), rank=2)
    expected, shares = naive.remove_subspace(np.float32(traces[:, 0]), 2)
    npt.assert_allclose(removal.sweep.samples[:, 0], expected, atol=1e-5)
    npt.assert_allclose(removal.removed[0], shares, rtol=1e-7)


@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_a_section_of_that_rank_vanishes(shape, rank):
    """Nothing is left, and all the energy is reported."""
    section = low_rank(*shape, rank)
    removal = quiet(lane_of(section[:, None]), rank=rank)
    npt.assert_allclose(removal.sweep.samples, 0, atol=1e-5)
    npt.assert_allclose(removal.removed.sum(), 1)
    # a section of rank 1 under two vectors: the second holds nothing
    nothing = quiet(lane_of(low_rank(*shape, 1)[:, None]), rank=2)
    npt.assert_allclose(nothing.removed[0], [1, 0], atol=1e-12)


def test_energy_is_conserved():
    """What is left holds the share that was not removed, and meets no vector removed."""
    lane = lane_of(noise(80, 3, 40) + 1)
    removal = quiet(lane, rank=2)
    left = (removal.sweep.samples.astype(float) ** 2).sum(axis=(0, 2))
    before = (lane.samples.astype(float) ** 2).sum(axis=(0, 2))
    npt.assert_allclose(left / before, 1 - removal.removed.sum(axis=1), rtol=1e-5)
    gone = (lane.samples - removal.sweep.samples).astype(float)
    overlap = np.einsum("ics,ick->csk", gone, removal.sweep.samples)
    npt.assert_allclose(overlap, 0, atol=1e-3)


@pytest.mark.parametrize("removal", REMOVALS)
def test_order_scale_and_sign(removal):
    """Traces in another order, and in another unit, come out as they were but for that."""
    section = low_rank(50, 30, 1) + spikes(50, 30, 0.03)
    lane = lane_of(section[:, None])
    expected = removal(lane).samples
    order = np.random.default_rng(seed=3).permutation(50)
    shuffled = removal(lane_of(section[order][:, None])).samples
    npt.assert_allclose(shuffled, expected[order], atol=2e-4)
    scaled = removal(lane_of(-1e-12 * section[:, None])).samples
    npt.assert_allclose(scaled * -1e12, expected, atol=2e-4)


# The warning


def lane_with_target(amplitude, length, *, height=0.0, m=400, n=120):
    """Return a lane with a direct wave, noise, a flat target and a bounce that moves."""
    samples = np.arange(n)
    bounce = 20 + height * np.sin(np.arange(m) / 20)
    section = 50 * np.exp(-(((samples - bounce[:, None]) / 4) ** 2)) + noise(m, n, seed=4)
    along = np.exp(-(((np.arange(m) - m / 2) / (length / 2)) ** 4))
    echo = np.exp(-(((samples - 70) / 8) ** 2)) * np.cos((samples - 70) / 2)
    return lane_of((section + amplitude * along[:, None] * echo)[:, None])


def test_a_large_mine_taken_by_two_vectors_is_noticed():
    """
    Pitfall: a lane with an AT mine loses it with the second vector, and the user hears of it.

    The mine is 12 traces long; of its energy less than a tenth is left by two vectors, and
    nearly all by one, which raises no warning.
    """
    lane = lane_with_target(10, 12)
    mine = (slice(195, 206), 0, slice(55, 86))
    with pytest.warns(UserWarning, match=r"vector 2 of channel 0 holds .* of 400 traces\."):
        removal = remove_subspace(lane, rank=2)
    one = remove_subspace(lane, rank=1)
    energies = [(x.sweep.samples[mine].astype(float) ** 2).sum() for x in (one, removal)]
    assert energies[0] > 0.8 * (lane.samples[mine].astype(float) ** 2).sum()
    assert energies[1] < 0.15 * energies[0]
    npt.assert_allclose(removal.removed[0, 0], one.removed[0, 0])


def test_a_long_target_is_noticed_by_its_energy():
    """One over half of the lane is local no more, but holds more than a tenth."""
    with pytest.warns(UserWarning, match="vector 2 of channel 0"):
        remove_subspace(lane_with_target(4, 200), rank=2)


def test_a_target_in_the_first_vector_is_noticed():
    """After the background is gone, the first vector is the target."""
    lane = lane_with_target(10, 12)
    rest = remove_subspace(lane, rank=1).sweep
    with pytest.warns(UserWarning, match="vector 1 of channel 0"):
        remove_subspace(rest, rank=1)


def test_ground_that_moves_is_noticed():
    """A bounce that wanders by a sample lives in two vectors: align first."""
    with pytest.warns(UserWarning, match="Align the lane by its ground bounce"):
        remove_subspace(lane_with_target(0, 12, height=1.0), rank=2)


@pytest.mark.parametrize("shape", [(400, 120), (60, 300), (40, 40)])
def test_noise_and_background_raise_no_warning(shape):
    """White noise under a background, however many vectors are removed."""
    for seed in range(5):
        section = noise(*shape, seed=seed) + 5 * np.sin(np.arange(shape[1]))
        remove_subspace(lane_of(section[:, None]), rank=3)
        remove_subspace(lane_of(noise(*shape, seed=seed)[:, None]), rank=3)


def test_a_lane_of_less_traces_than_samples_is_judged_along_the_lane():
    """A direct wave is short in time, but covers the lane; a target does not."""
    remove_subspace(lane_with_target(0, 6, m=60), rank=2)
    with pytest.warns(UserWarning, match=r"vector 2 of channel 0 .* covers \d of 60 traces"):
        remove_subspace(lane_with_target(10, 6, m=60), rank=2)


def test_many_doubts_are_counted():
    """A warning names three vectors and counts the rest."""
    lane = lane_with_target(10, 12)
    lane = lane_of(np.repeat(lane.samples, 5, axis=1))
    with pytest.warns(UserWarning, match="channel 0.*channel 1.*channel 2.*, and 2 more"):
        remove_subspace(lane, rank=2)


# Low rank and sparse


@pytest.mark.parametrize("shape", [(60, 40), (40, 60), (50, 50), (70, 64), (410, 8)])
def test_low_rank_matches_the_plain_iteration(monkeypatch, shape):
    """The same sparse part after the same rounds as with NumPy's whole SVD, noise or not."""
    monkeypatch.setattr(_low_rank, "_CONGRUENT", 64)
    for level in (0.0, 0.05):
        section = low_rank(*shape, 2) + spikes(*shape, 0.05) + level * noise(*shape, seed=7)
        section = section.astype(np.float32)
        removal = remove_low_rank(lane_of(section[:, None]))
        low, sparse, rounds = naive.part_low_rank(section)
        npt.assert_allclose(removal.sweep.samples[:, 0], sparse, atol=1e-6)
        assert removal.rounds.tolist() == [rounds]
        values = np.linalg.svd(low, compute_uv=False)
        assert removal.rank[0] == np.count_nonzero(values > 1e-9 * values[0])
        assert 0 < removal.residual[0] < 1e-7


def test_both_parts_are_recovered():
    """Candès et al., theorem 1.1: rank 2 and 5 % of spikes come out as they went in."""
    shape = (120, 80)
    low, sparse = low_rank(*shape, 2), spikes(*shape, 0.05)
    two = lane_of(np.stack([low + sparse, 3 * low], axis=1))
    removal = remove_low_rank(two)
    npt.assert_allclose(removal.sweep.samples[:, 0], sparse, atol=1e-4)
    npt.assert_allclose(removal.sweep.samples[:, 1], 0, atol=1e-4)
    assert removal.rank.tolist() == [2, 2]


def test_weight_of_the_sparse_part():
    """A great one leaves nothing of it, a small one everything."""
    section = low_rank(40, 30, 2) + spikes(40, 30, 0.05)
    lane = lane_of(section[:, None])
    nothing = remove_low_rank(lane, sparsity=20.0).sweep.samples
    npt.assert_allclose(nothing, 0, atol=1e-5)
    everything = remove_low_rank(lane, sparsity=1e-3)
    npt.assert_allclose(everything.sweep.samples, lane.samples, atol=1e-5)
    assert everything.rank.tolist() == [0]


def test_tolerance_ends_the_rounds():
    """A coarser tolerance takes less rounds."""
    lane = lane_of((low_rank(40, 30, 2) + spikes(40, 30, 0.05))[:, None])
    fine, coarse = remove_low_rank(lane), remove_low_rank(lane, tolerance=1e-3)
    assert coarse.rounds[0] < fine.rounds[0]
    assert fine.residual[0] < 1e-7 <= coarse.residual[0] < 1e-3


# Flags, records and bad input


@pytest.mark.parametrize("removal", REMOVALS)
def test_flagged_traces_stay_out(removal):
    """They come out as NaN in their places; the others as if these had not been there."""
    traces, quality = low_rank(40, 30, 1) + spikes(40, 30, 0.05), np.zeros(40, np.int64)
    bad = [0, 7, 8, 39]
    quality[bad] = Quality.SATURATED
    traces[bad] = np.array([np.nan, np.inf, 3e38, -7])[:, None]
    lane = lane_of(traces[:, None], quality=quality)
    result = removal(lane)
    npt.assert_array_equal(result.quality, quality)
    assert np.isnan(result.samples[bad]).all()
    rest = np.setdiff1d(np.arange(40), bad)
    alone = removal(lane_of(traces[rest][:, None])).samples
    npt.assert_array_equal(result.samples[rest], alone)


@pytest.mark.parametrize("removal", REMOVALS)
def test_a_channel_of_zeros(removal):
    """Nothing in, nothing out, beside a channel that works; a whole number of channels."""
    traces = np.stack([0 * low_rank(40, 30, 1), low_rank(40, 30, 1)], axis=1)
    npt.assert_allclose(removal(lane_of(traces)).samples, 0, atol=2e-4)
    removal = remove_subspace(lane_of(traces), rank=1)
    npt.assert_allclose(removal.removed, [[0], [1]])
    parts = remove_low_rank(lane_of(traces))
    assert (parts.rank[0], parts.rounds[0], parts.residual[0]) == (0, 0, 0.0)


def test_results_say_what_they_are():
    """History with options and energy; the track and the sensor stay."""
    lane = lane_of(noise(40, 2, 30) + 3)
    first = remove_subspace(lane, rank=1)
    energy = ", ".join(f"{x:.4f}" for x in first.removed[:, 0])
    assert first.sweep.history[-1].endswith(
        f": remove_subspace(rank=1), share of energy removed {energy}"
    )
    second = remove_low_rank(first.sweep, tolerance=1e-3).sweep
    assert second.history[:-1] == first.sweep.history
    assert second.history[-1].endswith(
        "remove_low_rank(sparsity=None, tolerance=0.001, most_rounds=100)"
    )
    npt.assert_array_equal(second.time, lane.time)
    assert second.sensor is lane.sensor
    assert lane.history == ()


@pytest.mark.parametrize(
    ("removal", "options", "error", "message"),
    [
        (remove_subspace, {"rank": 0}, ValueError, "Invalid rank '0'. Must be at least 1"),
        (remove_subspace, {"rank": 1.5}, TypeError, "Invalid rank 1.5. Must be a whole"),
        (
            remove_subspace,
            {"rank": 8},
            ValueError,
            "Invalid rank '8'. Must be less than 20 usable traces and 8 samples",
        ),
        (remove_low_rank, {"sparsity": 0.0}, ValueError, "Invalid sparsity '0.0'. Must be fin"),
        (remove_low_rank, {"tolerance": -1}, ValueError, "Invalid tolerance '-1.0'. Must be"),
        (
            remove_low_rank,
            {"most_rounds": 0},
            ValueError,
            "Invalid most_rounds '0'. Must be at",
        ),
        (
            remove_low_rank,
            {"most_rounds": 3},
            ValueError,
            r"Invalid most_rounds '3'. Must be enough .* tolerance of 1e-07: that of channel 0",
        ),
    ],
)
def test_bad_options_are_named(removal, options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        removal(lane_of(noise(20, 1, 8)), **options)


@pytest.mark.parametrize("removal", REMOVALS)
def test_bad_lanes_are_named(removal):
    """Coils, a bare array, no usable trace, and NaN that got into a lane without a flag."""
    coils = make_sweep(np.zeros((4, 2, 12)), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match=r"of kind 'emi'.* Must be a radar"):
        removal(coils)
    with pytest.raises(TypeError, match=r"of type ndarray\. Must be a Sweep"):
        removal(coils.samples)
    lane = lane_of(noise(4, 1, 31))
    flagged = dataclasses.replace(lane, quality=np.full(4, int(Quality.STUCK)))
    with pytest.raises(ValueError, match=r"Must (be less than 0 usable|hold one or more)"):
        removal(flagged)
    lane.samples[2] = np.nan
    with pytest.raises(ValueError, match=r"1 of 4 traces hold NaN .* the first is trace 2"):
        removal(lane)
