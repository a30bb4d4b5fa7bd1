"""Test the calibration of a lag from a recording: recovered, or refused with the reason."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest
from live_streams import declarations, packets
from numpy import testing as npt

from minesense.cli import main
from minesense.emi.lag_calibration import calibrate_lag
from minesense.message import DeviceFlag, FixClass, PositionMessage, SensorMessage
from minesense.payload import Encoder
from minesense.sensor import Sensor
from minesense.stream.frames import write_frames
from minesense.stream.located_scans import located_scans
from minesense.stream.recorder import Recorder
from minesense.sweep import Quality, Sweep

SPEED, START = 0.5, 1000.0


def place_at(time, length):
    """Return where a platform is that drives to and fro along a line from 0 on."""
    return length - np.abs(SPEED * time % (2 * length) - length)


def to_and_fro(
    *, lag=0.0, n_legs=4, length=5.0, rate=50.0, target=2.3, size=400.0, declared=0.0,
    place=place_at, seed=0, turned=False,
):  # fmt: skip
    """Return the messages of coils whose stamps are `lag` late, over a target in noise."""
    rng = np.random.default_rng(seed)
    coils, gnss = declarations(rate, 10.0)
    coils = dataclasses.replace(coils, lag=declared, lag_error=None)
    sensor, seconds, timed = coils.sensor, n_legs * length / SPEED, []
    for k in range(int(seconds * rate)):
        time = k / rate
        samples = rng.normal(size=sensor.shape)
        going = place(np.array([time, time + 1e-3]), length)
        back = turned and going[1] < going[0]
        for c, (right, forward, _) in enumerate(sensor.lever_arms.tolist()):
            side, ahead = (-right, -forward) if back else (right, forward)
            distance = math.hypot(float(going[0]) + ahead - target, side)
            samples[c] += size * np.exp(-((distance / 0.15) ** 2) - sensor.axis / 6e-5)
        stamp = START + time + lag
        message = SensorMessage(
            stream="coils", sequence=k, stamp=stamp, samples=samples.astype(np.float32)
        )
        timed.append((time + lag, 1, message))
    for k in range(int((seconds + 3) * 10) + 1):
        time = k / 10
        going = place(np.array([time, time + 1e-3]), length)
        back = turned and going[1] < going[0]
        antenna = float(going[0]) + (-0.25 if back else 0.25)
        message = PositionMessage(
            stream="gnss",
            sequence=k,
            stamp=START + time,
            coordinates=(0.0, antenna, 0.0),
            fix=FixClass.FIXED,
            error=0.02,
            heading=math.pi if back else 0.0,
            height=0.05,
        )
        timed.append((time, 0, message))
    timed.sort(key=lambda item: item[:2])
    return [coils, gnss, *(message for _, _, message in timed)]


def calibrated(found, **options):
    """Return what the scans of messages say of the lag."""
    sweeps, *_ = located_scans(found, "coils")
    return calibrate_lag(sweeps, **options)


@pytest.mark.parametrize("lag", [0.0, 0.137, -0.211])
@pytest.mark.parametrize("turned", [False, True], ids=["backing up", "turning round"])
def test_a_simulated_lag_is_recovered_within_its_error(lag, turned):
    """Far below the interval between scans; every pair agrees."""
    found = calibrated(to_and_fro(lag=lag, turned=turned))
    assert abs(found.lag - lag) <= found.error < 0.01
    assert (found.n_passes, len(found.pairs), found.refused) == (4, 2, ())
    for pair in found.pairs:
        assert abs(pair.lag - lag) < 4 * pair.error + 1e-3


def test_the_error_is_that_of_repeated_trials():
    """About one in twenty lies outside what is stated."""
    lags = [
        calibrated(to_and_fro(lag=0.137, size=40.0, n_legs=8, seed=seed)) for seed in range(12)
    ]
    outside = [abs(found.lag - 0.137) > found.error for found in lags]
    assert sum(outside) <= 3
    spread = np.std([found.lag for found in lags])
    assert 0.4 < np.median([found.error for found in lags]) / (1.96 * spread) < 2.5


@pytest.mark.parametrize("n_legs", [4, 8])
def test_the_error_holds_where_positions_wander(n_legs):
    """By a centimetre, slowly: few pairs must not pretend to know how far they differ."""
    n_outside = 0
    for seed in range(16):
        rng = np.random.default_rng(1000 + seed)
        found, wrong = [], rng.normal()
        for message in to_and_fro(lag=0.137, n_legs=n_legs, seed=seed, rate=25.0):
            if isinstance(message, PositionMessage):
                wrong = 0.995 * wrong + 0.1 * rng.normal()  # over 20 s
                x, y, z = message.coordinates
                found.append(dataclasses.replace(message, coordinates=(x, y + 0.01 * wrong, z)))
            else:
                found.append(message)
        result = calibrated(found)
        n_outside += abs(result.lag - 0.137) > result.error
    assert n_outside <= 2


def test_a_single_pair_is_refused():
    """It can show no contradiction."""
    with pytest.raises(ValueError, match="one pair of opposite passes"):
        calibrated(to_and_fro(n_legs=2))


def test_passes_that_are_equal_bit_for_bit_have_no_lag():
    """Without noise a standard error is zero, and no number is divided by it."""
    sensor = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=np.zeros((1, 3)))
    there = 0.03125 * np.arange(129)
    sweeps = []
    for k in range(4):
        line = there if k % 2 == 0 else there[::-1]
        sweeps.append(
            Sweep(
                samples=np.exp(-(((line - 2.0) / 0.25) ** 2))[:, None, None],
                time=100.0 * k + 0.0625 * np.arange(129),
                position=np.column_stack([0 * line, line, 0 * line]),
                heading=0 * line,
                sensor=sensor,
            )
        )
    found = calibrate_lag(sweeps)
    assert abs(found.lag) <= found.error < 1e-6


def test_a_recording_of_nothing_says_what_it_holds():
    """Where positions are lost, where samples are none, where nothing moves."""
    drive = to_and_fro(n_legs=2)
    lost = [
        dataclasses.replace(m, fix=FixClass.NONE) if isinstance(m, PositionMessage) else m
        for m in drive
    ]
    n = sum(isinstance(m, SensorMessage) for m in drive)
    with pytest.raises(ValueError, match=f"{n} scans, {n} usable, 0 of them with a place"):
        calibrated(lost)
    none = [
        dataclasses.replace(m, samples=np.full_like(m.samples, np.nan))
        if isinstance(m, SensorMessage)
        else m
        for m in drive
    ]
    with pytest.raises(ValueError, match=f"{n} scans, 0 usable, 0 of them with a place"):
        calibrated(none)


def test_a_missing_heading_is_said():
    """The heading of the track points the wrong way when the platform backs up."""
    drive = to_and_fro(turned=True)
    assert located_scans(drive, "coils").is_heading_stated
    bare = [
        dataclasses.replace(m, heading=math.nan) if isinstance(m, PositionMessage) else m
        for m in drive
    ]
    assert not located_scans(bare, "coils").is_heading_stated


def test_pairs_that_contradict_each_other_widen_the_error():
    """A lag that changes in mid-drive is not stated with the error of one that does not."""
    steady = calibrated(to_and_fro(lag=0.1, n_legs=4))
    found, middle = to_and_fro(lag=0.1, n_legs=4), START + 20.0
    moved = [
        dataclasses.replace(m, stamp=m.stamp + 0.08)
        if isinstance(m, SensorMessage) and m.stamp > middle + 0.1
        else m
        for m in found
    ]
    other = calibrated(moved)
    assert other.error > 10 * steady.error
    assert other.error > 0.04


def test_a_recording_gives_its_declaration(tmp_path, capsys):
    """From MCAP and from frames; what is declared already is part of the result."""
    found = to_and_fro(lag=0.137, declared=0.1)
    recording, frames = tmp_path / "drive.mcap", tmp_path / "drive.frames"
    with Recorder(recording) as recorder:
        for packet in packets(found):
            recorder.write(packet)
    encoder = Encoder()
    write_frames(frames, [encoder.encode(message) for message in found])
    texts = []
    for path in (recording, frames):
        words = ["calibrate-lag", path, "--stream", "coils", "--output", tmp_path / "lag.json"]
        assert main([str(word) for word in words]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    fields = json.loads("{" + re.search(r'"lag": .*', texts[0]).group(0) + "}")
    assert abs(fields["lag"] - 0.137) <= fields["lag_error"] < 0.01
    assert "0.1 s were declared already" in texts[0]
    document = json.loads((tmp_path / "lag.json").read_text())
    assert document["lag"] == pytest.approx(fields["lag"], abs=1e-3)
    assert len(document["pairs"]) == 2
    # declared as printed, the same drive has no lag left
    (coils, *rest) = found
    again = calibrated([dataclasses.replace(coils, lag=fields["lag"]), *rest])
    assert abs(again.lag) <= again.error


def wandering(time, length):
    """Return places on a way in one direction."""
    return SPEED * time


REFUSED = {
    "one pass": (to_and_fro(n_legs=1), "1 passes .* Must hold two or more"),
    "one way": (
        [m for m in to_and_fro(n_legs=3) if not 10 <= getattr(m, "stamp", 0) - START < 20],
        "its 2 passes go one way",
    ),
    "nothing there": (to_and_fro(size=0.0), "nothing stands out"),
    "a target at the end": (to_and_fro(target=4.8), r"the target is 0\.\d\d m from an end"),
    "straight on": (to_and_fro(place=wandering), "1 passes"),
    "no positions": (
        [m for m in to_and_fro() if getattr(m, "stream", getattr(m, "name", "")) != "gnss"],
        "no stream of positions",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_tells_no_lag_is_refused(case, tmp_path, capsys):
    """With the reason, in one line."""
    found, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        calibrated(found)
    path = tmp_path / "drive.mcap"
    with Recorder(path) as recorder:
        for packet in packets(found):
            recorder.write(packet)
    assert main(["calibrate-lag", str(path), "--stream", "coils"]) == 2
    error = capsys.readouterr().err
    assert re.search(message, error)
    assert len(error.strip().splitlines()) == 1


def test_streams_that_are_not_meant():
    """Positions, and names that nobody declared, with those that could be meant."""
    found = to_and_fro(n_legs=1)
    with pytest.raises(ValueError, match=r"it is one of positions. Must be one of: coils"):
        located_scans(found, "gnss")
    with pytest.raises(ValueError, match=r"it is not declared. Must be one of: coils, gnss"):
        located_scans(found, "coil")


def test_scans_are_located_as_they_were_sent():
    """None is filtered; one by one they lie where the platform was."""
    found = to_and_fro(n_legs=2)
    sent = [m for m in found if isinstance(m, SensorMessage)]
    (sweep,), declaration, _ = located_scans(found, "coils")
    assert declaration.name == "coils"
    npt.assert_array_equal(sweep.samples, [m.samples for m in sent])
    npt.assert_allclose(sweep.time, [m.stamp for m in sent], atol=1e-6)
    inside = np.abs(sweep.time - START - 10.0) > 0.1  # fixes cut the corner of the turn
    npt.assert_allclose(
        sweep.position[inside, 1], place_at(sweep.time - START, 5.0)[inside], atol=1e-6
    )


def test_scans_are_cut_where_something_is_missing():
    """A gap, a set zero; scans that mean nothing, or lie between far fixes, are flagged."""
    found = []
    flagged = {8.0: DeviceFlag.REZEROED, 9.0: DeviceFlag.SATURATED}
    for message in to_and_fro(n_legs=2):
        time = getattr(message, "stamp", START) - START
        if isinstance(message, SensorMessage) and not 4.0 <= time < 5.0:
            flags = flagged.get(time, DeviceFlag(0))
            found.append(dataclasses.replace(message, flags=flags))
        elif not isinstance(message, SensorMessage) and not 12.0 < time < 13.0:
            found.append(message)
    sweeps, *_ = located_scans(found, "coils")
    assert [len(sweep) for sweep in sweeps] == [200, 150, 600]
    flags = sweeps[2].quality
    assert np.flatnonzero(flags & Quality.SATURATED).tolist() == [50]
    lost = np.flatnonzero(flags & Quality.POSE_NONE)
    assert lost.tolist() == list(range(201, 251))
