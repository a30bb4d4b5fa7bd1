"""Test what an operator hears: pitch, loudness, faults, cuts, clicks and delay."""

import math
import time
import wave

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.emi import Tone, ToneState, Voice, WavWriter, sweep_tone, write_wav
from minesense.emi.tone import LONGEST
from minesense.emi.wav import as_pcm
from minesense.sensor import Sensor
from minesense.sweep import Quality, Sweep

VOICE = Voice(threshold=3.0, full=60.0, saturation=1000.0)
DOUBLE_D = Voice(threshold=3.0, full=60.0, head="double-d")


def pitch_of(audio, rate):
    """Return the strongest frequency, Hz: where a padded spectrum has its maximum."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 16 * len(audio)))
    return np.argmax(spectrum) * rate / (16 * len(audio))


def held(voice, statistic, quality=0, seconds=0.2):
    """Return the audio of a steady statistic, after it has settled."""
    tone = Tone(voice)
    n = round(100 * seconds) + 5
    audio = tone.push([statistic] * n, 0.01 * np.arange(n), quality)
    return audio[round(0.04 * tone.rate) :]


@pytest.mark.parametrize("statistic", [0.0, 2.9, 3.0, 10.0, 40.0, 60.0, 500.0])
def test_pitch_and_loudness_are_those_of_the_control(statistic):
    """What is heard is what the voice says: the strongest frequency, and the amplitude."""
    control = VOICE.control(statistic)
    audio = held(VOICE, statistic)
    assert pitch_of(audio, 16000) == pytest.approx(control.pitch, rel=0.01)
    # of 0.8 sin + 0.2 sin 2: the mean square is (0.64 + 0.04) / 2
    assert np.sqrt(np.mean(audio**2) / 0.34) == pytest.approx(control.loudness, rel=0.03)


def test_level_is_logarithmic():
    """At the geometric mean of threshold and full, u is one half."""
    control = VOICE.control(math.sqrt(3.0 * 60.0))
    assert control.pitch == pytest.approx(220.0 * 2**1.25)
    assert control.loudness == pytest.approx(0.12 + 0.88 / 2)


@given(st.floats(0.0, 900.0), st.floats(0.0, 900.0))
def test_more_is_never_quieter_nor_lower(first, second):
    """Of two statistics below saturation, the larger sounds at least as high and loud."""
    low, high = (VOICE.control(value) for value in sorted((first, second)))
    assert high.pitch >= low.pitch
    assert high.loudness >= low.loudness


def test_a_single_coil_peaks_above_the_object():
    """Across an object, pitch and loudness rise to the middle and fall again."""
    at = np.linspace(-0.3, 0.3, 61)
    controls = [VOICE.control(50 / (1 + (x / 0.05) ** 2) ** 3) for x in at]
    for values in ([c.pitch for c in controls], [c.loudness for c in controls]):
        assert np.argmax(values) == 30
        assert (np.diff(values[:31]) >= 0).all()
        assert (np.diff(values[30:]) <= 0).all()


def test_a_double_d_changes_its_tone_in_the_middle():
    """Left of the object one pitch, right of it another, between them the hum."""
    at = np.linspace(-0.2, 0.2, 41)
    controls = [DOUBLE_D.control(900 * x * math.exp(-((x / 0.07) ** 2))) for x in at]
    heard = [c.pitch for c in controls if c.state is ToneState.SIGNAL]
    first_right = next(i for i, pitch in enumerate(heard) if pitch > 800)
    assert 0 < first_right < len(heard)
    assert max(heard[:first_right]) < 500
    assert min(heard[first_right:]) > 800
    assert controls[20].state is ToneState.HUM
    left, right = held(DOUBLE_D, -20.0), held(DOUBLE_D, 20.0)
    npt.assert_allclose(
        [pitch_of(left, 16000), pitch_of(right, 16000)],
        [330 * 2 ** (level_of(20) / 3), 880 * 2 ** (level_of(20) / 3)],
        rtol=0.01,
    )


def level_of(statistic):
    """Return the level u of the notes of Voice."""
    return math.log(statistic / 3) / math.log(20)


def test_ground_noise_is_heard_in_the_hum():
    """Below the threshold the hum swells with the statistic, by up to a half."""
    quiet, loud = VOICE.control(0.0), VOICE.control(3.0 - 1e-9)
    assert quiet.loudness == 0.08
    assert loud.loudness == pytest.approx(0.12)
    assert VOICE.control(-50.0).state is ToneState.HUM  # a single coil has no other side


NO_STATISTIC = [
    (math.nan, 0),
    (math.inf, Quality.NOT_FINITE),
    (0.0, Quality.NOT_FINITE),
    (0.0, Quality.STUCK),
]


@pytest.mark.parametrize("mode", ["static", "dynamic"])
@pytest.mark.parametrize(("statistic", "quality"), NO_STATISTIC)
def test_a_fault_is_heard_and_is_no_hum(mode, statistic, quality):
    """Input that means nothing never sounds like ground without a signal, nor like none."""
    voice = Voice(mode=mode)
    audio, hum = held(voice, statistic, int(quality)), held(voice, 0.0)
    loudness = [np.sqrt(np.mean(part**2)) for part in np.split(audio, 20)]
    assert min(loudness) > 4 * np.sqrt(np.mean(hum**2))
    assert abs(pitch_of(audio, 16000) - 220.0) > 20
    third = np.abs(np.fft.rfft(audio))[round(3 * 165 * 0.2)]
    assert third > 0.2 * np.abs(np.fft.rfft(audio)).max()  # harsh, as no other tone is


@pytest.mark.parametrize(
    ("statistic", "quality"), [(2000.0, 0), (-2000.0, 0), (5.0, Quality.SATURATED)]
)
def test_saturation_trills(statistic, quality):
    """Two notes, ten times a second, at full loudness."""
    audio = held(VOICE, statistic, int(quality), seconds=0.4)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 16 * len(audio)))
    frequency = np.arange(len(spectrum)) * 16000 / (16 * len(audio))
    peaks = [
        spectrum[np.abs(frequency - note) < 25].max() / spectrum.max()
        for note in (1100, 1100 * 1.26)
    ]
    assert min(peaks) > 0.3
    assert np.sqrt(np.mean(audio**2)) > 0.5


def test_a_saturated_channel_is_not_a_fault_though_it_is_nan():
    """The flag decides: the reader made the sample NaN because it was too strong."""
    assert VOICE.control(math.nan, int(Quality.SATURATED)).state is ToneState.SATURATED


def test_ground_that_is_not_credited_flutters():
    """A head too high is heard, and a signal under it as well."""
    quality = int(Quality.HEIGHT_LIMIT)
    assert VOICE.control(20.0, quality).state is ToneState.SIGNAL
    steady, flutter = held(VOICE, 20.0, seconds=1.0), held(VOICE, 20.0, quality, seconds=1.0)
    loudness = [
        [np.sqrt(np.mean(part**2)) for part in np.split(audio, 100)]
        for audio in (steady, flutter)
    ]
    assert min(loudness[0]) > 0.95 * max(loudness[0])
    assert min(loudness[1]) < 0.4 * max(loudness[1])
    assert max(loudness[1]) > 0.95 * max(loudness[0])
    assert min(loudness[1]) > 0.05


def test_no_new_statistic_is_a_fault():
    """When updates stop, the tone holds for a quarter of a second, then says so."""
    tone = Tone()
    tone.update(0.0, 0.0)
    tone.pull(round(0.24 * tone.rate))
    assert tone.state is ToneState.HUM
    audio = tone.pull(tone.rate)
    assert tone.state is ToneState.FAULT
    assert np.sqrt(np.mean(audio[tone.rate // 10 :] ** 2)) > 0.2
    tone.update(0.0, 1.24)
    assert tone.state is ToneState.HUM
    assert Tone().state is ToneState.FAULT  # nor is there one before the first


def test_a_gap_in_a_recording_is_heard():
    """Two seconds without a statistic: hum for the hold, then the fault, then hum."""
    tone = Tone()
    audio = tone.push([0.0, 0.0, 0.0], [0.0, 2.0, 2.2])
    loudness = [np.sqrt(np.mean(part**2)) for part in np.split(audio, 22)]
    assert max(loudness[:2]) < 0.1
    assert min(loudness[4:19]) > 0.2
    assert loudness[21] < 0.1


def test_a_dynamic_mode_hears_changes_alone():
    """A step fades within some time constants; its size at first is that of the static mode."""
    voice = Voice(mode="dynamic", time_constant=0.4)
    tone = Tone(voice)
    tone.update(0.0, 0.0)
    states = [tone.update(20.0, 0.01 * k).state for k in range(1, 400)]
    assert states[0] is ToneState.SIGNAL
    assert states[-1] is ToneState.HUM
    # 20 e^(-t / 0.4) falls to 3 at 0.76 s; the first step is spent before
    assert 0.70 < 0.01 * states.index(ToneState.HUM) < 0.80
    assert tone.update(0.0, 4.0).state is ToneState.HUM  # leaving it: below its level
    static = Tone(Voice())
    assert all(static.update(20.0, 0.1 * k).state is ToneState.SIGNAL for k in range(50))


def test_a_dropout_does_not_move_the_level():
    """Samples that mean nothing are left out of what the dynamic mode takes for ground."""
    plain, holed = Tone(Voice(mode="dynamic")), Tone(Voice(mode="dynamic"))
    for k in range(100):
        plain.update(1.0, 0.01 * k)
        holed.update(1.0, 0.01 * k)
    holed.update(math.nan, 0.995)
    holed.update(1e9, 0.996, int(Quality.STUCK))
    assert plain.update(8.0, 1.0).pitch == pytest.approx(holed.update(8.0, 1.0).pitch, rel=0.01)


def test_a_dynamic_mode_that_starts_above_metal_says_so():
    """The first statistic is not taken for ground, however long it stays."""
    assert Tone(Voice(mode="dynamic")).update(50.0, 0.0).state is ToneState.SIGNAL


RNG = np.random.default_rng(seed=5)
TIME = np.cumsum(RNG.uniform(0.001, 0.03, size=80))
STATISTIC = RNG.normal(scale=20.0, size=80)
STATISTIC[[7, 30]] = np.nan
QUALITY = np.where(RNG.random(80) < 0.1, int(Quality.SPEED_LIMIT), 0)


@pytest.mark.parametrize("voice", [VOICE, DOUBLE_D, Voice(mode="dynamic")])
@settings(deadline=None, derandomize=True, max_examples=30)
@given(cuts=st.lists(st.integers(0, 80), max_size=10).map(sorted))
def test_cuts_do_not_matter(voice, cuts):
    """However a recording is cut, the audio is the same bit for bit."""
    whole = Tone(voice).push(STATISTIC, TIME, QUALITY)
    tone = Tone(voice)
    parts = [
        tone.push(STATISTIC[part], TIME[part], QUALITY[part])
        for part in np.split(np.arange(80), cuts)
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert len(whole) == round((TIME[-1] - TIME[0]) * 16000)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=12))
def test_a_callback_gets_the_same_however_much_it_asks_for(sizes):
    """Blocks of any size, pulled without new statistics between, join to the same audio."""
    one, many = Tone(VOICE), Tone(VOICE)
    one.update(15.0, 0.0)
    many.update(15.0, 0.0)
    whole = one.pull(sum(sizes))
    assert np.concatenate([many.pull(n) for n in sizes]).tobytes() == whole.tobytes()


def test_a_buffer_is_filled_like_a_pull():
    """Whatever the number of channels; nothing of what was handed out changes later."""
    one, other = Tone(VOICE), Tone(VOICE)
    for tone in (one, other):
        tone.update(15.0, 0.0)
    expected = one.pull(700)
    buffer = np.full((700, 2), np.nan, np.float32)
    other.fill(buffer)
    npt.assert_array_equal(buffer, np.column_stack([expected, expected]))
    kept = expected.copy()
    one.pull(700)
    npt.assert_array_equal(expected, kept)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_nothing_clicks(rate):
    """From sample to sample, audio moves no faster than its highest note at full loudness."""
    tone = Tone(VOICE, rate=rate)
    levels = [0, 60, 0, 2000, math.nan, 3, 60, -5, math.nan, 0]
    parts = []
    for k, value in enumerate(levels):
        tone.update(value, k)
        parts.append(tone.pull(round(0.037 * rate)))
    audio = np.concatenate(parts)
    highest = 1100 * 1.26  # of the trill
    # sin, its octave and the buzz, and the change of loudness itself in 2 ms
    slope = 2 * np.pi * highest * (0.8 + 2 * 0.2 + 0.3 * (0.6 + 0.9 + 0.5)) + 0.4 / 0.002
    assert np.abs(np.diff(audio)).max() < slope / rate
    assert np.abs(audio).max() <= 1.0


def test_a_signal_is_heard_within_the_stated_latency():
    """From update to nine tenths of the change of loudness, wherever in a frame it falls."""
    for lead in range(0, 64, 3):
        tone = Tone(VOICE)
        tone.update(0.0, 0.0)
        tone.pull(800 + lead)
        tone.update(60.0, 0.05)
        audio = tone.pull(800)
        window = round(tone.rate / VOICE.control(60.0).pitch) + 1  # a period
        loudness = np.array([np.abs(audio[i : i + window]).max() for i in range(700)])
        wanted = 0.08 + 0.9 * (loudness[-100:].max() - 0.08)
        assert np.argmax(loudness >= wanted) <= Tone.latency * tone.rate
    assert Tone.latency < 0.050 / 2  # half of the budget is the device's


def test_making_audio_takes_little_of_its_time():
    """A second of audio, updated a thousand times, takes less than half a second to make."""
    tone = Tone(VOICE)
    tone.push(0.0, 0.0)
    best = math.inf
    for second in range(3):  # the best of three, on a busy machine
        begin = time.perf_counter()
        for k in range(1, 1001):
            tone.push(STATISTIC[k % 80], second + 0.001 * k)
        best = min(best, time.perf_counter() - begin)
    assert best < 0.5


def test_a_clock_that_jumps_does_not_fill_the_memory():
    """Ten seconds of audio at most; what is left out is counted, and audio goes on."""
    tone = Tone(rate=8000)
    tone.push(0.0, 0.0)
    assert len(tone.push(0.0, 1e9)) == LONGEST * 8000
    assert tone.skipped == pytest.approx(1e9 - LONGEST)
    assert len(tone.push(0.0, 1e9 + 0.5)) == 4000


def test_reset_starts_afresh():
    """The same input gives the same audio again."""
    tone = Tone(VOICE)
    first = tone.push(STATISTIC, TIME, QUALITY)
    tone.reset()
    assert tone.push(STATISTIC, TIME, QUALITY).tobytes() == first.tobytes()


BAD_VOICES = [
    ({"threshold": 0.0}, ValueError, "Invalid threshold"),
    ({"full": 3.0}, ValueError, "Must be above the threshold"),
    ({"saturation": math.nan}, ValueError, "Invalid saturation"),
    ({"head": "triple"}, ValueError, "Must be one of 'single', 'double-d'"),
    ({"mode": "slow"}, ValueError, "Invalid mode"),
    ({"hum": 0.0}, ValueError, "Invalid hum"),
    ({"hum": 0.9}, ValueError, "Invalid hum"),
    ({"pitch": 1e5}, ValueError, "Must be at most 2000 Hz"),
    ({"octaves": "two"}, TypeError, "Invalid octaves"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD_VOICES)
def test_bad_voices_are_named(options, error, message):
    """The error names the option."""
    with pytest.raises(error, match=message):
        Voice(**options)


def test_bad_input_is_named():
    """Time that goes back, arrays that do not fit, rates that are none."""
    tone = Tone()
    tone.update(0.0, 1.0)
    with pytest.raises(ValueError, match="Must not go back"):
        tone.update(0.0, 0.5)
    with pytest.raises(ValueError, match="Must not go back"):
        tone.push(0.0, 0.5)
    with pytest.raises(ValueError, match=r"Invalid time with shape \(2,\). Must be \(3"):
        tone.push([0.0, 1.0, 2.0], [2.0, 3.0])
    with pytest.raises(ValueError, match="Invalid time 'nan'"):
        tone.update(0.0, math.nan)
    with pytest.raises(TypeError, match="Invalid statistic"):
        tone.update("loud", 2.0)
    with pytest.raises(ValueError, match="Invalid rate"):
        Tone(rate=100)
    with pytest.raises(TypeError, match="Must be a Voice"):
        Tone("loud")
    with pytest.raises(ValueError, match="Invalid n_samples"):
        tone.pull(-1)


def make_scores(n_channels):
    """Scores of a lane, with a dropout and a saturated trace."""
    sensor = Sensor(name="d", kind="emi", axis=[1e-5], lever_arms=np.zeros((n_channels, 3)))
    samples = np.zeros((50, n_channels, 1))
    samples[20:25, -1] = 30.0
    samples[30], samples[40] = np.nan, np.nan
    quality = np.zeros(50, np.int64)
    quality[30], quality[40] = Quality.STUCK, Quality.SATURATED
    northing = 0.02 * np.arange(50)
    return Sweep(
        samples=samples,
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=0 * northing,
        sensor=sensor,
        quality=quality,
    )


@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_lane_is_heard_channel_by_channel(n_channels):
    """The strongest channel of each trace is heard, dropouts as what they are."""
    scores = make_scores(n_channels)
    tone = Tone()
    expected = tone.push(scores.samples[:, -1, 0], scores.time, scores.quality)
    assert sweep_tone(scores, tail=0.0).tobytes() == expected.tobytes()
    assert len(sweep_tone(scores[:0])) == 0
    with pytest.raises(TypeError, match="Must be a Sweep"):
        sweep_tone([1.0])


def test_a_wav_file_holds_the_audio(tmp_path):
    """Read back by the standard library: within half a step of 16 bits, clipped beyond."""
    audio = Tone(VOICE).push(STATISTIC, TIME, QUALITY)
    write_wav(tmp_path / "tone.wav", audio, rate=16000)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        assert file.getparams()[:3] == (1, 2, 16000)
        found = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    npt.assert_allclose(found / 32767, audio, atol=0.51 / 32767)
    assert as_pcm([3.0, -3.0]) == as_pcm([1.0, -1.0])
    again = tmp_path / "again.wav"
    write_wav(again, Tone(VOICE).push(STATISTIC, TIME, QUALITY), rate=16000)
    assert again.read_bytes() == (tmp_path / "tone.wav").read_bytes()


def test_a_wav_file_can_be_read_while_it_grows(tmp_path):
    """After each write the header tells the truth, as if the program had been killed then."""
    with WavWriter(tmp_path / "tone.wav", rate=8000) as writer:
        for n in range(4):
            with wave.open(str(tmp_path / "tone.wav")) as file:
                assert file.getnframes() == 100 * n
                assert len(file.readframes(1000)) == 200 * n
            writer.write(np.full(100, 0.5))
    writer.close()


def test_audio_that_is_not_finite_is_refused_and_nothing_is_overwritten(tmp_path):
    """NaN would play as silence."""
    path = tmp_path / "tone.wav"
    path.write_bytes(b"kept")
    with pytest.raises(ValueError, match="1 samples are NaN or infinite"):
        write_wav(path, [0.0, math.nan], rate=8000)
    assert path.read_bytes() == b"kept"
    with pytest.raises(ValueError, match="Invalid rate"):
        WavWriter(tmp_path / "other.wav", rate=0)
    assert not (tmp_path / "other.wav").exists()
