"""
Test that scenes which cannot be are refused where a user makes them.

One line for each way to get a scene wrong and each function that meets it first; a message
has the argument, its value and the rule. The suites of the modules go through the rest.
"""

import dataclasses

import numpy as np
import pytest
from lanes import make_sensor, make_sweep

from minesense.gpr import band_pass
from minesense.io import FormatError, read_polarizability
from minesense.physics import (
    PolarizabilitySpectrum,
    Relaxation,
    Scatterers,
    Surface,
    conductive_flux,
    debye_permittivity,
    disc_facets,
    finite_reflection,
    heads,
    late_conductive_voltage,
    layered_reflection,
    near_field_ratio,
    pulse_voltage,
    radar_frequencies,
    radar_traces,
    soil_pulse_voltage,
    sphere_length,
    sphere_relaxation,
    wavenumber,
)
from minesense.sensor import PulseTrain
from minesense.synthetic import SOILS, Layer, Place, scenario

EYE = np.eye(3)
TRAIN = {"pulse": 2e-4, "ramp": 5e-6, "receiver_tau": 1e-6, "polarity": "single"}
GATES = [[20e-6, 40e-6]]
HEAD = heads.single(radius=0.1, excitation=PulseTrain(**TRAIN, gates=GATES))
BALL = sphere_relaxation(radius=0.005, conductivity=4e6, permeability=100.0)
BAND = {"n_samples": 72, "interval": 100e-12, "peak_frequency": 1.5e9}
F = radar_frequencies(**BAND)


def place_targets(*places):
    """Make a scenario of one lane with targets put in place."""
    names = ("kind", "easting", "depth")
    places = [dict(zip(names, place, strict=True)) | {"northing": 3.0} for place in places]
    return scenario("farmland", lanes={"training": 1, "blind": 0}, targets={"places": places})


def sweep_coil(place, *, height=0.05, radius=0.0):
    """Sweep a coil over a ball."""
    options = {"object_position": [place], "objects": [BALL], "object_radius": radius}
    return pulse_voltage([[0, 0, height]], head=HEAD, **options)


def record(*, height=0.1, permittivity=9.0, upward=-0.1, **band):
    """Record one trace of one scatterer."""
    band = BAND | band
    one = Scatterers(
        position=[[0, 0, upward]],
        normal=[[0, 0, 0]],
        weight=[1.0],
        spectrum=[0],
        spectra=np.ones((1, len(F))),
    )
    surface = Surface(origin=[-0.9, -0.9], step=0.033, heights=np.zeros((56, 56)))
    pair = [[0.0, 0.0, height]]
    return radar_traces(
        pair,
        pair,
        **band,
        permittivity=permittivity,
        surface=surface,
        scatterers=one,
        coupling=0.0,
    )


def relax(amplitude):
    """Make a body of one relaxation."""
    return Relaxation(instantaneous=-EYE, amplitudes=[amplitude], taus=[1e-4])


TWISTED = np.array([[1, 0.25, 0], [0, 1, 0], [0, 0, 1]])
LANE = make_sweep(np.ones((20, 1, 80)), sensor=make_sensor(1, 80, interval=5e-11))
AT_LEAST_AIR = "Must be finite, its real part not less than that of air, 1"

SCENES = {
    # targets that overlap
    "overlap, side by side": (
        lambda: place_targets(("pmn", 0.5, 0.05), ("ts50", 0.55, 0.05)),
        r"place of the ts50: easting '0.55', northing '3.0'. Must not overlap the pmn at \(0.5",
    ),
    "overlap, one in the other": (
        lambda: place_targets(("pmn", 0.5, 0.05), ("m14", 0.5, 0.06)),
        "place of the m14: easting '0.5', .* Must not overlap the pmn",
    ),
    # targets above the ground
    "above, a target": (
        lambda: Place(kind="pmn", easting=0.5, northing=3.0, depth=-0.01),
        "Invalid depth '-0.01'. Must not be negative, or it would stick out",
    ),
    "above, in a file": (
        lambda: place_targets(("pmn", 0.5, -0.01)),
        r"Invalid depth '-0.01'. Must not be negative.*`\$.targets.places\[0\].depth`",
    ),
    "above, a law of depths": (
        lambda: scenario(
            "farmland", targets={"depth": {"kind": "uniform", "low": -0.05, "high": 0.1}}
        ),
        r"Invalid depth '-0.05'. Must be finite and not negative - at `\$.targets.depth`",
    ),
    "above, a scatterer": (
        lambda: record(upward=0.01),
        r"Invalid scatterers: 1 of 1 do not lie below the surface, the first is 0, 0.01 m ab",
    ),
    # permittivity below 1
    "permittivity, recorded": (
        lambda: record(permittivity=0.5),
        rf"Invalid permittivity '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, lossy": (
        lambda: record(permittivity=0.99 - 3j),
        rf"Invalid permittivity '\(0.99-3j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, near field": (
        lambda: near_field_ratio([1e9], 0.1, 0.1, permittivity=0.5),
        rf"Invalid permittivity '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, wave number": (
        lambda: wavenumber(F, 0.5),
        rf"Invalid permittivity '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, soil of a disc": (
        lambda: disc_facets([0, 0, -0.1], diameter=0.1, frequency=F, soil=0.5),
        rf"Invalid \w+ '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, layer of a disc": (
        lambda: disc_facets(
            [0, 0, -0.1], diameter=0.1, frequency=F, soil=9.0, layers=[(0.04, 0.8)]
        ),
        rf"Invalid \w+ '\(0.8\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, layers": (
        lambda: layered_reflection([1e9], [9.0, 0.8, 9.0], [0.04]),
        rf"Invalid \w+ '\(0.8\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, finite layers": (
        lambda: finite_reflection([1e9], [9.0, 0.8, 9.0], [0.04]),
        rf"Invalid \w+ '\(0.8\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, ball": (
        lambda: sphere_length(F, radius=0.05, permittivity=0.5, soil=9.0),
        rf"Invalid permittivity '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, soil of a ball": (
        lambda: sphere_length(F, radius=0.05, soil=0.5),
        rf"Invalid permittivity '\(0.5\+0j\)'. {AT_LEAST_AIR}",
    ),
    "permittivity, under a coil": (
        lambda: conductive_flux(
            [0.1], frequency=[2e4], radius=0.1, conductivity=0.1, permittivity=0.9
        ),
        "Invalid permittivity '0.9'. Must be relative, 1 or more",
    ),
    "permittivity, Debye": (
        lambda: debye_permittivity(1e9, static=0.5),
        "Invalid static '0.5'. Must lie between 1",
    ),
    "permittivity, catalogue": (
        lambda: Layer(part="lid", thickness=0.01, permittivity=0.5),
        "Invalid permittivity '0.5'. Must be at least 1, that of empty space",
    ),
    # negative conductivity
    "conductivity, Debye": (
        lambda: debye_permittivity(1e9, static=4.0, conductivity=-0.1),
        "Invalid conductivity '-0.1'. Must be finite and not negative",
    ),
    "conductivity, under a coil": (
        lambda: conductive_flux([0.1], frequency=[2e4], radius=0.1, conductivity=-0.1),
        "Invalid conductivity '-0.1'. Must be finite and not negative",
    ),
    "conductivity, late": (
        lambda: late_conductive_voltage(
            HEAD.excitation, height=0.05, radius=0.1, conductivity=-0.1
        ),
        "Invalid conductivity '-0.1'. Must be finite and not negative",
    ),
    "conductivity, ball": (
        lambda: sphere_relaxation(radius=0.01, conductivity=-1.0, permeability=1.0),
        "Invalid conductivity '-1.0'. Must be finite and greater than zero",
    ),
    "conductivity, catalogue": (
        lambda: dataclasses.replace(SOILS["loam"], conductivity=(-0.1, 0.1)),
        "Invalid conductivity '-0.1'. Must be a range of at least 0, in order",
    ),
    # a coil that touches
    "touch, the wire": (
        lambda: sweep_coil([0.1, 0, 0.05]),
        r"Invalid object_position \[0.1, 0.0, 0.05\]: .* touches a wire of the head at "
        r"position 0, \[0.0, 0.0, 0.05\]. Must lie farther from it than 0.001 m",
    ),
    "touch, the wire by its size": (
        lambda: sweep_coil([0.1, 0, -0.01], radius=0.07),
        r"object_position .* with a radius of 0.07 m .* Must lie farther from it than 0.07 m",
    ),
    "touch, through the coil": (
        lambda: sweep_coil([0.02, 0, 0.03], radius=0.03),
        "Invalid object_radius '0.03' of the object at .* Must stay on one side of it",
    ),
    "touch, the ground": (
        lambda: soil_pulse_voltage([0.05, 0.0], head=HEAD, susceptibility=1e-3),
        "Invalid height '0.0'. Must be greater than zero",
    ),
    "touch, the ground with a tilt": (
        lambda: soil_pulse_voltage(
            [0.03],
            head=HEAD,
            susceptibility=1e-3,
            rotation=[[[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]],
        ),
        "Invalid height '0.03' at position 0: the lowest wire is -0.03 m over .* Must be above",
    ),
    "touch, an antenna in the ground": (
        lambda: record(height=-0.02),
        "Invalid transmitter 0, 0.02 m below the surface. Must be above it",
    ),
    # gates
    "gates, before the ramp ends": (
        lambda: PulseTrain(**TRAIN, gates=[[-2e-6, 1e-5]]),
        r"Invalid gates: gate 0 is \[-2e-06, 1e-05\] s. Must be 0 < start < stop, counted from "
        "the end of the ramp",
    ),
    "gates, as it ends": (
        lambda: PulseTrain(**TRAIN, gates=[*GATES, [0.0, 1e-5]]),
        r"Invalid gates: gate 1 is \[0.0, 1e-05\] s. Must be 0 < start",
    ),
    # a band above Nyquist
    "band, of a filter": (
        lambda: band_pass(LANE, low=1e9, high=1.1e10),
        r"Invalid high '11000000000.0'. Must be less than the Nyquist frequency, 1e\+10 Hz",
    ),
    "band, of a pulse": (
        lambda: radar_frequencies(n_samples=72, interval=200e-12, peak_frequency=1.5e9),
        "Invalid interval '2e-10'. Must be at most a quarter of the period of the peak",
    ),
    "band, of a recording": (
        lambda: record(interval=200e-12),
        "Invalid interval '2e-10'. Must be at most a quarter of the period of the peak",
    ),
    # tensors that no body has
    "tensors, not positive": (
        lambda: relax(np.diag([1.0, 1.0, -0.5])),
        r"Invalid amplitudes: tensor 0 has the eigenvalue -0.5 m\^3. Must be positive semidef",
    ),
    "tensors, not symmetric": (
        lambda: relax(TWISTED),
        "Invalid amplitudes: off its transpose by 0.25. Must be symmetric",
    ),
    "tensors, spectrum not symmetric": (
        lambda: PolarizabilitySpectrum(frequency=[1e3], tensors=[-1j * TWISTED]),
        r"Invalid tensors: tensor 0 is off its transpose by 0.\d+ of its largest.* Must be",
    ),
    "tensors, spectrum that gains": (
        lambda: PolarizabilitySpectrum(frequency=[1e3], tensors=[1j * EYE]),
        "Invalid tensors: .* at 1000 Hz is positive .* take the complex conjugate",
    ),
}


@pytest.mark.parametrize(("make", "message"), SCENES.values(), ids=SCENES)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_nearly_touches_is_taken():
    """The same scenes on the right side of their limits."""
    assert len(place_targets(("pmn", 0.5, 0.05), ("ts50", 0.61, 0.05)).targets.places) == 2
    assert np.isfinite(record(upward=-1e-3, permittivity=1.0)).all()
    assert np.isfinite(sweep_coil([0.1, 0, -0.01], radius=0.059)).all()
    assert np.isfinite(sweep_coil([0.02, 0, 0.03], radius=0.019)).all()
    assert np.isfinite(soil_pulse_voltage([1e-3], head=HEAD, susceptibility=1e-3)).all()
    assert len(PulseTrain(**TRAIN, gates=[[1e-9, 1e-5]]).gates) == 1
    assert len(band_pass(LANE, low=1e9, high=9.9e9)) == len(LANE)
    assert relax(np.zeros((3, 3))).taus == [1e-4]
    assert near_field_ratio([1e9], 0.1, 0.1, permittivity=1 - 1e-12).shape


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Frequencies.csv", "-1e3\n", "row 1: invalid angular frequency -1000.0. Must be"),
        ("Tensors.csv", "1j,0,0,0,1j,0,0,0\n", "line 1: invalid number of values 8. Must be 9"),
        (
            "Tensors.csv",
            "(nan+1j),0,0,0,1j,0,0,0,1j\n",
            r"line 1: invalid tensor element .\(nan\+1j\).. Must be",
        ),
        (
            "Tensors.csv",
            "1j,0.1,0,0,1j,0,0,0,1j\n",
            "row 1: invalid tensor 'off by 0.1'. Must be equal to its transpose",
        ),
        (
            "Tensors.csv",
            "1j,0,0,0,-2j,0,0,0,1j\n",
            "row 1: invalid imaginary part -2.0. Must be positive along every",
        ),
        ("N0.csv", "1,0,0\n0,1,0\n", "number of lines 2. Must be 3, of a tensor"),
    ],
)
def test_malformed_spectra_are_refused(tmp_path, name, text, message):
    """Exports of MPT-Library: each message has the file, the line, the value and the rule."""
    good = {
        "Frequencies.csv": "1e3\n",
        "Tensors.csv": "1j,0,0,0,1j,0,0,0,1j\n",
        "N0.csv": "1,0,0\n0,1,0\n0,0,1\n",
    }
    for file, content in (good | {name: text}).items():
        (tmp_path / file).write_text(content)
    with pytest.raises(FormatError, match=f"{name}.*{message}"):
        read_polarizability(tmp_path)
