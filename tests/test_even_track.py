"""Test that lanes come to their detector at equal distances, and that no trace is lost."""

import dataclasses
import itertools

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense import synthetic
from minesense.detect import DetectorSettings, LaneDetection, Screen
from minesense.detect.even_track import EvenTrack
from minesense.gaps import GapFinder, cut_at, split_at_gaps
from minesense.resampling import resample_track
from minesense.stuck import StuckFinder
from minesense.sweep import Quality, join

SPACING, MAX_STEP, MAX_PAUSE = 0.025, 0.25, 2.0
RNG = np.random.default_rng(seed=7)


def track(**options):
    return EvenTrack(
        **{"spacing": SPACING, "max_step": MAX_STEP, "max_pause": MAX_PAUSE} | options
    )


def lane_of(northing, *, quality=None, samples=None, sensor=None):
    """Return noise that was recorded at these places, at a steady 0.5 m/s but for gaps."""
    northing = np.asarray(northing, np.float64)
    if samples is None:
        samples = RNG.normal(size=(len(northing), 2, 16))
    return make_sweep(
        samples,
        sensor=sensor or make_sensor(2, 16),
        time=0.05 * np.arange(len(northing)),
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        quality=np.zeros(len(northing), np.int64) if quality is None else quality,
    )


def uneven(n, *, mean=SPACING, seed=0):
    """Return places with steps of 70 to 130 % of the mean."""
    steps = mean * np.random.default_rng(seed).uniform(0.7, 1.3, n)
    return np.cumsum(steps) - steps[0]


def whole(lane, **options):
    """Return what becomes of a lane in one chunk."""
    even = track(**options)
    return join([even.process(lane), even.flush()])


def assert_same(found, expected):
    for name in ("quality", "time", "position", "heading"):
        npt.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=0, atol=1e-12, err_msg=name
        )
    npt.assert_allclose(found.samples, expected.samples, rtol=1e-6, atol=1e-6)


def has_place(lane):
    """Return which traces have a place, whatever its numbers are where it is flagged."""
    is_finite = np.isfinite(lane.position[:, :2]).all(axis=1)
    return is_finite & ((lane.quality & Quality.POSE_NONE) == 0)


def is_bad(lane):
    """Return which traces have no samples or no place."""
    return ~(lane.is_usable & has_place(lane))


def runs(values):
    """Return value, begin and end of each run of equal values."""
    bounds = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
    return [(values[a], a, b) for a, b in itertools.pairwise(bounds) if a < b]


def parts_of(lane):
    """Return parts and gaps, of a lane whose flagged places count as none."""
    position = np.where(has_place(lane)[:, None], lane.position, np.nan)
    options = {"max_step": MAX_STEP, "max_pause": MAX_PAUSE, "spacing": SPACING}
    masked = dataclasses.replace(lane, position=position)
    starts = [i for i, _ in GapFinder(**options).find(masked)]
    return cut_at(lane, starts), split_at_gaps(masked, **options)[1]


def standing(part):
    """Return a part whose good traces stand where they slowed down below 5 cm/s."""
    good = np.flatnonzero(~is_bad(part))
    position, speed, held = part.position.copy(), [], None
    for k, i in enumerate(good):
        older = [j for j in good[:k] if part.time[i] - part.time[j] >= 0.25 - 1e-9]
        before = older[-1] if older else good[0]
        way = np.hypot(*(part.position[i] - part.position[before])[:2])
        speed.append(way / (part.time[i] - part.time[before]) if k else np.nan)
        fastest = np.fmax(speed[k], speed[k - 1]) if k else np.nan
        is_near = held is not None and np.hypot(*(position[i] - held)[:2]) < SPACING
        since = part.position[good[max(0, k - 5)]]
        gets_on = np.hypot(*(part.position[i] - since)[:2]) >= SPACING / 2
        if fastest < 0.05 and is_near and not gets_on:
            position[i] = held
        held = position[i]
    return dataclasses.replace(part, position=position)


def in_words(lane):
    """
    Return a lane as the notes say it becomes, looked at as a whole.

    Stretches of good traces, and what is bridged within them, are resampled each; the rest
    stays. For lanes that are not denser than the spacing.
    """
    parts, _ = parts_of(lane)
    found, steps = [], []
    for part in map(standing, parts):
        bad, bridged, spans = is_bad(part), ~is_bad(part), []
        position, heading, quality = part.position.copy(), part.heading.copy(), part.quality
        for value, first, stop in runs(bad):
            if not value:
                steps += np.hypot(*np.diff(part.position[first:stop, :2], axis=0).T).tolist()
                continue
            if first == 0 or stop == len(part):
                continue
            ends = [first - 1, stop]
            lost = first + np.flatnonzero(~has_place(part[first:stop]))
            placed = np.setdiff1d(np.arange(first, stop), lost)
            step = np.hypot(*(part.position[stop] - part.position[first - 1])[:2])
            away = part.position[placed, :2] - part.position[first - 1, :2]
            farthest = np.hypot(*away.T).max(initial=0)
            moving = [step for step in steps if step > 0]
            pace = np.mean(moving) if moving else SPACING
            bridged[first:stop] = (
                (not len(lost) or step <= MAX_STEP)
                and len(lost) * pace <= (step + MAX_STEP if len(lost) else np.inf)
                and len(lost) * pace <= 4 * MAX_STEP
                and farthest <= 4 * MAX_STEP
            )
            if len(lost) and bridged[first]:
                for k in range(3):
                    known = part.position[ends, k]
                    position[lost, k] = np.interp(part.time[lost], part.time[ends], known)
                heading[lost] = np.interp(part.time[lost], part.time[ends], part.heading[ends])
                quality = quality.copy()
                quality[lost] &= ~int(Quality.POSE_NONE)
                spans.append((first - 1, stop))
                steps += np.hypot(*np.diff(position[first - 1 : stop, :2], axis=0).T).tolist()
        placed = dataclasses.replace(part, position=position, heading=heading, quality=quality)
        for value, first, stop in runs(bridged):
            if not value:
                found.append(part[first:stop])
                continue
            piece = resample_track(
                placed[first:stop], spacing=SPACING, max_step=MAX_STEP * (1 + 1e-9)
            )
            flags = piece.quality.copy()
            for i, j in spans:
                lost = [k for k in range(i + 1, j) if not has_place(part[k : k + 1])[0]]
                times = part.time[[i, j]]
                for k in range(len(piece)):
                    step = np.hypot(*(position[lost, :2] - piece.position[k, :2]).T).min()
                    late = min(abs(piece.time[k] - times))
                    is_within = times[0] < piece.time[k] < times[1]
                    if is_within or (step <= SPACING / 2 and late < 0.2):
                        flags[k] |= int(Quality.POSE_NONE)
            found.append(dataclasses.replace(piece, quality=flags))
    return join(found)


def lose(lane, first, stop):
    """Return a lane whose positions are lost from a trace to another."""
    position, heading, quality = lane.position.copy(), lane.heading.copy(), lane.quality.copy()
    position[first:stop], heading[first:stop] = np.nan, np.nan
    quality[first:stop] |= int(Quality.POSE_NONE)
    return dataclasses.replace(lane, position=position, heading=heading, quality=quality)


def drop(lane, first, stop, flag=Quality.SATURATED):
    """Return a lane with a run of dropouts."""
    quality = lane.quality.copy()
    quality[first if stop is None else slice(first, stop)] |= int(flag)
    return dataclasses.replace(lane, quality=quality)


def with_everything():
    """Return a lane with gaps, and short and long runs without samples or a place."""
    northing = uneven(260)
    northing[100:] += 1.0
    northing[180:] += 0.4
    lane = lane_of(northing)
    lane = drop(lane, 20, 21)
    lane = drop(lane, 40, 60)
    lane = lose(lane, 70, 75)
    lane = lose(lane, 110, 140)
    lane = drop(lane, 150, 153, Quality.NOT_FINITE)
    lane = lose(lane, 178, 182)  # hides the second gap
    return drop(lane, 250, 260)


# What becomes of a lane


def test_a_lane_without_flaws_is_resampled():
    lane = lane_of(uneven(120))
    found = whole(lane)
    expected = resample_track(lane, spacing=SPACING, max_step=MAX_STEP)
    assert_same(found, expected)
    steps = np.hypot(*np.diff(found.position[:, :2], axis=0).T)
    npt.assert_allclose(steps, SPACING, rtol=1e-9)


def test_a_lane_with_every_flaw_becomes_what_the_notes_say():
    lane = with_everything()
    expected = in_words(lane)
    assert_same(whole(lane), expected)
    assert (expected.quality & Quality.GAP).astype(bool).sum() == 2


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 260), max_size=8))
def test_chunks_do_not_matter(cuts):
    lane, even = with_everything(), track()
    bounds = [0, *sorted(cuts), len(lane)]
    found = [even.process(lane[a:b]) for a, b in itertools.pairwise(bounds)]
    assert_same(join([*found, even.flush()]), whole(lane))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_chunks_do_not_matter(size):
    lane, even = with_everything(), track()
    found = [even.process(lane[i : i + size]) for i in range(0, 260, size)]
    assert_same(join([*found, even.flush()]), whole(lane))


@settings(max_examples=40, deadline=None)
@given(
    flaws=st.lists(
        st.tuples(st.integers(0, 99), st.integers(1, 30), st.sampled_from(["drop", "lose"])),
        max_size=5,
    ),
    seed=st.integers(0, 20),
)
def test_any_flaws_become_what_the_notes_say(flaws, seed):
    lane = lane_of(uneven(100, seed=seed))
    for first, length, kind in flaws:
        lane = {"drop": drop, "lose": lose}[kind](lane, first, min(first + length, 100))
    assert_same(whole(lane), in_words(lane))


def test_equal_distances_stay_as_they_are():
    lane = lane_of(SPACING * np.arange(100))
    found = whole(lane)
    npt.assert_allclose(found.samples, lane.samples, rtol=1e-5, atol=1e-6)
    npt.assert_allclose(found.position, lane.position, atol=1e-12)
    npt.assert_array_equal(found.quality, lane.quality)


def test_dense_traces_are_thinned_and_a_slow_wave_stays():
    northing = uneven(800, mean=0.005)
    wave = 2 + np.sin(2 * np.pi * northing / 0.3)[:, None, None]
    wave = np.repeat(wave * np.linspace(1, 2, 16), 2, axis=1)
    lane = lane_of(northing, samples=wave)
    found = whole(lane)
    assert len(found) == 1 + int(northing[-1] / SPACING)
    expected = 2 + np.sin(2 * np.pi * found.position[:, 1] / 0.3)
    npt.assert_allclose(found.samples[5:-5, 0, 0], expected[5:-5], atol=0.02)


# No trace is lost, and nothing is made up


@pytest.mark.parametrize("flaw", [drop, lose], ids=["no samples", "no place"])
def test_a_lane_that_is_nothing_but_a_flaw_goes_on_as_it_was(flaw):
    lane = flaw(lane_of(uneven(60)), 0, 60)
    assert_same(whole(lane), lane)


@pytest.mark.parametrize("flaw", [drop, lose], ids=["no samples", "no place"])
def test_flaws_at_the_ends_go_on_as_they_were(flaw):
    lane = flaw(flaw(lane_of(uneven(100)), 0, 3), 95, 100)
    found = whole(lane)
    assert_same(found[:3], lane[:3])
    assert_same(found[-5:], lane[95:])
    assert_same(found[3:-5], resample_track(lane[3:95], spacing=SPACING, max_step=MAX_STEP))


def test_a_run_is_bridged_only_as_far_as_stated():
    lane = lane_of(SPACING * np.arange(100))
    short, long = lose(lane, 40, 49), lose(lane, 40, 50)  # 0.25 m, 0.275 m
    bridged, kept = whole(short), whole(long)
    npt.assert_allclose(bridged.position[:, 1], lane.position[:, 1], atol=1e-12)
    assert np.isnan(kept.position[40:50]).all()
    assert_same(kept[40:50], long[40:50])
    for found in (bridged, kept):
        assert (found.quality[40:49] & Quality.POSE_NONE).all()


def test_standing_without_a_place_is_not_waited_for_for_ever():
    """What a receiver without fixes records in place goes on, after four times the bridge."""
    northing = np.concatenate([SPACING * np.arange(50), np.full(200, 1.25), [1.26]])
    lane = lose(lane_of(northing), 50, 250)
    even = track()
    even_first = even.process(lane[:50])
    found = [even.process(lane[i : i + 1]) for i in range(50, 92)]
    assert sum(map(len, found[:40])) == 0
    assert sum(map(len, found)) > 40
    rest = [even.process(lane[92:]), even.flush()]
    assert_same(join([even_first, *found, *rest]), in_words(lane))


def test_a_place_that_is_flagged_as_none_is_none():
    """Whatever its numbers say: those of the last fix, perhaps."""
    lane = lose(lane_of(uneven(100)), 40, 70)
    position = lane.position.copy()
    position[40:70] = position[39]
    frozen = dataclasses.replace(lane, position=position, heading=np.zeros(100))
    found = whole(frozen)
    assert_same(found, in_words(frozen))
    assert not (found.quality & Quality.GAP).any()
    npt.assert_array_equal(found.samples, whole(lane).samples)


def test_a_loss_has_no_say_in_what_comes_after():
    """Dropouts behind it are bridged as before it, also more than a place is bridged for."""
    lane = drop(lose(lane_of(uneven(160)), 30, 60), 90, 110)
    found = whole(lane)
    assert_same(found, in_words(lane))
    behind = found[found.position[:, 1] > lane.position[60, 1]]
    npt.assert_allclose(np.diff(behind.position[:, 1]), SPACING, rtol=1e-9)


def test_a_pause_without_a_place_ends_a_stretch():
    lane = lose(lane_of(uneven(100)), 50, 52)
    time = lane.time.copy()
    time[51:] += 2.5
    lane = dataclasses.replace(lane, time=time)
    found = whole(lane)
    assert_same(found, in_words(lane))
    (begin,) = np.flatnonzero(found.quality & Quality.GAP)
    assert found.time[begin] == lane.time[51]


@pytest.mark.parametrize("n", [1, 9])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_samples_without_a_place_are_not_lost(n, is_frozen):
    """What a short loss of position hides is placed by time, and flagged."""
    lane = lane_of(SPACING * np.arange(100))
    lost = lose(lane, 40, 40 + n)
    if is_frozen:
        position = lost.position.copy()
        position[40 : 40 + n] = position[39]
        lost = dataclasses.replace(lost, position=position, heading=np.zeros(100))
    found = whole(lost)
    npt.assert_allclose(found.samples, lane.samples, rtol=1e-4, atol=1e-5)
    npt.assert_allclose(found.position, lane.position, atol=1e-12)
    flagged = np.flatnonzero(found.quality & Quality.POSE_NONE)
    npt.assert_array_equal(flagged, np.arange(40, 40 + n))


@pytest.mark.parametrize("n", [12, 16, 24])
def test_there_and_back_without_a_place_stays_as_recorded(n):
    """Its ends lie together, what lies between does not."""
    along = SPACING * np.arange(400)
    northing = np.where(
        along <= 5, along, np.maximum(5 + n * SPACING - abs(along - 5 - n * SPACING), 0)
    )
    lane = lose(lane_of(northing[:400]), 201, 200 + 2 * n)
    found = whole(lane)
    lost = lane[201 : 200 + 2 * n]
    at = np.searchsorted(found.time, lost.time[0])
    assert_same(found[at : at + len(lost)], lost)


@pytest.mark.parametrize(
    ("n", "is_bridged"), [(5, True), (11, True), (15, True), (17, False), (21, False)]
)
def test_slowing_down_without_a_place_is_bridged_up_to_max_step_more(n, is_bridged):
    """At the pace before, 15 cm may have been 40 cm of track, with a max_step of 25 cm."""
    before = SPACING * np.arange(100)
    within = before[-1] + 0.15 / (n + 1) * np.arange(1, n + 1)
    behind = before[-1] + 0.15 + SPACING * np.arange(100)
    lane = lose(lane_of(np.concatenate([before, within, behind])), 100, 100 + n)
    found = whole(lane)
    assert np.isnan(found.position[:, 0]).sum() == (0 if is_bridged else n)
    assert_same(found, in_words(lane))


def test_a_stand_tells_of_no_pace():
    """What is lost behind it is not thinned."""
    northing = np.concatenate([SPACING * np.arange(300), np.full(1200, SPACING * 299)])
    northing = np.concatenate([northing, SPACING * np.arange(300, 700)])
    lane = lose(lane_of(northing), 1600, 1800)
    found = whole(lane)
    assert np.isnan(found.position[:, 0]).sum() == 200


@pytest.mark.parametrize("k", range(1395, 1400))
def test_a_gap_within_a_dense_loss_is_flagged(k):
    lane = lose(lane_of(0.005 * np.arange(2400)), 1000, 1400)
    time = lane.time.copy()
    time[k:] += 2.5
    even = track()
    found = join([even.process(dataclasses.replace(lane, time=time)), even.flush()])
    assert len(even.gaps) == 1
    assert ((found.quality & Quality.GAP) != 0).sum() == 1


def test_a_turn_through_north_is_the_short_way():
    lane = lane_of(SPACING * np.arange(20))
    heading = np.where(np.arange(20) < 10, 6.2, 0.1)
    lane = lose(dataclasses.replace(lane, heading=heading), 9, 11)
    found = whole(lane).heading[9:11] % (2 * np.pi)
    assert ((found > 6.2) | (found < 0.1)).all()


def test_a_long_dropout_is_not_waited_for():
    lane = drop(lane_of(uneven(300)), 100, 300)
    even = track()
    early = [even.process(lane[i : i + 1]) for i in range(145)]
    assert sum(map(len, early)) > 130
    assert_same(join([*early, even.process(lane[145:]), even.flush()]), in_words(lane))


@pytest.mark.parametrize("flaw", [drop, lose], ids=["no samples", "no place"])
def test_of_dense_traces_as_recorded_each_so_many(flaw):
    """A run without a place counts as much track as it had at the pace before."""
    lane = lane_of(0.005 * np.arange(4000))
    lane = flaw(lane, 1000, 1800)
    quality = lane.quality.copy()
    quality[1333] |= int(Quality.TILT_LIMIT)
    lane = dataclasses.replace(lane, quality=quality)
    found = whole(lane)
    assert 790 <= len(found) <= 802
    is_flagged = (found.quality & Quality.TILT_LIMIT) != 0
    assert is_flagged.sum() == 1
    flagged = found[int(is_flagged.argmax()) :][:1]
    assert abs(flagged.time[0] - lane.time[1333]) <= 5 * 0.05
    even = track()
    cuts = [0, 3, 999, 1003, 1004, 1333, 1334, 1790, 4000]
    parts = [even.process(lane[a:b]) for a, b in itertools.pairwise(cuts)]
    assert_same(join([*parts, even.flush()]), found)


@pytest.mark.parametrize("size", [1, 7, 4000])
@pytest.mark.parametrize("end", ["track", "gap", "lane"])
def test_flags_at_the_end_of_a_run_as_recorded_are_kept(end, size):
    """Though each fifth trace alone stays, and none comes behind them."""
    lane = lose(lane_of(0.005 * np.arange(2600)), 1000, 1803)
    quality = lane.quality.copy()
    quality[1802] |= int(Quality.TILT_LIMIT)
    lane = dataclasses.replace(lane, quality=quality)
    if end == "gap":
        time = np.where(np.arange(2600) < 1803, lane.time, lane.time + 9)
        lane = dataclasses.replace(lane, time=time)
    lane = lane[:1803] if end == "lane" else lane
    even = track()
    parts = [even.process(lane[i : i + size]) for i in range(0, len(lane), size)]
    found = join([*parts, even.flush()])
    flagged = found[int(((found.quality & Quality.TILT_LIMIT) != 0).argmax()) :][:1]
    assert flagged.time[0] == lane.time[1802]
    assert ((found.quality & Quality.TILT_LIMIT) != 0).sum() == 1
    assert (np.diff(found.time) > 0).all()


def test_each_so_many_is_the_nearest_number():
    """Of traces 9 mm apart each third, not each second: 27 mm are nearer to 25 than 18."""
    found = whole(lose(lane_of(0.009 * np.arange(2000)), 700, 1300))
    assert np.isnan(found.position[:, 0]).sum() == 200


def test_a_platform_that_creeps_gets_on():
    """2 cm/s are no track until they are a spacing, and then they are."""
    steps = np.concatenate([np.full(40, SPACING), np.full(200, 0.001), np.full(40, SPACING)])
    lane = lane_of(np.cumsum(steps))
    found = whole(lane)
    assert_same(found, in_words(lane))
    assert len(found) == pytest.approx(1 + steps[1:].sum() / SPACING, abs=2)


@pytest.mark.parametrize("interval", [0.05, 0.5, 1.0, 60.0])
@pytest.mark.parametrize("step", [0.01, 0.02, 0.025])
def test_a_lane_may_take_as_long_as_it_likes(step, interval):
    """Rigs move and measure by turns, and of many recordings time is but a number."""
    lane = lane_of(5.4e6 + step * np.arange(900))
    slow = dataclasses.replace(lane, time=interval * np.arange(900))
    quick, found = whole(lane), whole(slow, max_pause=1000.0)
    assert len(found) == pytest.approx(len(quick), abs=1)
    # but for the first traces, of which nobody knows yet whether they get on
    npt.assert_allclose(found.samples[12:800], quick.samples[12:800], rtol=1e-4, atol=1e-4)
    npt.assert_allclose(found.position[12:800], quick.position[12:800], atol=1e-5)


def test_a_loss_is_none_to_whom_comes_by_again():
    """On its way back the lane crosses places of traces that had none."""
    along = SPACING * np.arange(200)
    lane = lose(lane_of(np.minimum(along, 5 - along)), 80, 84)
    even = track()
    parts = [even.process(lane[i : i + 1]) for i in range(len(lane))]
    found = join([*parts, even.flush()])
    assert_same(found, whole(lane))
    assert (found.time[(found.quality & Quality.POSE_NONE) != 0] < lane.time[90]).all()


def test_a_short_loss_is_bridged_however_dense_traces_are():
    lane = lose(lane_of(0.005 * np.arange(2000)), 1000, 1045)
    found = whole(lane)
    npt.assert_allclose(np.diff(found.position[:, 1]), SPACING, rtol=1e-9)
    assert 8 <= ((found.quality & Quality.POSE_NONE) != 0).sum() <= 10


def test_flags_of_one_loss_stay_out_of_the_next():
    lane = lose(lose(lane_of(0.005 * np.arange(4000)), 1000, 1803), 2500, 3303)
    quality = lane.quality.copy()
    quality[1802] |= int(Quality.TILT_LIMIT)
    found = whole(dataclasses.replace(lane, quality=quality))
    behind = found.time > lane.time[2400]
    assert not (found.quality[behind] & Quality.TILT_LIMIT).any()


def test_gaps_are_those_of_the_lane_as_recorded():
    """Also a recorded flag within a chunk, and one behind a platform that stood."""
    stand = np.full(100, SPACING * 299)
    northing = np.concatenate([SPACING * np.arange(300), stand, SPACING * np.arange(300, 500)])
    northing[450:] += 1.0
    lane = lane_of(northing)
    quality = lane.quality.copy()
    quality[50] |= int(Quality.GAP)
    lane = lose(dataclasses.replace(lane, quality=quality), 405, 415)
    even = track()
    found = join([even.process(lane), even.flush()])
    _, expected = parts_of(lane)
    assert even.gaps == expected
    assert len(expected) == 2
    assert ((found.quality & Quality.GAP) != 0).sum() == 2
    assert_same(found, in_words(lane))


def test_a_screen_takes_their_word_for_gaps():
    """A stand of five seconds beside a lost position is no gap; the recorded ones are told."""
    northing = np.concatenate([SPACING * np.arange(300), np.full(100, SPACING * 299)])
    northing = np.concatenate([northing, SPACING * np.arange(300, 700)])
    northing[600:] += 1.0
    northing += 0.004 * np.sin(np.arange(800))  # gaps lie off the grid
    sensor = make_sensor(1, 96, interval=62.5e-12)
    samples = RNG.normal(size=(800, 1, 96))
    lane = lose(lane_of(northing, samples=samples, sensor=sensor), 400, 420)
    detection = LaneDetection(DetectorSettings(), {"gpr": sensor.describe()})
    detection.push(lane)
    screened = detection.finish()["gpr"]
    _, expected = parts_of(lane)
    assert list(screened.gaps) == expected
    assert len(screened.parts) == len(expected) + 1 == 2


def test_a_refusal_of_the_screen_is_the_same_again():
    sensor = make_sensor(1, 8, interval=62.5e-12)
    lane = lane_of(uneven(50), samples=RNG.normal(size=(50, 1, 8)), sensor=sensor)
    detection = LaneDetection(DetectorSettings(), {"gpr": sensor.describe()})
    for _ in range(2):
        with pytest.raises(ValueError, match="window"):
            detection.push(lane)


def test_a_driver_may_use_its_buffers_again():
    lane = with_everything()
    expected, even, found = whole(lane), track(), []
    names = ("samples", "time", "position", "heading", "quality")
    buffer = {name: getattr(lane, name)[:10].copy() for name in names}
    for i in range(0, 260, 10):
        for name, values in buffer.items():
            values[...] = getattr(lane, name)[i : i + 10]
        chunk = dataclasses.replace(lane[i : i + 10], **buffer)
        found.append(even.process(chunk))
    assert_same(join([*found, even.flush()]), expected)


def test_stuck_traces_are_found_before_they_are_mixed():
    lane = lane_of(uneven(100))
    samples = lane.samples.copy()
    samples[50:80, 1] = samples[49, 1]
    lane = dataclasses.replace(lane, samples=samples)
    found = whole(lane)
    is_stuck = (found.quality & Quality.STUCK) != 0
    low, high = lane.position[51, 1], lane.position[79, 1]
    inside = (found.position[:, 1] > low) & (found.position[:, 1] < high)
    assert inside.sum() > 20
    # whoever mixes first sees fewer: sums of equal traces are not equal to the last bit
    mixed = StuckFinder().flag(resample_track(lane, spacing=SPACING, max_step=MAX_STEP))
    assert ((mixed.quality & Quality.STUCK) != 0)[inside].sum() < inside.sum()
    assert is_stuck[inside].all()
    assert not is_stuck[found.position[:, 1] < lane.position[48, 1]].any()


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.002])
def test_a_stand_adds_no_track(noise):
    """A minute of it, whatever the positions do meanwhile."""
    northing = np.concatenate([SPACING * np.arange(400), np.full(1200, SPACING * 399)])
    northing = np.concatenate([northing, SPACING * np.arange(400, 800)])
    lane = lane_of(northing)
    position = lane.position.copy()
    position[400:1600, :2] += noise * RNG.normal(size=(1200, 2))
    found = whole(dataclasses.replace(lane, position=position))
    assert 799 <= len(found) <= 801 + 2 * (noise > 0)


@pytest.mark.parametrize(("mean", "noise"), [(0.025, 0.01), (0.02, 0.008), (0.01, 0.003)])
def test_positions_may_be_as_bad_as_receivers_are(mean, noise):
    lane = lane_of(mean * np.arange(round(20 / mean)))
    position = lane.position.copy()
    position[:, :2] += noise * RNG.normal(size=(len(lane), 2))
    found = whole(dataclasses.replace(lane, position=position))
    assert 795 <= len(found) <= 1100


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("phase", range(5))
def test_of_dense_traces_no_loss_goes_unflagged(n, phase):
    first = 500 + phase
    lane = lose(lane_of(0.005 * np.arange(1000)), first, first + n)
    found = whole(lane)
    assert_same(found, in_words(lane))
    flagged = found.position[(found.quality & Quality.POSE_NONE) != 0, 1]
    assert 1 <= len(flagged) <= 3
    assert np.abs(flagged - 0.005 * first).max() < 2 * SPACING


def test_rounding_cuts_no_lane():
    """A step that one rule of rounding finds longer than 0.25 m and another does not."""
    lane = lane_of(SPACING * np.arange(40))
    position = lane.position.copy()
    position[20:, :2] -= position[20, :2] - position[19, :2]
    position[20:, :2] += [0.1842363106894905, -0.1689881114857656]
    whole(dataclasses.replace(lane, position=position))


def test_behind_a_gap_the_lane_begins_anew():
    northing = uneven(100)
    northing[50:] += 1.0
    lane = lane_of(northing)
    found = whole(lane)
    (begin,) = np.flatnonzero(found.quality & Quality.GAP)
    npt.assert_array_equal(found.position[begin], lane.position[50])
    assert found.position[begin - 1, 1] <= lane.position[49, 1]
    assert found.position[begin - 1, 1] > lane.position[49, 1] - SPACING


def test_the_history_says_it_once():
    lane = lose(lane_of(uneven(100)), 0, 20)
    even = track()
    chunks = [even.process(lane[:30]), even.process(lane[30:]), even.flush()]
    for chunk in chunks:
        assert len(chunk.history) == len(lane.history) + 1
        assert "EvenTrack(spacing=0.025, max_step=0.25" in chunk.history[-1]


# Refusals


def test_traces_too_far_apart_are_refused():
    lane = lane_of(0.04 * np.arange(100))
    with pytest.raises(ValueError, match=r"are 0\.04 m apart\. Must be at most 0\.025 m"):
        whole(lane)
    whole(lane_of(0.032 * np.arange(100)))
    with pytest.raises(ValueError, match=r"are 0\.033 m apart"):
        whole(lane_of(0.033 * np.arange(100)))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_chunks_do_not_decide_what_is_refused(size):
    lane, even = lane_of(0.04 * np.arange(100)), track()
    for i in range(0, 100, size):
        even.process(lane[i : i + size])
    with pytest.raises(ValueError, match=r"are 0\.04 m apart"):
        even.flush()


@pytest.mark.parametrize(("share", "is_refused"), [(0.4, False), (0.6, True)])
def test_half_of_the_track_decides(share, is_refused):
    """Not half of the traces: of 40 m so much was passed too fast."""
    slow = SPACING * np.arange(round(40 * (1 - share) / SPACING))
    fast = slow[-1] + 0.05 * np.arange(1, round(40 * share / 0.05))
    lane = lane_of(np.concatenate([slow, fast]))
    if is_refused:
        with pytest.raises(ValueError, match=r"are 0\.05 m apart"):
            whole(lane)
    else:
        assert len(whole(lane)) > 1590


@pytest.mark.parametrize(("longest", "is_refused"), [(1.58, False), (1.62, True)])
def test_what_is_too_long_for_half_of_the_track(longest, is_refused):
    """Steps of 0.9 spacings, of which few are, and as much track in longer ones."""
    steps = np.concatenate([np.full(1000, 0.9), np.full(600, longest)])
    lane = lane_of(SPACING * np.cumsum(steps))
    if is_refused:
        with pytest.raises(ValueError, match=r"are 0\.0405 m apart"):
            whole(lane)
    else:
        assert len(whole(lane)) > 1840


def test_dropouts_between_traces_do_not_make_them_coarse():
    lane = drop(lane_of(SPACING * np.arange(100)), slice(None, None, 2), None)
    assert len(whole(lane)) == 100


def test_losses_between_do_not_hide_that_traces_are_coarse():
    lane = lane_of(0.1 * np.arange(100))
    for k in range(1, 99, 2):
        lane = lose(lane, k, k + 1)
    with pytest.raises(ValueError, match=r"are 0\.1 m apart"):
        whole(lane)


def test_fixes_that_are_held_are_refused():
    """Seven of eight traces would be left out, and the rest made up."""
    held = np.floor(SPACING * np.arange(800) / 0.2) * 0.2
    with pytest.raises(ValueError, match=r"are 0\.2 m apart.* state one for each"):
        whole(lane_of(held))
    whole(lane_of(np.concatenate([SPACING * np.arange(400), np.full(800, 10.0)])))
    thrice = np.repeat(0.035 * np.arange(200), 3)  # the repeated ones do not count as dense
    with pytest.raises(ValueError, match=r"are 0\.035 m apart"):
        whole(lane_of(thrice))


@pytest.mark.parametrize(("ratio", "is_refused"), [(0.65, True), (0.75, False)])
def test_a_track_that_winds_is_refused_by_its_ratio(ratio, is_refused):
    """Zigzag of 10 cm: of each metre of track it gets farther by the ratio."""
    along = SPACING * np.arange(600)
    side = np.sqrt(1 - ratio**2)
    east = side * (0.1 - np.abs(along % 0.2 - 0.1))
    lane = dataclasses.replace(
        lane_of(along), position=np.column_stack([east, ratio * along, 0 * along])
    )
    if is_refused:
        with pytest.raises(ValueError, match=r"of 2 m of its track it gets 1\.3 m farther"):
            whole(lane)
    else:
        assert len(whole(lane)) > 590


@pytest.mark.parametrize(("length", "is_refused"), [(5.9, False), (6.1, True)])
def test_a_short_track_may_wind(length, is_refused):
    """Less than three times as much as is looked at is no law of the lane."""
    along = SPACING * np.arange(round(length / SPACING) + 1)
    east = 0.8 * (0.1 - np.abs(along % 0.2 - 0.1))
    lane = dataclasses.replace(
        lane_of(along), position=np.column_stack([east, 0.6 * along, 0 * along])
    )
    even = track()
    buffer = lane.position.copy()
    even.process(dataclasses.replace(lane, position=buffer))
    buffer[:] = np.column_stack([0 * along, along, 0 * along])  # a driver's, used again
    if is_refused:
        with pytest.raises(ValueError, match=r"of 2 m of its track it gets 1\.2 m farther"):
            even.flush()
    else:
        even.flush()


@pytest.mark.parametrize(("n_wind", "is_refused"), [(250, False), (400, True)])
@pytest.mark.parametrize("cuts", [[], range(1, 320), range(320, 560), [0, 0, 100, 100]])
def test_chunks_do_not_decide_whether_a_track_winds(n_wind, is_refused, cuts):
    """8 m straight on, then strokes of 60 cm on the spot."""
    along = SPACING * np.arange(320 + n_wind)
    rest = along - 8
    northing = np.where(rest < 0, along, 8 + 0.6 - np.abs((rest % 1.2) - 0.6))
    lane, even = lane_of(northing), track()
    for a, b in itertools.pairwise([0, *cuts, len(lane)]):
        even.process(lane[a:b])
    if is_refused:
        with pytest.raises(ValueError, match="m farther"):
            even.flush()
    else:
        even.flush()


@pytest.mark.parametrize(("share", "is_refused"), [(0.4, False), (0.6, True)])
def test_half_of_a_track_may_wind(share, is_refused):
    """Of the rest nothing is lost, however much of it winds on the spot."""
    along = SPACING * np.arange(1600)
    first = 40 * (1 - share)
    winds = along > first
    rest = along - first
    east = np.where(winds, 0.05 - np.abs(rest % 0.1 - 0.05), 0.0)
    lane = dataclasses.replace(
        lane_of(along),
        position=np.column_stack([east, np.minimum(along, first), 0 * along]),
    )
    if is_refused:
        with pytest.raises(ValueError, match="m farther"):
            whole(lane)
    else:
        assert len(whole(lane)) > 1590


@pytest.mark.parametrize("leg", [1.5, 4.0])
def test_a_lane_there_and_back_is_not(leg):
    along = SPACING * np.arange(round(2 * leg / SPACING))
    northing = leg - np.abs(along - leg)
    assert len(whole(lane_of(northing))) >= len(along) - 1


def test_a_swung_head_is_refused():
    """Its windows along the track would look at the same ground again and again."""
    time = 0.01 * np.arange(3000)
    east, north = 0.6 * np.sin(2 * np.pi * time / 3), 0.1 * time
    lane = make_sweep(
        RNG.normal(size=(3000, 2, 16)),
        sensor=make_sensor(2, 16),
        time=time,
        position=np.column_stack([east, north, 0 * time]),
    )
    with pytest.raises(ValueError, match=r"of 2 m of its track it gets .* m farther"):
        whole(lane)


@pytest.mark.parametrize("radius", [1.5, 5.0])
def test_a_bend_is_not(radius):
    along = SPACING * np.arange(400)
    lane = lane_of(along)
    bend = np.column_stack([np.cos(along / radius), np.sin(along / radius), 0 * along])
    assert len(whole(dataclasses.replace(lane, position=radius * bend))) > 395


def test_a_swung_head_of_the_simulator_is_refused_by_a_detector():
    recipe = synthetic.scenario(
        "farmland", lanes={"training": 0, "blind": 1, "length": 4.0}, layout={"density": 0.5}
    )
    sweeps = synthetic.field(recipe, seed=1).sweep(synthetic.handheld())
    lane = next(sweep for sweep in sweeps if sweep.sensor.kind == "emi")
    detection = LaneDetection(DetectorSettings(), {"emi": lane.sensor.describe()})
    detection.push(lane)
    with pytest.raises(ValueError, match="goes straight on"):
        detection.finish()


def test_what_does_not_continue_the_lane_is_refused_and_not_kept():
    lane = lane_of(uneven(100))
    even = track()
    first = even.process(lane[:50])
    with pytest.raises(TypeError, match="chunk of type list"):
        even.process([1])
    with pytest.raises(ValueError, match="time"):
        even.process(lane[40:60])
    with pytest.raises(ValueError, match="lane"):
        even.process(dataclasses.replace(lane[50:], lane="other"))
    assert_same(join([first, even.process(lane[50:]), even.flush()]), whole(lane))


def test_time_does_not_run_back_where_places_are_lost():
    lane, even = lose(lane_of(uneven(40)), 0, 40), track()
    even.process(lane)
    with pytest.raises(ValueError, match="time"):
        even.process(lane)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was taken"):
        track().flush()
    assert len(whole(lane_of([]))) == 0


# In a detector


def echoes(northing, seed=1):
    """Return a lane of 40 m over two points, with the noise of its places."""
    sensor = make_sensor(1, 96, interval=62.5e-12)
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(len(northing), 96))
    section = noise + np.exp(-(((sensor.axis - 1.5e-9) / 2e-10) ** 2))
    for at in (12.0, 25.0):
        arrival = 1.5e-9 + 2 * np.hypot(0.1, northing - at) / 1.2e8
        phase = np.pi * 1.5e9 * (sensor.axis - arrival[:, None])
        section += (1 - 2 * phase**2) * np.exp(-(phase**2))
    return lane_of(northing, samples=section[:, None], sensor=sensor)


def detection_of(n=900):
    """Return a lane of noise and a detection for it."""
    sensor = make_sensor(1, 96, interval=62.5e-12)
    lane = lane_of(uneven(n), samples=RNG.normal(size=(n, 1, 96)), sensor=sensor)
    return lane, LaneDetection(DetectorSettings(), {"gpr": sensor.describe()})


def test_a_chunk_that_a_stage_refuses_ends_the_lane(monkeypatch):
    """The chunk is gone by then: what follows would hide what is missing."""
    lane, detection = detection_of()
    detection.push(lane[:400])
    with monkeypatch.context() as patch:

        def refuse(self, chunk):
            msg = "Invalid samples. Must be finite."
            raise ValueError(msg)

        patch.setattr(Screen, "push", refuse)
        with pytest.raises(ValueError, match="finite"):
            detection.push(lane[400:450])
    for call in (lambda: detection.push(lane[450:]), detection.finish):
        with pytest.raises(ValueError, match=r"half-way \(Invalid samples.*Must begin anew"):
            call()


def test_a_chunk_that_does_not_follow_does_not():
    lane, detection = detection_of()
    detection.push(lane[:400])
    with pytest.raises(ValueError, match="time"):
        detection.push(lane[300:500])
    detection.push(lane[400:])
    found, other = detection.finish()["gpr"], detection_of()[1]
    other.push(lane)
    assert found.parts[0].candidates == other.finish()["gpr"].parts[0].candidates


def test_a_lane_may_be_finished_again():
    lane, detection = detection_of()
    detection.push(lane)
    assert detection.finish()["gpr"] is detection.finish()["gpr"]
    with pytest.raises(ValueError, match="it was finished"):
        detection.push(lane)
    detection.finish()


def test_a_lane_that_is_refused_is_refused_again():
    coarse = make_sweep(
        RNG.normal(size=(900, 1, 96)),
        spacing=0.04,
        sensor=make_sensor(1, 96, interval=62.5e-12),
    )
    detection = LaneDetection(DetectorSettings(), {"gpr": coarse.sensor.describe()})
    detection.push(coarse)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"are 0\.04 m apart"):
            detection.finish()


@pytest.mark.parametrize("mean", [0.005, 0.01, 0.02, 0.025])
def test_the_same_things_are_noticed_at_any_spacing(mean):
    """However densely they were recorded, within the radius that candidates merge in."""
    lane = echoes(uneven(int(40 / mean), mean=mean))
    detection = LaneDetection(DetectorSettings(), {"gpr": lane.sensor.describe()})
    found = detection.push(lane)
    (part,) = detection.finish()["gpr"].parts
    steps = np.hypot(*np.diff(part.scores.position[:, :2], axis=0).T)
    npt.assert_allclose(steps, SPACING, rtol=1e-9)
    found = sorted(part.candidates, key=lambda c: -c.score)[:2]
    places = sorted(float(part.position[c.trace, c.channel, 1]) for c in found)
    npt.assert_allclose(places, [12.0, 25.0], atol=0.25)


def test_coils_have_a_spacing_of_their_own():
    coils = make_coils()
    northing = uneven(600, mean=0.02)
    lane = lane_of(northing, samples=RNG.normal(size=(600, 2, 12)), sensor=coils)
    detection = LaneDetection(DetectorSettings(), {"emi": coils.describe()})
    detection.push(lane)
    (part,) = detection.finish()["emi"].parts
    steps = np.hypot(*np.diff(part.scores.position[:, :2], axis=0).T)
    npt.assert_allclose(steps, DetectorSettings().coils.spacing, rtol=1e-9)
