"""Test the stored full-wave lanes: intact, sane, read right, and never trained on.

The lanes are kept in benchmarks/full_wave/data; `make full-wave` computes them anew.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.special import hankel2

import minesense
from benchmarks.full_wave import ground, judge, lanes, scenes, solver
from minesense.detect import Screen, check_sensor
from minesense.physics import ricker_spectrum
from minesense.synthetic import CATALOGUE, SOILS, scenario
from minesense.truth import METAL_CLASSES, Target, Truth

RESULTS = json.loads(judge.RESULTS.read_text())
C = 299_792_458.0


def test_every_lane_is_stored_and_small():
    """Twenty-four lanes of 3 m, each with its truth, in less than 4 MB."""
    files = sorted(lanes.FOLDER.iterdir())
    names = {lanes.lane_path(i).stem for i in range(scenes.N_LANES)}
    assert scenes.N_LANES >= 24
    assert {file.stem for file in files} == names
    assert len(files) == 2 * scenes.N_LANES
    assert sum(file.stat().st_size for file in files) < 4e6


def test_lanes_are_intact():
    """Samples are those of their digest, and truths those that were judged."""
    sweeps, _ = lanes.read_lanes()
    assert len(sweeps) == scenes.N_LANES
    assert judge._digest(lanes.FOLDER) == RESULTS["data"]


def test_a_changed_lane_is_refused(tmp_path):
    """One number more or less is noticed."""
    for suffix in (".npz", ".json"):
        shutil.copy(lanes.lane_path(0).with_suffix(suffix), tmp_path)
    path = lanes.lane_path(0, tmp_path)
    with np.load(path) as kept:
        samples = kept["samples"]
    samples[80, 90] += 1
    np.savez_compressed(path, samples=samples)
    with pytest.raises(ValueError, match=r"Invalid lane 'lane_01.npz'"):
        lanes.read_lane(0, tmp_path)


@pytest.mark.parametrize("index", [0, 5, 13])
def test_truth_is_that_of_the_recipe(index):
    """A recipe gives the same scene again, whose truth is the stored one."""
    scene = scenes.lane_scene(index)
    _, truth = lanes.read_lane(index)
    assert truth.objects == scene.objects
    again = scenes.lane_scene(index)
    np.testing.assert_array_equal(scene.cells, again.cells)
    assert scene.media == again.media


def test_truth_is_sane():
    """Mines of the catalogue, clutter, lanes without mines; apart, buried, within the lane."""
    _, truth = lanes.read_lanes()
    mines, clutter = truth.targets, truth.clutter
    assert truth.is_synthetic
    assert len(mines) >= 24
    assert 1.5 <= len(truth.objects) / scenes.N_LANES <= 3
    assert {"rock", "root", "scrap"} <= {item.kind for item in clutter}
    assert scenes.N_LANES - len({m.lane for m in mines}) >= 4
    for mine in mines:
        body = CATALOGUE[mine.kind]
        assert mine.metal_class == body.metal_class
        assert mine.diameter in (body.length, body.width)
        assert mine.depth <= body.deepest + 1e-4 or mine.depth < 0.05  # tilted, edge under
    for item in truth.objects:
        assert item.depth > 0
        assert item.metal_class in METAL_CLASSES
        assert 0.2 - 1e-4 <= item.northing <= scenes.LENGTH - 0.2 + 1e-4
        for other in truth.objects:
            if other is not item and other.lane == item.lane:
                gap = abs(other.northing - item.northing)
                assert gap >= 0.45 + (other.diameter + item.diameter) / 2 - 1e-3


def test_mines_lie_in_the_cells_where_the_truth_says():
    """Beside a mine the ground is soil; in its middle it is not."""
    for index in (0, 1, 4):
        scene = scenes.lane_scene(index)
        for item in scene.objects:
            if not item.is_target:
                continue
            along = int(np.abs(scenes.ALONG - item.northing).argmin())
            column = scene.cells[along]
            top = scenes.UPWARD[np.flatnonzero(column >= 0)[-1]]
            inside = column[top - item.depth - 0.006 > scenes.UPWARD][-1]
            assert inside >= scenes._N_LEVELS + scenes._N_FILLS


def test_soil_is_varied():
    """Four soils, with and without relaxation; levels spread around the mean as told."""
    found = [scenes.lane_scene(i) for i in range(8)]
    assert {scene.soil for scene in found} == set(scenes.SOILS)
    assert {scene.is_dispersive for scene in found} == {True, False}
    for scene in found:
        levels = scene.cells[(scene.cells >= 0) & (scene.cells < scenes._N_LEVELS)]
        assert 2.5 < levels.std() < 7.5  # 32 levels are six spreads
        thickness = (scene.cells >= 0).sum(axis=1) * scenes.CELL
        assert 0.002 < thickness.std() < 0.03


def test_topp_permittivity_is_the_published_polynomial():
    """Dry soil 3.03; a fifth of water 10.1."""
    assert scenes.topp_permittivity(0.0) == 3.03
    assert scenes.topp_permittivity(0.2) == pytest.approx(10.12, abs=0.01)


def test_random_fields_are_smooth_over_their_scale():
    """Mean 0, spread 1, and like itself within its scale but not far beyond."""
    rng = np.random.default_rng(seed=3)
    made = scenes.random_field((4000, 1), (0.1, 1.0), hurst=0.8, rng=rng)[:, 0]
    assert abs(made.mean()) < 1e-9
    assert made.std() == pytest.approx(1)

    def likeness(lag):
        n = round(lag / scenes.CELL)
        return float((made[n:] * made[:-n]).mean())

    assert likeness(0.01) > 0.9
    assert likeness(0.6) < 0.3


def test_a_line_source_becomes_the_pulse_of_the_cart():
    """A wave over the path by flat ground arrives on time with the height of a point source."""
    step, n = 11.8e-12, 850
    path = np.hypot(2 * scenes.HEIGHT, scenes.SEPARATION)
    m = 16 * n
    f = np.fft.rfftfreq(m, step)[1:]
    delay = np.exp(-2j * np.pi * f * np.sqrt(2) / 1.5e9)
    current = ricker_spectrum(f, peak=1.5e9) * delay
    field = -2 * np.pi * f * 4e-7 * np.pi / 4 * current * hankel2(0, 2 * np.pi * f * path / C)
    trace = np.fft.irfft(np.concatenate([[0], field]) / step, m)[:n]
    axis = lanes.AXIS
    made = solver.as_cart(trace[None], step, interval=axis[1] - axis[0], n_samples=len(axis))
    made = (made - solver._direct(axis))[0]
    t = axis - 1 / 1.5e9 - path / C
    x = (np.pi * 1.5e9 * t) ** 2
    np.testing.assert_allclose(made, (1 - 2 * x) * np.exp(-x) / path, atol=0.08 / path)
    assert made.max() == pytest.approx(1 / path, rel=0.06)


def test_a_lane_is_what_a_cart_of_one_pair_would_record():
    """Sensor, spacing, ground bounce and its sign; the same numbers every time; screened."""
    sweep, truth = lanes.read_lane(1)
    again, _ = lanes.read_lane(1)
    np.testing.assert_array_equal(sweep.samples, again.samples)
    sensor = lanes.radar()
    assert sweep.sensor.describe() == sensor.describe()
    check_sensor(sweep.sensor, {"gpr": sensor.describe()})
    np.testing.assert_allclose(np.diff(sweep.position[:, 1]), scenes.SPACING)
    assert sweep.position[0, 1] == -scenes.RUN_IN
    assert "SYNTHETIC" in sweep.frame.origin + sweep.history[0]
    bounce = (sweep.sensor.axis > 1.3e-9) & (sweep.sensor.axis < 1.8e-9)
    mean = sweep.samples[:, 0].mean(axis=0)
    assert mean[bounce].min() < -0.7  # a quarter or more is sent back, upside down
    screen = Screen(judge.SETTINGS)
    screen.push(sweep)
    part = screen.finish().parts[0]
    inside = (sweep.position[:, 1] >= 0) & (sweep.position[:, 1] <= scenes.LENGTH)
    assert part.scores.is_judged[inside].all()
    assert {item.lane for item in truth.objects} == {sweep.lane}


def test_nothing_is_trained_on_the_lanes(monkeypatch):
    """Training sees simulated sweeps alone, and the package does not know of the lanes."""
    for file in Path(minesense.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "full_wave" not in text, file
        assert "import benchmarks" not in text, file
        assert "from benchmarks" not in text, file
    seen = {}

    def train(sweeps, truth, **options):
        seen.update(sweeps=list(sweeps), truth=truth, **options)
        return "model"

    def refuse(*_, **__):
        pytest.fail("a full-wave lane was read while training")

    monkeypatch.setattr(minesense, "train", train)
    monkeypatch.setattr(judge, "read_lanes", refuse)
    monkeypatch.setattr(lanes, "read_lane", refuse)
    monkeypatch.setattr(np, "load", refuse)
    assert judge.train_detector(n_lanes=1) == "model"
    assert seen["settings"] is judge.SETTINGS
    assert seen["recipe"].groups == {"gpr": judge.GROUPS}
    stored = {f"full-wave {i + 1:02d}" for i in range(scenes.N_LANES)}
    assert not stored & {sweep.lane for sweep in seen["sweeps"]}
    assert not any("gprMax" in line for sweep in seen["sweeps"] for line in sweep.history)
    assert seen["sweeps"][0].sensor.describe() == lanes.radar().describe()


def test_ground_to_train_on_is_varied():
    """Presets in turn, surface and lumps of each within the limits; a recipe reads them."""
    table = ground.varied_ground(60)
    soils = list(table["own"].values())
    assert table["soils"] == tuple(soil.name for soil in soils)
    for name, (low, high) in ground.DRAWN.items():
        drawn = np.array([getattr(soil, name) for soil in soils])
        assert (drawn >= low).all()
        assert (drawn <= high).all()
        middle = np.sqrt(low * high)
        assert 20 <= (drawn < middle).sum() <= 40  # log-uniform: as many below as above
    for k, soil in enumerate(soils):
        preset = SOILS[ground.PRESETS[k % len(ground.PRESETS)]]
        assert (soil.sand, soil.clay, soil.moisture) == (
            preset.sand, preset.clay, preset.moisture,
        )  # fmt: skip
    assert ground.varied_ground(60) == table
    assert ground.varied_ground(60, seed=6) != table
    recipe = scenario("farmland", ground=table, clutter=ground.CLUTTER)
    assert recipe.ground.soil(7) == soils[7]


def test_lanes_of_other_indices_are_read(tmp_path):
    """A folder of development lanes is read in the order of its indices."""
    for index in (5, 2):
        path = lanes.lane_path(index)
        for suffix in (".npz", ".json"):
            target = lanes.lane_path(index + 98, tmp_path).with_suffix(suffix)
            shutil.copy(path.with_suffix(suffix), target)
    sweeps, truth = lanes.read_lanes(tmp_path)
    assert [sweep.lane for sweep in sweeps] == ["full-wave 03", "full-wave 06"]
    assert [float(sweep.position[0, 0]) for sweep in sweeps] == [200.0, 206.0]
    assert {item.lane for item in truth.objects} <= {sweep.lane for sweep in sweeps}


def test_judging_counts_by_metre():
    """One mine found, one false alarm, over what is left of two lanes beyond halos."""
    mine = Target(
        identifier="T", kind="pmn", is_target=True, easting=0.0, northing=1.0, depth=0.05,
        diameter=0.1, metal_class="medium", lane="a",
    )  # fmt: skip
    sweep, _ = lanes.read_lane(0)
    alarms = [judge._alarm(sweep, 1.1, 3.0, 1), judge._alarm(sweep, 2.0, 2.0, 2)]
    curve = judge.judge(alarms, Truth(objects=(mine,)), ["a", "b"])
    assert curve.area == pytest.approx(6 - 0.3)
    assert curve.pd.tolist() == [1.0, 1.0]
    assert curve.far.tolist() == pytest.approx([0.0, 1 / 5.7])


def test_plain_energy_gives_the_stored_results():
    """The baseline, computed again, is that of results.json."""
    sweeps, truth = lanes.read_lanes()
    alarms = judge.energy_alarms(sweeps)
    curve = judge.judge(alarms, truth, [sweep.lane for sweep in sweeps])
    found, stored = judge.figures_of(curve), RESULTS["detectors"]["raw energy"]
    for name in ("pd_at_false_alarms_per_m", "false_alarms_per_m_at_pd"):
        assert found[name].keys() == stored[name].keys()
        for key, value in stored[name].items():
            if value is None:
                assert found[name][key] is None
            else:  # one alarm more or less on another processor
                assert found[name][key] == pytest.approx(value, abs=0.05)
