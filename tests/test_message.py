"""Messages of streams and their bytes: round trips, the layout by hand, hostile bytes."""

from __future__ import annotations

import contextlib
import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.message import (
    DeviceFlag,
    FixClass,
    NoteMessage,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from minesense.payload import Decoder, Encoder, declaration_document, declaration_of
from minesense.sensor import Sensor
from minesense.sensor_document import sensor_document, sensor_of
from minesense.sweep import Frame
from minesense.synthetic import cart

RADAR = Sensor(name="demo", kind="gpr", axis=1e-10 * np.arange(3), lever_arms=np.zeros((2, 3)))
SCANS = StreamDeclaration(name="radar", kind="sensor", clock="sensor", sensor=RADAR)
PLACES = StreamDeclaration(
    name="gnss",
    kind="position",
    clock="utc",
    rate=10.0,
    coordinates="geographic",
    frame=Frame(crs="EPSG:32638", origin="corner post"),
    height_datum="ellipsoid",
    lever_arm=(0.0, 0.4, 1.2),
)

numbers = st.floats(width=64, allow_nan=True)
singles = st.floats(width=32, allow_nan=True)


def same(a, b):
    """Whether two floats are the same, NaN like NaN."""
    return a == b or (math.isnan(a) and math.isnan(b))


def linked():
    """Return an encoder and a decoder that know both streams."""
    encoder, decoder = Encoder(), Decoder()
    for stream in (SCANS, PLACES):
        decoder.decode(encoder.encode(stream))
    return encoder, decoder


@pytest.mark.parametrize("sensor", [RADAR, cart().radar, cart().coils])
def test_sensors_survive_json_bit_for_bit(sensor):
    back = sensor_of(json.loads(json.dumps(sensor_document(sensor))))
    assert back.describe() == sensor.describe()
    np.testing.assert_array_equal(back.axis, sensor.axis)
    assert sensor_document(back) == sensor_document(sensor)


@pytest.mark.parametrize("declaration", [SCANS, PLACES])
def test_declarations_survive(declaration):
    back = declaration_of(json.loads(json.dumps(declaration_document(declaration))))
    assert declaration_document(back) == declaration_document(declaration)


@given(
    sequence=st.integers(0, 2**32 - 1),
    stamp=numbers,
    samples=st.lists(singles, min_size=6, max_size=6),
    flags=st.integers(0, 31),
)
def test_scans_survive(sequence, stamp, samples, flags):
    encoder, decoder = linked()
    sent = SensorMessage(
        stream="radar",
        sequence=sequence,
        stamp=stamp,
        samples=np.array(samples, np.float32).reshape(2, 3),
        flags=DeviceFlag(flags),
    )
    got = decoder.decode(encoder.encode(sent))
    assert (got.stream, got.sequence, got.flags) == ("radar", sequence, flags)
    assert same(got.stamp, stamp)
    np.testing.assert_array_equal(got.samples, sent.samples)


@given(
    stamp=numbers,
    coordinates=st.tuples(numbers, numbers, numbers),
    others=st.lists(singles, min_size=5, max_size=5),
    fix=st.sampled_from(FixClass),
)
def test_positions_survive(stamp, coordinates, others, fix):
    encoder, decoder = linked()
    names = ("error", "heading", "pitch", "roll", "height")
    sent = PositionMessage(
        stream="gnss",
        sequence=7,
        stamp=stamp,
        coordinates=coordinates,
        fix=fix,
        **dict(zip(names, others, strict=True)),
    )
    got = decoder.decode(encoder.encode(sent))
    assert got.fix == fix
    assert all(map(same, got.coordinates, coordinates))
    assert all(same(getattr(got, name), getattr(sent, name)) for name in names)


def test_notes_survive_with_and_without_a_stream():
    encoder, decoder = linked()
    for stream in ("", "radar"):
        sent = NoteMessage(
            stream=stream, sequence=1, stamp=2.0, topic="lane", content={"name": "Lane Ä"}
        )
        assert decoder.decode(encoder.encode(sent)) == sent


def test_a_scan_has_the_bytes_that_the_layout_says():
    encoder, _ = linked()
    scan = SensorMessage(
        stream="radar",
        sequence=5,
        stamp=0.5,
        samples=np.arange(6, dtype=np.float32).reshape(2, 3),
        flags=DeviceFlag.SATURATED,
    )
    by_hand = struct.pack("<BBHId", 2, 1, 0, 5, 0.5) + struct.pack("<IHH6f", 1, 2, 3, *range(6))
    assert encoder.encode(scan) == by_hand


def test_a_position_has_the_bytes_that_the_layout_says():
    encoder, _ = linked()
    place = PositionMessage(
        stream="gnss",
        sequence=5,
        stamp=0.5,
        coordinates=(1, 2, 3),
        fix=FixClass.FIXED,
        height=0.1,
    )
    nan = math.nan
    by_hand = struct.pack("<BBHId", 3, 1, 1, 5, 0.5) + struct.pack(
        "<3d5fB3x", 1, 2, 3, nan, nan, nan, nan, 0.1, 4
    )
    assert encoder.encode(place) == by_hand


@given(st.binary(max_size=200), st.integers(0, 5))
def test_any_bytes_give_a_message_or_a_value_error(data, kind):
    _, decoder = linked()
    for payload in (data, struct.pack("<BBHId", kind, 1, 0, 0, 0.0) + data):
        with contextlib.suppress(ValueError):
            decoder.decode(payload)


@given(st.data())
def test_any_changed_byte_gives_a_message_or_a_value_error(data):
    encoder, _ = linked()
    scan = SensorMessage(stream="radar", sequence=0, stamp=0.0, samples=np.zeros((2, 3)))
    whole = data.draw(st.sampled_from([encoder.encode(m) for m in (SCANS, PLACES, scan)]))
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    _, decoder = linked()
    with contextlib.suppress(ValueError):
        decoder.decode(bytes(changed[: data.draw(st.integers(0, len(whole)))]))


def test_a_name_keeps_its_number_and_a_number_its_name():
    encoder, decoder = linked()
    again = bytearray(encoder.encode(SCANS))
    again[2] = 9
    with pytest.raises(ValueError, match="Must have one number, 0"):
        decoder.decode(bytes(again))
    other = bytearray(encoder.encode(PLACES))
    other[2] = 0
    with pytest.raises(ValueError, match="Must have one number"):
        decoder.decode(bytes(other))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"height_datum": None}, "height_datum None"),
        ({"lever_arm": None}, "lever_arm None"),
        ({"frame": None}, "frame None"),
        ({"clock": "tai"}, "clock 'tai'"),
        ({"rate": 0.0}, "rate"),
        ({"lateness": -1.0}, "lateness"),
        ({"name": ""}, "name ''"),
        ({"drift_bound": math.nan}, "drift_bound"),
    ],
)
def test_what_must_be_stated_is_not_guessed(fields, words):
    known = {
        "name": "gnss",
        "kind": "position",
        "clock": "utc",
        "frame": Frame(),
        "height_datum": "ground",
        "lever_arm": (0.0, 0.0, 0.0),
    }
    with pytest.raises((TypeError, ValueError), match=words):
        StreamDeclaration(**{**known, **fields})


def test_refusals_of_sensor_streams():
    with pytest.raises(TypeError, match="sensor None"):
        StreamDeclaration(name="radar", kind="sensor", clock="utc")
    with pytest.raises(ValueError, match="3 for 2 channels"):
        StreamDeclaration(
            name="radar", kind="sensor", clock="utc", sensor=RADAR, channel_delays=(0, 0, 0)
        )


def test_refusals_of_the_encoder():
    encoder = Encoder()
    scan = SensorMessage(stream="radar", sequence=0, stamp=0.0, samples=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="Must be declared"):
        encoder.encode(scan)
    with pytest.raises(TypeError, match="of type str"):
        encoder.encode("scan")
