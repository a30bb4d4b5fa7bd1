"""The live page: rows, memory, who may connect, and what a browser shows how soon."""

from __future__ import annotations

import http.client
import json
import math
import shutil
import threading
import time

import numpy as np
import pytest

from minesense.apps.live_feed import MOST_ALARMS, MOST_CELLS, MOST_WAITING, LiveFeed
from minesense.apps.live_page import LivePage
from minesense.apps.live_rows import WIDEST, WaterfallRows
from minesense.message import (
    DeviceFlag,
    FixClass,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from minesense.sensor import Sensor
from minesense.stream.events import (
    AlarmRaised,
    CountersReport,
    CoverageCells,
    GapFound,
    LaneBegun,
    LaneChunk,
    QualityChanged,
    StreamCounters,
)
from minesense.sweep import Frame, Quality, Sweep

HOSTILE = (
    "<img src=x onerror=\"document.title='hit'\"></script><script>document.title='hit'</script>"
)
RADAR = Sensor(
    name="radar", kind="gpr", axis=1e-10 * np.arange(400), lever_arms=np.zeros((3, 3))
)
COILS = Sensor(
    name="coils", kind="emi", axis=1e-4 * np.arange(1, 5), lever_arms=np.zeros((2, 3))
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def declared(sensor, name, note=""):
    return StreamDeclaration(name=name, kind="sensor", clock="host", sensor=sensor, note=note)


def scan(stream, sensor, sequence=0, samples=None, flags=0):
    if samples is None:
        samples = np.random.default_rng(sequence).normal(size=sensor.shape)
    return SensorMessage(
        stream=stream,
        sequence=sequence,
        stamp=float(sequence),
        samples=samples.astype(np.float32),
        flags=DeviceFlag(flags),
    )


def alarm(k=1, **fields):
    known = {
        "identifier": f"radar/{k}",
        "kind": "prescreener",
        "stream": "radar",
        "sensor": "gpr",
        "lane": "A",
        "part": 0,
        "channel": 1,
        "time": 1.0,
        "easting": 2.0,
        "northing": 3.0,
        "position_error": 0.1,
        "score": 12.5,
        "quality": 0,
    }
    return AlarmRaised(**{**known, **fields})


def chunk(n=50):
    northing = 0.05 * np.arange(n)
    sensor = Sensor(name="s", kind="gpr", axis=[0.0], lever_arms=np.zeros((1, 3)))
    sweep = Sweep(
        samples=np.zeros((n, 1, 1)),
        time=np.arange(float(n)),
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n),
        sensor=sensor,
        lane="A",
    )
    flat = np.zeros(n)
    return LaneChunk(
        stream="radar",
        lane="A",
        part=0,
        sweep=sweep,
        height=flat,
        tilt=flat,
        position_error=flat,
    )


PLACES = StreamDeclaration(
    name="gnss",
    kind="position",
    clock="utc",
    frame=Frame(origin="SYNTHETIC"),
    height_datum="local",
    lever_arm=(0, 0, 0),
)


def gap(stream="radar"):
    times = {"start_time": 0.0, "stop_time": 1.5}
    return GapFound(stream=stream, lane="A", length=1.0, cause="time", **times)


def cells(first=0, n=20, seen=True):
    index = np.column_stack([np.arange(first, first + n), np.zeros(n, int)]).astype(np.int64)
    return CoverageCells(
        stream="radar",
        sensor="gpr",
        lane="A",
        time=1.0,
        cell=0.05,
        cells=index,
        is_observed=np.full(n, seen),
        reasons=np.zeros(n, np.int64),
    )


def updates(reader):
    """Return all that waits."""
    found = []
    while (item := reader.get(timeout=0.0)) is not None:
        found.append((item[0], json.loads(item[1])))
    return found


@pytest.mark.parametrize("sensor", [RADAR, COILS])
def test_rows_are_small_numbers_and_show_what_changes(sensor):
    rows = WaterfallRows(declared(sensor, "s"))
    for k in range(200):
        row = rows.take(scan("s", sensor, k))
        assert all(isinstance(v, int) and -127 <= v <= 127 for v in row)
        assert len(row) <= WIDEST
    quiet = np.abs(row).mean()
    samples = np.random.default_rng(7).normal(size=sensor.shape)
    samples[sensor.shape[0] // 2] += 30.0
    assert np.abs(rows.take(scan("s", sensor, samples=samples))).mean() > 2 * quiet


def test_rows_of_nothing():
    rows = WaterfallRows(declared(COILS, "s"))
    for bad in (math.nan, math.inf):
        assert rows.take(scan("s", COILS, samples=np.full(COILS.shape, bad))) is None
    for flag in (DeviceFlag.SATURATED, DeviceFlag.INVALID):
        assert rows.take(scan("s", COILS, flags=flag)) is None
    flat = rows.take(scan("s", COILS, samples=np.ones(COILS.shape)))
    assert flat == [0] * 8
    with pytest.raises(ValueError, match="one of a sensor"):
        WaterfallRows(PLACES)


def test_memory_is_bounded():
    feed = LiveFeed()
    feed.take(declared(RADAR, "radar"))
    feed.publish(alarm(k) for k in range(MOST_ALARMS + 50))
    for k in range(MOST_CELLS // 1000 + 3):
        feed.publish([cells(1000 * k, 1000)])
    for _ in range(300):
        feed.publish([chunk(), gap()])
    state = dict(updates(feed.join()))["state"]
    assert len(state["alarms"]) == MOST_ALARMS
    assert state["alarms"][-1]["number"] == MOST_ALARMS + 50
    assert len(state["cells"]) == MOST_CELLS
    assert len(state["track"]) <= 4000
    assert len(state["log"]) == 200


def test_a_page_that_falls_behind_is_dropped_and_nobody_waits():
    feed = LiveFeed()
    slow = feed.join()
    for k in range(MOST_WAITING + 10):
        feed.publish([alarm(k)])
    assert slow.is_dropped
    again = dict(updates(feed.join()))["state"]
    assert again["alarms"][-1]["identifier"] == f"radar/{MOST_WAITING + 9}"


def test_what_was_observed_stays_so_and_what_was_not_is_told():
    feed = LiveFeed()
    reader = feed.join()
    updates(reader)
    feed.publish([cells(seen=False)])
    assert {mark for _, _, _, mark in updates(reader)[0][1]["cells"]} == {2}
    feed.publish([cells(seen=True)])
    assert {mark for _, _, _, mark in updates(reader)[0][1]["cells"]} == {1}
    feed.publish([cells(seen=False)])
    assert updates(reader) == []


def test_alarms_without_a_place_are_shown():
    feed = LiveFeed()
    feed.publish([alarm(easting=math.nan, northing=math.nan, position_error=math.inf)])
    (shown,) = dict(updates(feed.join()))["state"]["alarms"]
    assert shown["easting"] is None
    assert shown["error"] is None


def get(address, path="/", **headers):
    host, port = address.split("//")[1].split("/")[0].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    result = response.status, dict(response.getheaders())
    connection.close()
    return result


def test_who_may_connect():
    page = LivePage()
    try:
        assert get(page.address)[0] == 200
        assert get(page.address, "/../etc/passwd")[0] == 404
        assert get(page.address, Host="evil.test")[0] == 403
        assert get(page.address, "/updates", Origin="http://evil.test")[0] == 403
    finally:
        page.close()
    with pytest.raises(ValueError, match="without a token"):
        LivePage(host="0.0.0.0")
    page = LivePage(token="secret-word")
    try:
        assert get(page.address)[0] == 403
        assert get(page.address, "/?token=wrong")[0] == 403
        assert get(page.address, "/updates?token=")[0] == 403
        assert get(page.address, "/?token=secret-word")[0] == 200
    finally:
        page.close()


def test_the_address_holds_the_token_as_a_browser_must_send_it():
    """What `base64` prints has + and /, and a bare + in an address is a blank."""
    page = LivePage(token="a+b/c==&d e%20#f")
    try:
        path = page.address[page.address.index("/?") :]
        assert get(page.address, path)[0] == 200
        assert get(page.address, path.replace("/?", "/updates?"))[0] == 200
    finally:
        page.close()


def test_too_many_connections_are_closed():
    page = LivePage()
    try:
        host, port = page._server.server_address[:2]
        kept = []
        for _ in range(40):
            connection = http.client.HTTPConnection(host, port, timeout=5)
            try:
                connection.request("GET", "/updates")
                connection.getresponse()
                kept.append(connection)
            except OSError:
                connection.close()
        assert len(kept) <= 32
        for connection in kept:
            connection.close()
    finally:
        page.close()


def until(page, condition):
    """Wait for a condition in the page, whose policy lets nobody wait inside it."""
    deadline = time.monotonic() + 10.0
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.01)


@pytest.mark.endtoend
def test_a_browser_shows_alarms_within_half_a_second(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    if binary is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    live = LivePage()
    stop = threading.Event()

    def feed():
        """Send scans of two sensors and positions until stopped."""
        k = 0
        while not stop.wait(0.01):
            live.feed.take(scan("radar", RADAR, k))
            live.feed.take(scan("coils", COILS, k))
            live.feed.take(
                PositionMessage(
                    stream="gnss",
                    sequence=k,
                    stamp=0.0,
                    coordinates=(0, 0, 0),
                    fix=FixClass.FIXED,
                )
            )
            k += 1

    for message in (declared(RADAR, "radar", "SYNTHETIC"), declared(COILS, "coils"), PLACES):
        live.feed.take(message)
    thread = threading.Thread(target=feed)
    thread.start()
    errors, requests = [], []
    try:
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=binary, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
            page.on("request", lambda request: requests.append(request.url))
            page.goto(live.address)
            until(page, "document.getElementById('link').textContent === 'connected'")
            until(
                page,
                "[...document.querySelectorAll('.waterfall canvas')]"
                ".filter(c => +c.dataset.rows > 5).length === 2",
            )
            assert page.inner_text("#synthetic") == "SYNTHETIC"
            assert page.is_visible("#synthetic")
            live.feed.publish(
                [LaneBegun(stream="radar", lane=HOSTILE, part=0, time=0.0), chunk(400)]
            )
            live.feed.publish([cells(-10, 20), cells(10, 20, seen=False)])
            delays = []
            for k in range(20):
                start = time.monotonic()
                live.feed.publish(
                    [alarm(k, easting=0.3 * k, lane=HOSTILE, quality=int(Quality.EDGE))]
                )
                until(page, f"!!document.querySelector('[data-alarm=\"radar/{k}\"]')")
                delays.append(time.monotonic() - start)
            assert max(delays) < 0.5
            assert page.inner_text("#count") == "20"
            live.feed.publish(
                [
                    QualityChanged(
                        stream="coils",
                        time=1.0,
                        quality=int(Quality.SATURATED),
                        added=("SATURATED",),
                        removed=(),
                    ),
                    gap(HOSTILE),
                    CountersReport(time=1.0, streams={"radar": StreamCounters()}, n_refused=0),
                ]
            )
            until(page, "document.body.innerText.includes('SATURATED')")
            page.wait_for_timeout(400)
            page.screenshot(path=str(tmp_path / "live.png"))
            assert HOSTILE in page.inner_text("#lane")
            assert page.title() == "minesense live"
            # silence is shown
            stop.set()
            thread.join()
            until(page, "document.body.innerText.includes('silent for')")
            live.close()
            until(page, "document.body.innerText.includes('NOT CONNECTED')")
            browser.close()
    finally:
        stop.set()
        thread.join()
        live.close()
    assert not [e for e in errors if "ERR_" not in e]  # of connections after the end
    assert all(url.startswith(("http://127.0.0.1:", "data:")) for url in requests)
