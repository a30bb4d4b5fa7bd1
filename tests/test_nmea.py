"""Test reading positions from damaged logs of sentences."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from radar_files import gga, sentence

from minesense.io.nmea import (
    Fix,
    checksum,
    interpolate_fixes,
    read_sentences,
    read_track,
)


def fix(trace, seconds, *, latitude=10.0, longitude=20.0, altitude=5.0):
    return Fix(
        trace=trace,
        time_of_day=seconds,
        date=None,
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        separation=math.nan,
        quality=1,
        satellites=7.0,
        hdop=1.0,
    )


def test_checksum_of_a_known_sentence():
    """A void sentence as a receiver sent it."""
    assert checksum(b"GPGLL,,,,,,V,N") == 0x64


def test_cut_sentences_do_not_swallow_the_next():
    """Reading starts afresh at every $, on the same line or another."""
    whole = gga()
    data = b"$GPGSV,3,3,10,03,0" + whole + whole[:20] + b"\r\n" + whole
    sentences, n_dropped = read_sentences(data)
    assert [s[0] for s in sentences] == ["GPGGA", "GPGGA"]
    assert n_dropped == 2


def test_a_dollar_inside_voids_even_a_correct_sum():
    """Two joined pieces whose sum over the whole line is right by chance are no sentence."""
    body = "GPGGA,1$GPGLL,2"
    assert read_sentences(sentence(body)) == ([], 2)


@pytest.mark.parametrize("data", [b"$GPGGA,1\r\n*00", b"$GP\xffA*00", b"$GPGGA", b"$", b"$*"])
def test_what_is_no_sentence(data):
    assert read_sentences(data) == ([], 1)


def test_wrong_checksum_is_dropped_and_counted():
    assert read_sentences(sentence("GPGLL,1", wrong=1)) == ([], 1)
    assert read_sentences(sentence("GPGLL,1"))[0] == [("GPGLL", "1")]


def test_coordinates_and_heights():
    """ddmm.mmmm, hemispheres as signs, height and geoid apart; any talker."""
    data = gga(lat="3352.5000", ns="S", lon="07030.0000", ew="W", talker="GN")
    (one,) = read_track([(3, data)]).fixes
    assert one.trace == 3
    assert one.latitude == -(33 + 52.5 / 60)
    assert one.longitude == -70.5
    assert (one.altitude, one.separation, one.hdop, one.satellites) == (100.5, 46.2, 1.2, 7)
    assert one.time_of_day == 43200


def test_empty_height_is_nan():
    (one,) = read_track([(0, gga(height=""))]).fixes
    assert math.isnan(one.altitude)


@pytest.mark.parametrize(
    "change",
    [
        {"quality": 0},
        {"quality": 6},
        {"quality": 8},
        {"quality": ""},
        {"ns": ""},
        {"ew": "N"},
        {"lat": "9100.0"},
        {"lat": "4760.0"},
        {"lon": "18100.0"},
        {"lat": "nan"},
        {"lat": "-4730.0"},
        {"lat": ""},
    ],
)
def test_unusable_positions(change):
    """No fix, dead reckoning, simulation, no hemisphere, impossible angles."""
    track = read_track([(0, gga(**change))])
    assert (track.fixes, track.n_positions, track.n_unusable) == ([], 1, 1)


def test_first_usable_of_a_record_counts():
    data = gga(quality=0) + gga("120001.00", "4731.0000") + gga("120002.00", "4732.0000")
    track = read_track([(0, data)])
    assert [f.latitude for f in track.fixes] == [47 + 31 / 60]
    assert (track.n_unusable, track.traces_with_fix) == (1, 1)


def test_repeated_fix_is_one_and_stale_ones_are_dropped():
    """Same time and place: one fix; same time elsewhere or backward: stale."""
    records = [
        (0, gga("120000.00")),
        (1, gga("120000.00")),
        (2, gga("120000.00", "4731.0000")),
        (3, gga("115959.00", "4732.0000")),
        (4, gga("120001.00", "4733.0000")),
    ]
    track = read_track(records)
    assert [f.trace for f in track.fixes] == [0, 4]
    assert (track.n_repeated, track.n_stale, track.traces_with_fix) == (1, 2, 5)


def test_midnight_is_not_backward():
    track = read_track([(0, gga("235959.00")), (1, gga("000000.00", "4731.0000"))])
    assert [f.trace for f in track.fixes] == [0, 1]
    latitude, _, _ = interpolate_fixes(
        [fix(0, 86399.0, latitude=1.0), fix(2, 0.0, latitude=2.0)], 3
    )
    assert latitude[1] == 1.5


def test_date_of_record_then_of_header():
    """ZDA or a valid RMC of the same record tell the day, else the caller."""
    zda = sentence("GPZDA,120000.00,06,10,2011,00,00")
    rmc = sentence("GPRMC,120001.00,A,4730.0,N,01215.0,E,0.1,1.0,071011,0.2,E,A")
    void = sentence("GPRMC,120001.00,V,,,,,,,081011,,,N")
    day = datetime.date(2000, 1, 1)
    records = [
        (0, zda + gga("120000.00", "4731.0")),
        (1, rmc + gga("120001.00", "4732.0")),
        (2, void + gga("120002.00", "4733.0")),
    ]
    track = read_track(records, date=day)
    days = [datetime.date(2011, 10, 6), datetime.date(2011, 10, 7), day]
    assert [f.date for f in track.fixes] == days
    assert track.dates == days[:2]


@pytest.mark.parametrize("body", ["GPZDA,1,32,13,2011", "GPZDA,1,aa,10,2011", "GPZDA"])
def test_impossible_date_is_none(body):
    assert read_track([(0, sentence(body))]).dates == []


def test_interpolation_between_neighbours_only():
    """Linear between fixes at most max_gap apart; NaN elsewhere, never extrapolated."""
    fixes = [
        fix(2, 10.0, latitude=1.0),
        fix(4, 11.0, latitude=2.0),
        fix(8, 13.5, latitude=3.0),
        fix(10, 15.5, latitude=4.0),
    ]
    latitude, _, _ = interpolate_fixes(fixes, 12)
    nan = math.nan
    expected = [nan, nan, 1, 1.5, 2, nan, nan, nan, 3, 3.5, 4, nan]
    np.testing.assert_array_equal(latitude, expected)
    latitude, _, _ = interpolate_fixes(fixes, 12, max_gap=3.0)
    assert latitude[6] == 2.5


def test_interpolation_needs_times():
    """A gap of unknown length is not bridged."""
    latitude, _, _ = interpolate_fixes([fix(0, math.nan), fix(2, math.nan)], 3)
    assert np.isnan(latitude[1])
    assert latitude[2] == 10.0


def test_interpolation_over_the_date_line_and_outside():
    """Longitude takes the short way; fixes outside the traces are left out."""
    fixes = [fix(0, 1.0, longitude=179.5), fix(4, 2.0, longitude=-179.0), fix(9, 3.0)]
    _, longitude, _ = interpolate_fixes(fixes, 5)
    np.testing.assert_allclose(longitude, [179.5, 179.875, -179.75, -179.375, -179.0])


@pytest.mark.parametrize("max_gap", [0, -1, math.nan])
def test_max_gap_must_be_positive(max_gap):
    with pytest.raises(ValueError, match="Invalid max_gap"):
        interpolate_fixes([], 3, max_gap=max_gap)


@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=80))))
def test_any_bytes_are_read(records):
    """Nothing in a log raises."""
    assert read_track(records).n_records == len(records)


@given(st.integers(0, 400), st.integers(0, 255))
def test_any_damaged_log_is_read(place, value):
    """A changed byte drops a sentence and invents none."""
    data = bytearray(b"".join(gga(f"12000{k}.00", f"473{k}.0") for k in range(6)))
    place = place % len(data)
    data[place] = value
    fixes = read_track([(0, bytes(data[:75])), (1, bytes(data[75:]))]).fixes
    assert all(f.latitude in {47 + (30 + k) / 60 for k in range(6)} for f in fixes)
