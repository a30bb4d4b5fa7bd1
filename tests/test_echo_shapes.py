"""Check echo shapes: patches, what is learnt of them, and the prescreener by them."""

import dataclasses

import numpy as np
import pytest
from lanes import make_coils, make_sensor, make_sweep

from minesense.gpr import (
    EchoShapes,
    PatchForm,
    PrescreenShapes,
    echo_patches,
    fit_echo_shapes,
    prescreen_shapes,
)
from minesense.gpr.echo_shapes import ground_moments
from minesense.sweep import Quality

FORM = PatchForm(
    spacing=0.05, reach=0.1, step=0.05, start_time=4e-10, interval=2e-10, n_samples=5
)
OPTIONS = {"bin_length": 8e-10, "guard": 0.05, "ring": 0.2}


def shapes_of(n_filters=2, form=FORM, seed=4):
    """Return any filters."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(*form.shape, n_filters)).astype("<f4")
    return EchoShapes(form=form, filters=weights.tobytes())


def lane_of(n_traces=40, n_samples=24, seed=1):
    """Return noise of two channels."""
    sensor = make_sensor(2, n_samples)
    rng = np.random.default_rng(seed)
    return make_sweep(rng.normal(size=(n_traces, 2, n_samples)), sensor=sensor)


def naive_scores(sweep, shapes, *, guard, ring, min_share=0.5):
    """Return the greatest score of each trace and channel, and whether it is EDGE."""
    form = shapes.form
    step = sweep.sensor.axis[1] - sweep.sensor.axis[0]
    first = round((form.start_time - sweep.sensor.axis[0]) / step)
    every = round(form.interval / step)
    ok = sweep.is_usable & (sweep.quality & Quality.EDGE == 0)
    n, n_channels = sweep.samples.shape[:2]
    reach = round(form.reach / form.spacing)
    energy = np.full((n, n_channels), np.nan)
    for k in range(n):
        near = range(k - reach, k + reach + 1, form.stride)
        there = [0 <= j < n and bool(ok[j]) for j in near]
        if sum(there) < min_share * len(there) or not ok[k]:
            continue
        for c in range(n_channels):
            along = np.zeros(shapes.weights.shape[-1])
            for m, j in enumerate(near):
                for t in range(form.n_samples):
                    if there[m]:
                        value = float(sweep.samples[j, c, first + every * t])
                        along += np.clip(value, -50, 50) * shapes.weights[m, t]
            energy[k, c] = 10 * np.log10((along**2).sum())
    n_guard, n_ring = round(guard / form.spacing), round(ring / form.spacing)
    best, is_edge = np.zeros((n, n_channels)), np.zeros(n, bool)
    for k in range(n):
        away = [j for j in range(n) if n_guard < abs(j - k) <= n_ring]
        held = energy[[j for j in away if np.isfinite(energy[j, 0])]]
        is_edge[k] = len(held) < min_share / 2 * 2 * (n_ring - n_guard)
        is_edge[k] |= bool(ok[k]) and np.isnan(energy[k, 0])
        if np.isfinite(energy[k, 0]) and not is_edge[k]:
            best[k] = energy[k] - np.median(held, axis=0)
    return best, is_edge


@pytest.mark.parametrize("step", [0.05, 0.1])
def test_scores_are_those_of_a_slow_version(step):
    """With gaps, amplitudes beyond what counts, ends, and an early EDGE."""
    lane = lane_of()
    lane.samples[20, 0] *= 100
    quality = lane.quality.copy()
    quality[[7, 8, 9, 25, 30, 31, 33, 34]] |= Quality.NOT_FINITE
    quality[:3] |= Quality.EDGE
    lane = dataclasses.replace(lane, quality=quality)
    shapes = shapes_of(3, dataclasses.replace(FORM, step=step))
    scores = prescreen_shapes(lane, shapes, **OPTIONS)
    expected, is_edge = naive_scores(lane, shapes, guard=0.05, ring=0.2)
    usable = lane.is_usable
    np.testing.assert_allclose(
        scores.samples[usable].max(axis=2), expected[usable], rtol=1e-4, atol=2e-4
    )
    found = scores.quality & Quality.EDGE != 0
    np.testing.assert_array_equal(found[usable], (is_edge | (np.arange(40) < 3))[usable])
    assert found[32]  # alone in its patch, with enough around


def test_depth_is_that_of_the_strongest_window():
    """The greatest window has the score, others less by their energy."""
    lane = lane_of()
    lane.samples[20, 1, 12:16] += 9.0
    scores = prescreen_shapes(lane, shapes_of(), **OPTIONS)
    window = scores.samples[20, 1].argmax()
    assert scores.sensor.axis[window] == pytest.approx(
        lane.sensor.axis[12:16].mean(), abs=3e-10
    )
    assert scores.sensor.quantity == "score"


@pytest.mark.parametrize("factor", [0.01, 3.0])
def test_scale_changes_nothing(factor):
    """As long as no amplitude is beyond what counts."""
    lane = lane_of()
    scaled = dataclasses.replace(lane, samples=lane.samples * np.float32(factor))
    one, two = (prescreen_shapes(x, shapes_of(), **OPTIONS).samples for x in (lane, scaled))
    np.testing.assert_allclose(one.max(axis=2), two.max(axis=2), atol=1e-3)


def test_patches_are_cut_as_they_lie():
    """Samples and traces as the form says; zero beyond the lane, and where nothing counts."""
    lane = lane_of()
    quality = lane.quality.copy()
    quality[19] |= Quality.NOT_FINITE
    lane = dataclasses.replace(lane, quality=quality)
    form = dataclasses.replace(FORM, step=0.1)
    found = echo_patches(lane, [20, 0], [1, 0], form)
    assert found.shape == (2, *form.shape) == (2, 3, 5)
    np.testing.assert_array_equal(found[0, 1], lane.samples[20, 1, 4:14:2])
    np.testing.assert_array_equal(found[0, 0], lane.samples[18, 1, 4:14:2])
    assert not found[1, 0].any()
    assert found[1, 1].any()
    assert not echo_patches(lane, [19], [0], dataclasses.replace(FORM, reach=0.05))[0, 1].any()


def test_moments_are_those_of_patches_and_their_mirror_images():
    """As the products of all, summed one by one."""
    rng = np.random.default_rng(2)
    patches = rng.normal(size=(7, 3, 2)).astype(np.float32)
    both = np.concatenate([patches, patches[:, ::-1]]).reshape(14, 6).astype(float)
    expected = sum(np.outer(row, row) for row in both) / 2
    np.testing.assert_allclose(ground_moments(patches), expected, rtol=1e-5, atol=1e-5)
    assert ground_moments(patches[:0]).shape == (6, 6)


def fitted(n_filters=3, n_targets=8, seed=3, **options):
    """Return shapes with the covariance and the targets they were made from."""
    rng = np.random.default_rng(seed)
    form = dataclasses.replace(FORM, n_samples=4)
    mix = rng.normal(size=(20, 20))
    ground = (rng.normal(size=(400, 20)) @ mix).reshape(400, 5, 4).astype(np.float32)
    targets = rng.normal(size=(n_targets, 5, 4))
    moments = ground_moments(ground)
    shapes = fit_echo_shapes(
        targets, moments, n_ground=400, form=form, n_filters=n_filters, **options
    )
    return shapes, moments / 400, targets


def test_filters_whiten_the_ground():
    """Along them ground has the covariance of independent unit noise."""
    shapes, covariance, _ = fitted(shrinkage=1e-9)
    along = shapes.weights.reshape(20, -1).astype(float)
    np.testing.assert_allclose(along.T @ covariance @ along, np.eye(3), atol=1e-3)


def test_filters_span_what_targets_have_in_common():
    """The subspace is that of the eigenvectors of whitened targets, computed another way."""
    shapes, covariance, targets = fitted()
    matrix = covariance + 0.03 * np.trace(covariance) / 20 * np.eye(20)
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors / np.sqrt(values)) @ vectors.T  # another whitener than Cholesky's
    rows = np.concatenate([targets, targets[:, ::-1]]).reshape(-1, 20) @ root
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    found = np.linalg.eigh(rows.T @ rows)[1][:, -3:]
    x = np.random.default_rng(8).normal(size=(5, 20))
    expected = ((x @ root @ found) ** 2).sum(axis=1)
    along = x @ shapes.weights.reshape(20, -1)
    np.testing.assert_allclose((along**2).sum(axis=1), expected, rtol=1e-4)


def test_strength_of_targets_does_not_count():
    """A target ten thousand times stronger gives the same shapes."""
    shapes, covariance, targets = fitted()
    strong = targets * np.array([1e4, *[1.0] * 7])[:, None, None]
    again = fit_echo_shapes(
        strong, covariance * 400, n_ground=400, form=shapes.form, n_filters=3
    )
    one, two = (s.weights.reshape(20, -1) for s in (shapes, again))
    np.testing.assert_allclose(one @ one.T, two @ two.T, rtol=1e-4, atol=1e-5)


def test_a_target_is_found_under_stronger_ground():
    """Ground that is alike from trace to trace hides what is not, until it is whitened."""
    rng = np.random.default_rng(5)
    sensor = make_sensor(1, 24)
    echo = np.zeros((5, 5))
    echo[2], echo[1], echo[3] = [1, -1, 1, -1, 1], 0.5, -0.5
    samples = 3 * rng.normal(size=(1, 1, 24)) + rng.normal(size=(400, 1, 24)).cumsum(axis=2)
    samples[200:205, 0, 4:14:2] += 12 * echo
    lane = make_sweep(samples, sensor=sensor)
    ground = echo_patches(lane, list(range(10, 150)), [0] * 140, FORM)
    shapes = fit_echo_shapes(
        echo[None], ground_moments(ground), n_ground=140, form=FORM, n_filters=1
    )
    best = prescreen_shapes(lane, shapes, **OPTIONS).samples.max(axis=2)[:, 0]
    assert best.argmax() == 202


def test_settings_of_a_form_that_make_no_patch():
    """Each is named."""
    with pytest.raises(ValueError, match=r"Invalid reach '0\.02'.*at least one step of 0\.05"):
        dataclasses.replace(FORM, reach=0.02)
    with pytest.raises(ValueError, match=r"Invalid spacing '0\.0'"):
        dataclasses.replace(FORM, spacing=0.0)
    with pytest.raises(ValueError, match=r"Invalid n_samples '0'"):
        dataclasses.replace(FORM, n_samples=0)


def test_sensors_without_the_samples():
    """A record that is too short, samples that lie otherwise, a metal detector."""
    lane = lane_of(n_samples=10)
    with pytest.raises(ValueError, match=r"Invalid sensor .* Must hold 5 samples from 4e-10"):
        prescreen_shapes(lane, shapes_of(), bin_length=2e-10)
    odd = shapes_of(form=dataclasses.replace(FORM, interval=2.5e-10))
    with pytest.raises(ValueError, match=r"samples 1e-10 s apart. Must be 2\.5e-10 s or a"):
        prescreen_shapes(lane_of(), odd, bin_length=2e-10)
    with pytest.raises(ValueError, match="Must be a radar"):
        prescreen_shapes(make_sweep(np.ones((9, 1, 3)), sensor=make_coils(1, 3)), shapes_of(),
                         bin_length=2e-10)  # fmt: skip


def test_filters_that_are_none():
    """A cut, and numbers that are not finite."""
    with pytest.raises(ValueError, match=r"Invalid filters of 7 bytes. Must be one or more of"):
        EchoShapes(form=FORM, filters=b"1234567")
    with pytest.raises(ValueError, match="Invalid filters: some values are not finite"):
        EchoShapes(form=FORM, filters=np.full(25, np.nan, "<f4").tobytes())


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        ({"guard": 0.2}, ValueError, "Invalid ring '0.2'. Must reach beyond the guard"),
        ({"min_share": 1.5}, ValueError, "Invalid min_share '1.5'"),
        ({"bin_length": 0.0}, ValueError, "Invalid bin_length '0.0'"),
        ({"start_time": -1.0}, ValueError, "Invalid start_time '-1.0'"),
    ],
)
def test_options_out_of_range(bad, error, match):
    """Each is named."""
    with pytest.raises(error, match=match):
        PrescreenShapes(shapes_of(), **OPTIONS | bad)


def test_what_is_no_shapes():
    """The error names its type."""
    with pytest.raises(TypeError, match=r"Invalid shapes of type dict\. Must be EchoShapes"):
        PrescreenShapes({}, **OPTIONS)


@pytest.mark.parametrize(
    ("targets", "moments", "match"),
    [
        (np.zeros((0, 5, 4)), np.eye(20), "Invalid targets: 0 patches, 0 of them empty"),
        (np.zeros((2, 5, 4)), np.eye(20), "Invalid targets: 2 patches, 2 of them empty"),
        (np.ones((2, 5, 4)), np.zeros((20, 20)), "over ground of variance 0"),
    ],
)
def test_nothing_to_learn_from(targets, moments, match):
    """No target, an empty one, ground that does not vary."""
    form = dataclasses.replace(FORM, n_samples=4)
    with pytest.raises(ValueError, match=match):
        fit_echo_shapes(targets, moments, n_ground=1, form=form)
