"""Test every injectable fault: what is required of all, and what of each."""

import json
import math

import live_streams as live
import numpy as np
import pytest

from minesense import cli
from minesense.message import Packet
from minesense.stream import Session
from minesense.stream.events import CountersReport, GapFound
from minesense.stream.faults import (
    ELSEWHERE,
    FAULTS,
    LINK_FAULTS,
    Outcome,
    fall_behind,
    run_trial,
)

OPTIONS = {"seconds": 16.0, "rate": 40.0, "targets": (3.0, 6.0)}
COILS = live.messages(**OPTIONS)
RADAR = live.messages(**OPTIONS, sensors=("radar",))
KNOWN = {"coils": {}, "radar": {}}
#: Faults that the stages of the radar show.
OF_RADAR = ("restart behind a gap",)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_does_what_is_required(name):
    """No crash, alarms before it unchanged, replay the same, counters add up; and its own."""
    sensor = "radar" if name in OF_RADAR else "coils"
    outcome, failures = run_trial(
        FAULTS[name],
        RADAR if sensor == "radar" else COILS,
        live.config(),
        np.random.default_rng(seed=1),
        after=9.0,
        settings=live.SETTINGS,
        known=KNOWN[sensor],
    )
    assert failures == []
    assert outcome.events != outcome.plain


def test_a_check_fails_without_its_fault():
    """A check that passes on events without its fault would show nothing."""
    for name, fault in FAULTS.items():
        if name == "cross-talk of coils":
            continue  # the same echo is one alarm without cross-talk too
        key = (live.config(), 0.0)
        if key not in KNOWN["coils"]:
            session = Session(live.config(), settings=live.SETTINGS)
            KNOWN["coils"][key] = tuple(live.run(session, COILS))
        plain = KNOWN["coils"][key]
        outcome = Outcome(plain=plain, events=plain, begin=1009.0, config=live.config())
        assert fault.check(outcome), name


def test_every_number_of_the_table_is_injected_or_elsewhere():
    """Faults 1 to 33."""
    numbers = {fault.number for fault in FAULTS.values()} | set(ELSEWHERE)
    assert numbers == set(range(1, 34))


@pytest.mark.parametrize("name", ["link cut", "fix lost", "NaN and infinite values"])
def test_packets_and_messages_are_changed_alike(name):
    """Into packets a fault does what it does to messages; nothing before it changes."""
    packets = live.packets(COILS)
    one = FAULTS[name].inject(packets, np.random.default_rng(5), after=6.0)
    two = FAULTS[name].inject(COILS, np.random.default_rng(5), after=6.0)
    assert [p.payload for p in one] == [p.payload for p in live.packets(two)]
    n = sum(not getattr(m, "stamp", 0.0) >= 1006.0 for m in COILS)
    assert [p.payload for p in one[:n]] == [p.payload for p in packets[:n]]
    assert one != packets


def test_injection_refuses_nonsense():
    """No generator, no start."""
    with pytest.raises(TypeError, match="rng"):
        FAULTS["link cut"].inject(COILS, 3, after=1.0)
    with pytest.raises(ValueError, match="after"):
        FAULTS["link cut"].inject(COILS, np.random.default_rng(1), after=-1.0)
    with pytest.raises(ValueError, match="limits None"):
        run_trial(
            FAULTS["link cut"],
            COILS,
            live.config(limits=None),
            np.random.default_rng(1),
            after=1.0,
        )


@pytest.mark.parametrize("name", LINK_FAULTS)
def test_bytes_that_are_broken_never_crash_a_session(name):
    """Payloads as frames: what cannot be decoded is refused and counted, the rest goes on."""
    rng = np.random.default_rng(seed=2)
    packets = live.packets(COILS[:200])
    for _ in range(20):
        broken = LINK_FAULTS[name]([p.payload for p in packets[2:]], rng)
        assert broken != [p.payload for p in packets[2:]]
        session = Session(live.config(), settings=live.SETTINGS)
        told = live.run(session, packets[:2] + [Packet(0.0, data) for data in broken])
        report = live.only(told, CountersReport)[-1]
        received = sum(c.received for c in report.streams.values())
        assert received + report.n_refused in (198, 197, 199)


def test_a_consumer_that_falls_behind():
    """Bounded buffers: the loss is counted, a gap, and the rest goes on."""
    packets = live.packets(COILS)
    seen = fall_behind(
        packets, np.random.default_rng(1), after=300, n_packets=400, most_packets=100
    )
    told = live.run(Session(live.config(), settings=live.SETTINGS), seen)
    report = live.only(told, CountersReport)[-1]
    assert sum(c.overflow for c in report.streams.values()) == 300
    gaps = [e for e in live.only(told, GapFound) if e.cause == "overflow"]
    assert len(gaps) == 1
    assert gaps[0].n_lost > 200
    coils = report.streams["coils"]
    assert coils.received == coils.accepted + coils.overflow == 640
    settled = coils.observed + coils.partial + coils.not_observed + coils.invalid
    assert settled == coils.accepted
    assert math.isfinite(gaps[0].start_time)


@pytest.mark.slow
@pytest.mark.endtoend
def test_track_c_of_the_benchmark(tmp_path, capsys):
    """The command runs every fault, prints the table and writes it; no entrant is trained."""
    code = cli.main(["bench", "--quick", "--track", "C", "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert printed.count(" pass  ") >= len(FAULTS)
    results = json.loads((tmp_path / "out" / "quick.json").read_text())
    track = results["tracks"]["C"]
    assert set(track["faults"]) == set(FAULTS)
    assert track["n_failed"] == 0
    assert track["alarms_are_those_of_a_batch"]
    assert track["replay_is_the_same"]
    assert track["n_alarms"] > 4
    assert results["times"]["streaming"]["push_p99_ms"] > 0
