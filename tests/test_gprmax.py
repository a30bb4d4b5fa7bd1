"""Test the reader of gprMax: real files of four layouts, made ones, and hostile ones."""

import json
import shutil
import warnings

import numpy as np
import numpy.testing as npt
import pytest

from minesense.io import FormatError, FormatWarning, read
from minesense.io.gprmax import read_gprmax
from minesense.io.gprmax_series import find_series, read_gprmax_series

h5py = pytest.importorskip("h5py")

DT = 4.7e-12


def write_model(path, fields, *, keys="3.1", receivers=None, n_traces=1, **attributes):
    """Write fields by component as gprMax does; keys name the layout."""
    n_samples = len(next(iter(fields.values())))
    sets = {
        "old": {"dx, dy, dz": [0.002] * 3, "rxsteps": [0] * 3, "txsteps": [0] * 3, "ntx": 1},
        "3.0": {"dx, dy, dz": [0.002] * 3, "rxsteps": [0] * 3, "srcsteps": [0] * 3, "nsrc": 1},
        "3.1": {"dx_dy_dz": [0.002] * 3, "rxsteps": [1, 0, 0], "srcsteps": [1, 0, 0]},
        "bare": {},
    }
    receivers = receivers or {1: [0.1, 0.2, 0.0]}
    with h5py.File(path, "w") as file:
        said = {"Iterations": n_samples, "dt": DT, "nrx": len(receivers), **sets[keys]}
        for name, value in {**said, **attributes}.items():
            if value is not None:
                file.attrs[name] = value
        for number, place in receivers.items():
            group = file.create_group(f"rxs/rx{number}")
            if keys == "old":
                group["Position"] = place
            else:
                group.attrs["Position"] = place
            for name, values in fields.items():
                group[name] = values
        source = file.create_group("txs/tx1" if keys == "old" else "srcs/src1")
        first = next(iter(receivers.values()))
        source.attrs["Position"] = np.subtract(first, [0.04, 0, 0])
    return path


def pulse(n_samples=40, n_traces=0, dtype=np.float32):
    """Return fields that are not zero, by sample and, merged, by trace."""
    shape = (n_samples, n_traces) if n_traces else (n_samples,)
    return np.random.default_rng(seed=3).normal(size=shape).astype(dtype)


# -- real files ----------------------------------------------------------------------------


def test_real_files_hold_what_the_manifest_says(test_data):
    """Shape, type, interval, spacing, samples and positions, to the last bit."""
    folder = test_data / "gpr"
    files = json.loads((folder / "manifest.json").read_text())["files"]
    chosen = {name: e for name, e in files.items() if e["format"] == "gprMax HDF5"}
    assert len(chosen) == 5
    for name, entry in chosen.items():
        recording = read(folder / name, component="Ez")
        assert recording.format == "gprmax"
        assert recording.shape == (entry["n_traces"], 1, entry["n_samples"])
        assert str(recording.stored.dtype) == entry["dtype"]
        assert recording.sample_interval == entry["sample_interval_s"]
        npt.assert_allclose(recording.window, entry["window_s"], rtol=1e-11)
        assert recording.spacing == entry["trace_spacing_m"]
        stored = recording.stored
        assert float(stored.min()) == entry["raw_min"]
        assert float(stored.max()) == entry["raw_max"]
        in_file_order = np.ascontiguousarray(stored[:, 0].T)
        npt.assert_allclose(in_file_order.sum(dtype=np.float64), entry["raw_sum"], rtol=1e-12)
        assert stored[0, 0, :5].tolist() == entry["first5_raw_trace0"]
        assert int(np.flatnonzero(stored[0, 0])[0]) == entry["first_nonzero_sample_trace0"]
        largest = int(np.abs(stored[0, 0]).argmax())
        assert largest == entry["largest_magnitude_sample_trace0"]
        assert float(stored[0, 0, largest]) == entry["largest_magnitude_value_trace0"]
        attributes = recording.header["attributes"]
        assert set(attributes) == set(entry["root_attributes"])
        for key, value in entry["root_attributes"].items():
            assert np.asarray(attributes[key]).tolist() == value
        if "receiver_position_m" in entry:
            positions = recording.header["positions"]
            # the manifest rounds to the cell of the model
            npt.assert_allclose(positions["receiver"], entry["receiver_position_m"], 1e-12)
            sources = list(positions["sources"].values())
            npt.assert_allclose(sources, [entry["source_position_m"]], 1e-12)
        assert recording.warnings == ()


def test_a_two_dimensional_model_needs_no_component(test_data):
    """Of its three electric components two are zero; a model in space must be asked."""
    folder = test_data / "gpr" / "gprmax_GPL3"
    assert read(folder / "cylinder_Ascan_2D.out").header["component"] == "Ez"
    with pytest.raises(
        FormatError, match=r"peaks in V/m.*'Ex': 431947\d+.*chosen by component"
    ):
        read(folder / "hertzian_dipole_hs.out")


def test_the_cylinder_is_where_its_model_says(test_data):
    """A mirror image about trace 30, its apex, to 1e-4 of the peak."""
    path = test_data / "gpr" / "gprmax_GPL3" / "cylinder_Bscan_2D_v4devel.h5"
    traces = read(path).stored[:, 0]
    left, right = traces[30 - 29 : 30][::-1], traces[31 : 31 + 29]
    # transmitter and receiver change places in the mirror: reciprocity
    npt.assert_allclose(left, right, atol=1e-4 * np.abs(traces).max())


def test_a_merged_file_without_grid_takes_its_spacing_from_the_caller(test_data):
    """And has none until then; asking for metres flags every trace."""
    path = test_data / "gpr" / "impdar_GPL3" / "rectangle_gprMax_Bscan.h5"
    recording = read(path)
    assert recording.shape[0] == 85
    assert recording.spacing is None
    assert np.isnan(recording.to_sweep().position).all()
    given = read(path, spacing=0.5)
    assert given.spacing == 0.5
    assert given.sources["spacing"] == "caller"
    assert [c.field for c in given.corrections] == ["spacing"]
    assert given.to_sweep().position[-1, 1] == 42.0


# -- layouts -------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["old", "3.0", "3.1", "bare"])
def test_every_layout_gives_the_same_fields(tmp_path, keys):
    """Only what a layout leaves out is missing."""
    values = pulse(40, 6)
    path = write_model(tmp_path / "model.out", {"Ez": values, "Ex": 0 * values}, keys=keys)
    recording = read(path)
    npt.assert_array_equal(recording.stored[:, 0], values.T)
    assert recording.header["component"] == "Ez"
    assert recording.header["positions"]["receiver"] == [0.1, 0.2, 0.0]
    assert recording.spacing == (0.002 if keys == "3.1" else None)
    assert recording.header["unit"] == "V/m"


def test_float64_fields_stay_as_they_are(tmp_path):
    """And a magnetic component can be asked for."""
    fields = {"Ez": pulse(dtype=np.float64), "Hx": pulse(dtype=np.float64) / 377}
    path = write_model(tmp_path / "model.out", fields)
    assert read(path).stored.dtype == np.float64
    magnetic = read(path, component="Hx")
    assert magnetic.header["unit"] == "A/m"
    npt.assert_array_equal(magnetic.stored[0, 0], fields["Hx"])
    with pytest.raises(FormatError, match=r"component 'Hy'.*Must be one of"):
        read(path, component="Hy")
    with pytest.raises(ValueError, match="component 'Q'"):
        read(path, component="Q")


def test_only_some_traces_are_read(tmp_path):
    """A range of a merged file; the spacing stays."""
    values = pulse(40, 6)
    path = write_model(tmp_path / "model.h5", {"Ez": values})
    part = read(path, traces=slice(2, 4))
    npt.assert_array_equal(part.stored[:, 0], values.T[2:4])
    assert part.spacing == 0.002
    with pytest.raises(FormatError, match="range with a trace"):
        read(path, traces=slice(4, 2))
    with pytest.raises(TypeError, match="slice"):
        read(path, traces=[1])


def test_iterations_that_are_not_those_of_the_samples(tmp_path):
    """The samples win, which is a correction; strict makes it an error."""
    path = write_model(tmp_path / "model.out", {"Ez": pulse()}, Iterations=41)
    with pytest.warns(FormatWarning, match="Iterations: 40 is used instead of 41"):
        recording = read(path)
    assert recording.shape == (1, 1, 40)
    assert recording.corrections[0].field == "Iterations"
    with pytest.raises(FormatError, match="Iterations"):
        read(path, strict=True)


def test_steps_that_differ_vary_the_offset(tmp_path):
    """Such a gather is not to be imaged."""
    values = {"Ez": pulse(40, 6)}
    path = write_model(tmp_path / "model.h5", values, srcsteps=[0, 0, 0])
    with pytest.warns(FormatWarning, match="offset varies"):
        recording = read(path)
    assert recording.is_offset_gather


def test_two_receivers_must_be_told_apart(tmp_path):
    """The error lists them with their places."""
    places = {1: [0.1, 0.2, 0.0], 2: [0.3, 0.2, 0.0]}
    path = write_model(tmp_path / "model.out", {"Ez": pulse()}, receivers=places)
    with pytest.raises(FormatError, match=r"receivers \{1: \[0.1.*receiver"):
        read(path)
    assert read(path, receiver=2).header["positions"]["receiver"] == [0.3, 0.2, 0.0]
    with pytest.raises(FormatError, match=r"receiver 3\. Must be one of \[1, 2\]"):
        read(path, receiver=3)


def test_a_subgrid_has_its_own_step(tmp_path):
    """It is read on request only."""
    path = write_model(tmp_path / "model.h5", {"Ez": pulse()})
    with h5py.File(path, "a") as file:
        fine = file.create_group("subgrids/fine")
        fine.attrs["dt"], fine.attrs["Iterations"] = DT / 3, 120
        fine.create_group("rxs/rx1")["Ez"] = pulse(120)
    assert read(path).shape[2] == 40
    recording = read(path, subgrid="fine")
    assert recording.shape[2] == 120
    assert recording.sample_interval == DT / 3
    with pytest.raises(FormatError, match=r"subgrid 'coarse'.*fine"):
        read(path, subgrid="coarse")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dt": 0.0}, "sample interval 0.0"),
        ({"dt": -1e-12}, "sample interval"),
        ({"dt": float("nan")}, "sample interval"),
        ({"dt": "soon"}, "sample interval"),
        ({"dt": None}, "sample interval"),
    ],
)
def test_a_time_step_that_none_can_have(tmp_path, change, match):
    """Is an error unless the caller knows better."""
    path = write_model(tmp_path / "model.out", {"Ez": pulse()}, **change)
    with pytest.raises(FormatError, match=match):
        read(path)
    assert read(path, sample_interval=1e-12).sample_interval == 1e-12


def test_a_run_that_was_not_stable(tmp_path):
    """Names trace and sample."""
    values = pulse(40, 6)
    values[17, 4] = np.nan
    path = write_model(tmp_path / "model.out", {"Ez": values})
    with pytest.raises(FormatError, match=r"trace 4, sample 17.*not stable"):
        read(path)


def test_fields_over_frequency_are_refused(tmp_path):
    """With words that say what they are."""
    path = write_model(tmp_path / "model.out", {"Ez": pulse().astype(np.complex64)})
    with pytest.raises(FormatError, match="these are of frequencies"):
        read(path)


def test_all_components_zero(tmp_path):
    """Nothing was recorded; a component that is asked for is given, with a warning."""
    path = write_model(
        tmp_path / "model.out", {"Ez": np.zeros(40, "f4"), "Ey": np.zeros(40, "f4")}
    )
    with pytest.raises(FormatError, match="one that is not zero"):
        read(path)
    with pytest.warns(FormatWarning, match="same value 0.0"):
        assert not read(path, component="Ez").stored.any()


def test_geometry_is_no_recording(tmp_path):
    """A voxel model is named as what it is."""
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["data"] = np.zeros((4, 4, 4), np.int16)
        file.attrs["dx_dy_dz"] = [0.002] * 3
    with pytest.raises(FormatError, match="geometry of a model"):
        read(tmp_path / "model.h5")


# -- series --------------------------------------------------------------------------------


def write_series(folder, numbers=(1, 2, 10), **options):
    """Write files of a series, each with its own place."""
    for number in numbers:
        place = {1: [0.1 + 0.002 * number, 0.2, 0.0]}
        values = np.full(40, number, np.float32)
        values[0] = 0
        write_model(folder / f"line{number}.out", {"Ez": values}, receivers=place, **options)
    return folder / f"line{numbers[0]}.out"


def test_a_series_is_sorted_by_number(tmp_path):
    """2 before 10; merged files and other names are left out."""
    numbers = tuple(range(1, 12))
    path = write_series(tmp_path, numbers)
    write_model(tmp_path / "line_merged.out", {"Ez": pulse(40, 11)})
    write_model(tmp_path / "other3.out", {"Ez": pulse()})
    recording = read(path, series=True)
    assert recording.stored[:, 0, 1].tolist() == list(numbers)
    assert recording.header["files"] == [f"line{n}.out" for n in numbers]
    npt.assert_allclose(recording.spacing, 0.002)
    npt.assert_allclose(recording.distance, 0.002 * np.arange(11), atol=1e-15)
    npt.assert_allclose(
        recording.header["positions"]["receivers"][:, 0], 0.1 + 0.002 * np.array(numbers)
    )
    assert recording.sources["position"] == "Position of the receivers"
    assert read_gprmax_series(tmp_path / "line.out").shape == recording.shape
    assert find_series(tmp_path / "nothing.out") == []


def test_a_series_with_uneven_steps_says_so(tmp_path):
    """Distance is that of the positions, spacing is none."""
    path = write_series(tmp_path, (1, 2, 10))
    with pytest.warns(FormatWarning, match="same step"):
        recording = read(path, series=True)
    assert recording.spacing is None
    npt.assert_allclose(recording.distance, [0, 0.002, 0.018], atol=1e-15)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dt": 2 * DT}, "dt"),
        ({"receivers": {1: [0, 0, 0], 2: [1, 0, 0]}}, "receiver"),
    ],
)
def test_a_series_must_agree(tmp_path, change, match):
    """On the time step and the receivers."""
    path = write_series(tmp_path, (1, 2))
    write_model(tmp_path / "line3.out", {"Ez": pulse()}, **change)
    with pytest.raises(FormatError, match=match):
        read(path, series=True)
    write_model(tmp_path / "line3.out", {"Ez": pulse(50)})
    with pytest.raises(FormatError, match="Iterations"):
        read(path, series=True)


def test_one_file_is_no_series(tmp_path):
    """It must be read without asking for one."""
    path = write_series(tmp_path, (1,))
    with pytest.raises(FormatError, match="series"):
        read(path, series=True)


# -- hostile files -------------------------------------------------------------------------


def test_terabytes_that_are_not_there(tmp_path):
    """A few kilobytes that declare terabytes are refused before anything is allocated."""
    path = write_model(tmp_path / "model.out", {"Hx": pulse()})
    with h5py.File(path, "a") as file:
        file["rxs/rx1"].create_dataset("Ez", (2**20, 2**20), "f4", chunks=(1024, 1024))
    assert path.stat().st_size < 100_000
    with pytest.raises(FormatError, match="max_bytes"):
        read(path)
    with pytest.raises(FormatError, match="max_bytes"):
        read_gprmax(path, component="Hx", max_bytes=16)


def test_no_link_leads_out_of_the_file(tmp_path):
    """External links and storage are refused, soft links in the file are followed."""
    other = write_model(tmp_path / "other.out", {"Ez": pulse()})
    path = tmp_path / "model.out"
    for name in ("external", "soft", "loop", "storage"):
        with h5py.File(path, "w") as file:
            file.attrs["dt"] = DT
            group = file.create_group("rxs")
            if name == "external":
                group["rx1"] = h5py.ExternalLink(str(other), "/rxs/rx1")
            elif name == "soft":
                file["kept/rx"] = 1
                file.create_group("kept/inner")["Ez"] = pulse()
                group["rx1"] = h5py.SoftLink("/kept/inner")
            elif name == "loop":
                group["rx1"] = h5py.SoftLink("/rxs/rx2")
                group["rx2"] = h5py.SoftLink("/rxs/rx1")
            else:
                raw = tmp_path / "raw.bin"
                raw.write_bytes(pulse().tobytes())
                group.create_group("rx1").create_dataset(
                    "Ez", (40,), "f4", external=[(str(raw), 0, 160)]
                )
        if name == "soft":
            npt.assert_array_equal(read(path).stored[0, 0], pulse())
            continue
        match = {"external": "links to other", "loop": "soft links", "storage": "other files"}
        with pytest.raises(FormatError, match=match[name]):
            read(path)


def test_virtual_datasets_are_refused(tmp_path):
    """They map other files."""
    other = write_model(tmp_path / "other.out", {"Ez": pulse()})
    layout = h5py.VirtualLayout((40,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "rxs/rx1/Ez", (40,))
    with h5py.File(tmp_path / "model.out", "w") as file:
        file.attrs["dt"] = DT
        file.create_group("rxs/rx1").create_virtual_dataset("Ez", layout)
    with pytest.raises(FormatError, match="other files are not opened"):
        read(tmp_path / "model.out")


def test_attributes_without_bounds_are_left_out(tmp_path):
    """Text of any length is read once, not a thousand times."""
    path = write_model(tmp_path / "model.out", {"Ez": pulse()})
    with h5py.File(path, "a") as file:
        file.attrs["many"] = np.array(["x" * 100] * 50, h5py.string_dtype())
        file.attrs["one"] = "kept"
    with pytest.warns(FormatWarning, match="'many'.*not read"):
        attributes = read(path).header["attributes"]
    assert attributes["one"] == "kept"
    assert "many" not in attributes


def test_another_file_under_this_name(tmp_path):
    """Content decides; a damaged file is an error that says so."""
    (tmp_path / "text.out").write_text("no model at all\n" * 20)
    with pytest.raises(FormatError):
        read(tmp_path / "text.out")
    path = write_model(tmp_path / "model.out", {"Ez": pulse()})
    cut = tmp_path / "cut.out"
    cut.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(FormatError):
        read(cut)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["something"] = np.zeros(3)
    with pytest.raises(FormatError):
        read(tmp_path / "foreign.h5")
    shutil.copy(path, tmp_path / "model.dzt")
    assert read(tmp_path / "model.dzt").format == "gprmax"


def test_a_missing_file_is_no_format_error(tmp_path):
    """The system says it."""
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "no.out")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_model(tmp_path / "model.out", {"Ez": pulse()})
        read(tmp_path / "model.out")
