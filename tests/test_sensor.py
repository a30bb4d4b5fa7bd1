"""Test the records of sensors: wires, waveforms, heads, and what tells two apart."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_head, make_phasors, make_sensor, make_sweep

from minesense import emi, gpr
from minesense.sensor import (
    Circle,
    ContinuousWave,
    Head,
    Polygon,
    PulseTrain,
    Radar,
    Sensor,
    pulse_train_of,
)
from minesense.stage import run_lane
from minesense.sweep import no_traces

TRIANGLE = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
TRAIN = {
    "pulse": 200e-6,
    "ramp": 5e-6,
    "half_period": 1e-3,
    "receiver_tau": 1e-6,
    "gates": [[20e-6, 30e-6]],
}
COIL = (Circle(radius=0.1),)
PULSES = PulseTrain(**TRAIN)
HEAD = {"transmitter": COIL, "receiver": COIL, "excitation": PULSES}
SENSOR = {"name": "coils", "kind": "emi", "axis": [1e-5], "lever_arms": np.zeros((2, 3))}


def test_records_hold_floats_and_arrays():
    """Whole numbers and lists are taken and kept as floats, ready for kernels."""
    loop = Circle(radius=1, centre=[0, 1, 2], axis=(0, 3, 0), turns=2)
    assert [type(x) for x in (loop.radius, loop.turns)] == [float, float]
    for array in (loop.centre, loop.axis, Polygon(vertices=TRIANGLE).vertices):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
    assert PULSES.gates.shape == (1, 2)
    assert ContinuousWave(frequencies=[1, 2]).frequencies.dtype == np.float64
    head = Head(**{**HEAD, "transmitter": list(COIL)}, height=1)
    assert isinstance(head.transmitter, tuple)
    assert type(head.height) is float


def test_one_coil_is_one_object():
    """Two windings of the same wire become one, others stay two."""
    same = Head(**{**HEAD, "receiver": (Circle(radius=0.1, axis=[0, 0, 2]),)})
    assert same.receiver is same.transmitter
    for other in (Circle(radius=0.1, turns=-1), Circle(radius=0.1, centre=[0, 0, 1e-6])):
        head = Head(**{**HEAD, "receiver": (other,)})
        assert head.receiver is not head.transmitter
        assert head.receiver == (other,)


def test_ideal_waveforms_are_allowed():
    ideal = PulseTrain(
        pulse=math.inf, ramp=0, receiver_tau=0, gates=[[1e-5, 2e-5]], polarity="single"
    )
    assert ideal.describe()["pulse_s"] is None
    assert ideal.describe()["excitation"] == "pulse, single"
    last = PulseTrain(**{**TRAIN, "gates": [[700e-6, 795e-6]]})  # up to the next pulse
    assert last.gates[0, 1] == 795e-6


def test_an_array_has_a_head_for_each_channel():
    heads = (Head(**HEAD), Head(**{**HEAD, "receiver": (Circle(radius=0.2),)}))
    array, alike = Sensor(**SENSOR, heads=heads), Sensor(**SENSOR, head=heads[1])
    assert array.channel_heads == heads
    assert alike.channel_heads == (heads[1], heads[1])
    assert array.excitation is PULSES
    assert alike.excitation is PULSES
    bare = Sensor(**SENSOR)
    assert (bare.channel_heads, bare.excitation) == ((), None)


def test_complex_samples_are_two_floats_each():
    sensor = make_phasors(2, [1e3, 2e3, 4e3])
    assert sensor.shape == (2, 6)
    samples = np.arange(24, dtype=np.float32).reshape(2, 2, 6)
    sweep = make_sweep(samples, sensor=sensor)
    assert sweep.phasors.shape == (2, 2, 3)
    assert sweep.phasors.dtype == np.complex64
    npt.assert_array_equal(sweep.phasors[1, 0], [12 + 13j, 14 + 15j, 16 + 17j])
    assert np.shares_memory(sweep.phasors, sweep.samples)
    assert sweep[1:].phasors.shape == (1, 2, 3)
    assert no_traces(sensor).phasors.shape == (0, 2, 3)
    with pytest.raises(ValueError, match=r"\(2, 2, 3\). Must be \(n_traces, 2, 6\)"):
        make_sweep(samples[..., :3], sensor=sensor)
    with pytest.raises(ValueError, match="Invalid sensor 'test coils' with real samples"):
        _ = make_sweep(np.zeros((1, 2, 12)), sensor=make_coils()).phasors


def different_sensors():
    """Return sensors, each unlike the others in one thing."""
    gated = Sensor(**SENSOR, head=Head(**HEAD))
    yield gated
    yield Sensor(**SENSOR)
    yield Sensor(**SENSOR, heads=(Head(**HEAD), Head(**HEAD)))
    yield dataclasses.replace(gated, is_complex=True)
    for change in (
        {"pulse": 1e-4},
        {"ramp": 1e-6},
        {"half_period": 2e-3},
        {"receiver_tau": 2e-6},
        {"gates": [[20e-6, 31e-6]]},
        {"polarity": "unipolar"},
        {"polarity": "single", "half_period": None},
        {"polarity": "single", "half_period": None, "pulse": math.inf},
    ):
        head = Head(**{**HEAD, "excitation": PulseTrain(**{**TRAIN, **change})})
        yield Sensor(**SENSOR, head=head)
    for wave in ({"frequencies": [1e3]}, {"frequencies": [1e3], "demodulator_tau": 0.1}):
        yield Sensor(**SENSOR, head=Head(**{**HEAD, "excitation": ContinuousWave(**wave)}))
    for winding in (
        (Circle(radius=0.1, turns=2),),
        (Circle(radius=0.1, turns=-1),),
        (Circle(radius=0.1, centre=[0, 0, 0.1]),),
        (Circle(radius=0.1, axis=[0, 0.1, 1]),),
        (*COIL, *COIL),
        (Polygon(vertices=TRIANGLE),),
        (Polygon(vertices=TRIANGLE[::-1]),),
        (Polygon(vertices=[*TRIANGLE, [0, 0.5, 0.5]]),),
    ):
        for name in ("transmitter", "receiver"):
            yield Sensor(**SENSOR, head=Head(**{**HEAD, name: winding}))
    yield Sensor(**SENSOR, head=Head(**HEAD, height=0.1))


def test_descriptions_tell_sensors_apart():
    described = [sensor.describe() for sensor in different_sensors()]
    assert [described.count(one) for one in described] == [1] * len(described)
    again = [sensor.describe() for sensor in different_sensors()]
    assert described == again


def test_the_length_of_an_axis_tells_nothing():
    a, b = ((Circle(radius=0.1, axis=[0, 0, length]),) for length in (1, 7))
    heads = [Head(transmitter=x, receiver=x, excitation=PULSES) for x in (a, b)]
    assert (
        Sensor(**SENSOR, head=heads[0]).describe() == Sensor(**SENSOR, head=heads[1]).describe()
    )


PHASORS = make_sweep(np.ones((30, 2, 4)), sensor=make_phasors())
STEPPED = make_sweep(
    np.ones((30, 2, 8)), sensor=dataclasses.replace(make_sensor(), is_complex=True)
)
GATED_STAGES = {
    "project soil": emi.ProjectSoil(columns=[[1.0, 2.0, 3.0, 4.0]]),
    "prescreen decay": emi.PrescreenDecay(
        spacing=0.05, columns=[[1.0, 2.0, 3.0, 4.0]], decays=[[4.0, 3.0, 2.0, 1.0]]
    ),
}
RADAR_STAGES = {
    "time zero": gpr.AlignTimeZero(spacing=0.05, template=0.25, smoothing=0.3),
    "ground": gpr.AlignGround(search=(0, 3e-10), ground_time=1e-10),
    "dewow": gpr.Dewow(window=3e-10),
    "band-pass": gpr.BandPass(low=0.4e9, high=3.5e9),
    "prescreen energy": gpr.PrescreenEnergy(spacing=0.05, bin_length=1e-10),
}


@pytest.mark.parametrize("stage", GATED_STAGES.values(), ids=GATED_STAGES)
def test_stages_of_gates_refuse_continuous_wave(stage):
    real = dataclasses.replace(PHASORS.sensor, is_complex=False, axis=[1.0, 2.0, 3.0, 4.0])
    for sweep, found in (
        (PHASORS, "complex samples"),
        (make_sweep(np.ones((30, 2, 4)), sensor=real), "continuous wave"),
    ):
        with pytest.raises(ValueError, match=f"of {found}. Must be gates of pulse"):
            run_lane(stage, sweep)


@pytest.mark.parametrize("stage", RADAR_STAGES.values(), ids=RADAR_STAGES)
def test_radar_stages_refuse_complex_samples(stage):
    with pytest.raises(ValueError, match=r"complex samples\. Must be a radar"):
        run_lane(stage, STEPPED)


def test_scales_do_not_bend_phasors():
    """Whitening refuses them; what subtracts treats their parts alike."""
    with pytest.raises(ValueError, match=r"of complex samples\. Must be real"):
        run_lane(gpr.Whiten(spacing=0.05, length=0.5, guard=0.1), PHASORS)
    residual = gpr.remove_median_background(PHASORS, spacing=0.05, half_width=0.2)
    assert residual.phasors.shape == (30, 2, 2)
    npt.assert_array_equal(residual.phasors, 0)


def test_features_refuse_phasors():
    options = {"spread": np.ones((2, 4)), "soil": np.ones(4), "spacing": 0.05}
    with pytest.raises(ValueError, match=r"of complex samples\. Must be gates"):
        emi.coil_features(PHASORS, PHASORS, [0], [0], **options)
    with pytest.raises(ValueError, match=r"complex samples\. Must be a radar"):
        gpr.radar_features(STEPPED, [0], [0], ground_time=1e-10, spacing=0.05)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Circle(radius=0), ValueError, "radius '0.0'"),
        (lambda: Circle(radius=1, axis=[0, 0, 0]), ValueError, r"axis \[0.0, 0.0, 0.0\]. Must"),
        (lambda: Circle(radius=1, centre=[0, 0]), ValueError, r"centre with shape \(2,\)"),
        (lambda: Circle(radius=1, turns=0), ValueError, "turns '0.0'. Must not be zero"),
        (lambda: Circle(radius=1, turns=np.nan), ValueError, "turns 'nan'"),
        (lambda: Polygon(vertices=TRIANGLE[:2]), ValueError, "2 of them differ. Must be at"),
        (lambda: Polygon(vertices=[*TRIANGLE[:2]] * 2), ValueError, "2 of them differ"),
        (
            lambda: Polygon(vertices=[*TRIANGLE[:2], *TRIANGLE[1:]]),
            ValueError,
            r"vertex 1, \[1.0, 0.0, 0.0\], is repeated",
        ),
        (
            lambda: Polygon(vertices=[*TRIANGLE, TRIANGLE[0]]),
            ValueError,
            "vertex 3, .* is",
        ),
        (lambda: Polygon(vertices=TRIANGLE, turns=0), ValueError, "turns '0.0'"),
        (lambda: Polygon(vertices=[[0, 0]] * 3), ValueError, r"vertices with shape \(3, 2\)"),
        (
            lambda: ContinuousWave(frequencies=[]),
            ValueError,
            r"frequencies \[\]. Must be at least one",
        ),
        (
            lambda: ContinuousWave(frequencies=[0.0, 1.0]),
            ValueError,
            r"frequencies \[0.0, 1.0\]",
        ),
        (
            lambda: ContinuousWave(frequencies=[2.0, 2.0]),
            ValueError,
            "frequencies: value 1 is 2.0 after 2.0",
        ),
        (
            lambda: ContinuousWave(frequencies=[1.0], demodulator_tau=-1),
            ValueError,
            "demodulator_tau '-1.0'",
        ),
        (
            lambda: Sensor(**SENSOR, radar=Radar(centre_frequency=1)),
            ValueError,
            "Invalid Radar f",
        ),
        (lambda: Sensor(**SENSOR, radar=COIL[0]), TypeError, "Must be a Radar"),
        (
            lambda: Sensor(**{**SENSOR, "kind": "gpr"}, head=Head(**HEAD)),
            ValueError,
            "Invalid Head for a sensor of kind 'gpr'",
        ),
        (
            lambda: Sensor(**{**SENSOR, "kind": "gpr"}, heads=(Head(**HEAD),) * 2),
            ValueError,
            "Invalid Head for a sensor of kind 'gpr'",
        ),
        (lambda: Sensor(**SENSOR, head=PULSES), TypeError, "Must be a Head"),
        (lambda: Sensor(**SENSOR, heads=(PULSES,) * 2), TypeError, "Must be a Head"),
        (
            lambda: Sensor(**SENSOR, heads=(Head(**HEAD),)),
            ValueError,
            "heads of sensor 'coils': 1 for 2 channels. Must be one for each channel",
        ),
        (
            lambda: Sensor(**SENSOR, head=Head(**HEAD), heads=(Head(**HEAD),) * 2),
            ValueError,
            "2 beside a head for 2 channels",
        ),
        (
            lambda: Sensor(
                **SENSOR,
                heads=(Head(**HEAD), make_head(dataclasses.replace(PULSES, ramp=1e-6))),
            ),
            ValueError,
            "the waveform of head 1 is not that of head 0",
        ),
        (
            lambda: pulse_train_of(make_phasors()),
            ValueError,
            "'test phasors' with ContinuousWave and complex samples. Must have a head",
        ),
        (lambda: pulse_train_of(Sensor(**SENSOR)), ValueError, "'coils' with no head. Must"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"pulse": 0}, ValueError, "pulse '0.0'"),
        ({"pulse": math.inf}, ValueError, "pulse 'inf'"),
        ({"ramp": -1e-6}, ValueError, "ramp '-1e-06'"),
        ({"receiver_tau": -1}, ValueError, "receiver_tau '-1.0'"),
        ({"half_period": 0}, ValueError, "half_period '0.0'"),
        ({"half_period": 205e-6}, ValueError, "half_period '0.000205'. Must be longer than"),
        ({"half_period": None}, ValueError, "half_period None of polarity 'bipolar'"),
        ({"polarity": "single"}, ValueError, "half_period 0.001 of polarity 'single'"),
        ({"polarity": "both"}, ValueError, "polarity 'both'"),
        ({"gates": np.empty((0, 2))}, ValueError, r"gates \[\]. Must be at least one"),
        ({"gates": [[0, 1e-5]]}, ValueError, r"gate 0 is \[0.0, 1e-05\] s. Must be 0 < start"),
        ({"gates": [[-1e-6, 1e-5]]}, ValueError, "counted from the end of the ramp"),
        ({"gates": [[1e-5, 2e-5], [3e-5, 3e-5]]}, ValueError, "gate 1 is"),
        (
            {"gates": [[1e-5, 2e-5], [7e-4, 7.96e-4]]},
            ValueError,
            "gate 1 is .*, and the next pulse begins at 0.000795 s. Must end before it",
        ),
        ({"gates": [[1e-5]]}, ValueError, r"gates with shape \(1, 1\)"),
    ],
)
def test_bad_trains_are_named(bad, error, message):
    with pytest.raises(error, match=message):
        PulseTrain(**{**TRAIN, **bad})


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"transmitter": ()}, ValueError, r"transmitter \(\). Must hold a wire"),
        ({"receiver": ()}, ValueError, r"receiver \(\). Must hold a wire"),
        ({"transmitter": COIL[0]}, TypeError, "transmitter .* Must be a tuple of Circle"),
        ({"receiver": (PULSES,)}, TypeError, "receiver .* Must be a tuple of Circle"),
        ({"excitation": None}, TypeError, "excitation None. Must be a PulseTrain"),
        ({"height": 0}, ValueError, "height '0.0'"),
    ],
)
def test_bad_heads_are_named(bad, error, message):
    with pytest.raises(error, match=message):
        Head(**{**HEAD, **bad})
