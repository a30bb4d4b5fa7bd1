"""Test the page of a trainer in a browser: mouse, touch, keys, sound, seal and result."""

import json
import shutil
import threading
import time

import numpy as np
import numpy.testing as npt
import pytest
from naive_trainer import targets_of, walk

from minesense.apps.trainerground import Course, make_training
from minesense.apps.trainerrun import Limits
from minesense.apps.trainerserver import TrainerServer
from minesense.apps.trainersession import Session
from minesense.emi import Voice

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required")

pytestmark = pytest.mark.endtoend


@pytest.fixture(scope="module")
def training():
    """Return the shortest course with an open lane that has targets."""
    made = make_training(Course(seed=3, n_open=1, n_blind=1, length=2.0))
    assert len(made.grounds[1].truth.targets) >= 2
    return made


@pytest.fixture(scope="module")
def browser():
    """Return a Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    if binary is None:
        pytest.skip(f"no browser found by the names {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def session(training, tmp_path):
    """Return a session that has not begun; a machine may be faster than a learner."""
    return Session(training, folder=tmp_path, limits=Limits(speed=20.0))


@pytest.fixture
def address(session):
    """Return where a server of the session listens."""
    with TrainerServer(session, host="127.0.0.1", port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser, address):
    """Return the page, opened; at the end nothing went wrong and nothing else was asked for."""
    yield from opened(browser, address, viewport={"width": 1200, "height": 860})


@pytest.fixture
def tablet(browser, address):
    """Return the page on a tablet that has no mouse."""
    size = {"width": 800, "height": 1100}
    yield from opened(browser, address, viewport=size, has_touch=True, is_mobile=True)


def opened(browser, address, **options):
    """Yield a page; then check what it said and asked for."""
    context = browser.new_context(**options)
    page = context.new_page()
    said, errors, requests = [], [], []
    page.on("console", lambda message: said.append((message.type, message.text)))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda sent: requests.append(sent.url))
    page.goto(address)
    yield page
    context.close()
    assert errors == []
    assert [item for item in said if item[0] in ("error", "warning")] == []
    assert requests[0] == address
    assert [url for url in requests if not url.startswith((address, "data:"))] == []


def start(page, name=""):
    """Begin the course and its first ground."""
    page.fill("#learner", name)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("text=/^1 of/")
    begin(page)


def begin(page):
    """Begin the next ground."""
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#card", state="hidden")


def place(page, right, forward):
    """Return where a point of the lane is on the page, in pixels."""
    return page.evaluate(
        """([x, y]) => {
          const box = document.getElementById("lane").getBoundingClientRect();
          const [px, py] = trainer.scaleOf().toPage(x, y);
          return [box.left + px, box.top + py];
        }""",
        [right, forward],
    )


def move(page, path, pause=0.03):
    """Move the mouse along points of the lane."""
    origin, other = np.array(place(page, 0.0, 0.0)), np.array(place(page, 1.0, 1.0))
    for point in path:
        page.mouse.move(*(origin + np.array(point) * (other - origin)).tolist())
        time.sleep(pause)


def end(page):
    """Finish a ground and go on."""
    page.click("#done")
    page.wait_for_selector("text='Go on'")
    text = page.inner_text("#sheet")
    page.get_by_role("button", name="Go on").click()
    return text


def skip_to(session, step):
    """Do the grounds before as well as can be, without the page."""
    for k, ground in enumerate(session.training.grounds[:step]):
        session.submit(k, walk(ground, marks=targets_of(ground)))


def test_the_page_says_what_it_is(page, training):
    """Synthetic, a practice aid, the limits of the software, the seal, and no truth."""
    text = page.inner_text("body")
    assert "SYNTHETIC" in text
    assert "Practice aid, not a qualification." in text
    assert "certifies nothing about any ground" in text
    assert training.seal in text
    kept = page.evaluate("JSON.stringify(config) + document.documentElement.outerHTML")
    for item in training.truth.objects:
        assert str(item.easting) not in kept
        assert item.identifier not in kept
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_a_sweep_makes_poses_and_a_tone(page, session, training):
    """Over the test piece pitch and loudness rise and fall; poses are those of the mouse."""
    start(page)
    ((right, forward),) = targets_of(training.grounds[0])
    across = np.linspace(-0.35, 0.35, 36)
    move(page, [(right + x, forward) for x in across])
    state = page.evaluate("trainer.state().run")
    poses = np.array(state["poses"])
    assert len(poses) >= 36
    assert (np.diff(poses[:, 0]) > 0).all()
    npt.assert_allclose(poses[:, 2], forward, atol=0.003)
    assert poses[:, 1].min() < right - 0.3
    assert poses[:, 1].max() > right + 0.3
    log = page.evaluate("trainer.sound.log")
    heard = [entry for entry in log if entry["state"] in ("hum", "signal")]
    begin_s = heard[0]["seconds"]
    loudest = max(heard, key=lambda entry: entry["loudness"])
    where = np.interp(loudest["seconds"], poses[:, 0], poses[:, 1])
    assert loudest["state"] == "signal"
    assert abs(where - right) < 0.07
    assert max(heard[0]["loudness"], heard[-1]["loudness"]) < 0.2
    assert loudest["loudness"] > 0.3
    assert loudest["pitch"] > 1.3 * heard[0]["pitch"]
    # the tone is that of the statistic of the server's ground, beside the noise of the page
    pad = training.grounds[0]
    entry = max((e for e in heard if e["seconds"] > begin_s), key=lambda e: e["loudness"])
    k = int(np.argmin(np.abs(poses[:, 0] - entry["seconds"])))
    truth = pad.at(*(poses[k : k + 1, 1 + i] for i in range(3)))[0]
    voice = training.course.voice
    low, high = (voice.control(truth + d).loudness for d in (-4.5, 4.5))
    assert low - 1e-6 <= entry["loudness"] <= high + 1e-6


def test_the_page_and_the_package_agree(page, session, training):
    """Interpolation, and pitch and loudness of a statistic, are the same in both."""
    start(page)
    pad = training.grounds[0]
    rng = np.random.default_rng(seed=2)
    poses = rng.uniform([-0.65, -0.25, 0.0], [0.65, 1.05, 0.4], size=(300, 3))
    found = page.evaluate(
        "poses => poses.map(([x, y, h]) => trainer.statisticAt(x, y, h)).map(String)",
        poses.tolist(),
    )
    expected = pad.at(*poses.T)
    npt.assert_allclose(np.array(found, float), expected, rtol=1e-5, atol=1e-5)
    assert 20 < np.isnan(expected).sum() < 200
    statistics = [0, 1, 3.9, 4, 5, 40, 400, 1999, 2000, 1e4, 2e4, 1e9, -3, -50, -3e4]
    for voice in (training.course.voice, Voice(head="double-d", saturation=1e3)):
        given = {name: getattr(voice, name) for name in voice.__dataclass_fields__}
        controls = page.evaluate(
            "([voice, values]) => values.map((s) => controlOf(voice, s))", [given, statistics]
        )
        for statistic, control in zip(statistics, controls, strict=True):
            wanted = voice.control(statistic)
            assert control["state"] == wanted.state.value
            assert control["pitch"] == pytest.approx(wanted.pitch, rel=1e-9)
            assert control["loudness"] == pytest.approx(wanted.loudness, rel=1e-9)
    fault = page.evaluate("voice => controlOf(voice, NaN)", given)
    assert (fault["state"], fault["loudness"]) == ("fault", voice.control(np.nan).loudness)


RENDER = """
async ([voice, value]) => {
  const rate = 16000;
  const context = new OfflineAudioContext(1, rate, rate);
  const sound = new Sound();
  sound.build(context);
  sound.setVolume(1);
  for (let k = 0; k < 60; k += 1) {
    context.suspend((Math.floor((k / 60) * rate / 128 + 1) * 128) / rate).then(() => {
      sound.set(controlOf(voice, value === null ? NaN : value), k / 60);
      context.resume();
    });
  }
  const audio = await context.startRendering();
  return Array.from(audio.getChannelData(0));
}
"""


@pytest.mark.parametrize("value", [0.0, 40.0, 2000.0, None])
def test_the_audio_graph_sounds_like_the_package(page, training, value):
    """Rendered offline: the pitch of the control, its loudness, and a fault that is loud."""
    voice = training.course.voice
    given = {name: getattr(voice, name) for name in voice.__dataclass_fields__}
    audio = np.array(page.evaluate(RENDER, [given, value]))[3200:]
    level = np.sqrt(np.mean(audio**2))
    if value is None:
        parts = [np.sqrt(np.mean(part**2)) for part in np.array_split(audio, 16)]
        assert min(parts) > 0.2
        return
    control = voice.control(value)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 8 * len(audio)))
    pitch = np.argmax(spectrum) * 16000 / (8 * len(audio))
    assert pitch == pytest.approx(control.pitch, rel=0.01)
    assert level / np.sqrt(0.34) == pytest.approx(control.loudness, rel=0.05)
    assert np.abs(np.diff(audio)).max() < 2 * np.pi * 1300 * 1.2 / 16000  # nothing clicks


def test_a_sound_is_told_within_the_budget(page, session):
    """From the movement of the mouse to the parameters of the sound, in one event."""
    start(page)
    delays = page.evaluate(
        """async () => {
          const canvas = document.getElementById("lane");
          const box = canvas.getBoundingClientRect();
          const delays = [];
          for (let k = 0; k < 40; k += 1) {
            await new Promise((resolve) => setTimeout(resolve, 25));
            const n = trainer.sound.log.length;
            const begin = performance.now();
            canvas.dispatchEvent(new PointerEvent("pointermove", {
              pointerType: "mouse", bubbles: true,
              clientX: box.left + box.width / 2 + k, clientY: box.top + box.height / 2 }));
            while (trainer.sound.log.length === n && performance.now() - begin < 200) {
              await new Promise((resolve) => setTimeout(resolve, 0));
            }
            delays.push(performance.now() - begin);
          }
          return delays;
        }"""
    )
    assert np.median(delays) < 20
    assert sorted(delays)[-3] < 50


def test_height_and_speed_are_shown_and_heard(page, session):
    """The wheel raises the hand; above the limit the light changes and nothing is credited."""
    start(page)
    move(page, [(x, 0.4) for x in np.linspace(-0.3, 0.1, 20)])
    page.wait_for_function(
        "document.getElementById('height-light').classList.contains('good')", timeout=3000
    )
    covered = page.evaluate("trainer.state().run.covered.reduce((a, b) => a + b, 0)")
    assert covered > 30
    for _ in range(14):
        page.mouse.wheel(0, -100)
    page.wait_for_function(
        "document.getElementById('height-light').classList.contains('bad')", timeout=3000
    )
    assert page.evaluate("trainer.state().hand") == pytest.approx(0.12)
    move(page, [(x, 0.7) for x in np.linspace(0.1, -0.3, 20)])
    after = page.evaluate("trainer.state().run.covered.reduce((a, b) => a + b, 0)")
    assert after <= covered + 20  # what was swept on the way up
    page.mouse.move(5, 5)  # off the lane: a fault, not silence
    time.sleep(0.3)
    entry = page.evaluate("trainer.sound.log[trainer.sound.log.length - 1]")
    assert entry["state"] == "fault"
    assert entry["loudness"] > 0.1


@pytest.mark.slow
def test_a_whole_course_by_mouse(page, session, training, tmp_path):
    """Marks by click, key and button; a blind lane shows nothing; the seal is verified."""
    start(page, name="<img src=x onerror=alert(1)>")
    for k, ground in enumerate(training.grounds):
        if k:
            begin(page)
        n_strokes = round(ground.length / 0.15)
        for i in range(n_strokes):
            xs = np.linspace(-0.5, 0.5, 11) * ground.width * (-1) ** i
            move(page, [(x, ground.length * (i + 0.5) / n_strokes) for x in xs], pause=0.014)
        assert page.locator("#signal-box").is_visible() == (ground.kind != "blind")
        for n, (right, forward) in enumerate(targets_of(ground)):
            x, y = place(page, right, forward)
            page.mouse.move(x, y)
            time.sleep(0.03)
            if n % 3 == 0:
                page.mouse.click(x, y)
            else:
                page.keyboard.press("m" if n % 3 == 1 else " ")
        if ground.kind == "open":
            x, y = place(page, -0.45, 0.1)
            page.mouse.click(x, y)
            page.click("#undo")
        n_marks = int(page.inner_text("#count"))
        assert n_marks == len(targets_of(ground))
        text = end(page)
        if ground.kind == "blind":
            assert "stays sealed" in text
        elif ground.kind == "open":
            assert f"{n_marks} of {n_marks} targets marked" in text
        else:
            assert "The test piece was found." in text
    page.wait_for_selector("#seal[data-agrees=true]")
    text = page.inner_text("#result")
    assert "as many marks at random" in text
    assert "marks everywhere" in text
    assert "missed though swept" in text
    assert "Result of <img src=x onerror=alert(1)>" in text
    assert page.locator("#result img").count() == 0
    assert page.locator(".lanes canvas").count() == 2
    result = json.loads((tmp_path / "sheet.json").read_text())
    own = result["blind"]["learner"]
    assert own["pd_total"]["k"] == own["pd_total"]["n"] == len(targets_of(training.grounds[2]))
    assert result["blind"]["pinpoint_greatest_m"] < 0.01
    page.locator(".replay button").first.click()  # the replay moves
    time.sleep(0.4)
    first = page.locator(".replay input").first.input_value()
    time.sleep(0.4)
    assert page.locator(".replay input").first.input_value() > "0"
    assert page.locator(".replay input").first.input_value() != first


def test_a_page_opened_again_goes_on(page, session, training):
    """What was done stays done; the next ground is offered."""
    skip_to(session, 2)
    page.reload()
    page.wait_for_selector("text='3 of 4: blind 1'")
    begin(page)
    page.evaluate(
        "fetch('/ground/2', {method: 'POST', headers: {'Content-Type': "
        "'application/json'}, body: '{\"poses\": [], \"marks\": []}'})"
    )
    page.wait_for_timeout(200)
    assert session.step == 3


def test_a_tablet_is_swept_with_a_finger(tablet, session, training):
    """The head is drawn ahead of the finger; lifted, it is off the ground; a button marks."""
    tablet.fill("#learner", "")
    tablet.get_by_role("button", name="Begin").tap()
    tablet.wait_for_selector("text=/^1 of/")
    tablet.get_by_role("button", name="Begin").tap()
    tablet.wait_for_selector("#card", state="hidden")
    assert tablet.evaluate("document.documentElement.scrollWidth") <= 800
    ((right, forward),) = targets_of(training.grounds[0])
    link = tablet.context.new_cdp_session(tablet)

    def touch(kind, *points):
        link.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    path = [(right - 0.3 + 0.02 * k, forward) for k in range(16)]
    pixels = [place(tablet, x, y) for x, y in path]
    touch("touchStart", (pixels[0][0], pixels[0][1] + 56))
    for x, y in pixels[1:]:
        touch("touchMove", (x, y + 56))
        time.sleep(0.03)
    poses = np.array(tablet.evaluate("trainer.state().run.poses"))
    assert len(poses) > 10
    npt.assert_allclose(poses[-1, 1:3], [right, forward], atol=0.005)
    assert tablet.evaluate("trainer.sound.log.at(-1).state") in ("hum", "signal")
    touch("touchEnd")
    time.sleep(0.2)
    assert tablet.evaluate("trainer.state().head") is None
    assert tablet.evaluate("trainer.sound.log.at(-1).state") == "fault"
    tablet.tap("#mark")
    marks = tablet.evaluate("trainer.state().run.marks")
    npt.assert_allclose(marks[0][1:], [right, forward], atol=0.005)
    assert tablet.evaluate("window.scrollY") >= 0


def test_a_sheet_opens_without_a_network(browser, session, training, tmp_path):
    """From the file: no error, no request, the replay and every table, nothing too wide."""
    session.start({"learner": "Ada"})
    skip_to(session, len(training.grounds))
    for width in (1200, 420):
        context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
        page = context.new_page()
        errors, requests = [], []
        page.on("console", lambda message, to=errors: to.append(message.text))
        page.on("pageerror", lambda error, to=errors: to.append(str(error)))
        page.on("request", lambda sent, to=requests: to.append(sent.url))
        address = (tmp_path / "sheet.html").as_uri()
        page.goto(address)
        page.wait_for_selector("#seal[data-agrees]")
        text = page.inner_text("body")
        scroll = page.evaluate("document.documentElement.scrollWidth")
        drawn = page.evaluate(
            """[...document.querySelectorAll("canvas")].map((canvas) => {
              const data = canvas.getContext("2d").getImageData(
                0, 0, canvas.width, canvas.height).data;
              return new Set(new Uint32Array(data.buffer)).size;
            })"""
        )
        context.close()
        assert errors == []
        assert [url for url in requests if url != address and url[:5] != "data:"] == []
        assert scroll <= width
        assert min(drawn) > 5
        for words in ("SYNTHETIC", "not a qualification", "Result of Ada", "marks everywhere"):
            assert words in text
