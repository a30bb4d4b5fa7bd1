"""Test that no order of arrival and no value of a message upsets a session or its counters."""

import dataclasses
import itertools
import math

import live_streams as live
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.message import FixClass, NoteMessage, Packet, PositionMessage, SensorMessage
from minesense.stream import Session
from minesense.stream.events import CountersReport, LaneFailed, PayloadRefused
from minesense.stream.frames import FrameDecoder, encode_frame

COILS, GNSS = live.declarations()
SCANS = [m for m in live.messages(3.0) if isinstance(m, SensorMessage)]
FIXES = [m for m in live.messages(3.0) if isinstance(m, PositionMessage)]
REJECTED = (
    *("duplicate", "late", "backward", "time_jump", "not_a_time", "bad_shape", "undeclared"),
    "overflow",
)


def new_session():
    """Return a session that knows both streams."""
    session = Session(live.config(), settings=live.SETTINGS)
    for declaration in (COILS, GNSS):
        session.push(declaration)
    return session


def identity_holds(report, *, is_final=False):
    """Fail unless every message is in one counter."""
    for counters in report.streams.values():
        rejected = sum(getattr(counters, name) for name in REJECTED)
        assert counters.received == counters.accepted + rejected + counters.undecided
        settled = counters.observed + counters.partial + counters.not_observed
        settled += counters.invalid
        if settled or counters.pending:
            assert counters.accepted == settled + counters.pending
        if is_final:
            assert counters.pending == counters.undecided == 0


def checked(session, messages):
    """Return the last report of a session that took messages; check every one."""
    found = live.run(session, messages)
    reports = live.only(found, CountersReport)
    for report in reports:
        identity_holds(report)
    identity_holds(reports[-1], is_final=True)
    assert not live.only(found, LaneFailed)
    return reports[-1]


@given(order=st.lists(st.booleans(), max_size=len(SCANS) + len(FIXES)))
@settings(max_examples=40)
def test_any_interleaving_is_counted(order):
    """Streams that overtake one another lose nothing: each keeps its own order."""
    scans, fixes = iter(SCANS), iter(FIXES)
    mixed = [next(scans if is_scan else fixes, None) for is_scan in order]
    mixed = [message for message in mixed if message is not None]
    rest = [*scans, *fixes]
    report = checked(new_session(), [*mixed, *rest])
    for name, sent in (("coils", SCANS), ("gnss", FIXES)):
        assert report.streams[name].received == report.streams[name].accepted == len(sent)
        assert report.streams[name].missing == 0


BYTES = b"".join(encode_frame(packet.payload) for packet in live.packets(live.messages(1.5)))


@given(cuts=st.lists(st.integers(0, len(BYTES)), max_size=60))
@settings(max_examples=40)
def test_any_cut_of_the_bytes_is_the_same(cuts):
    """However a link cuts the bytes, the same packets come, and the same counters."""
    decoder, payloads = FrameDecoder(), []
    edges = [0, *sorted(cuts), len(BYTES)]
    for start, stop in itertools.pairwise(edges):
        payloads += decoder.feed(BYTES[start:stop])
    packets = [Packet(0.0, payload) for payload in payloads]
    report = checked(Session(live.config(), settings=live.SETTINGS), packets)
    assert report.n_refused == 0
    sent = live.messages(1.5)
    for name, kind in (("coils", SensorMessage), ("gnss", PositionMessage)):
        assert report.streams[name].accepted == sum(isinstance(m, kind) for m in sent)


@given(data=st.data())
@settings(max_examples=40)
def test_packets_cut_short_are_counted(data):
    """Bytes of packets that lack their end are refused or counted, never raised."""
    session = new_session()
    packets = live.packets(live.messages(1.0))
    n_refused = 0
    for packet in packets:
        size = data.draw(st.sampled_from((len(packet.payload),) * 4 + (0, 1, 5, 20)))
        events = session.push(Packet(0.0, packet.payload[:size]))
        n_refused += len(live.only(events, PayloadRefused))
    last = session.finish()[-1]
    identity_holds(last, is_final=True)
    assert last.n_refused == n_refused


anything = st.floats(width=64)
usual = st.floats(999.0, 1010.0)
stamps = st.one_of(usual, anything)
sequences = st.integers(0, 2**32 - 1)


@st.composite
def hostile(draw):
    """Return a message of any values at all."""
    kind = draw(st.sampled_from(("scan", "fix", "note")))
    stamp, sequence = draw(stamps), draw(sequences)
    if kind == "note":
        topic = draw(st.sampled_from(("lane", "end lane", "mark", "check", "setting", "x")))
        key = draw(st.sampled_from(("name", "easting", "passed", "response", "sensor")))
        value = draw(st.one_of(anything, st.booleans(), st.text(max_size=5), st.none()))
        return NoteMessage(
            stream=draw(st.sampled_from(("", "coils", "gnss"))),
            sequence=sequence,
            stamp=stamp,
            topic=topic,
            content={key: value},
        )
    if kind == "scan":
        samples = np.full(SCANS[0].samples.shape, draw(st.floats(width=32)), np.float32)
        samples.flat[draw(st.integers(0, samples.size - 1))] = draw(st.floats(width=32))
        return dataclasses.replace(SCANS[0], sequence=sequence, stamp=stamp, samples=samples)
    return PositionMessage(
        stream="gnss",
        sequence=sequence,
        stamp=stamp,
        coordinates=tuple(draw(st.one_of(st.floats(-5, 5), anything)) for _ in range(3)),
        fix=draw(st.sampled_from(FixClass)),
        error=draw(anything),
        heading=draw(anything),
        height=draw(anything),
        pitch=draw(anything),
        roll=draw(anything),
    )


@given(messages=st.lists(hostile(), max_size=25), place=st.integers(0, 120))
@settings(max_examples=70)
def test_no_value_raises(messages, place):
    """Stamps, coordinates and samples of any value, among good ones."""
    good = live.messages(2.0)[2:]
    session = new_session()
    found = live.run(session, [*good[:place], *messages, *good[place:]])
    reports = live.only(found, CountersReport)
    for report in reports:
        identity_holds(report)
    identity_holds(reports[-1], is_final=True)
    assert all(not math.isnan(report.time) for report in reports)
