"""Benchmark the whole chain: square metres per second, first calls cold and warm."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import minesense as ms
from minesense.apps.trial import conduct
from minesense.detect import DetectorSettings, Screen

FIELD = ms.synthetic.field(
    ms.synthetic.scenario("farmland", lanes={"training": 4, "blind": 2, "length": 10.0}),
    seed=1,
)
LANE = FIELD.lanes[0].name
CART = ms.synthetic.cart()

FIRST_CALL = """
import time
import numpy as np
import minesense as ms
from lanes import make_sensor, make_sweep
lane = make_sweep(np.zeros((5, 1, 64)), sensor=make_sensor(1, 64))
start = time.perf_counter()
ms.gpr.remove_median_background(lane, spacing=0.05, half_width=0.1)
print(time.perf_counter() - start)
"""


def area_of(field):
    """Return the area of all lanes, in square metres."""
    return sum((e - w) * (n - s) for w, s, e, n in (lane.area for lane in field.lanes))


def test_demonstration(benchmark):
    """From the seed to the scores, kernels compiled, on one thread."""
    conduct(FIELD, CART, seed=1)  # compiles the kernels
    trial = benchmark.pedantic(lambda: conduct(FIELD, CART, seed=1), rounds=2)
    assert trial.scores["both"].pd_swept.n > 0
    if benchmark.stats:
        rate = area_of(FIELD) / benchmark.stats["min"]
        benchmark.extra_info["square_metres_per_second"] = rate
        assert rate > 1


def test_simulation(benchmark):
    """One lane of both sensors; a field must be made faster than it could be swept."""
    FIELD.sweep(CART, lanes=[LANE])  # compiles the kernels
    radar, _ = benchmark.pedantic(lambda: FIELD.sweep(CART, lanes=[LANE]), rounds=3)
    n_traces = len(radar) * radar.sensor.shape[0]
    if benchmark.stats:
        benchmark.extra_info["seconds_of_recording"] = radar.time[-1] - radar.time[0]
        benchmark.extra_info["radar_traces_per_second"] = n_traces / benchmark.stats["min"]
        assert benchmark.stats["min"] < radar.time[-1] - radar.time[0]


@pytest.mark.parametrize("kind", ["gpr", "emi"])
def test_screen_of_a_lane(benchmark, kind):
    """All stages of one sensor over a lane, twenty times faster than it was recorded."""
    sweep = next(s for s in FIELD.sweep(CART, lanes=[LANE]) if s.sensor.kind == kind)

    def screen():
        one = Screen(DetectorSettings())
        one.push(sweep)
        return one.finish()

    screen()  # compiles the kernels
    screened = benchmark.pedantic(screen, rounds=5)
    assert sum(len(part.scores) for part in screened.parts) == len(sweep)
    if benchmark.stats:
        seconds = sweep.time[-1] - sweep.time[0]
        benchmark.extra_info["times_real_time"] = seconds / benchmark.stats["median"]
        assert seconds > 20 * benchmark.stats["median"]


@pytest.mark.parametrize("kind", ["gpr", "emi"])
def test_streamed_trace(benchmark, kind):
    """One trace through all stages of one sensor, while the lane is on its way."""
    sweep = next(s for s in FIELD.sweep(CART, lanes=[LANE]) if s.sensor.kind == kind)
    screen, start = Screen(DetectorSettings()), len(sweep) // 2
    screen.push(sweep[:start])  # compiles the kernels and fills the windows
    traces = iter(range(start, len(sweep)))
    seconds = []

    def push():
        i = next(traces)
        begin = time.perf_counter()
        screen.push(sweep[i : i + 1])
        seconds.append(time.perf_counter() - begin)

    benchmark.pedantic(push, rounds=min(100, len(sweep) - start))
    if benchmark.stats:
        benchmark.extra_info["p99_seconds"] = float(np.percentile(seconds, 99))
        interval = float(np.median(np.diff(sweep.time)))
        benchmark.extra_info["share_of_interval"] = benchmark.stats["median"] / interval
        assert benchmark.stats["median"] < interval


@pytest.mark.parametrize("state", ["cold", "warm"])
def test_first_call(benchmark, tmp_path, state):
    """The first call of a process: compiled anew, or read from a cache."""
    environment = {
        **os.environ,
        "MINESENSE_CACHE": "1" if state == "warm" else "0",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")]),
    }
    seconds = []

    def start():
        result = subprocess.run(
            [sys.executable, "-c", FIRST_CALL],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        seconds.append(float(result.stdout))

    if state == "warm":
        start()  # fills the cache
        seconds.clear()
    benchmark.pedantic(start, rounds=2)
    benchmark.extra_info["seconds_of_the_call"] = min(seconds)
