"""Test the data of synthetic fields: bodies, metals, clutter, soils, and their sources."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.constants import EPSILON_0
from minesense.physics import (
    peplinski_conductivity,
    peplinski_permittivity,
    sphere_polarizability,
)
from minesense.synthetic import (
    ALLOYS,
    CATALOGUE,
    CLUTTER,
    CLUTTER_PRESETS,
    SOILS,
    Alloy,
    Body,
    ClutterKind,
    ClutterPreset,
    Fixed,
    Layer,
    MetalPart,
    MetalPiece,
    Soil,
    SoilPreset,
    ball,
    body,
    draw_clutter,
    draw_piece,
    draw_soil,
    piece_relaxation,
)
from minesense.synthetic.clutter import _width
from minesense.synthetic.distribution import to_micro
from minesense.synthetic.document import build
from minesense.synthetic.metal import SHAPES
from minesense.synthetic.sources import ASSUMPTION, read_table, unfold
from minesense.truth import METAL_CLASSES

TABLES = ("targets.toml", "clutter.toml", "soils.toml", "alloys.toml")


def make_rng(seed=0):
    return np.random.default_rng(seed)


def figures(item, path=""):
    """Yield (path, figure) of every leaf of a table that is a figure or should be one."""
    if isinstance(item, dict) and set(item) == {"value", "source"}:
        yield path, item
    elif isinstance(item, dict):
        for name, value in item.items():
            yield from figures(value, f"{path}.{name}")
    elif isinstance(item, list):
        for i, value in enumerate(item):
            yield from figures(value, f"{path}[{i}]")
    elif path.rpartition(".")[2] not in {"name", "title", "part", "form", "kind"}:
        yield path, item


# -- sources -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_has_a_source(name):
    """A citation of the list, or the word assumption; every citation is used."""
    document = read_table(name)
    sources = document.pop("sources")
    found = list(figures(document))
    assert len(found) > 20
    bare = [path for path, item in found if not isinstance(item, dict)]
    assert bare == []
    used = {item["source"] for _, item in found}
    assert used - {ASSUMPTION} == set(sources)


def test_reports_can_print_the_source_of_a_figure():
    """By its path, of bodies, their parts, clutter, soils and metals alike."""
    assert body("ts50").sources["height"].startswith("Giannakis")
    assert "nolandmines.com" in body("pma2").sources["metal[0].length"]
    assert body("pma2").sources["layers[0].permittivity"] == ASSUMPTION
    assert "gprMax" in CLUTTER["can"].sources["size.value"]
    assert CLUTTER["nail"].sources["size.median"] == ASSUMPTION
    assert "HALO" in CLUTTER_PRESETS["village"].sources["metal_density"]
    assert set(SOILS["loam"].sources.values()) == {ASSUMPTION}
    assert ALLOYS["steel"].sources["conductivity"] == ASSUMPTION
    assert body("pmn2").citations == ()
    assert len(body("type72a").citations) == 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"height": 0.05}, "Invalid height 0.05. Must be a table of a value and its source"),
        ({"layers": [{"part": "lid", "permittivity": 3.0}]}, r"layers\[0\].permittivity 3.0"),
        (
            {"height": {"value": 0.05, "source": "hearsay"}},
            "Invalid source 'hearsay' of height. Must be 'assumption' or a key",
        ),
    ],
)
def test_a_figure_without_a_source_is_refused(entry, message):
    """When the data are read, not when somebody looks."""
    with pytest.raises(ValueError, match=message):
        unfold(entry, {"book": "A book"}, words=frozenset({"part"}))


# -- bodies --------------------------------------------------------------------------------


def test_the_catalogue_holds_what_it_should():
    """Twenty mines and surrogates, of every class of metal, and test spheres."""
    mines = [item for item in CATALOGUE.values() if item.shape != "sphere"]
    assert len(mines) >= 20
    assert {item.metal_class for item in mines} == set(METAL_CLASSES)
    assert sum(item.shape == "sphere" for item in CATALOGUE.values()) == 3
    assert {item.shape for item in mines} == {"disc", "box"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_body_is_whole(name):
    """Sizes are plausible, layers fill the height, metal fits inside."""
    item = body(name)
    assert 0.003 < item.width <= item.length < 0.5
    assert 0.003 < item.height < 0.5
    assert 0 <= item.depth[0] < item.deepest <= 0.2
    if item.has_metal_case:
        assert item.metal
    else:
        assert math.isclose(sum(layer.thickness for layer in item.layers), item.height)
        assert all(2 < layer.permittivity < 10 for layer in item.layers)
    for part in item.metal:
        piece = draw_piece(part, rng=make_rng())
        assert piece.extent <= 1.02 * max(item.diameter, item.height)
    assert (item.metal == ()) == (item.metal_class == "none")


def test_balls_of_any_size_are_bodies():
    """By name or by size, of any metal; their physics is exact."""
    assert body("ball_12.5mm").diameter == 0.0125
    assert body("ball_12mm_aluminium") == ball(0.012, alloy="aluminium")
    assert body("ball_10mm") is CATALOGUE["ball_10mm"]
    piece = draw_piece(body("ball_10mm").metal[0], rng=make_rng())
    exact = sphere_polarizability(2e4, radius=0.005, conductivity=4e6, permeability=100.0)
    found = piece_relaxation(piece).polarizability(2e4)
    npt.assert_allclose(found, exact * np.eye(3), rtol=1e-4, atol=1e-12)


def test_more_metal_responds_more():
    """On the average the response grows from class to class."""

    def mean_response(metal_class):
        rng, logs = make_rng(), []
        for item in CATALOGUE.values():
            if item.metal_class == metal_class and not item.is_test_piece:
                for _ in range(15):
                    pieces = [draw_piece(part, rng=rng) for part in item.metal]
                    decays = sum(piece_relaxation(piece).decay(2e-5) for piece in pieces)
                    logs.append(math.log(abs(np.trace(decays))))
        return np.mean(logs)

    response = [mean_response(name) for name in METAL_CLASSES[1:]]
    assert response == sorted(response)


# -- metal ---------------------------------------------------------------------------------


def test_drawn_metal_lies_in_its_ranges():
    """Sizes uniform between their limits, corrosion and permeability as the alloy says."""
    part = MetalPart(
        part="pin", shape="rod", alloy="steel", diameter=(0.002, 0.004), length=(0.01, 0.03)
    )
    pieces = [draw_piece(part, rng=make_rng(seed)) for seed in range(600)]
    lengths = np.array([piece.length for piece in pieces])
    assert 0.01 <= lengths.min() < 0.0105
    assert 0.0295 < lengths.max() <= 0.03
    npt.assert_allclose(lengths.mean(), 0.02, atol=4 * 0.02 / math.sqrt(12 * 600))
    low, high = ALLOYS["steel"].permeability
    assert all(low <= piece.permeability <= high for piece in pieces)
    corrosion = [piece.corrosion for piece in pieces]
    assert 0.2 <= min(corrosion) < 0.21
    assert all(round(piece.length, 6) == piece.length for piece in pieces)


def test_axes_have_no_preferred_direction():
    """Mean and second moment are those of a uniform direction; upright ones stand."""
    part = MetalPart(part="pin", shape="rod", alloy="steel", diameter=0.002, length=0.02)
    axes = np.array([draw_piece(part, rng=make_rng(seed)).axis for seed in range(4000)])
    npt.assert_allclose(np.linalg.norm(axes, axis=1), 1.0)
    npt.assert_allclose(axes.mean(axis=0), 0.0, atol=4 / math.sqrt(3 * 4000))
    npt.assert_allclose(axes.T @ axes / 4000, np.eye(3) / 3, atol=0.03)
    upright = draw_piece(body("prom1").metal[0], rng=make_rng())
    npt.assert_allclose(upright.axis, [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_responds_about_its_axis(shape):
    """Passive, alike across the axis, and turned with it."""
    sizes = {"diameter": 0.012, "length": 0.03, "thickness": 0.001}
    used = {name: sizes[name] for name in SHAPES[shape]}
    upright = MetalPiece(shape=shape, alloy="brass", **used)
    leaning = MetalPiece(shape=shape, alloy="brass", **used, heading=0.7, dip=0.4)
    standing, turned = piece_relaxation(upright), piece_relaxation(leaning)
    smallest = np.linalg.eigvalsh(turned.amplitudes)[:, 0]
    assert (smallest >= -1e-9 * turned.amplitudes.max()).all()
    decay, lean = standing.decay(2e-5), turned.decay(2e-5)
    npt.assert_allclose(decay[0, 0], decay[1, 1], atol=1e-20)
    axis = leaning.axis
    npt.assert_allclose(axis @ lean @ axis, decay[2, 2], rtol=1e-9)
    npt.assert_allclose(np.trace(lean), np.trace(decay), rtol=1e-9)


def test_corrosion_takes_conductivity_and_permeability():
    """A rusty ball is a ball of worse steel."""
    rusty = MetalPiece(
        shape="sphere", alloy="steel", diameter=0.02, permeability=100.0, corrosion=0.5
    )
    exact = sphere_polarizability(2e4, radius=0.01, conductivity=2e6, permeability=50.0)
    npt.assert_allclose(piece_relaxation(rusty).polarizability(2e4)[0, 0], exact, rtol=1e-4)


# -- clutter -------------------------------------------------------------------------------


def test_clutter_is_of_many_kinds():
    """Fifteen or more, of every form; each preset draws both metal and the rest."""
    assert len(CLUTTER) >= 15
    assert {kind.form for kind in CLUTTER.values()} == {
        "metal",
        "stone",
        "root",
        "void",
        "patch",
    }
    assert set(CLUTTER_PRESETS) == {"clean", "farmland", "village", "battlefield"}
    densities = [CLUTTER_PRESETS[n].metal_density for n in ("clean", "farmland", "village")]
    assert densities == [0.1, 0.5, 2.5]


@pytest.mark.parametrize("name", CLUTTER)
def test_every_kind_is_drawn_as_it_says(name):
    """Sizes, depths and matter in their ranges, with what each sensor needs."""
    kind = CLUTTER[name]
    for seed in range(40):
        item = draw_clutter(name, (1.0, -2.0), rng=make_rng(seed))
        assert (item.easting, item.northing, item.form) == (1.0, -2.0, kind.form)
        assert kind.size.low - 1e-6 <= item.size <= kind.size.high + 1e-6
        assert 0 <= item.depth <= kind.depth.high
        assert 0 < item.thickness < 1
        assert (item.piece is not None) == (kind.form == "metal")
        if item.piece is not None:
            assert item.piece.shape in kind.shapes
            assert item.piece.alloy in kind.alloys
            npt.assert_allclose(max(item.piece.length, item.piece.diameter), item.size)
        elif kind.form == "patch":
            assert kind.moisture[0] <= item.moisture <= kind.moisture[1]
        else:
            assert kind.permittivity[0] <= item.permittivity <= kind.permittivity[1]
            assert item.susceptibility <= kind.susceptibility[1]
            assert item.volume > 0


@pytest.mark.parametrize("name", CLUTTER)
def test_rounding_leaves_every_kind_in_its_range(name):
    """Of many draws the ratios stay what the data say, and the extreme ones have a response."""
    kind, rng = CLUTTER[name], make_rng(5)
    items = [draw_clutter(name, (0.0, 0.0), rng=rng) for _ in range(2000)]
    low, high = kind.ratio
    ratios = np.array([item.width / item.size for item in items])
    grain = 1.01e-6 / np.array([item.size for item in items])
    slack = grain if high == low else 1e-12
    assert (ratios >= low - slack).all()
    assert (ratios <= high + slack).all()
    assert kind.form != "metal" or ratios.max() - ratios.min() >= 0.9 * (high - low)
    sizes = np.array([item.size for item in items])
    walls = [kind.wall / item.width for item in items]
    for found in (ratios, sizes, ratios * sizes, walls):
        for k in (np.argmin(found), np.argmax(found)):
            if items[k].piece is not None:
                assert np.isfinite(piece_relaxation(items[k].piece).polarizability(1e4)).all()


def test_the_longest_wire_has_a_response():
    """A width rounded down made it longer than 100 diameters, which the body refuses."""
    item = draw_clutter("wire", (0, 0), rng=make_rng(5669))
    assert item.size / item.width <= 100
    assert len(piece_relaxation(item.piece)) > 0


@given(share=st.floats(0, 1), micrometres=st.integers(20_000, 300_000))
def test_widths_keep_their_ratio(share, micrometres):
    """However long the body, and wherever in the range the ratio falls."""
    size = to_micro(micrometres * 1e-6)
    width = _width(0.01 + share * 0.03, size, (0.01, 0.04))
    assert width == to_micro(width)
    assert 1 / 0.04 * (1 - 1e-12) <= size / width <= 100
    assert abs(width - (0.01 + share * 0.03) * size) < 1.001e-6


def test_a_rod_is_as_high_as_it_stands():
    """Level, upright, or between: the extent of a rod along the vertical."""
    item = draw_clutter("nail", (0.0, 0.0), rng=make_rng())
    dip, width, length = item.piece.dip, item.width, item.size
    expected = length * abs(math.sin(dip)) + width * math.cos(dip)
    npt.assert_allclose(item.thickness, expected)


# -- soils ---------------------------------------------------------------------------------


def test_there_are_eight_soils():
    """The six of the start list, and two more."""
    assert len(SOILS) == 8
    assert {"quartz_sand", "loam", "clay", "terra_rossa", "laterite_basalt"} < set(SOILS)


@pytest.mark.parametrize("name", SOILS)
def test_soils_are_drawn_inside_their_ranges(name):
    """Every figure within the preset, and both ends of its range are reached."""
    preset = SOILS[name]
    soils = [draw_soil(name, rng=make_rng(seed)) for seed in range(200)]
    for figure in ("moisture", "conductivity", "susceptibility", "viscous_share"):
        low, high = getattr(preset, figure)
        values = np.array([getattr(soil, figure) for soil in soils])
        assert low <= values.min() <= values.max() <= high * (1 + 1e-9)
        is_log = figure in ("conductivity", "susceptibility")
        share = np.log(values / low) / math.log(high / low) if is_log else values
        share = share if is_log else (values - low) / (high - low)
        npt.assert_allclose(share.mean(), 0.5, atol=4 / math.sqrt(12 * 200))


@pytest.mark.parametrize("name", SOILS)
def test_unevenness_does_not_end_with_the_moisture(name):
    """At the greatest moisture it is what it is just below."""
    soils = (Soil(preset=SOILS[name], moisture=x, susceptibility=0.0) for x in (0.598, 0.6))
    below, at = (soil.spread(1.5e9) for soil in soils)
    npt.assert_allclose(at, below, rtol=0.01)


def test_soils_differ_where_it_matters():
    """Order by what each sensor feels, at the middle of the ranges."""
    middle = {name: np.sqrt(np.prod(item.susceptibility)) for name, item in SOILS.items()}
    assert middle["peat"] < middle["loam"] < middle["terra_rossa"] < middle["laterite_basalt"]
    assert SOILS["saline_gypsum"].conductivity[1] > 10 * SOILS["loam"].conductivity[1]
    assert SOILS["gravel_road"].permittivity_spread > SOILS["quartz_sand"].permittivity_spread
    frequency = np.array([1.5e9])
    wet = {
        name: Soil(preset=item, moisture=np.mean(item.moisture), susceptibility=0.0)
        for name, item in SOILS.items()
    }
    real = {name: soil.permittivity(frequency)[0].real for name, soil in wet.items()}
    assert real["quartz_sand"] < real["loam"] < real["peat"]
    assert all(2.5 < value < 45 for value in real.values())


def test_conductivity_counts_once():
    """Below that of the texture's own law nothing is added; above it, the rest."""
    preset, frequency = SOILS["loam"], np.array([0.5e9, 1.5e9])
    texture = {"sand": 0.4, "clay": 0.2, "bulk_density": 1.4, "moisture": 0.15}
    law = peplinski_permittivity(frequency, **texture)
    own = peplinski_conductivity(**texture)
    assert 0.02 < own < 0.1
    for sigma, extra in ((0.0, 0.0), (0.9 * own, 0.0), (own + 0.2, 0.2)):
        soil = Soil(preset=preset, moisture=0.15, susceptibility=0.0, conductivity=sigma)
        added = law.imag - soil.permittivity(frequency).imag
        npt.assert_allclose(added, extra / (2 * np.pi * frequency * EPSILON_0), atol=1e-12)


def test_the_conductivity_of_the_law_is_what_falls_with_frequency():
    """Far below the relaxation of water the loss of the law is that of a conductor."""
    texture = {"sand": 0.4, "clay": 0.2, "bulk_density": 1.4, "moisture": 0.2}
    low = np.array([1e5])
    loss = -peplinski_permittivity(low, **texture).imag
    npt.assert_allclose(
        loss * 2 * np.pi * low * EPSILON_0, peplinski_conductivity(**texture), rtol=1e-4
    )


def test_unevenness_comes_from_texture_and_moisture():
    """Their spreads add as squares; wet spots count by the slope of the law."""
    preset = SOILS["loam"]
    soil = Soil(preset=preset, moisture=0.15, susceptibility=0.0)
    at = np.array([1.5e9])
    wetter = soil.permittivity(at, wetter=0.012)[0].real / soil.permittivity(at)[0].real - 1
    expected = math.hypot(preset.permittivity_spread, wetter)
    npt.assert_allclose(soil.spread(1.5e9), expected, rtol=0.03)


# -- bad input -----------------------------------------------------------------------------


def spoilt(record, **changes):
    """Return a call that builds a preset's record with changes."""
    values = {
        name: getattr(record, name) for name in record.__dataclass_fields__ if name != "sources"
    }
    return lambda: type(record)(**{**values, **changes})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: body("frog"), "Invalid identifier 'frog'. Must be one of 'pmn'"),
        (lambda: body("ball_500mm"), "Invalid diameter '0.5'. Must be at most 0.1 m"),
        (lambda: body("ball_5mm_cheese"), "Invalid alloy 'cheese'"),
        (lambda: ball(0.0), "Invalid diameter '0.0'"),
        (spoilt(body("pmn"), height=-0.1), "Invalid height '-0.1'"),
        (spoilt(body("pmn"), height=0.2), "Invalid layers of 0.049 m in all"),
        (spoilt(body("pmn"), width=0.1), "Invalid width '0.1' of a disc. Must equal"),
        (spoilt(body("pmn"), metal_class="some"), "Invalid metal_class 'some'"),
        (spoilt(body("pmn"), metal_class="none"), "Invalid metal of 3 parts"),
        (spoilt(body("pmn"), metal=()), "Invalid metal of 0 parts"),
        (spoilt(body("pma2"), depth=(-0.1, 0.1)), "Invalid depth '-0.1'"),
        (spoilt(body("pma2"), depth=(0.2, 0.1)), r"Invalid depth \(0.2, 0.1\)"),
        (spoilt(body("m14"), height=0.02, layers=()), "the shell lies 0.025 m below the top"),
        (
            lambda: Layer(part="lid", thickness=0.01, permittivity=0.5),
            "Invalid permittivity '0.5'. Must be at least 1",
        ),
        (lambda: Layer(part="lid", thickness=0.0, permittivity=3), "Invalid thickness '0.0'"),
        (
            lambda: MetalPart(part="pin", shape="rod", alloy="steel", diameter=0.002),
            "Invalid length '0.0'",
        ),
        (
            lambda: MetalPart(part="x", shape="cone", alloy="steel", diameter=0.002),
            "Invalid shape 'cone'",
        ),
        (
            lambda: MetalPart(part="x", shape="sphere", alloy="tin", diameter=0.002),
            "Invalid alloy 'tin'",
        ),
        (
            lambda: MetalPart(part="x", shape="sphere", alloy="steel", diameter=(0.3, 0.2)),
            r"Invalid diameter \(0.3, 0.2\). Must be the least",
        ),
        (
            lambda: MetalPart(
                part="x", shape="sphere", alloy="steel", diameter=0.1, attitude="down"
            ),
            "Invalid attitude 'down'",
        ),
        (
            lambda: piece_relaxation(MetalPiece(shape="rod", alloy="tin", diameter=0.1)),
            "Invalid alloy 'tin'",
        ),
        (spoilt(ALLOYS["steel"], permeability=(0.5, 2.0)), r"Invalid permeability \(0.5, 2.0"),
        (spoilt(ALLOYS["steel"], corrosion=(0.0, 1.0)), r"Invalid corrosion \(0.0, 1.0\)"),
        (spoilt(ALLOYS["steel"], conductivity=-1.0), "Invalid conductivity '-1.0'"),
        (spoilt(SOILS["loam"], conductivity=(-1.0, 1.0)), "Invalid conductivity '-1.0'"),
        (spoilt(SOILS["loam"], conductivity=(0.0, 1.0)), "Invalid conductivity '0.0'"),
        (spoilt(SOILS["loam"], moisture=(0.1, 0.9)), "Invalid moisture '0.9'. Must be a range"),
        (spoilt(SOILS["loam"], susceptibility=(1e-3, 1e-4)), "Invalid susceptibility '0.0001'"),
        (spoilt(SOILS["loam"], viscous_share=(0.1, 1.5)), "Invalid viscous_share '1.5'"),
        (spoilt(SOILS["loam"], sand=0.9), "Invalid sand '0.9' with clay '0.2'"),
        (spoilt(SOILS["loam"], clay=-0.1), "Invalid clay '-0.1'. Must lie between 0 and 1"),
        (spoilt(SOILS["loam"], patch_length=0.0), "Invalid patch_length '0.0'"),
        (spoilt(SOILS["loam"], roughness=-0.1), "Invalid roughness '-0.1'"),
        (spoilt(SOILS["loam"], moisture_spread=-1), "Invalid moisture_spread '-1.0'"),
        (
            lambda: Soil(preset=SOILS["loam"], moisture=0.7, susceptibility=0.0),
            "Invalid moisture '0.7'. Must lie between 0 and 0.6",
        ),
        (
            lambda: Soil(preset=SOILS["loam"], moisture=0.1, susceptibility=-1.5),
            "Invalid susceptibility '-1.5'. Must be above -1",
        ),
        (
            lambda: Soil(
                preset=SOILS["loam"], moisture=0.1, susceptibility=0, conductivity=-0.1
            ),
            "Invalid conductivity '-0.1'. Must be finite and not negative",
        ),
        (
            lambda: Soil(preset=SOILS["loam"], moisture=0.1, susceptibility=0, viscous_share=2),
            "Invalid viscous_share '2'",
        ),
        (lambda: draw_soil("cheese", rng=make_rng()), "Invalid soil 'cheese'"),
        (lambda: draw_clutter("frog", (0, 0), rng=make_rng()), "Invalid kind 'frog'"),
        (spoilt(CLUTTER["nail"], size=Fixed(0.0)), "Invalid size '0.0'"),
        (spoilt(CLUTTER["nail"], depth=Fixed(-0.1)), "Invalid depth '-0.1'"),
        (spoilt(CLUTTER["nail"], shapes=("cone",)), "Invalid shapes 'cone'"),
        (spoilt(CLUTTER["nail"], alloys=("tin",)), "Invalid alloys 'tin'"),
        (spoilt(CLUTTER["nail"], alloys=()), "Invalid form 'metal'. Must come with shapes"),
        (spoilt(CLUTTER["rock"], permittivity=None), "Must come with a permittivity"),
        (spoilt(CLUTTER["rock"], permittivity=(0.5, 2)), "Invalid permittivity '0.5'"),
        (spoilt(CLUTTER["wet_patch"], moisture=None), "Must come with a moisture"),
        (
            lambda: ClutterPreset(metal_density=-1, dielectric_density=0),
            "Invalid metal_density '-1.0'",
        ),
        (
            lambda: ClutterPreset(metal_density=1, dielectric_density=0),
            "Invalid weights {}. Must hold some for the metal_density",
        ),
        (
            lambda: ClutterPreset(metal_density=0, dielectric_density=0, weights={"frog": 1.0}),
            "Invalid weights 'frog'",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "draw_one",
    [
        lambda: draw_soil("loam", rng=1),
        lambda: draw_clutter("nail", (0, 0), rng=1),
        lambda: draw_piece(body("pma2").metal[0], rng=1),
    ],
)
def test_chance_comes_from_generators_alone(draw_one):
    """A seed where a generator belongs is refused."""
    with pytest.raises(TypeError, match=r"Must be a numpy\.random\.Generator"):
        draw_one()


def test_records_of_the_data_are_built_like_others():
    """A field that the record does not have is refused with its path."""
    with pytest.raises(ValueError, match=r"Unknown field.* - at `\$.tin.colour`"):
        build(Alloy, {"colour": "grey"}, path="$.tin")
    for kind in (Body, ClutterKind, SoilPreset):
        with pytest.raises(ValueError, match=r"Missing field - at `\$\."):
            build(kind, {})
