"""Positions of receivers: NMEA and UBX, cut anywhere, over midnight, damaged, at a port."""

from __future__ import annotations

import calendar
import datetime
import math
import os
import socket
import struct
import termios
import time
import tty

import pytest
from hypothesis import given
from hypothesis import strategies as st
from links import Running

from minesense.message import FixClass, StreamDeclaration
from minesense.stream.byte_input import FileInput, SerialInput, TcpInput
from minesense.stream.framed_source import FramedSource
from minesense.stream.frames import encode_frame
from minesense.stream.nmea_positions import NmeaPositions
from minesense.stream.receiver_source import ReceiverSource
from minesense.stream.receiver_stamps import GPS_EPOCH, gps_from_week_time, utc_to_clock
from minesense.stream.ubx_positions import UbxPositions, fletcher
from minesense.stream.utc_days import UtcDays
from minesense.sweep import Frame

DAY = datetime.date(2026, 3, 1)


def declaration(clock="utc", datum="ellipsoid", **changes):
    fields = {
        "name": "gnss",
        "kind": "position",
        "clock": clock,
        "coordinates": "geographic",
        "frame": Frame(),
        "height_datum": datum,
        "lever_arm": (0.0, 0.4, 1.2),
    }
    return StreamDeclaration(**fields | changes)


def sentence(text):
    """Return a sentence with its checksum."""
    value = 0
    for letter in text:
        value ^= ord(letter)
    return f"${text}*{value:02X}\r\n".encode()


def gga(clock="092725.00", quality=4, latitude="4717.11399,N", longitude="00833.91590,E"):
    return sentence(f"GNGGA,{clock},{latitude},{longitude},{quality},12,0.8,499.6,M,48.0,M,,")


def seconds(text):
    """Return the seconds of UTC since 1970, by the calendar module."""
    return calendar.timegm(datetime.datetime.fromisoformat(text).timetuple())


def test_a_fix_is_read_as_the_sentence_says():
    """Degrees from minutes, height over the ellipsoid as a sum, time with its date."""
    positions = NmeaPositions(declaration(), date=DAY)
    (fix,) = positions.feed(gga())
    latitude, longitude, height = fix.coordinates
    assert latitude == pytest.approx(47 + 17.11399 / 60, abs=1e-12)
    assert longitude == pytest.approx(8 + 33.9159 / 60, abs=1e-12)
    assert height == pytest.approx(547.6)
    assert (fix.fix, fix.stamp) == (FixClass.FIXED, seconds("2026-03-01T09:27:25"))
    assert math.isnan(fix.error)
    assert math.isnan(fix.heading)
    (fix,) = NmeaPositions(declaration(datum="geoid"), date=DAY).feed(gga())
    assert fix.coordinates[2] == pytest.approx(499.6)


def test_south_and_west_are_negative():
    (fix,) = NmeaPositions(declaration(), date=DAY).feed(
        gga(latitude="0130.0,S", longitude="07015.0,W")
    )
    assert fix.coordinates[:2] == (-1.5, -70.25)


@pytest.mark.parametrize(
    ("quality", "expected"),
    [(0, 0), (1, 1), (2, 2), (3, 1), (4, 4), (5, 3), (6, 0), (7, 0), (8, 0), ("", 0), ("x", 0)],
)
def test_only_what_was_measured_is_a_fix(quality, expected):
    """Others say that the receiver lives, and give no coordinates."""
    (fix,) = NmeaPositions(declaration(), date=DAY).feed(gga(quality=quality))
    assert fix.fix == expected
    assert math.isnan(fix.coordinates[0]) == (expected == 0)


@pytest.mark.parametrize(
    "damage",
    [
        {"latitude": "4717.11399,"},  # no hemisphere
        {"latitude": "4777.11399,N"},  # minutes
        {"latitude": "9100.0,N"},
        {"longitude": "nan,E"},
        {"longitude": ",E"},
    ],
)
def test_coordinates_that_cannot_be_are_no_fix(damage):
    (fix,) = NmeaPositions(declaration(), date=DAY).feed(gga(**damage))
    assert fix.fix == FixClass.NONE


def test_errors_and_headings_are_those_of_the_sentences_before():
    """2 drms of GST; true heading of HDT or THS; both go out of date."""
    positions = NmeaPositions(declaration(), date=DAY)
    positions.feed(gga("092725.00"))
    positions.feed(sentence("GNGST,092725.00,1.0,,,,0.03,0.04,0.1") + sentence("GNHDT,90.0,T"))
    (fix,) = positions.feed(gga("092725.10"))
    assert fix.error == pytest.approx(0.1)
    assert fix.heading == pytest.approx(math.pi / 2)
    positions.feed(sentence("GNTHS,180.0,A"))
    assert positions.feed(gga("092725.20"))[0].heading == pytest.approx(math.pi)
    positions.feed(sentence("GNTHS,170.0,V"))
    assert math.isnan(positions.feed(gga("092725.30"))[0].heading)
    late = positions.feed(gga("092729.00"))[0]
    assert math.isnan(late.error)
    positions.feed(sentence("GNGST,092729.00,,,,,,,") + sentence("GNGST"))
    assert positions.counters()["n_unreadable"] == 2


def test_a_course_is_no_heading():
    positions = NmeaPositions(declaration())
    positions.feed(sentence("GNRMC,092725.00,A,4717.1,N,00833.9,E,1.1,77.0,010326,,,A"))
    (fix,) = positions.feed(gga())
    assert math.isnan(fix.heading)
    assert fix.stamp == seconds("2026-03-01T09:27:25")


def test_dates_come_from_sentences_and_not_from_the_computer():
    """Before the first of them a fix is counted and left out."""
    positions = NmeaPositions(declaration())
    assert positions.feed(gga()) == []
    assert positions.feed(sentence("GNRMC,,V,,,,,,,,,,N")) == []
    positions.feed(sentence("GNZDA,092726.00,01,03,2026,00,00"))
    assert positions.feed(gga("092726.00"))[0].stamp == seconds("2026-03-01T09:27:26")
    assert positions.feed(sentence("GNGGA,,,,,,0,,,,,,,,")) == []
    assert positions.counters()["n_undated"] == 2


def test_a_date_is_carried_over_midnight_once():
    """After a second midnight without a date stamps go back, which the session sees."""
    positions = NmeaPositions(declaration(), date=DAY)
    clocks = ("235959.50", "000000.00", "235959.80", "000000.50", "120000.00", "235959.00")
    stamps = [positions.feed(gga(clock))[0].stamp for clock in clocks]
    midnight = seconds("2026-03-02T00:00:00")
    assert stamps[:4] == [midnight - 0.5, midnight, midnight - 0.2, midnight + 0.5]
    assert stamps[4:] == [midnight + 43200, midnight + 86399]
    assert positions.feed(gga("000001.00"))[0].stamp == midnight + 1
    assert positions.counters()["n_backward_days"] == 1
    positions.feed(sentence("GNZDA,000002.00,03,03,2026,00,00"))
    assert positions.feed(gga("000002.00"))[0].stamp == midnight + 86402


@given(start=st.integers(0, 86399), steps=st.lists(st.integers(1, 40_000), max_size=12))
def test_told_dates_give_rising_stamps(start, steps):
    """With a date in every epoch any number of midnights is right."""
    days, now = UtcDays(), 86400.0 * 20_000 + start
    for step in [0, *steps]:
        now += step
        day, second = divmod(now, 86400.0)
        days.note(datetime.date(1970, 1, 1) + datetime.timedelta(days=day), second)
        assert days.stamp(second) == now


def test_gps_time_needs_its_leap_seconds():
    with pytest.raises(ValueError, match="Invalid leap_seconds None for clock 'gps'"):
        NmeaPositions(declaration("gps"), date=DAY)
    positions = NmeaPositions(declaration("gps"), date=DAY, leap_seconds=18)
    expected = seconds("2026-03-01T09:27:25") - seconds("1980-01-06T00:00:00") + 18
    assert positions.feed(gga())[0].stamp == expected
    assert seconds("1980-01-06T00:00:00") == GPS_EPOCH
    with pytest.raises(ValueError, match="leap_seconds"):
        utc_to_clock(0.0, "gps", -1)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"coordinates": "local"}, "geographic positions"),
        ({"height_datum": "ground"}, "'geoid' or 'ellipsoid'"),
        ({"clock": "host"}, "'utc' or 'gps'"),
    ],
)
def test_a_receiver_cannot_be_everything(changes, rule):
    for kind in (NmeaPositions, UbxPositions):
        with pytest.raises(ValueError, match=rule):
            kind(declaration(**changes))


LOG = b"".join(
    [
        b"\x00noise$",
        sentence("GNZDA,092725.00,01,03,2026,00,00"),
        gga("092725.00"),
        gga("092725.10")[:25],  # cut: the next one is not swallowed
        gga("092725.20"),
        gga("092725.30").replace(b"499.6", b"599.6"),  # checksum
        sentence("GNGST,092725.00,1.0,,,,0.03,0.04,0.1"),
        gga("092725.40"),
    ]
)


def read(parser, data, cuts):
    found, start = [], 0
    for stop in [*sorted(cuts), len(data)]:
        found += parser.feed(data[start:stop])
        start = stop
    return [repr(message) for message in found], parser.counters()


@given(cuts=st.lists(st.integers(0, len(LOG)), max_size=20))
def test_cutting_sentences_changes_nothing(cuts):
    """And a sentence that was cut or damaged costs itself alone."""
    whole = read(NmeaPositions(declaration()), LOG, [])
    assert read(NmeaPositions(declaration()), LOG, cuts) == whole
    assert len(whole[0]) == 3
    assert whole[1]["n_dropped"] == 3


@given(
    noise=st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([LOG[:70], b"$", b"*"])))
)
def test_noise_is_survived_in_bounded_memory(noise):
    parsers = [NmeaPositions(declaration()), UbxPositions(declaration())]
    for piece in noise:
        for parser in parsers:
            parser.feed(piece)
            assert len(parser._held) <= 1024


# UBX


def pvt(**changes):
    """Return a NAV-PVT, packed here by hand from the fields of the protocol's table."""
    f = {
        "tow": 120_000_000 + 8 * 3_600_000, "year": 2026, "month": 3, "day": 2, "hour": 17,
        "minute": 19, "second": 42, "valid": 0x07, "nano": 250_000_000, "fix": 3, "flags": 0x81,
        "lat": 471_234_567, "lon": -81_234_567, "height": 547_600, "msl": 499_600, "hacc": 14,
        "head": 9_000_000,
    } | changes  # fmt: skip
    payload = struct.pack(
        "<IHBBBBBBIiBBBBiiiiIIiiiiiIIHHIihH",
        *(f["tow"], f["year"], f["month"], f["day"], f["hour"], f["minute"], f["second"]),
        *(f["valid"], 0, f["nano"], f["fix"], f["flags"], 0, 12),
        *(f["lon"], f["lat"], f["height"], f["msl"], f["hacc"], 0),
        *(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        *(f["head"], 0, 0),
    )
    assert len(payload) == 92
    body = b"\x01\x07" + len(payload).to_bytes(2, "little") + payload
    return b"\xb5\x62" + body + fletcher(body)


def test_a_message_of_ubx_is_read_as_its_table_says():
    parser = UbxPositions(declaration())
    (fix,) = parser.feed(pvt(flags=0x81 | 0x20))
    assert fix.coordinates == pytest.approx((47.1234567, -8.1234567, 547.6), abs=1e-9)
    assert (fix.fix, fix.error) == (FixClass.FIXED, pytest.approx(0.028))
    assert fix.stamp == seconds("2026-03-02T17:19:42") + 0.25
    assert fix.heading == pytest.approx(math.pi / 2)
    (fix,) = UbxPositions(declaration(datum="geoid")).feed(pvt())
    assert fix.coordinates[2] == pytest.approx(499.6)


@pytest.mark.parametrize(
    ("flags", "fix", "expected"),
    [
        (0x81, 3, FixClass.FIXED),
        (0x41, 3, FixClass.FLOAT),
        (0x03, 3, FixClass.DIFFERENTIAL),
        (0x01, 3, FixClass.SINGLE),
        (0x01, 2, FixClass.SINGLE),
        (0x00, 3, FixClass.NONE),
        (0x81, 1, FixClass.NONE),  # dead reckoning
        (0x81, 0, FixClass.NONE),
    ],
)
def test_classes_of_ubx_fixes(flags, fix, expected):
    (message,) = UbxPositions(declaration()).feed(pvt(flags=flags, fix=fix))
    assert message.fix == expected
    assert math.isnan(message.coordinates[0]) == (expected == FixClass.NONE)
    assert math.isnan(message.coordinates[2]) == (expected == FixClass.NONE or fix == 2)
    assert math.isnan(message.heading)


def test_ubx_times_that_are_not_resolved_are_left_out():
    parser = UbxPositions(declaration())
    assert [parser.feed(pvt(valid=valid)) for valid in (0, 1, 3, 6)] == [[]] * 4
    assert parser.counters()["n_undated"] == 4
    (early,) = parser.feed(pvt(nano=-250_000_000))
    assert early.stamp == seconds("2026-03-02T17:19:42") - 0.25


def test_gps_time_of_ubx_is_its_time_of_the_week():
    """2 March 2026 is a Monday; 18 leap seconds lie between both clocks."""
    utc = seconds("2026-03-02T17:19:42") + 0.25
    of_week = 86400 + 17 * 3600 + 19 * 60 + 42.25 + 18
    parser = UbxPositions(declaration("gps"))
    (fix,) = parser.feed(pvt(tow=round(1000 * of_week)))
    assert fix.stamp == pytest.approx(utc - GPS_EPOCH + 18, abs=1e-6)
    end = 604_800.0 * 2000
    for offset in (-1.0, 0.0, 1.0):  # at the end of a week
        assert (
            gps_from_week_time(offset % 604_800, end + offset + GPS_EPOCH - 18) == end + offset
        )


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_cutting_messages_changes_nothing(cuts):
    """Between sentences and noise; a damaged message costs itself alone."""
    damaged = bytearray(pvt(second=43))
    damaged[30] ^= 4
    data = (
        b"\xb5"
        + LOG[:60]
        + pvt()
        + bytes(damaged)
        + b"\xb5\x62\x01\x07\xff\xff"
        + pvt(second=44)
    )
    whole = read(UbxPositions(declaration()), data, [])
    cuts = [cut for cut in cuts if cut <= len(data)]
    assert read(UbxPositions(declaration()), data, cuts) == whole
    assert len(whole[0]) == 2


# At ports


def test_a_receiver_in_a_file(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(LOG)
    source = ReceiverSource(FileInput(path), declaration(), NmeaPositions(declaration()))
    with Running(source) as running:
        running.thread.join(10)
    assert [type(message).__name__ for message in running.messages] == [
        "StreamDeclaration", *["PositionMessage"] * 3,
    ]  # fmt: skip
    assert source.counters()["n_positions"] == 3


def test_a_receiver_at_a_socket_is_connected_again():
    listener = socket.create_server(("127.0.0.1", 0))
    source = ReceiverSource(
        TcpInput(*listener.getsockname()), declaration(), UbxPositions(declaration())
    )
    with Running(source) as running:
        first, _ = listener.accept()
        first.sendall(pvt() + pvt(second=43)[:40])
        running.wait(lambda: len(running.messages) == 2)
        first.close()
        second, _ = listener.accept()
        second.sendall(pvt(second=44))
        running.wait(lambda: len(running.messages) == 3)
        second.close()
    listener.close()
    assert [message.sequence for message in running.messages[1:]] == [0, 1]


def test_a_serial_port():
    """A terminal of the system stands for it; frames and sentences come through."""
    ours, theirs = os.openpty()
    tty.setraw(theirs, termios.TCSANOW)
    name = os.ttyname(theirs)
    source = ReceiverSource(
        SerialInput(name, baud_rate=9600), declaration(), NmeaPositions(declaration())
    )
    with Running(source) as running:
        running.wait(lambda: running.source.counters()["n_connections"] == 1)
        for start in range(0, len(LOG), 7):
            os.write(ours, LOG[start : start + 7])
        running.wait(lambda: len(running.messages) == 4)
    framed = FramedSource(SerialInput(name, baud_rate=115_200))
    with Running(framed) as running:
        running.wait(lambda: running.source.counters()["n_connections"] == 1)
        os.write(ours, b"noise" + encode_frame(bytes(40)))
        running.wait(lambda: len(running.packets) == 1)
    os.close(ours), os.close(theirs)


def test_a_serial_port_that_comes_back(tmp_path):
    """The device is pulled out and put in again; its name leads to another terminal."""
    name = tmp_path / "port"
    source = FramedSource(SerialInput(str(name)))
    first, first_end = os.openpty()
    tty.setraw(first_end)
    name.symlink_to(os.ttyname(first_end))
    with Running(source) as running:
        running.wait(lambda: source.counters()["n_connections"] == 1)
        os.write(first, encode_frame(bytes(20))[:-3])
        time.sleep(0.1)
        second, second_end = os.openpty()
        tty.setraw(second_end)
        name.unlink()
        name.symlink_to(os.ttyname(second_end))
        os.close(first), os.close(first_end)
        running.wait(lambda: source.counters()["n_connections"] == 2)
        os.write(second, encode_frame(bytes(30)))
        running.wait(lambda: [len(p.payload) for p in running.packets] == [30])
        os.close(second), os.close(second_end)
    assert source.counters()["n_torn"] == 1


def test_a_port_that_is_not_there_is_an_error():
    source = FramedSource(SerialInput("/dev/no-such-port"), connect_timeout=0.2)
    with pytest.raises(OSError, match="no-such-port"):
        source.run(print)
    with pytest.raises(ValueError, match="Invalid baud_rate"):
        SerialInput("/dev/no-such-port", baud_rate=0)
