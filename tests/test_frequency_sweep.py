"""Test sweeps over frequency: arrays, tables by their names, Touchstone, and time."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.gpr import traces_from_tones
from minesense.io import FormatError, FormatWarning, read
from minesense.io.frequency_arrays import is_even
from minesense.io.frequency_sweep import from_frequency_sweep
from minesense.io.touchstone import write_touchstone
from minesense.sweep import Quality

# Made-up numbers are no passive paths with their echoes after the start; tests of that warning
# ask for it.
pytestmark = pytest.mark.filterwarnings("ignore:.*more energy lies:UserWarning")

#: 600 MHz is no multiple of 10.8 MHz: the grid does not contain 0 Hz.
TONES = 600e6 + 10.8e6 * np.arange(501)


def echo(delay, size=1.0, tones=TONES):
    """Return the phasors of one echo: its phase falls with frequency."""
    return size * np.exp(-2j * np.pi * tones * delay)


def by_definition(tones, values, time, weights=None):
    """Return the sum over tones at every time, term by term."""
    weights = np.ones(len(tones)) if weights is None else weights
    total = np.zeros(len(time), complex)
    for w, f, s in zip(weights, tones, values, strict=True):
        total += w * s * np.exp(2j * np.pi * f * time)
    return total / weights.sum()


# -- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [501, 1000, 4096])
def test_time_traces_are_the_sum_over_tones(n):
    """To rounding, whether or not zeros are put behind the band."""
    sweep = from_frequency_sweep(TONES, echo(7.3e-9, 0.8) + echo(31e-9, 0.2))
    traces = sweep.to_time(n_samples=n)
    expected = by_definition(TONES, sweep.values[0, 0], traces.time)
    npt.assert_allclose(traces.values[0, 0], expected, atol=1e-12)
    npt.assert_allclose(traces.sample_interval, 1 / (n * 10.8e6), rtol=1e-14)
    npt.assert_allclose(traces.unambiguous_range, 1 / 10.8e6, rtol=1e-14)
    npt.assert_allclose(traces.resolution, 1 / (500 * 10.8e6), rtol=1e-14)


@given(sample=st.integers(1, 400), phase=st.floats(-3, 3))
def test_a_known_delay_peaks_at_it_with_its_phase(sample, phase):
    """On a grid without 0 Hz: the peak is one, its phase right to 1e-9."""
    interval = 1 / (501 * 10.8e6)
    delay = sample * interval
    sweep = from_frequency_sweep(TONES, echo(delay) * np.exp(1j * phase))
    trace = sweep.to_time().values[0, 0]
    assert int(np.abs(trace).argmax()) == sample
    npt.assert_allclose(abs(trace[sample]), 1, atol=1e-9)
    turned = math.remainder(np.angle(trace[sample]) - phase, 2 * math.pi)
    assert abs(turned) < 1e-9


def test_a_delay_of_cables_is_taken_off():
    """All times move by it, phases stay right."""
    interval = 1 / (501 * 10.8e6)
    sweep = from_frequency_sweep(TONES, echo(100 * interval + 5.123e-9))
    trace = sweep.to_time(delay=5.123e-9).values[0, 0]
    assert int(np.abs(trace).argmax()) == 100
    npt.assert_allclose(trace[100], 1, atol=1e-9)


def test_uneven_tones_take_the_sum_itself():
    """And give the same as even ones where they are even."""
    rng = np.random.default_rng(seed=4)
    tones = TONES + rng.uniform(-3e6, 3e6, len(TONES))
    assert not is_even(tones)
    sweep = from_frequency_sweep(tones, echo(20e-9, tones=tones))
    traces = sweep.to_time(n_samples=600)
    widths = np.gradient(tones)  # for this grid, the tone's own part of the band
    step = np.median(np.diff(tones))
    steps = np.diff(tones)
    widths = (np.append(steps[:1], steps) + np.append(steps, steps[-1:])) / 2
    expected = by_definition(
        tones, sweep.values[0, 0], traces.time, weights=np.minimum(widths, step)
    )
    npt.assert_allclose(traces.values[0, 0], expected, atol=1e-12)


def test_the_real_part_is_that_of_the_stage():
    """One formula: traces_from_tones gives the same, with and without a window."""
    values = np.stack([echo(7.3e-9), echo(20e-9, 0.3) + echo(40e-9, 0.1)])
    sweep = from_frequency_sweep(TONES, values)
    for window in (None, "hann", ("kaiser", 6.0)):
        real = sweep.to_sweep(window=window)
        interval = real.sensor.sample_interval
        stage = traces_from_tones(
            sweep.to_sweep(domain="frequency"),
            interval=interval,
            duration=interval * len(real.sensor.axis),
            window=window,
        )
        npt.assert_allclose(real.samples, stage.samples, atol=2e-6)


def test_a_sweep_says_what_it_does_not_know():
    """Times are an order, positions none unless given."""
    sweep = from_frequency_sweep(TONES, np.stack([echo(7e-9)] * 3))
    traces = sweep.to_sweep(lane="A")
    assert (traces.quality & Quality.POSE_NONE).all()
    assert (traces.quality & Quality.TIME_COARSE).all()
    assert traces.lane == "A"
    assert 2 * traces.sensor.sample_interval * TONES[-1] < 1
    placed = from_frequency_sweep(
        TONES, np.stack([echo(7e-9)] * 3), position=[[0, 0, 0], [0.1, 0, 0], [np.nan] * 3]
    ).to_sweep(domain="frequency")
    assert placed.position[1].tolist() == [0.1, 0, 0]
    assert ((placed.quality & Quality.POSE_NONE) != 0).tolist() == [False, False, True]
    npt.assert_allclose(placed.phasors[0, 0], echo(7e-9), atol=1e-7)


@pytest.mark.parametrize(
    ("tones", "values", "match"),
    [
        ([1e9], [1.0], "two or more"),
        ([1e9, 1e9], [1, 1], "tone 1 is not above"),
        ([2e9, 1e9], [1, 1], "increasing"),
        ([-1e9, 1e9], [1, 1], "none below 0 Hz"),
        ([1e9, np.nan], [1, 1], "finite"),
        ([1e9, 2e9], [1, 1, 1], "shape"),
        ([1e9, 2e9], ["a", "b"], "complex numbers"),
        ([1e9, 2e9], [[[1, 1], [1, 1]]], "Must name each"),
    ],
)
def test_what_is_no_sweep(tones, values, match):
    """Is refused."""
    with pytest.raises((ValueError, TypeError), match=match):
        from_frequency_sweep(tones, values)


def test_options_out_of_range():
    """Are refused with the rule."""
    sweep = from_frequency_sweep(TONES, echo(7e-9))
    with pytest.raises(ValueError, match="at least the number of tones"):
        sweep.to_time(n_samples=500)
    with pytest.raises(ValueError, match="2147483648"):
        sweep.to_time(n_samples=2**30)
    with pytest.raises(ValueError, match="window"):
        sweep.to_time(window="none at all")
    with pytest.raises(ValueError, match="domain"):
        sweep.to_sweep(domain="space")
    with pytest.raises(ValueError, match="delay"):
        sweep.to_time(delay=math.inf)


def test_a_narrow_band_has_no_real_traces():
    """Complex ones and the tones it has."""
    tones = 1e10 + 1e6 * np.arange(21)
    sweep = from_frequency_sweep(tones, echo(1e-8, tones=tones))
    with pytest.raises(ValueError, match="to_time"):
        sweep.to_sweep()
    assert sweep.to_time().values.shape == (1, 1, 21)
    assert sweep.to_sweep(domain="frequency").sensor.is_complex


def test_doubts_are_warned_of():
    """Energy at negative time, more than a passive path gives, a constant, NaN."""
    with pytest.warns(FormatWarning, match="second half"):
        wrong = from_frequency_sweep(TONES, echo(7e-9).conj())
    right = from_frequency_sweep(TONES, wrong.values[0, 0], is_conjugate=True)
    npt.assert_allclose(right.values[0, 0], echo(7e-9))
    assert right.corrections[0].field == "phasor sign"
    with pytest.warns(FormatWarning, match="no passive path"):
        from_frequency_sweep(TONES, echo(7e-9, 1.5))
    with pytest.warns(FormatWarning, match="same value at all"):
        from_frequency_sweep(TONES, np.full(501, 0.5))
    values = np.stack([echo(7e-9)] * 2)
    values[1, 3] = np.nan
    with pytest.warns(FormatWarning, match=r"1 of 2 positions.*position 1"):
        sweep = from_frequency_sweep(TONES, values)
    flags = sweep.to_sweep(domain="frequency").quality & Quality.NOT_FINITE
    assert (flags != 0).tolist() == [False, True]


# -- tables with the axis in their names -----------------------------------------------------


@pytest.mark.parametrize("domain", ["time", "frequency"])
@pytest.mark.parametrize("size", [1e39, 1e308])
def test_tones_beyond_single_precision_are_flagged(domain, size):
    """And only their position, without a warning of NumPy."""
    values = np.stack([echo(2e-9), echo(2e-9, size=size)])[:, None]
    with np.errstate(all="raise"), pytest.warns(FormatWarning, match="1 of 2 positions"):
        sweep = from_frequency_sweep(TONES, values).to_sweep(domain=domain)
    assert ((sweep.quality & Quality.NOT_FINITE) != 0).tolist() == [False, True]
    assert np.isfinite(sweep.samples[0]).all()


def write_vna(path, values, header="S21_real,S21_imag"):
    """Write a table of one position."""
    rows = [f"{v.real!r},{v.imag!r}" for v in values.tolist()]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


NAME = "VNA_X600_Y100.0_OrX_Fs600M_Fe6000.0M_Qf501_H150.csv"


def test_a_name_tells_axis_and_place(tmp_path):
    """Numbers with and without decimals."""
    path = write_vna(tmp_path / NAME, echo(7e-9))
    sweep = read(path)
    assert sweep.format == "vna"
    npt.assert_allclose(sweep.frequency, TONES, rtol=1e-15)
    npt.assert_array_equal(sweep.values[0, 0], echo(7e-9))
    assert sweep.position.tolist() == [[0.6, 0.1, 0.15]]
    assert sweep.header["orientation"] == ["X"]
    assert sweep.sources == {"frequency": "name of the file", "position": "name of the file"}
    assert sweep.describe()["even_steps"]


def test_a_folder_is_a_survey(tmp_path):
    """Sorted by Y, then X, whatever the names sort by."""
    for x, y in ((1000, 0), (200, 0), (50, 100)):
        name = f"VNA_X{x}_Y{y}_OrY_Fs600M_Fe6000M_Qf501_H0.csv"
        write_vna(tmp_path / name, echo(1e-9 * (1 + x / 1000)))
    sweep = read(tmp_path)
    assert sweep.position[:, :2].tolist() == [[0.2, 0], [1.0, 0], [0.05, 0.1]]
    npt.assert_allclose(sweep.values[1, 0], echo(2e-9))
    write_vna(tmp_path / NAME.replace("Fs600M", "Fs700M"), echo(7e-9))
    with pytest.raises(FormatError, match="axis"):
        read(tmp_path)


def test_rows_that_are_not_as_many_as_the_name_says(tmp_path):
    """Are an error; so is a name without axis unless the caller gives it."""
    with pytest.raises(FormatError, match="Qf501 rows"):
        read(write_vna(tmp_path / NAME, echo(7e-9)[:-1]))
    old = write_vna(tmp_path / "VNA_data_X10_Y20.csv", echo(7e-9))
    with pytest.raises(FormatError, match="start_frequency"):
        read(old)
    sweep = read(old, start_frequency=600e6, stop_frequency=6000e6)
    npt.assert_allclose(sweep.frequency, TONES, rtol=1e-15)
    assert sweep.sources["frequency"] == "caller"
    with pytest.raises(ValueError, match="both first and last"):
        read(old, start_frequency=600e6)


@pytest.mark.parametrize("row", ["0.1;0.2", "0.1", "0.1,0.2,0.3", "1e400,0", "nan,0", "1 V,0"])
def test_a_row_that_is_no_pair_of_numbers(tmp_path, row):
    """Is named by its line."""
    path = tmp_path / "VNA_data_X10_Y20.csv"
    path.write_text(f"S21_real,S21_imag\n0.1,0.2\n{row}\n")
    with pytest.raises(FormatError, match="line 3"):
        read(path, start_frequency=1e9, stop_frequency=2e9)


# -- Touchstone ----------------------------------------------------------------------------

S11 = np.array([0.5 - 0.25j, -0.1 + 0.3j, 0.05j])
S21 = np.array([0.01 + 0.02j, -0.03 + 0.01j, 0.002 - 0.001j])
S12, S22 = 0.5 * S21, -0.5 * S11
HZ = np.array([1e9, 1.1e9, 1.2e9])


def pair(value, form):
    """Return two numbers for a complex one."""
    if form == "RI":
        return f"{value.real:.17g} {value.imag:.17g}"
    size = abs(value)
    if form == "DB":
        size = 20 * math.log10(size)
    return f"{size:.17g} {math.degrees(np.angle(value)):.17g}"


def two_ports(form, unit=1e9, order=(S11, S21, S12, S22)):
    """Return rows of a two-port file."""
    return "\n".join(
        " ".join([f"{f / unit:.17g}", *(pair(values[k], form) for values in order)])
        for k, f in enumerate(HZ)
    )


def parameters(sweep):
    """Return the parameters of a sweep by name."""
    return dict(zip(sweep.parameters, sweep.values[0], strict=True))


@pytest.mark.parametrize("form", ["RI", "MA", "DB"])
@pytest.mark.parametrize(
    ("unit", "scale"), [("Hz", 1), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]
)
def test_every_form_gives_the_same_numbers(tmp_path, form, unit, scale):
    """Real and imaginary, magnitude and angle, decibels; options in any order and case."""
    path = tmp_path / "antenna.s2p"
    options = f"# r 50 {form.lower()} S {unit}"
    path.write_text(f"! made by hand\n{options}\n{two_ports(form, scale)} ! end\n")
    sweep = read(path)
    npt.assert_allclose(sweep.frequency, HZ, rtol=1e-15)
    found = parameters(sweep)
    for name, values in (("S11", S11), ("S21", S21), ("S12", S12), ("S22", S22)):
        npt.assert_allclose(found[name], values, rtol=1e-12)
    assert sweep.header["comments"] == ["made by hand", "end"]
    assert read(path, parameter="s21").shape == (1, 1, 3)


def test_defaults_are_gigahertz_magnitude_and_angle(tmp_path):
    """Without an option line, and with an empty one."""
    path = tmp_path / "antenna.s2p"
    path.write_text("#\n" + two_ports("MA"))
    npt.assert_allclose(parameters(read(path))["S21"], S21, rtol=1e-12)
    path.write_text(two_ports("MA"))
    with pytest.warns(FormatWarning, match="no option line: frequencies in GHz"):
        sweep = read(path)
    npt.assert_allclose(parameters(sweep)["S21"], S21, rtol=1e-12)


def test_noise_starts_where_the_frequency_falls(tmp_path):
    """Its rows are kept apart."""
    path = tmp_path / "antenna.s2p"
    path.write_text(f"# GHz S RI R 50\n{two_ports('RI')}\n0.5 1 0.3 20 0.2\n1 1 0.3 20 0.2\n")
    sweep = read(path)
    assert sweep.shape == (1, 4, 3)
    assert sweep.header["noise"] == [[0.5, 1, 0.3, 20, 0.2], [1, 1, 0.3, 20, 0.2]]


@pytest.mark.parametrize("order", ["21_12", "12_21"])
def test_version_two_says_its_order(tmp_path, order):
    """And its number of ports, so that the ending of the name does not matter."""
    columns = (S11, S21, S12, S22) if order == "21_12" else (S11, S12, S21, S22)
    path = tmp_path / "antenna.ts"
    path.write_text(
        "[Version] 2.0\n# Hz S RI R 50\n[Number of Ports] 2\n"
        f"[Two-Port Data Order] {order}\n[Number of Frequencies] 3\n[Network Data]\n"
        f"{two_ports('RI', 1, columns)}\n[Noise Data]\n1 2 3 4 5\n[End]\nrubbish\n"
    )
    found = parameters(read(path))
    npt.assert_array_equal(found["S21"], S21)
    npt.assert_array_equal(found["S12"], S12)


def test_one_port(tmp_path):
    """Three columns."""
    path = tmp_path / "antenna.s1p"
    rows = "\n".join(f"{f} {pair(v, 'RI')}" for f, v in zip(HZ, S11, strict=True))
    path.write_text(f"# Hz S RI R 75\n{rows}\n")
    sweep = read(path)
    assert sweep.parameters == ("S11",)
    assert sweep.header["reference_ohm"] == 75
    npt.assert_array_equal(sweep.values[0, 0], S11)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("# GHz Y RI R 50\n1 0 0\n2 0 0\n", "S: others"),
        ("# GHz S RI R 0\n1 0 0\n2 0 0\n", "above zero"),
        ("# GHz S RI Q\n1 0 0\n2 0 0\n", "option 'Q'"),
        ("# GHz S RI\n1 0 0\n1 0 0\n", "frequency"),
        ("# GHz S RI\n2 0 0\n1 0 0\n", "frequency"),
        ("# GHz S RI\n1 0 0\n", "two or more"),
        ("# GHz S RI\n1 0\n2 0 0\n", "3 numbers"),
        ("# GHz S RI\n1 0 x\n2 0 0\n", "number 'x'"),
        ("# GHz S RI\n1 0,5 0\n2 0 0\n", "number '0,5'"),
        ("[Version] 2.0\n[Number of Ports] 3\n", "Number of Ports"),
        ("[Version] 2.0\n[Matrix Format] Lower\n", "Matrix Format"),
        ("# GHz S DB\n1 9999 0\n2 0 0\n", None),
    ],
)
def test_what_is_no_touchstone(tmp_path, text, match):
    """Is an error that names the line."""
    path = tmp_path / "antenna.s1p"
    path.write_text(text)
    if match is None:
        with pytest.warns(FormatWarning, match="not finite"):
            read(path)
        return
    with pytest.raises(FormatError, match=match):
        read(path)


def test_written_files_read_back_bit_for_bit(tmp_path):
    """Frequencies and values, with 17 digits; the same sweep gives the same bytes."""
    rng = np.random.default_rng(seed=9)
    values = (rng.normal(size=(1, 4, 501)) + 1j * rng.normal(size=(1, 4, 501))) / 10
    names = ("S11", "S21", "S12", "S22")
    sweep = from_frequency_sweep(TONES, values, parameters=names)
    path = write_touchstone(sweep, tmp_path / "a.s2p")
    again = read(path)
    npt.assert_array_equal(again.values, sweep.values)
    npt.assert_array_equal(again.frequency, sweep.frequency)
    other = write_touchstone(again, tmp_path / "b.s2p")
    assert other.read_bytes() == path.read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.s2p", "b.s2p"]


def test_what_touchstone_cannot_hold(tmp_path):
    """Is refused before a file appears."""
    sweep = from_frequency_sweep(TONES, echo(7e-9))
    many = from_frequency_sweep(TONES, np.stack([echo(7e-9)] * 2), parameters=("S11",))
    one = from_frequency_sweep(TONES, echo(7e-9), parameters=("S11",))
    for thing, name, match in (
        (sweep, "a.s2p", "Must be S11"),
        (one, "a.txt", "Must be S11"),
        (many, "a.s1p", "positions"),
    ):
        with pytest.raises(ValueError, match=match):
            write_touchstone(thing, tmp_path / name)
    with pytest.raises(TypeError, match="FrequencySweep"):
        write_touchstone(TONES, tmp_path / "a.s1p")
    path = write_touchstone(one, tmp_path / "a.s1p")
    with pytest.raises(FileExistsError, match="overwrite"):
        write_touchstone(one, path)
    write_touchstone(one, path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.s1p"]
