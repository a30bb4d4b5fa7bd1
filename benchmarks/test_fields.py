"""
Benchmark synthetic fields: time and memory at three areas, and other platforms.

With ``MINESENSE_HECTARE=1`` in the environment memory is that of a whole hectare, a hundred
lanes of 100 m, beside two of them; that takes an hour.
"""

import itertools
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from minesense.synthetic import cart, drone, field, handheld, scenario

#: Lanes, of 10 m by 1 m for the truth and of 1 m for sweeps. Lanes differ in what lies in
#: them, and with it in time, by a factor of two: few of them would measure that.
SIZES = (8, 16, 32)
SHORT = 1.0
#: Lanes of the streams whose memory is compared, and their length in metres.
STREAMS = (2, 100, 100.0) if os.environ.get("MINESENSE_HECTARE") == "1" else (2, 8, 10.0)

#: Streams a field of so many lanes and prints the greatest memory of the process, in MB; that
#: of getrusage would count what its parent had before.
STREAM = """
import re, sys
from pathlib import Path
from minesense.synthetic import field, scenario
lanes = {"training": int(sys.argv[1]), "blind": 0, "length": float(sys.argv[2])}
for sweep in field(scenario("farmland", lanes=lanes), seed=1).stream():
    pass
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def make_field(n_lanes, **lanes):
    """Return a field of lanes of 10 m."""
    lanes = {"training": n_lanes, "blind": 0, "length": 10.0} | lanes
    return field(scenario("farmland", lanes=lanes), seed=1)


def check_growth(benchmark, parts_of, *, rounds, length):
    """
    Time sizes beside each other; note time per area and its exponent, which is about 1.

    A machine that is shared changes its pace from second to second: sizes that are timed one
    after the other, each at its own pace, would say more of the machine than of the fields.
    Here all of them advance together, part by part, and a round that met a change between
    its parts is outvoted.
    """
    seconds = np.zeros((rounds, len(SIZES)))
    for row in seconds:
        running = [parts_of(n_lanes) for n_lanes in SIZES]
        is_going = True
        while is_going:
            for i, parts in enumerate(running):
                start = time.perf_counter()
                is_going = next(parts, None) is not None
                row[i] += time.perf_counter() - start
    slopes = np.polyfit(np.log(SIZES), np.log(seconds).T, 1)[0]
    best = seconds.min(axis=0)
    benchmark.extra_info["seconds"] = dict(zip(map(str, SIZES), best.tolist(), strict=True))
    benchmark.extra_info["square_metres_per_second"] = SIZES[-1] * length / best[-1]
    benchmark.extra_info["exponents"] = np.round(slopes, 3).tolist()
    benchmark.extra_info["exponent"] = float(np.median(slopes))
    if not benchmark.disabled:
        assert 0.8 < np.median(slopes) < 1.2


def test_truth(benchmark):
    """Soils, targets and clutter of all lanes, without a sensor."""

    def parts_of(n_lanes):
        yield len(make_field(n_lanes).truth.objects)

    for n_lanes in SIZES:
        assert next(parts_of(n_lanes)) > 10 * n_lanes
    benchmark.pedantic(lambda: make_field(SIZES[0]).truth, rounds=3)
    check_growth(benchmark, parts_of, rounds=1 if benchmark.disabled else 9, length=10.0)


def test_sweeps(benchmark):
    """Both sensors of the cart, lane by lane, on one thread."""
    carrier = cart()

    def parts_of(n_lanes):
        sweeps = iter(make_field(n_lanes, length=SHORT).stream(carrier))
        while part := list(itertools.islice(sweeps, 2 * n_lanes // SIZES[0])):
            yield len(part)

    assert list(parts_of(SIZES[1])) == [4] * SIZES[0]  # and compiles the kernels
    benchmark.pedantic(lambda: list(parts_of(SIZES[0])), rounds=1)
    check_growth(benchmark, parts_of, rounds=1 if benchmark.disabled else 2, length=SHORT)


def test_memory(benchmark):
    """A process that streams many lanes needs hardly more than one that streams two."""
    few_lanes, many_lanes, length = STREAMS

    def peak(n_lanes):
        command = [sys.executable, "-c", STREAM, str(n_lanes), str(length)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(result.stdout)

    few = peak(few_lanes)
    many = benchmark.pedantic(lambda: peak(many_lanes), rounds=1)
    benchmark.extra_info["metres_a_lane"] = length
    benchmark.extra_info[f"megabytes_of_{few_lanes}_lanes"] = few
    benchmark.extra_info[f"megabytes_of_{many_lanes}_lanes"] = many
    assert many < 1.1 * few


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("coil", lambda: handheld(sensors="coil")),
        ("dual", lambda: handheld(sensors="dual")),
        ("drone", drone),
    ],
)
def test_platforms(benchmark, name, make):
    """One lane of 25 m by 1 m; faster than it would be swept."""
    made = make_field(1, length=25.0)
    carrier = make()
    list(make_field(1, length=1.0).stream(carrier))  # compiles the kernels
    sweeps = benchmark.pedantic(lambda: made.sweep(carrier), rounds=2)
    if benchmark.stats:
        seconds = sweeps[0].time[-1] - sweeps[0].time[0]
        benchmark.extra_info["seconds_of_recording"] = seconds
        benchmark.extra_info["traces_per_second"] = (
            sum(map(len, sweeps)) / benchmark.stats["min"]
        )
        assert benchmark.stats["min"] < seconds
