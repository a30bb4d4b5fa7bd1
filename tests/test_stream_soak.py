"""Half an hour of a stream with every fault: nothing grows, everything is accounted for."""

import gc
import tracemalloc

import live_streams as live
import numpy as np
import pytest

from minesense.stream import ExpectedStream, PacketQueue, Session
from minesense.stream.events import CountersReport, CoverageStretch, GapFound, LaneFailed
from minesense.stream.faults import FAULTS

SECONDS = 1800.0
#: Faults that change all that follows: they come last, in this order.
LASTING = (
    "zero set, not told",
    "jump at re-acquisition",
    "cross-talk of coils",
    "battery sags",
    "settings changed",
    "level drifts",
    "clock drift",
    "date jump that stays",
    "time of day rolls over",
)
#: Without positions from the first message on there would be nothing to soak.
LEFT_OUT = ("clocks mixed", "lever arm of the wrong sign", "standstill without heading")


def soaked():
    """Return the messages of half an hour with all faults, one after another."""
    targets = np.arange(10.0, SECONDS * 0.5, 20.0).tolist()
    found = live.messages(SECONDS, rate=10.0, fix_rate=5.0, targets=targets)
    passing = [n for n in FAULTS if n not in LASTING and n not in LEFT_OUT]
    names = [*passing, *LASTING]
    step = (SECONDS - 100.0) / len(names)
    rng = np.random.default_rng(seed=7)
    # the last first: what changes stamps moves nothing that is still to come
    for k, name in reversed(list(enumerate(names))):
        found = FAULTS[name].inject(found, rng, after=40.0 + k * step)
    return found, names


@pytest.mark.slow
def test_half_an_hour_with_all_faults():
    """No crash, no growth of memory, every scan observed, not observed with reason, or lost."""
    found, names = soaked()
    assert len(names) == len(FAULTS) - len(LEFT_OUT)
    packets = live.packets(found)
    expected = ExpectedStream(name="coils", full_scale=1000.0, drift_limit=2.0)
    session = Session(
        live.config(streams=(expected,), check_tolerance=0.2, lanes="gap"),
        settings=live.SETTINGS,
    )
    queue = PacketQueue(most_packets=50)
    n_scans = n_held = 0
    report, sizes, failed = None, [], []
    tracemalloc.start()
    for k, packet in enumerate(packets):
        queue.put(packet)
        told = []
        if not k % 5000 > 4900:  # now and then the consumer is busy
            while len(queue):
                told += session.push(queue.get())
        for event in told:
            n_scans += event.n_scans if isinstance(event, CoverageStretch) else 0
            if isinstance(event, GapFound) and event.cause == "held":
                n_held += event.n_lost
            failed += [event] if isinstance(event, LaneFailed) else []
        if k % 2000 == 1999:
            told = None
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    while len(queue):
        session.push(queue.get())
    for event in session.finish():
        n_scans += event.n_scans if isinstance(event, CoverageStretch) else 0
        report = event if isinstance(event, CountersReport) else report
    assert failed == []
    third = len(sizes) // 3
    assert np.median(sizes[-third:]) - np.median(sizes[third : 2 * third]) < 0.5e6
    counters = report.streams["coils"]
    rejected = counters.duplicate + counters.late + counters.backward + counters.time_jump
    rejected += counters.not_a_time + counters.bad_shape + counters.undeclared
    lost = counters.overflow + counters.undecided
    assert counters.received == counters.accepted + rejected + lost
    settled = counters.observed + counters.partial + counters.not_observed + counters.invalid
    assert counters.pending == 0
    assert settled == counters.accepted
    assert n_scans + n_held >= settled - 50  # what the very last packets settled
    assert counters.overflow > 0
    for reason in (
        *("SATURATED", "NOT_FINITE", "STUCK", "POSE_NONE", "POSE_STALE", "POSE_COARSE"),
        *("HEIGHT_LIMIT", "HEIGHT_UNKNOWN", "SPEED_LIMIT", "TIME_COARSE", "BASELINE_STEP"),
        *("SETTING_CHANGED", "DRIFT", "CHECK_FAILED"),
    ):
        assert counters.reasons[reason] > 0, reason
    assert counters.observed > 1000
