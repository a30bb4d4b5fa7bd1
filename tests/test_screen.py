"""Test the screen: cuts change nothing, gaps are kept, what was not seen is said."""

import dataclasses
import itertools

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.detect import (
    CoilSettings,
    DetectorSettings,
    RadarSettings,
    Screen,
    radar_stages,
)
from minesense.gaps import split_at_gaps
from minesense.stage import run_lane
from minesense.sweep import Quality, no_traces

# Windows of a few traces, so that short lanes have an inside.
SETTINGS = DetectorSettings(
    radar=RadarSettings(
        spacing=0.05,
        ground_time=1.5e-9,
        ground_search=(0.8e-9, 2.2e-9),
        ground_polarity="either",
        dewow=1.4e-9,
        background=0.3,
        whitening=0.4,
        whitening_guard=0.1,
        guard=0.1,
        ring=0.4,
        threshold=4.0,
        merge_radius=0.15,
    ),
    coils=CoilSettings(
        spacing=0.05,
        baseline=0.3,
        taus=(2e-5, 1e-4),
        noise_length=0.5,
        guard=0.2,
        footprint=0.1,
        threshold=4.0,
        merge_radius=0.15,
    ),
)
N_TRACES = 56


def radar_lane(n_traces=N_TRACES, *, quality=None, northing=None, places=(20, 38)):
    """Return noise, a bounce at 1.5 ns and buried echoes over a few traces."""
    rng = np.random.default_rng(seed=4)
    time = 1.25e-10 * np.arange(48)

    def ricker(delay):
        argument = (np.pi * 1.5e9 * (time - delay)) ** 2
        return (1 - 2 * argument) * np.exp(-argument)

    samples = 0.02 * rng.normal(size=(n_traces, 2, 48)) + 5 * ricker(1.5e-9)
    for place in places:
        for k in range(max(0, place - 2), min(n_traces, place + 3)):
            samples[k] += 2.0 * ricker(3.2e-9 + 1e-11 * (k - place) ** 2)
    return finish_lane(samples, make_sensor(2, 48, interval=1.25e-10), quality, northing)


def coil_lane(n_traces=N_TRACES, *, quality=None, northing=None, places=(20, 38)):
    """Return noise and decays over a few traces."""
    sensor = make_coils(2)
    samples = 1e-11 * np.random.default_rng(seed=5).normal(size=(n_traces, 2, 12))
    along = np.arange(n_traces)[:, None, None]
    for place in places:
        samples += 1e-9 * np.exp(-(((along - place) / 2.0) ** 2)) * np.exp(-sensor.axis / 5e-5)
    return finish_lane(samples, sensor, quality, northing)


def finish_lane(samples, sensor, quality, northing):
    """Return a sweep with flags, blanked where they say so, at the places given."""
    n_traces = len(samples)
    quality = np.zeros(n_traces, np.int64) if quality is None else quality
    samples[(quality & Quality.NOT_FINITE) != 0] = np.nan
    options = {} if northing is None else {"position": track(northing)}
    return make_sweep(
        samples, sensor=sensor, quality=quality, time=0.1 * np.arange(n_traces), **options
    )


def track(northing):
    """Return positions due north."""
    return np.column_stack([0 * northing, northing, 0 * northing])


def screen(chunks, settings=SETTINGS):
    """Return what a screen finds in chunks, and the candidates it gave on the way."""
    stage = Screen(settings)
    early = [candidate for chunk in chunks for candidate in stage.push(chunk)]
    return stage.finish(), early


def assert_same(actual, desired):
    """Fail unless parts, scores, candidates and gaps agree in every bit."""
    assert (actual.kind, actual.lane, actual.gaps) == (desired.kind, desired.lane, desired.gaps)
    assert len(actual.parts) == len(desired.parts)
    for a, b in zip(actual.parts, desired.parts, strict=True):
        assert a.candidates == b.candidates
        assert a.best.tobytes() == b.best.tobytes()
        assert a.position.tobytes() == b.position.tobytes()
        assert bounce_bytes(a) == bounce_bytes(b)
        for x, y in ((a.processed, b.processed), (a.scores, b.scores)):
            assert x.samples.tobytes() == y.samples.tobytes()
            assert x.quality.tobytes() == y.quality.tobytes()
            assert x.time.tobytes() == y.time.tobytes()


def bounce_bytes(part):
    """Return what a part knows of the ground bounce, bit for bit; None for coils."""
    if part.bounce is None:
        return None
    names = ("time", "amplitude", "direct_time", "direct_amplitude")
    return [getattr(part.bounce, name).tobytes() for name in names]


QUALITY = np.zeros(N_TRACES, np.int64)
QUALITY[[7, 30, 31]] = Quality.NOT_FINITE
NORTHING = 0.05 * np.arange(N_TRACES) + np.where(np.arange(N_TRACES) >= 28, 0.9, 0.0)
WITH_TROUBLE = {"quality": QUALITY, "northing": NORTHING}
LANES = {
    "radar": radar_lane(),
    "coils": coil_lane(),
    "radar, dropouts and gap": radar_lane(**WITH_TROUBLE),
    "coils, dropouts and gap": coil_lane(**WITH_TROUBLE),
}
BOTH = pytest.mark.parametrize("make", [radar_lane, coil_lane], ids=["radar", "coils"])


@pytest.fixture(scope="module")
def whole():
    """Return every lane screened in one piece."""
    return {name: screen([lane])[0] for name, lane in LANES.items()}


@pytest.mark.parametrize("name", LANES)
@settings(max_examples=6)
@given(cuts=st.lists(st.integers(0, N_TRACES), max_size=5).map(sorted))
@example(cuts=[28])
@example(cuts=[0, 27, 27, 29, N_TRACES])
def test_cuts_do_not_matter(whole, name, cuts):
    """However a lane is cut, beside a gap or inside a dropout, each bit is the same."""
    lane = LANES[name]
    bounds = [0, *cuts, N_TRACES]
    chunks = [lane[a:b] for a, b in itertools.pairwise(bounds)]
    assert_same(screen(chunks)[0], whole[name])


@pytest.mark.parametrize("name", LANES)
def test_trace_by_trace_is_the_same(whole, name):
    """As a cart would deliver them; what was noticed on the way is part of the result."""
    lane = LANES[name]
    found, early = screen([lane[k : k + 1] for k in range(N_TRACES)])
    assert_same(found, whole[name])
    kept = [candidate for part in found.parts for candidate in part.candidates]
    assert early
    assert set(early) <= set(kept)


@BOTH
def test_what_lies_there_is_noticed(make):
    """Both places, with the trace they lie at, and no part is lost."""
    found, _ = screen([make()])
    (part,) = found.parts
    assert len(part.processed) == len(part.scores) == len(part.best) == N_TRACES
    traces = [candidate.trace for candidate in part.candidates]
    assert any(abs(trace - 20) <= 1 for trace in traces)
    assert any(abs(trace - 38) <= 1 for trace in traces)
    for candidate in part.candidates:
        assert part.best[candidate.trace, candidate.channel] == candidate.score
        npt.assert_allclose(
            part.position[candidate.trace, candidate.channel, :2],
            (candidate.easting, candidate.northing),
        )
    assert found.gaps == ()


@BOTH
def test_the_flush_gives_the_last_traces(make):
    """A place near the end is noticed only when the lane ends, but it is noticed."""
    lane = make(places=(49,))
    stage = Screen(SETTINGS)
    early = stage.push(lane)
    (part,) = stage.finish().parts
    assert not any(abs(candidate.trace - 49) <= 1 for candidate in early)
    assert any(abs(candidate.trace - 49) <= 1 for candidate in part.candidates)


@BOTH
@pytest.mark.parametrize("cut", [28, 15, None], ids=["between chunks", "inside one", "whole"])
def test_a_gap_is_kept_and_never_bridged(make, cut):
    """Each side is what it would be alone; the gap has the length that is missing."""
    lane = make(northing=NORTHING)
    found, _ = screen([lane] if cut is None else [lane[:cut], lane[cut:]])
    (gap,) = found.gaps
    assert (gap.lane, gap.sensor) == (lane.lane, lane.sensor.name)
    npt.assert_allclose([gap.length, gap.start_time, gap.stop_time], [0.95, 2.7, 2.8])
    before, after = found.parts
    assert (len(before.scores), len(after.scores)) == (28, 28)
    assert after.scores.quality[0] & Quality.GAP
    sides = split_at_gaps(lane, max_step=0.25)[0]
    for part, side in zip(found.parts, sides, strict=True):
        (alone,) = screen([side])[0].parts
        assert part.best.tobytes() == alone.best.tobytes()
        assert part.candidates == alone.candidates


@BOTH
def test_a_flagged_gap_splits_where_no_ground_is_missing(make):
    """A recorder that says so is believed."""
    quality = np.zeros(N_TRACES, np.int64)
    quality[25] = Quality.GAP
    found, _ = screen([make(quality=quality)])
    assert [len(part.scores) for part in found.parts] == [25, 31]
    npt.assert_allclose(found.gaps[0].length, 0.05)


def test_the_greatest_step_is_that_of_the_settings():
    """A longer step than max_gap is a gap, one as long is not."""
    wide = dataclasses.replace(SETTINGS, max_gap=1.0)
    assert screen([radar_lane(northing=NORTHING)], wide)[0].gaps == ()
    narrow = dataclasses.replace(SETTINGS, max_gap=0.9)
    assert len(screen([radar_lane(northing=NORTHING)], narrow)[0].gaps) == 1


@BOTH
def test_dropouts_are_not_observed(make):
    """A flagged trace has no score, is not judged, and never yields a candidate."""
    quality = np.zeros(N_TRACES, np.int64)
    lost = slice(18, 23)  # all of the first place
    quality[lost] = Quality.NOT_FINITE
    (part,) = screen([make(quality=quality)])[0].parts
    assert np.isnan(part.best[lost]).all()
    assert not part.scores.is_judged[lost].any()
    assert not part.scores.is_credited[lost].any()
    assert np.isfinite(part.best[part.scores.is_usable]).all()
    assert not any(18 <= candidate.trace < 23 for candidate in part.candidates)


def test_the_edge_of_a_lane_says_that_it_is_one():
    """Before the radar's memory is filled, traces are flagged and not credited."""
    (part,) = screen([radar_lane()])[0].parts
    assert part.scores.quality[0] & Quality.EDGE
    assert not part.scores.is_credited[0]
    assert part.scores.is_judged.sum() > N_TRACES // 4


def flagged_edge(part):
    """Return the traces of a part whose scores have EDGE."""
    return np.flatnonzero(part.scores.quality & Quality.EDGE).tolist()


WIDE = dataclasses.replace(
    SETTINGS, coils=dataclasses.replace(SETTINGS.coils, footprint=0.4, guard=0.25)
)


@pytest.mark.parametrize("cut", [None, 28, 30], ids=["whole", "at the gap", "behind it"])
def test_a_metal_detector_that_restarts_in_mid_lane_says_so(cut):
    """Half a footprint behind a gap is not observed; what is noticed there is kept, flagged."""
    lane = coil_lane(northing=NORTHING, places=(12, 29))
    chunks = [lane] if cut is None else [lane[:cut], lane[cut:]]
    noted = []
    stage = Screen(WIDE, note=noted.append)
    early = [candidate for chunk in chunks for candidate in stage.push(chunk)]
    before, after = stage.finish().parts
    assert flagged_edge(before) == []
    assert flagged_edge(after) == [0, 1, 2, 3]
    assert not after.scores.is_credited[:4].any()
    assert after.scores.is_credited[4:].all()
    near = [c for c in after.candidates if c.score > 100]
    assert near
    assert all(c.trace < 4 and c.quality & Quality.EDGE for c in near)
    assert not any(c.quality & Quality.EDGE for c in before.candidates)
    assert set(early) <= {*before.candidates, *after.candidates}
    told = np.concatenate([scores.quality for scores in noted])
    kept = np.concatenate([part.scores.quality for part in (before, after)])
    assert told.tobytes() == kept.tobytes()


def test_a_metal_detector_whose_first_trace_says_gap_restarted():
    """A screen of its own for each part, as of a session without a model, flags the same."""
    lane = coil_lane(northing=NORTHING)
    sides = split_at_gaps(lane, max_step=0.25)[0]
    for keep in (True, False):
        noted = []
        for side in sides:
            stage = Screen(WIDE, keep=keep, note=noted.append)
            for k in range(len(side)):
                stage.push(side[k : k + 1])
            stage.end_part()
        quality = np.concatenate([scores.quality for scores in noted])
        assert np.flatnonzero(quality & Quality.EDGE).tolist() == [28, 29, 30, 31]


@BOTH
def test_a_lane_of_nothing_but_dropouts_has_no_candidate(make):
    """It is not an error: the ground was swept and not observed."""
    quality = np.full(N_TRACES, int(Quality.NOT_FINITE), np.int64)
    (part,) = screen([make(quality=quality)])[0].parts
    assert part.candidates == ()
    assert not part.scores.is_judged.any()
    assert np.isnan(part.best).all()


def test_one_lost_trace_is_a_lane():
    """Not even the distance between traces is known."""
    found, _ = screen([radar_lane(1, quality=np.array([int(Quality.NOT_FINITE)]), places=())])
    assert [len(part.scores) for part in found.parts] == [1]


@BOTH
def test_an_empty_lane_is_refused(make):
    """Whether nothing came, or chunks without traces."""
    with pytest.raises(ValueError, match=r"0 traces\. Must hold at least one"):
        Screen(SETTINGS).finish()
    with pytest.raises(ValueError, match="Invalid lane 'lane 1': 0 traces"):
        screen([make()[:0]])


@BOTH
def test_an_empty_chunk_changes_nothing(make):
    """At the start, between traces or at the end."""
    lane = make()
    found, _ = screen([lane[:0], lane[:20], lane[:0], lane[20:], lane[:0]])
    assert_same(found, screen([lane])[0])


@BOTH
@pytest.mark.parametrize("n_traces", [1, 2, 5])
def test_a_short_lane_is_refused(make, n_traces):
    """The message has the lane, the sensor, the length and the windows."""
    lane = make(n_traces, places=())
    message = f"'lane 1' of sensor '{lane.sensor.name}': {n_traces} traces, too few .* Must be"
    with pytest.raises(ValueError, match=message):
        screen([lane])


@BOTH
@pytest.mark.parametrize("factor", [0.5, 1.5, 0.0])
def test_another_spacing_is_refused(make, factor):
    """Windows in metres would be wrong; 20 % is let pass, 50 % is not."""
    with pytest.raises(ValueError, match=r"m apart. Must be 0.05 m within 30 %"):
        screen([make(northing=0.05 * factor * np.arange(N_TRACES))])
    screen([make(northing=0.05 * 1.2 * np.arange(N_TRACES))])


def test_another_spacing_is_noticed_though_a_position_is_missing():
    """One trace without a position does not switch the check off."""
    northing = 0.1 * np.arange(N_TRACES)
    northing[33] = np.nan
    quality = np.zeros(N_TRACES, np.int64)
    quality[33] = Quality.POSE_NONE
    with pytest.raises(ValueError, match=r"are 0\.1 m apart"):
        screen([radar_lane(northing=northing, quality=quality)])


def test_chunks_must_continue_the_lane():
    """Another lane, another sensor, time backwards or no sweep at all are refused."""
    stage = Screen(SETTINGS)
    lane = radar_lane()
    stage.push(lane[:20])
    with pytest.raises(ValueError, match="lane"):
        stage.push(dataclasses.replace(lane[20:], lane="lane 2"))
    with pytest.raises(ValueError, match="sensor"):
        stage.push(coil_lane()[20:])
    with pytest.raises(ValueError, match="time"):
        stage.push(lane[10:])
    with pytest.raises(TypeError, match=r"chunk of type ndarray\. Must be a Sweep"):
        stage.push(lane.samples)
    stage.push(lane[20:])
    assert_same(stage.finish(), screen([lane])[0])


def test_a_coil_without_a_record_of_itself_is_refused():
    """The decay of soil cannot be known then."""
    sensor = dataclasses.replace(make_coils(2), head=None)
    lane = make_sweep(np.zeros((N_TRACES, 2, 12)), sensor=sensor)
    with pytest.raises(ValueError, match="no head"):
        screen([lane])


def test_a_sweep_that_belongs_to_nothing_is_no_lane():
    """What stages return before a lane begins holds no trace."""
    with pytest.raises(ValueError, match="0 traces"):
        screen([no_traces()])


@pytest.mark.parametrize("make", [radar_lane, coil_lane])
def test_a_driver_may_reuse_its_buffers(make):
    lane = make()
    names = ("samples", "time", "position", "heading", "quality")
    buffers = {name: np.empty_like(getattr(lane, name)[:1]) for name in names}
    stage = Screen(SETTINGS)
    for i in range(len(lane)):
        for name, buffer in buffers.items():
            buffer[:] = getattr(lane, name)[i]
        stage.push(dataclasses.replace(lane[:0], **buffers))
    assert_same(stage.finish(), screen([lane])[0])


def test_a_finished_lane_takes_no_more():
    lane = radar_lane()
    stage = Screen(SETTINGS)
    stage.push(lane[:40])
    stage.finish()
    with pytest.raises(ValueError, match="it was finished"):
        stage.push(lane[40:])


def wave(delay, *, n_samples=64, interval=1.25e-10):
    """Return Ricker wavelets around times, one trace for each."""
    time = interval * np.arange(n_samples)
    argument = (np.pi * 1.5e9 * (time - np.asarray(delay)[..., None])) ** 2
    return (1 - 2 * argument) * np.exp(-argument)


def test_a_part_keeps_the_bounce_of_every_trace():
    """Height and amplitudes of a direct wave and a bounce that are known, flags NaN."""
    k = np.arange(N_TRACES)
    height = 0.20 + 0.03 * np.sin(k / 9)
    way = np.hypot(2 * height, 0.06)
    direct, bounce = 0.8e-9, 0.8e-9 + (way - 0.06) / 299792458
    strength = -0.3 * (1 + 0.2 * np.cos(k / 7))
    samples = 2.0 * wave(np.full(N_TRACES, direct)) + strength[:, None] * wave(bounce)
    sensor = make_sensor(2, 64, interval=1.25e-10)
    sensor = dataclasses.replace(
        sensor, radar=dataclasses.replace(sensor.radar, separation=0.06)
    )
    quality = np.zeros(N_TRACES, np.int64)
    quality[[11, 40]] = Quality.NOT_FINITE
    samples = np.stack([samples, 3 * samples], axis=1)
    radar = dataclasses.replace(
        SETTINGS.radar, ground_time=2e-9, ground_search=(1.4e-9, 3e-9), dewow=3e-9
    )
    options = dataclasses.replace(SETTINGS, radar=radar)
    (part,) = screen([finish_lane(samples, sensor, quality, None)], options)[0].parts
    found = part.bounce
    usable = quality == 0
    assert len(found) == len(part.scores) == N_TRACES
    assert found.time.shape == part.best.shape
    for values in (found.time, found.amplitude, found.direct_amplitude, found.height):
        npt.assert_array_equal(np.isfinite(values), np.tile(usable[:, None], 2))
    middle = usable & (k > 2) & (k < N_TRACES - 2)
    npt.assert_allclose(found.height[middle, 0], height[middle], atol=0.006)
    npt.assert_allclose(found.amplitude[middle, 0], strength[middle], atol=0.05)
    npt.assert_allclose(found.direct_amplitude[middle, 0], 2.0, rtol=0.1)
    npt.assert_allclose(found.amplitude[:, 1], 3 * found.amplitude[:, 0], rtol=1e-4)
    npt.assert_allclose(found.ratio[:, 1], found.ratio[:, 0], rtol=1e-4)


def test_noting_the_bounce_changes_no_score():
    """The stages as they are made for everybody give the same bits."""
    lane = radar_lane(quality=QUALITY)
    (part,) = screen([lane])[0].parts
    prepare, prescreen = radar_stages(SETTINGS.radar)
    processed = run_lane(prepare, lane)
    assert part.processed.samples.tobytes() == processed.samples.tobytes()
    assert part.processed.history == processed.history
    scores = run_lane(prescreen, processed)
    assert part.scores.samples.tobytes() == scores.samples.tobytes()


def test_coils_have_no_bounce():
    """Their parts say None."""
    (part,) = screen([coil_lane()])[0].parts
    assert part.bounce is None


def test_without_a_direct_wave_no_height_is_told():
    """A lane whose record begins with the bounce: times are known, heights are not."""
    (part,) = screen([radar_lane()])[0].parts
    assert np.isfinite(part.bounce.time).all()
    assert np.isnan(part.bounce.direct_amplitude[part.scores.is_judged]).mean() > 0.9


@pytest.mark.parametrize("name", ["median", "mean", "prediction"])
def test_the_prescreener_begins_behind_the_ground(name):
    """At the time that the ground is moved to, and as much later as the settings say."""
    chosen = RadarSettings(prescreener=name, ground_time=3e-9, start=0.25e-9)
    _, prescreen = radar_stages(chosen)
    assert prescreen.options["start_time"] == pytest.approx(3.25e-9)
