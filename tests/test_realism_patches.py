"""Test the two-sample classifier and the count of false alarms."""

import dataclasses
import sys

import naive_realism as naive
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_sensor, make_sweep
from realism_lanes import GROUND, INTERVAL, clutter, lane, radar_axis, ricker

from minesense.sweep import Quality
from minesense.synthetic.realism import (
    Missing,
    Patches,
    TooFewError,
    false_alarms,
    patches,
    radar_section,
    tell_apart,
    told,
)


def generator(seed=0):
    """Return a source of chance."""
    return np.random.default_rng(seed)


def section_of(seed, **options):
    """Return the section of a lane of Gaussian clutter of 10 m."""
    return radar_section(lane(clutter(800, rng=generator(seed), **options)))


def drawn(rng, shift=0.0, n=200, n_stretches=5):
    """Return patches of normal features."""
    return Patches(
        features=rng.normal(shift, 1.0, (n, 3)),
        stretch=np.arange(n) * n_stretches // n,
        number=np.arange(n),
        names=("a", "b", "c"),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_same_law_cannot_be_told_apart(seed):
    """Two lanes of one law: about chance, within the errors of so few patches."""
    found = tell_apart(patches(section_of(seed)), patches(section_of(seed + 10)))
    assert 0.3 < found.logistic < 0.7
    assert 0.3 < found.trees < 0.7


def test_another_law_is_told_apart():
    """Lanes whose clutter reaches twice as far along the track, or has texture."""
    one = patches(section_of(0))
    assert tell_apart(one, patches(section_of(1, length=0.25))).logistic > 0.9
    rng = generator(2)
    power = np.repeat(rng.gamma(0.5, size=200), 4)[:, None]
    patchy = radar_section(lane(np.sqrt(power) * clutter(800, rng=rng)))
    assert tell_apart(one, patches(patchy)).trees > 0.9


def test_area_is_that_of_the_pairs():
    """Of sources a known distance apart it is that of two normal laws."""
    rng = generator(3)
    found = tell_apart(drawn(rng, n=2000), drawn(rng, shift=0.6, n=2000))
    # the sum of three features is 0.6 * sqrt(3) deviations apart
    expected = naive.roc_area(rng.normal(size=1500), rng.normal(0.6 * 3**0.5, 1, 1500))
    assert found.logistic == pytest.approx(expected, abs=0.03)
    assert found.n_patches == (2000, 2000)
    best = max(found.logistic, found.trees)
    assert np.mean(found.folds) == pytest.approx(best)


def test_places_do_not_leak():
    """What a lane has in one stretch alone tells nothing of the others."""
    rng = generator(4)
    place = rng.normal(size=(2, 5, 3)) * 5  # each stretch of each lane has its own features
    sources = [drawn(rng), drawn(rng)]
    sources = [
        dataclasses.replace(s, features=place[k][s.stretch] + 0.1 * s.features)
        for k, s in enumerate(sources)
    ]
    by_place = [tell_apart(*sources).trees]
    for seed in range(5, 9):
        place = generator(seed).normal(size=(2, 5, 3)) * 5
        moved = [
            dataclasses.replace(s, features=place[k][s.stretch]) for k, s in enumerate(sources)
        ]
        by_place.append(tell_apart(*moved).trees)
    assert 0.2 < np.mean(by_place) < 0.8  # neighbours in training would make it 1


def test_neighbours_of_a_stretch_are_not_trained_on(monkeypatch):
    """The patches in a stretch and beside it are left out, those of every channel."""
    seen = []

    def spy(model, values, labels, test, train):
        seen.append((np.flatnonzero(test), np.flatnonzero(train)))
        return 0.5

    monkeypatch.setattr(sys.modules[patches.__module__], "_area", spy)
    rng = generator(5)
    one = drawn(rng, n=100)
    twice = {name: np.repeat(getattr(one, name), 2, axis=0) for name in ("stretch", "number")}
    other = dataclasses.replace(one, features=rng.normal(size=(200, 3)), **twice)
    tell_apart(one, other)
    test, train = seen[1]  # the second stretch: 20 to 39 of one, twice those of the other
    assert test.tolist() == [*range(20, 40), *range(140, 180)]
    left_out = sorted(set(range(300)) - set(train.tolist()))
    assert left_out == [*range(19, 41), *range(138, 182)]


def test_no_gain_and_no_unit_changes_a_feature():
    """A curve of gain over time, or counts instead of volts."""
    ground = clutter(800, rng=generator())
    curve = 1e3 * 10 ** (2 * np.maximum(0.0, radar_axis() - GROUND) / 10e-9)
    one = patches(radar_section(lane(ground)))
    other = patches(radar_section(lane(curve * ground, direct=1e5)))
    npt.assert_allclose(other.features, one.features, atol=0.25)


def test_patches_share_no_trace():
    """Each in one stretch, none across a missing trace, all channels with one number."""
    quality = np.zeros(800, np.int64)
    quality[100] = Quality.SATURATED
    samples = lane(clutter(800, rng=generator())).samples
    sensor = make_sensor(2, 240, interval=INTERVAL)
    sweep = make_sweep(
        np.repeat(samples, 2, axis=1), sensor=sensor, quality=quality, spacing=0.025
    )
    found = patches(radar_section(sweep))
    # a wavelength of 8 cm is less than eight traces: 799 in five stretches, one spoilt
    assert len(found.features) == 2 * (5 * (160 // 8) - 1 - 1)
    assert (np.bincount(found.number)[1:] == 2).all()
    assert len(set(zip(found.number.tolist(), found.stretch.tolist(), strict=True))) == len(
        set(found.number.tolist())
    )
    assert found.features.shape[1] == len(found.names) == 30


def test_a_patch_is_a_wavelength_long():
    """Of 1.5 GHz at 0.12 m/ns it is 8 cm: 16 traces of 5 mm; at twice that twice as many."""
    section = dataclasses.replace(section_of(0), spacing=0.005)
    assert len(patches(section, velocity=1.2e8).features) == 5 * (160 // 16)
    assert len(patches(section, velocity=2.4e8).features) == 5 * (160 // 32)


def test_patches_of_too_little_are_not_told():
    """Short lanes, no positions, and stretches that do not match."""
    short = radar_section(lane(clutter(120, rng=generator())))
    assert told(patches, short).why == (
        "3 patches of 8 traces in a stretch of 24: at least 4 are needed"
    )
    lost = dataclasses.replace(short, spacing=np.nan)
    assert told(patches, lost) == Missing(
        "the distance between traces is not known, or not regular"
    )
    rng = generator()
    other = drawn(rng, n_stretches=4)
    assert "the same two or more stretches" in told(tell_apart, drawn(rng), other).why


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("a", "b")}, r"Invalid other with features \('a', 'b'\)"),
        ({"features": np.full((200, 3), np.nan)}, "Invalid features of other"),
    ],
)
def test_bad_patches_are_named(change, message):
    """Features that are not the same, or no numbers."""
    one = drawn(generator())
    with pytest.raises(ValueError, match=message):
        tell_apart(one, dataclasses.replace(one, **change))
    with pytest.raises(ValueError, match="Invalid n_stretches '1'"):
        patches(section_of(0), n_stretches=1)


# -- false alarms --------------------------------------------------------------------------


def test_false_alarms_of_buried_reflectors():
    """Noise has few, and four reflectors on 30 m four more."""
    rng = generator(6)
    ground = rng.normal(size=(1200, 240))
    few = false_alarms(lane(ground))
    for middle in (300, 500, 700, 900):
        burst = 40 * ricker(radar_axis() - 6e-9)
        ground[middle - 3 : middle + 4] += burst
    more = false_alarms(lane(ground))
    assert few.n <= 2
    assert more.n - few.n == 4
    assert more.per_metre == pytest.approx(more.n / more.length)
    assert 20 < more.length < 30
    assert few.high_score < more.high_score


def test_false_alarms_need_length_and_distance():
    """A short lane, one without positions, one without traces; a detector of metal."""
    ground = generator().normal(size=(12, 240))
    assert "too few for the windows" in told(false_alarms, lane(ground)).why
    lost = {
        "position": np.full((900, 3), np.nan),
        "heading": np.full(900, np.nan),
        "quality": np.full(900, int(Quality.POSE_NONE)),
    }
    found = told(false_alarms, lane(generator().normal(size=(900, 240)), **lost))
    assert "length of the track is not known" in found.why
    with pytest.raises(TooFewError, match="0 traces"):
        false_alarms(lane(ground)[:0])
    with pytest.raises(ValueError, match="of kind 'emi'"):
        false_alarms(make_sweep(np.zeros((60, 2, 12)), sensor=make_coils()))
