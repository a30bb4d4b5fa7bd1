"""Test the extraction of candidates against brute force, and the promises of a stage."""

import dataclasses
import itertools
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.alarm import Candidate
from minesense.detect.candidates import ExtractCandidates, extract_candidates, merge_candidates
from minesense.sweep import Quality

OPTIONS = {"spacing": 0.05, "merge_radius": 0.25, "threshold": 2.0}
N_TRACES = 50


def make_scores(*, n_traces=N_TRACES, n_channels=3, n_samples=4, seed=0, heading=0.7):
    """Return scores with some ties, off the axes, from a cart that weaves."""
    rng = np.random.default_rng(seed)
    samples = rng.geometric(0.1, size=(n_traces, n_channels, n_samples))
    turn = heading + 0.1 * np.sin(np.arange(n_traces) / 5)
    step = rng.uniform(0.045, 0.055, size=n_traces)
    east, north = np.cumsum(step * np.sin(turn)), np.cumsum(step * np.cos(turn))
    return make_sweep(
        samples.astype(np.float32),
        sensor=make_sensor(n_channels, n_samples, quantity="score"),
        position=np.column_stack([east, north, 0 * north]),
        heading=turn,
    )


def naive_cells(sweep, *, spacing, merge_radius, threshold):
    """Return the candidates' cells by comparing every cell with every other."""
    skip = Quality.SATURATED | Quality.NOT_FINITE | Quality.STUCK | Quality.EDGE
    score = {}
    for k, c in itertools.product(range(len(sweep)), range(sweep.sensor.shape[0])):
        if not sweep.quality[k] & int(skip):
            score[k, c] = sweep.samples[k, c].max()
    place, arms = sweep.channel_position, sweep.sensor.lever_arms

    def distance(a, b):
        d = math.hypot(*(place[a] - place[b])[:2])
        if math.isnan(d):
            ahead = spacing * (a[0] - b[0]) + arms[a[1], 1] - arms[b[1], 1]
            d = math.hypot(ahead, arms[a[1], 0] - arms[b[1], 0])
        return d

    look = math.ceil(merge_radius / spacing - 1e-9)
    return [
        a
        for a in score
        if score[a] > threshold
        and not any(
            (-score[b], *b) < (-score[a], *a)
            and abs(a[0] - b[0]) <= look
            and distance(a, b) <= merge_radius
            for b in score
        )
    ]


def cells(candidates):
    """Return trace and channel of each."""
    return [(c.trace, c.channel) for c in candidates]


def stream(stage, sweep, where):
    """Return the candidates of a lane cut into chunks, empty ones included."""
    bounds = [0, *[min(i, len(sweep)) for i in where], len(sweep)]
    found = [stage.process(sweep[a:b]) for a, b in itertools.pairwise(bounds)]
    return [*itertools.chain(*found), *stage.flush()]


cuts = st.lists(st.integers(0, N_TRACES), max_size=8).map(sorted)


@given(
    seed=st.integers(0, 50),
    radius=st.sampled_from([0.02, 0.13, 0.25, 0.6]),
    threshold=st.sampled_from([-1.0, 20.0, 30.0]),
    bad=st.sets(st.integers(0, N_TRACES - 1), max_size=15),
    lost=st.sets(st.integers(0, N_TRACES - 1), max_size=15),
)
def test_matches_brute_force(seed, radius, threshold, bad, lost):
    """Every cell against every other: ties, dropouts, traces without position."""
    sweep = make_scores(n_traces=25, seed=seed)
    index = np.arange(25)
    quality = np.where(np.isin(index, sorted(bad)), int(Quality.STUCK), 0)
    quality |= np.where(index == 13, int(Quality.EDGE), 0)
    quality |= np.where(np.isin(index, sorted(lost)), int(Quality.POSE_NONE), 0)
    position = sweep.position.copy()
    position[np.isin(index, sorted(lost))] = np.nan
    sweep = dataclasses.replace(sweep, quality=quality, position=position)
    options = {"spacing": 0.05, "merge_radius": radius, "threshold": threshold}
    assert cells(extract_candidates(sweep, **options)) == naive_cells(sweep, **options)


@given(n_traces=st.integers(0, N_TRACES), where=cuts, bad=st.sets(st.integers(0, 49)))
def test_chunks_do_not_matter(n_traces, where, bad):
    """However a lane is cut, the candidates are the same, in every field."""
    sweep = make_scores(n_traces=n_traces)
    is_bad = np.isin(np.arange(n_traces), sorted(bad))
    samples = np.where(is_bad[:, None, None], np.nan, sweep.samples)
    flags = np.where(is_bad, int(Quality.NOT_FINITE), 0)
    sweep = dataclasses.replace(sweep, samples=samples, quality=flags)
    found = stream(ExtractCandidates(**OPTIONS), sweep, where)
    # NaN is not equal to itself, so compare words
    assert list(map(repr, found)) == list(map(repr, extract_candidates(sweep, **OPTIONS)))


def test_latency_is_as_declared():
    """After n traces, exactly the candidates of the first n - latency traces are out."""
    sweep, stage, out = make_scores(), ExtractCandidates(**OPTIONS), []
    expected = extract_candidates(sweep, **OPTIONS)
    assert stage.latency == 5
    assert len(expected) > 3
    for n in range(1, N_TRACES + 1):
        out += stage.process(sweep[n - 1 : n])
        assert out == [c for c in expected if c.trace < n - stage.latency]
    assert out + stage.flush() == expected


@pytest.mark.parametrize(
    ("radius", "latency"), [(0.25, 5), (0.2, 4), (0.15, 3), (0.26, 6), (0.01, 1)]
)
def test_look_ahead_covers_the_radius(radius, latency):
    """As many traces as the radius reaches, whatever its rounding."""
    options = OPTIONS | {"merge_radius": radius}
    assert ExtractCandidates(**options).latency == latency


@pytest.mark.parametrize("end", ["flush", "reset"])
def test_the_next_lane_starts_afresh(end):
    """After a flush, or a reset in mid-lane, nothing of the last lane remains."""
    stage, sweep = ExtractCandidates(**OPTIONS), make_scores()
    other = make_scores(n_traces=23, n_channels=2, seed=5)
    stage.process(dataclasses.replace(other, lane="lane 0", samples=other.samples + 100))
    getattr(stage, end)()
    assert stage.flush() == []
    assert [*stage.process(sweep), *stage.flush()] == extract_candidates(sweep, **OPTIONS)


def test_buffers_stay_apart():
    """A driver may reuse its buffer; the scores are not written to."""
    sweep, stage, found = make_scores(), ExtractCandidates(**OPTIONS), []
    buffer = np.empty_like(sweep.samples[:10])
    for start in range(0, N_TRACES, 10):
        chunk = sweep[start : start + 10]
        buffer[:] = chunk.samples
        found += stage.process(dataclasses.replace(chunk, samples=buffer))
        assert buffer.tobytes() == chunk.samples.tobytes()
        buffer[:] = 77
    assert found + stage.flush() == extract_candidates(sweep, **OPTIONS)


def test_the_lane_must_continue():
    """A chunk of another lane, time or type, or behind a gap, is refused and not kept."""
    sweep, stage = make_scores(), ExtractCandidates(**OPTIONS)
    found, rest = stage.process(sweep[:10]), sweep[10:]
    gap = dataclasses.replace(rest, quality=rest.quality | Quality.GAP)
    for bad, message in [
        (dataclasses.replace(rest, lane="lane 2"), r"Must be .* lane 'lane 1'"),
        (sweep[5:], "Must follow the chunk before"),
        (gap, "a gap lies before 40 of its traces"),
    ]:
        with pytest.raises(ValueError, match=message):
            stage.process(bad)
    with pytest.raises(TypeError, match=r"scores of type ndarray\. Must be a Sweep"):
        stage.process(sweep.samples)
    found += [*stage.process(rest), *stage.flush()]
    assert found == extract_candidates(sweep, **OPTIONS)


def test_a_candidate_tells_where_and_when():
    """Place of the channel, time, score, two-way time of the best sample and flags."""
    samples = np.zeros((30, 2, 4))
    samples[12, 1] = [0, 3, 9, 3]
    flags = np.where(np.arange(30) == 12, int(Quality.POSE_COARSE), 0)
    sweep = make_sweep(samples, quality=flags, speed=0.5)
    (found,) = extract_candidates(sweep, **OPTIONS)
    assert (found.sensor, found.lane, found.trace, found.channel) == ("gpr", "lane 1", 12, 1)
    npt.assert_allclose((found.easting, found.northing), (0.0625, 0.6))
    npt.assert_allclose((found.time, found.score, found.two_way_time), (1.2, 9.0, 2e-10))
    assert found.quality == Quality.POSE_COARSE
    assert repr(ExtractCandidates(**OPTIONS)) == (
        "ExtractCandidates(spacing=0.05, merge_radius=0.25, threshold=2.0)"
    )


def test_metal_detectors_and_frequencies_have_no_two_way_time():
    """A gate, or a frequency, is no two-way time."""
    for sensor in (make_coils(2, 4), make_sensor(2, 4, axis_unit="Hz")):
        samples = np.zeros((30, 2, 4))
        samples[12] = 5
        (found,) = extract_candidates(make_sweep(samples, sensor=sensor), **OPTIONS)
        assert math.isnan(found.two_way_time)
        assert found.channel == 0  # of equal ones, the lower channel


def test_the_threshold_itself_is_not_above_it():
    """Scores equal to the threshold are no candidates; the least above it are."""
    samples = np.zeros((20, 1, 1), np.float32)
    samples[10] = 2.0
    assert extract_candidates(make_sweep(samples), **OPTIONS) == []
    samples[10] = np.nextafter(np.float32(2), np.float32(3))
    assert cells(extract_candidates(make_sweep(samples), **OPTIONS)) == [(10, 0)]


@pytest.mark.parametrize(("apart", "n_found"), [(5, 1), (6, 2)])
def test_the_radius_merges_what_lies_within_it(apart, n_found):
    """Equal peaks 25 cm apart are one, at the earlier trace; 30 cm apart are two."""
    samples = np.zeros((40, 1, 1))
    samples[[10, 10 + apart]] = 4.0
    options = OPTIONS | {"merge_radius": 0.26}
    found = extract_candidates(make_sweep(samples), **options)
    assert cells(found) == [(10, 0), (16, 0)][:n_found]


def test_a_slope_has_one_candidate():
    """Along a ramp every cell but the last is beaten by the next."""
    ramp = np.linspace(3, 9, 30)[:, None, None]
    assert cells(extract_candidates(make_sweep(ramp), **OPTIONS)) == [(29, 0)]


def test_a_dropout_neither_is_nor_hides_a_candidate():
    """A flagged peak is no candidate, and its neighbour is not lost to it."""
    samples = np.zeros((40, 1, 1))
    samples[20], samples[22] = 9.0, 4.0
    for flag in (Quality.STUCK, Quality.EDGE):
        flags = np.where(np.arange(40) == 20, int(flag), 0)
        sweep = make_sweep(samples, quality=flags)
        assert cells(extract_candidates(sweep, **OPTIONS)) == [(22, 0)]
        assert not sweep.is_credited[20]  # not observed, which is not "nothing there"


def test_other_flags_do_not_hide_a_candidate():
    """An alarm from a late or fast trace is still an alarm; it carries the flags."""
    samples = np.zeros((40, 1, 1))
    samples[20] = 9.0
    flags = np.where(np.arange(40) == 20, int(Quality.LATE | Quality.SPEED_LIMIT), 0)
    (found,) = extract_candidates(make_sweep(samples, quality=flags), **OPTIONS)
    assert found.quality == Quality.LATE | Quality.SPEED_LIMIT


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"merge_radius": -1}, "Invalid merge_radius '-1.0'"),
        ({"threshold": np.nan}, "Invalid threshold 'nan'. Must be finite"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        ExtractCandidates(**OPTIONS | bad)


# --- merging across lanes


def make_candidate(easting, northing, score, *, sensor="emi", lane="1", trace=0):
    """Return a candidate at a place."""
    return Candidate(
        sensor=sensor,
        lane=lane,
        trace=trace,
        channel=0,
        time=0.0,
        easting=easting,
        northing=northing,
        score=score,
    )


places = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 5), st.sampled_from("ab")),
    max_size=20,
)


@given(places=places, order=st.randoms(use_true_random=False))
def test_merging_keeps_the_best_whatever_the_order(places, order):
    """Greedy by the definition; what is dropped lies near something at least as good."""
    found = [
        make_candidate(0.1 * e, 0.1 * n, float(s), lane=lane, trace=i)
        for i, (e, n, s, lane) in enumerate(places)
    ]
    kept = merge_candidates(found, radius=0.25)
    mixed = found.copy()
    order.shuffle(mixed)
    assert merge_candidates(mixed, radius=0.25) == kept

    def apart(a, b):
        return math.hypot(a.easting - b.easting, a.northing - b.northing)

    for a, b in itertools.combinations(kept, 2):
        assert apart(a, b) > 0.25
        assert a.score >= b.score
    for a in found:
        assert a in kept or any(apart(a, b) <= 0.25 and b.score >= a.score for b in kept)


def test_duplicates_of_two_passes_become_one():
    """Two lanes over one target give one candidate, and another sensor's stays."""
    found = [
        make_candidate(0.0, 0.0, 5.0, lane="1"),
        make_candidate(0.1, 0.0, 7.0, lane="2"),
        make_candidate(0.1, 0.1, 2.0, lane="2", sensor="gpr"),
    ]
    assert merge_candidates(found, radius=0.25) == [found[1], found[2]]


def test_a_chain_is_not_merged_away():
    """What lies near a dropped candidate only is kept."""
    chain = [make_candidate(0.0, 0.2 * i, 9.0 - i, trace=i) for i in range(4)]
    assert [c.trace for c in merge_candidates(chain, radius=0.25)] == [0, 2]


def test_candidates_without_a_place_are_kept():
    """Nothing tells what they duplicate, and they hide nothing."""
    found = [make_candidate(math.nan, math.nan, 9.0 - i, trace=i) for i in range(2)]
    found.append(make_candidate(0.0, 0.0, 1.0, trace=3))
    assert merge_candidates(found, radius=0.25) == found
    assert merge_candidates([], radius=0.25) == []
    with pytest.raises(ValueError, match=r"Invalid radius '0\.0'"):
        merge_candidates(found, radius=0)
