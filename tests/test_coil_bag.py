"""Test bags of coil messages: ROS 1 and ROS 2, both storages, and what a zero means."""

import shutil

import numpy as np
import numpy.testing as npt
import pytest
from bags import write_bag

from minesense.io import FormatError, FormatWarning, read
from minesense.io.bag_messages import ODOMETRY
from minesense.io.coil_bag import read_bag, read_coil_bag
from minesense.io.signatures import is_bag
from minesense.io.trouble import Findings
from minesense.sweep import Quality

rosbags = pytest.importorskip("rosbags")

pytestmark = pytest.mark.filterwarnings("ignore:.*(lever arms|no positions):UserWarning")

KINDS = ("ros1", "sqlite3", "mcap")


def in_turn(n=20, start=100.0):
    """Return a detector's messages at 10 Hz: left, right, left, each other one zero."""
    return [
        (start + 0.1 * k, 0.2 + 0.01 * k if k % 2 == 0 else 0.0, 0.3 if k % 2 else 0.0)
        for k in range(n)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_bag_says_the_same(tmp_path, kind):
    """ROS 1, and ROS 2 in sqlite3 and mcap; a zero is "not measured"."""
    coils = [
        (t, left, right + 0.001 * k) if right else (t, left, right)
        for k, (t, left, right) in enumerate(in_turn())
    ]
    path = write_bag(tmp_path, coils, kind=kind)
    result = read(path)
    assert result.format == "coil"
    left, right = result.sweeps
    assert left.sensor.name == "coil left"
    npt.assert_allclose(left.time, 100 + 0.2 * np.arange(10), atol=1e-6)
    npt.assert_allclose(left.samples.ravel(), 0.2 + 0.02 * np.arange(10), rtol=1e-6)
    npt.assert_allclose(right.time, 100.1 + 0.2 * np.arange(10), atol=1e-6)
    assert (right.samples > 0.29).all()
    assert (left.quality & Quality.POSE_NONE).all()
    assert not (left.quality & Quality.NOT_FINITE).any()
    assert result.header["messages"] == 20
    assert result.header["both_measured"] == 0
    assert result.header["frame"] == "coils"


@pytest.mark.parametrize("kind", ["mcap", "sqlite3"])
def test_storage_is_read_with_and_without_its_folder(tmp_path, kind):
    """A file of a bag of ROS 2; other MCAP files are no bags."""
    path = write_bag(tmp_path, in_turn(), kind=kind)
    storage = next(p for p in path.iterdir() if p.suffix != ".yaml")
    assert len(read(storage).sweeps) == 2
    lone = tmp_path / storage.name
    shutil.copy(storage, lone)
    assert read(lone).format == "coil"
    assert len(read(lone).sweeps) == 2
    if kind == "mcap":
        lone.write_bytes(lone.read_bytes().replace(b"ros2", b"none", 1))
        assert not is_bag(lone.read_bytes(), lone)
    lone.write_bytes(b"text")
    with pytest.raises(FormatError, match="storage of ROS 2"):
        read_coil_bag(lone)


def test_both_zero_is_the_time_after_a_switch(tmp_path):
    """Such messages are counted and hold nothing."""
    coils = [*in_turn(6), (100.6, 0.0, 0.0), (100.7, 0.0, 0.0)]
    result = read(write_bag(tmp_path, coils))
    assert result.header["both_zero"] == 2
    assert [len(sweep) for sweep in result.sweeps] == [3, 3]
    with pytest.raises(FormatError, match="all zero"):
        read(write_bag(tmp_path / "zeros", [(100.0 + k, 0.0, 0.0) for k in range(3)]))


def test_one_coil_connected_is_one_sweep(tmp_path):
    """The other was never measured."""
    coils = [(100 + 0.1 * k, 0.1 + 0.01 * k, 0.0) for k in range(10)]
    sweep = read(write_bag(tmp_path, coils)).to_sweep()
    assert sweep.sensor.name == "coil left"
    assert len(sweep) == 10


def test_a_detector_that_was_not_calibrated(tmp_path):
    """Every value is clamped to the reference: saturated, and said so."""
    coils = [(100 + 0.1 * k, 1.0, 0.0) for k in range(10)]
    with pytest.warns(FormatWarning, match="saturated or uncalibrated"):
        sweep = read(write_bag(tmp_path, coils)).to_sweep()
    assert (sweep.quality & Quality.SATURATED).all()
    part = [(100 + 0.1 * k, 0.9 if k < 5 else 5.0, 0.0) for k in range(10)]
    with pytest.warns(FormatWarning, match="above the reference 1"):
        read(write_bag(tmp_path / "high", part))
    clamped = read(write_bag(tmp_path / "given", part), reference=5.0).to_sweep()
    assert np.flatnonzero(clamped.quality & Quality.SATURATED).tolist() == list(range(5, 10))


def test_old_values_sent_again_are_stuck(tmp_path):
    """Runs longer than max_hold, from their second message on."""
    values = [0.1, 0.2, 0.2, 0.2, 0.3, *[0.4] * 10, 0.5]
    coils = [(100 + 0.1 * k, v, 0.0) for k, v in enumerate(values)]
    path = write_bag(tmp_path, coils)
    stuck = read(path).to_sweep().quality & Quality.STUCK
    assert np.flatnonzero(stuck).tolist() == list(range(6, 15))
    short = read(path, max_hold=0.15).to_sweep().quality & Quality.STUCK
    assert np.flatnonzero(short).tolist() == [2, 3, *range(6, 15)]


def test_a_simulator_sends_both_at_once(tmp_path):
    """One sweep of two channels, with a warning that this is another meaning."""
    coils = [(100 + 0.05 * k, 0.1 + 0.01 * k, 0.2 + 0.01 * k) for k in range(10)]
    with pytest.warns(FormatWarning, match="simulator"):
        sweep = read(
            write_bag(tmp_path, coils), lever_arms=[[-0.2, 0, 0], [0.2, 0, 0]]
        ).to_sweep()
    assert sweep.sensor.shape == (2, 1)
    assert sweep.sensor.lever_arms[:, 0].tolist() == [-0.2, 0.2]
    npt.assert_allclose(sweep.samples[3].ravel(), [0.13, 0.23], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_fixes_place_the_coils(tmp_path, kind):
    """Between fixes, not across gaps; those without augmentation are coarse."""
    coils = [(100 + 0.1 * k, 0.1 + 0.01 * k, 0.0) for k in range(40)]
    fixes = [(100.0, 45.0, 7.0, 200.0, 2), (101.0, 45.0, 7.00001, 200.5, 2)]
    fixes += [(101.5, 0.0, 0.0, 0.0, -1), (102.0, 45.0, 7.00002, 201.0, 0)]
    path = write_bag(tmp_path, coils, kind=kind, fixes=fixes)
    with pytest.warns(FormatWarning, match="1 of 4 positions have no fix"):
        sweep = read(path).to_sweep()
    npt.assert_allclose(sweep.position[:20, 0], 0.0788 * np.arange(20), atol=2e-3)
    npt.assert_allclose(sweep.position[5, 2], 200.25)
    lost = (sweep.quality & Quality.POSE_NONE) != 0
    assert lost.tolist() == [False] * 21 + [True] * 19
    coarse = np.flatnonzero(sweep.quality & Quality.POSE_COARSE).tolist()
    assert coarse == list(range(11, 21))
    assert "ellipsoidal" in sweep.frame.origin
    npt.assert_allclose(sweep.heading[:20], np.pi / 2, atol=1e-6)
    with pytest.warns(FormatWarning, match="have no fix"):
        tight = read(path, max_gap=0.5).to_sweep()
    assert (tight.quality & Quality.POSE_NONE).astype(bool).sum() == 37


def test_odometry_places_the_coils(tmp_path):
    """In its own frame; repeats of a stamp are left out."""
    coils = [(100 + 0.1 * k, 0.1 + 0.01 * k, 0.0) for k in range(11)]
    odometry = [(100.0, 0.0, 0.0, 0.3), (100.5, 0.0, 1.0, 0.3), (100.5, 9.0, 9.0, 9.0)]
    odometry += [(101.0, 0.0, 2.0, 0.3)]
    with pytest.warns(FormatWarning, match="1 positions repeat"):
        sweep = read(write_bag(tmp_path, coils, odometry=odometry)).to_sweep()
    npt.assert_allclose(sweep.position[:, 1], 0.2 * np.arange(11), atol=1e-6)
    assert sweep.frame.origin == "frame 'map' of /odom: x, y, z"


def test_topics_must_be_told_apart(tmp_path):
    """Or chosen; fixes and odometry are two topics too."""
    fixes = [(100.0, 45.0, 7.0, 0.0, 2), (101.0, 45.0, 7.0, 0.0, 2)]
    odometry = [(100.0, 0.0, 0.0, 0.0), (101.0, 0.0, 2.0, 0.0)]
    path = write_bag(tmp_path, in_turn(), fixes=fixes, odometry=odometry)
    with pytest.raises(FormatError, match="chosen by position_topic"):
        read(path)
    assert read(path, position_topic="/odom").sweeps[0].frame.origin.startswith("frame 'map'")
    with pytest.raises(FormatError, match="position_topic '/gps'"):
        read(path, position_topic="/gps")
    with pytest.raises(FormatError, match="topic '/left'"):
        read(path, topic="/left")
    empty = write_bag(tmp_path / "none", [], fixes=fixes)
    with pytest.raises(FormatError, match="with a topic of metal_detector_msgs"):
        read(empty)


def test_stamps_that_run_back_start_a_new_lane(tmp_path):
    """And messages that repeat are one."""
    coils = [(100 + 0.1 * k, 0.1 + 0.01 * k, 0.0) for k in range(5)]
    coils += [coils[-1], *((50 + 0.1 * k, 0.3 + 0.01 * k, 0.0) for k in range(5))]
    with pytest.warns(FormatWarning) as caught:
        result = read(write_bag(tmp_path, coils))
    text = " ".join(str(w.message) for w in caught)
    assert "new lane" in text
    assert [len(sweep) for sweep in result.sweeps] == [5, 5]


def test_messages_for_streams_come_as_they_were(tmp_path):
    """Unjudged: zeros are zeros, and the order is that of the bag."""
    path = write_bag(tmp_path, in_turn(), odometry=[(100.0, 1.0, 2.0, 3.0)])
    coils, poses = read_bag(Findings(path))
    assert coils.values[0, 1] == 0
    assert len(coils.time) == 20
    assert poses.kind == ODOMETRY
    assert poses.values.tolist() == [[1, 2, 3]]


def test_what_is_no_bag(tmp_path):
    """Is an error, also where the metadata lead elsewhere."""
    with pytest.raises(FormatError, match=r"metadata\.yaml"):
        read_coil_bag(tmp_path)
    (tmp_path / "x.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(200))
    with pytest.raises(FormatError):
        read(tmp_path / "x.bag")
    path = write_bag(tmp_path, in_turn())
    metadata = path / "metadata.yaml"
    name = next(path.glob("*.mcap")).name
    metadata.write_text(metadata.read_text().replace(name, f"../{name}"))
    with pytest.raises(FormatError, match="storage in the folder"):
        read(path)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"reference": 0}, "reference"),
        ({"max_hold": -1}, "max_hold"),
        ({"max_gap": np.inf}, "max_gap"),
        ({"lever_arms": [[0, 0, 0]]}, "lever_arms"),
    ],
)
def test_options_out_of_range(tmp_path, options, match):
    """Are refused."""
    with pytest.raises((ValueError, TypeError), match=match):
        read_coil_bag(tmp_path, **options)
