"""Test how a scenario is written, read and refused, and the laws figures are drawn from."""

import json
import math
from importlib import resources

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.physics import bounce_radius
from minesense.synthetic import (
    PRESETS,
    ClusterLayout,
    Exponential,
    Fixed,
    LanePlan,
    LogNormal,
    Normal,
    Place,
    PowerLaw,
    RandomLayout,
    RowLayout,
    Uniform,
    draw,
    read_scenario,
    scenario,
)
from minesense.synthetic.distribution import to_micro
from minesense.synthetic.document import build, merge, parse_toml, plain
from minesense.synthetic.ground import ROUGHEST

LAWS = {
    "fixed": Fixed(0.05),
    "uniform": Uniform(-0.1, 0.2),
    "normal": Normal(mean=0.05, std=0.03, low=0.0, high=0.1),
    "lognormal": LogNormal(median=0.012, sigma=0.7, low=0.003, high=0.08),
    "exponential": Exponential(mean=0.04, low=0.002, high=0.15),
    "power": PowerLaw(exponent=-3.0, low=0.03, high=0.12),
    "inverse": PowerLaw(exponent=-1.0, low=0.03, high=0.12),
}

#: A whole scenario in a page, as a user would write it.
TEXT = """
name = "mine"

[lanes]
training = 2
blind = 1
length = 10.0
heading = 0.5

[ground]
soils = ["loam", "garden"]

[ground.own.garden]
sand = 0.5
clay = 0.1
bulk_density = 1.2
moisture = [0.1, 0.3]
conductivity = [1e-3, 1e-2]
susceptibility = [1e-5, 1e-4]
viscous_share = [0.2, 0.4]
permittivity_spread = 0.05
correlation_length = 0.1
moisture_spread = 0.01
susceptibility_spread = 0.2
patch_length = 2.0
roughness = 0.01
surface_length = 0.5

[layout]
kind = "rows"
spacing = 2.0
distance = 3.0
scatter = 0.1

[targets]
kinds = ["pmn", "ball_12mm"]
depth = { kind = "normal", mean = 0.05, std = 0.02, low = 0.0, high = 0.1 }

[[targets.places]]
kind = "ts50"
easting = 2.0
northing = 3.0
depth = 0.05

[clutter]
preset = "village"
metal_density = 1.0

[records]
accurate = 0.5
"""


@pytest.fixture
def document():
    """Return the scenario above as tables, to be spoilt."""
    return parse_toml(TEXT, "mine.toml")


# -- laws ----------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_quantiles_rise_from_limit_to_limit(law):
    """From the least at 0 to the greatest at 1, never backward."""
    values = [law.quantile(share) for share in np.linspace(0, 1, 101)]
    assert law.low - 1e-12 <= values[0]
    npt.assert_allclose([values[0], values[-1]], [law.low, law.high], rtol=1e-6, atol=1e-9)
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize(
    ("name", "density"),
    [
        ("uniform", lambda x: 1.0 + 0 * x),
        ("normal", lambda x: np.exp(-((x - 0.05) ** 2) / (2 * 0.03**2))),
        ("lognormal", lambda x: np.exp(-(np.log(x / 0.012) ** 2) / (2 * 0.7**2)) / x),
        ("exponential", lambda x: np.exp(-x / 0.04)),
        ("power", lambda x: x**-3),
        ("inverse", lambda x: 1 / x),
    ],
)
def test_laws_have_the_density_they_say(name, density):
    """Quantiles against the integral of the density between the limits."""
    law = LAWS[name]
    edges = np.linspace(law.low, law.high, 20_001)
    middle = (edges[1:] + edges[:-1]) / 2
    shares = np.cumsum(density(middle))
    shares /= shares[-1]
    for share in (0.1, 0.5, 0.9):
        expected = np.interp(share, shares, edges[1:])
        npt.assert_allclose(law.quantile(share), expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("exponent", [-3000.0, -400.0, 400.0, 3000.0])
def test_steep_power_laws_stay_at_their_steep_end(exponent):
    """Where the density is nearly all; no power of a limit overflows."""
    law = PowerLaw(exponent=exponent, low=0.01, high=0.1)
    ends = {True: 0.1, False: 0.01}[exponent > 0]
    for share in (0.0, 0.3, 0.7, 1.0):
        figure = law.quantile(share)
        assert 0.01 <= figure <= 0.1
        if 0 < share < 1:
            npt.assert_allclose(figure, ends, rtol=0.01)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_draw_takes_one_number(law):
    """So that another law shifts nothing that is drawn later; figures are micrometres."""
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    value = draw(law, rng)
    other.random()
    assert rng.random() == other.random()
    assert value == round(value, 6)
    assert law.low - 1e-6 <= value <= law.high + 1e-6


@given(st.floats(-1e3, 1e3))
def test_rounding_hides_the_last_bits(value):
    """Neighbours in floating point round alike, but for ties; no zero is negative."""
    rounded = to_micro(value)
    assert abs(rounded - value) <= 5.01e-7
    assert math.copysign(1, to_micro(-1e-9)) == 1
    if abs((value * 1e6) % 1 - 0.5) > 1e-3:
        assert to_micro(np.nextafter(value, 2e3)) == rounded


# -- reading -------------------------------------------------------------------------------


def test_a_file_of_a_user_is_read(tmp_path):
    """Everything it says, and defaults for the rest."""
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    recipe = read_scenario(path)
    assert recipe == read_scenario(str(path))
    assert recipe.lanes == LanePlan(training=2, blind=1, length=10.0, heading=0.5)
    assert recipe.ground.soil(1).name == "garden"
    assert recipe.ground.soil(0).sources
    assert recipe.layout == RowLayout(spacing=2.0, distance=3.0, scatter=0.1)
    assert recipe.targets.depth == Normal(mean=0.05, std=0.02, low=0.0, high=0.1)
    assert recipe.targets.places[0].kind == "ts50"
    assert recipe.clutter.resolved().metal_density == 1.0
    assert recipe.clutter.resolved().dielectric_density == 2.5
    assert recipe.records.accurate == 0.5
    assert recipe.platform.kind == "cart"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_files_and_come_back_whole(name):
    """Each is a file of its name; written out as tables or JSON and read again it is equal."""
    recipe = PRESETS[name]
    folder = resources.files("minesense.synthetic").joinpath("data", "scenarios")
    assert recipe == read_scenario(folder.joinpath(f"{name}.toml"))
    assert recipe == read_scenario(plain(recipe))
    assert recipe == read_scenario(json.loads(json.dumps(plain(recipe))))
    assert recipe.note
    assert scenario(name) == recipe


def test_presets_cover_soils_and_platforms():
    """Soils of every kind are used by some preset."""
    assert len(PRESETS) >= 8
    soils = {soil for recipe in PRESETS.values() for soil in recipe.ground.soils}
    assert len(soils) == 8
    clutter = {recipe.clutter.preset for recipe in PRESETS.values()}
    assert clutter == {"clean", "farmland", "village", "battlefield"}


def test_changes_go_into_tables():
    """A field by name; a layout of another kind in place of the whole table."""
    recipe = scenario("farmland", lanes={"blind": 1}, layout={"density": 0.1})
    assert recipe.lanes.blind == 1
    assert recipe.lanes.training == PRESETS["farmland"].lanes.training
    assert recipe.layout == RandomLayout(density=0.1)
    clusters = scenario("farmland", layout={"kind": "clusters", "density": 0.2})
    assert clusters.layout == ClusterLayout(density=0.2)
    plan = LanePlan(training=1, blind=0)
    assert scenario("farmland", lanes=plan).lanes == plan
    assert merge({"a": {"b": 1}}, {"a": 2, "c": {}}) == {"a": 2, "c": {}}


def test_broken_toml_is_told_by_its_line(tmp_path):
    """The file and the line; another encoding is no TOML either."""
    path = tmp_path / "broken.toml"
    path.write_text('name = "x"\n\n[layout\n')
    with pytest.raises(ValueError, match=r"broken.toml': .*at line 3.*Must be TOML"):
        read_scenario(path)
    path.write_bytes(b'name = "\xe4"')
    with pytest.raises(ValueError, match=r"broken.toml': .*utf-8.*Must be TOML"):
        read_scenario(path)
    with pytest.raises(OSError, match="missing"):
        read_scenario(tmp_path / "missing.toml")


def test_deep_documents_are_refused():
    """However deep they are nested."""
    with pytest.raises(ValueError, match="Must be TOML"):
        parse_toml("a = " + "[" * 100_000, "deep.toml")


def put(document, path, value):
    """Replace what lies at a path such as layout.spacing or targets.places.0.depth."""
    *parents, last = path.split(".")
    for name in parents:
        document = document[int(name) if name.isdigit() else name]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("name", 3, r"Expected `str`, got `int` - at `\$.name`"),
        ("colour", "red", r"Unknown field. Must be one of name, .* - at `\$.colour`"),
        ("layout.spacing", -1.0, r"Invalid spacing '-1.0'.* - at `\$.layout.spacing`"),
        ("layout.spacing", 0.7, r"at least 1.212 m: .* - at `\$.layout.spacing`"),
        ("layout.distance", 0.7, r"Invalid distance '0.7'.* - at `\$.layout.distance`"),
        ("layout.spacing", "wide", r"Expected `float`, got `str` - at `\$.layout.spacing`"),
        ("layout.spcing", 1.0, r"Unknown field.*spacing, .* - at `\$.layout.spcing`"),
        ("layout.kind", "spiral", r"Invalid kind 'spiral'.*'rows' - at `\$.layout.kind`"),
        ("layout", 3, r"Expected a table, got 3 - at `\$.layout`"),
        (
            "layout",
            {"density": 1.0},
            r"Missing field. Must be one of 'random', 'clusters', 'rows' - at `\$.layout.kind`",
        ),
        ("layout.kind", ["rows"], r"Invalid kind \['rows'\]. Must be .* - at `\$.layout.kind`"),
        (
            "targets.depth",
            {"low": 0.0},
            r"Missing field. Must be one of 'fixed', .* - at `\$.targets.depth.kind`",
        ),
        (
            "platform",
            {"sensors": "coil"},
            r"Missing field. Must be one of 'cart', .*'drone' - at `\$.platform.kind`",
        ),
        (
            "platform",
            {"kind": "handheld", "sensors": "nose"},
            r"Invalid sensors 'nose'. Must be one of 'coil', 'dual' - at `\$.platform.sensors`",
        ),
        (
            "platform",
            {"kind": "cart", "waves": 3},
            r"Invalid waves 3. Must be one of 'pulse', 'tones' - at `\$.platform.waves`",
        ),
        (
            "platform",
            {"kind": "cart", "motion": {"kind": "swing"}},
            r"Invalid kind 'swing'. Must be one of 'cart' - at `\$.platform.motion.kind`",
        ),
        ("layout.missing", 1.0, r"Invalid missing '1.0'.* - at `\$.layout.missing`"),
        ("layout.scatter", -0.1, r"Invalid scatter '-0.1'.* - at `\$.layout.scatter`"),
        ("lanes", "many", r"Expected a table, got 'many' - at `\$.lanes`"),
        ("lanes.length", 0.0, r"Invalid length '0.0'.* - at `\$.lanes.length`"),
        (
            "lanes.training",
            10_001,
            r"training '10001'. Must be at most 10000.* - at `\$.lanes.training`",
        ),
        ("lanes.length", 1e9, r"Must be at most 10000 m - at `\$.lanes.length`"),
        ("lanes.width", 1e7, r"Must be at most 100 m - at `\$.lanes.width`"),
        ("layout.background", 1e30, r"at most 100 per m.2 - at `\$.layout.background`"),
        (
            "targets.depth.high",
            1e6,
            r"depth '1e.06'. Must be at most 10 m - at `\$.targets.depth`",
        ),
        ("clutter.metal_density", 1e9, r"at most 1000 per .* - at `\$.clutter.metal_density`"),
        ("lanes.gap", -0.1, r"Invalid gap '-0.1'.* - at `\$.lanes.gap`"),
        ("lanes.training", -1, r"Invalid training '-1'.* - at `\$.lanes.training`"),
        ("lanes.heading", math.inf, r"Invalid heading 'inf'.* - at `\$.lanes.heading`"),
        ("ground.soils", [], r"Invalid soils \(\).* - at `\$.ground.soils`"),
        ("ground.soils", ["cheese"], r"Invalid soils 'cheese'.* - at `\$.ground.soils`"),
        ("ground.soils", "loam", r"Expected `array`, got `str` - at `\$.ground.soils`"),
        ("ground.own", [1], r"Expected a table.* - at `\$.ground.own`"),
        (
            "ground.own.garden.clay",
            2.0,
            r"Invalid clay '2.0'.* - at `\$.ground.own.garden.clay`",
        ),
        ("targets.kinds", ["frog"], r"Invalid kinds 'frog'.* - at `\$.targets.kinds`"),
        ("targets.kinds", [], r"Invalid kinds \(\).* - at `\$.targets.kinds`"),
        ("targets.depth.low", -0.1, r"Invalid depth '-0.1'.* - at `\$.targets.depth`"),
        ("targets.depth.std", 0.0, r"Invalid std '0.0'.* - at `\$.targets.depth.std`"),
        ("targets.depth.kind", "odd", r"Invalid kind 'odd'.* - at `\$.targets.depth.kind`"),
        (
            "targets.tilt",
            {"kind": "fixed", "value": 0.9},
            r"Invalid tilt '1.27.* - at `\$.targets.tilt`",
        ),
        (
            "targets.places.0.depth",
            -0.01,
            r"Invalid depth '-0.01'.*stick out - at `\$.targets.places\[0\].depth`",
        ),
        (
            "targets.places.0.kind",
            "frog",
            r"Invalid kind 'frog'.* - at `\$.targets.places\[0\].kind`",
        ),
        (
            "targets.places.0.tilt",
            [0.9, 0.9],
            r"Invalid tilt '1.27.* - at `\$.targets.places\[0\].tilt`",
        ),
        (
            "targets.places.0.easting",
            40.0,
            r"Invalid easting '40.0' .*in one of the 3 lanes - at `\$.targets.places\[0\]`",
        ),
        ("clutter.preset", "moon", r"Invalid preset 'moon'.* - at `\$.clutter.preset`"),
        (
            "clutter.metal_density",
            -1,
            r"metal_density '-1.0'.* - at `\$.clutter.metal_density`",
        ),
        (
            "clutter.weights",
            {"frog": 1.0},
            r"Invalid weights 'frog'.* - at `\$.clutter.weights`",
        ),
        ("records.exists", 1.5, r"Invalid exists '1.5'.* - at `\$.records.exists`"),
        ("records.displaced", -1, r"Invalid displaced '-1.0'.* - at `\$.records.displaced`"),
        ("records.block", 0, r"Invalid block '0.0'.* - at `\$.records.block`"),
        ("platform", {"kind": "submarine"}, r"submarine.* - at `\$.platform.kind`"),
    ],
)
def test_whatever_is_wrong_is_told_by_its_path(document, path, value, message):
    """Name, value, rule, and where in the file."""
    put(document, path, value)
    with pytest.raises(ValueError, match=f"^Invalid scenario: .*{message}$"):
        read_scenario(document)


GARDEN = r"`\$.ground.own.garden.roughness`"


@pytest.mark.parametrize(
    ("platform", "changes", "message"),
    [
        (
            {"kind": "handheld", "height": 1.5},
            {},
            r"height '1.5'.*1 m - at `\$.platform.height`",
        ),
        ({"kind": "drone", "height": 1.5}, {}, r"height '1.5'.* - at `\$.platform.height`"),
        ({"kind": "handheld", "rate": 101}, {}, r"rate '101'.*100 Hz - at `\$.platform.rate`"),
        (
            {"kind": "drone", "radar_rate": 101},
            {},
            r"radar_rate '101'. Must be at most 100 Hz - at `\$.platform.radar_rate`",
        ),
        (
            {"kind": "cart", "coil_spacing": 0.004},
            {},
            r"coil_spacing '0.004'.*at least the step .* - at `\$.platform.coil_spacing`",
        ),
        (
            {"kind": "handheld", "height": 0.01},
            {},
            r"height '0.01' over soil 'loam' with roughness '0.012'. Must be at least 1.5 "
            r"times the roughness, 0.018 m - at `\$.platform.height`",
        ),
        (
            {"kind": "handheld"},
            {"ground.own.garden.roughness": 0.04},
            r"height '0.05' over soil 'garden' .*0.06 m - at `\$.platform.height`",
        ),
        (
            {"kind": "cart"},
            {"ground.own.garden.roughness": 0.04},
            rf"roughness '0.04' under the coils of a cart, 0.05 m up. Must be .* - at {GARDEN}",
        ),
        (
            {"kind": "drone"},
            {"ground.own.garden.roughness": 0.051},
            rf"roughness '0.051'. Must be at most 0.05 m - at {GARDEN}",
        ),
        (
            {"kind": "handheld"},
            {"lanes.width": 2.3, "targets.places": []},
            r"width '2.3' for a head swung with a reach of '1.2', '0.1' beyond .*"
            r"less than 2.2 m - at `\$.lanes.width`",
        ),
    ],
)
def test_platforms_that_cannot_sweep_the_ground_are_told_by_the_key(
    document, platform, changes, message
):
    """Before anything is simulated, by what stands in the file."""
    document["platform"] = platform
    for path, value in changes.items():
        put(document, path, value)
    with pytest.raises(ValueError, match=f"^Invalid scenario: Invalid {message}$"):
        read_scenario(document)


@pytest.mark.parametrize(
    "platform",
    [
        {"kind": "drone"},
        {"kind": "handheld", "height": 0.075},
        {"kind": "drone", "sensors": "radar"},
    ],
)
def test_the_roughest_ground_can_be_swept_from_high_enough(document, platform):
    """By a head at one and a half times its roughness and by every drone."""
    document["ground"]["own"]["garden"]["roughness"] = 0.05
    document["platform"] = platform
    assert read_scenario(document).ground.soil(1).roughness == 0.05


@pytest.mark.parametrize("height", [0.07, 0.12, 0.3, 0.5, 1.0])
def test_hollows_of_the_roughest_ground_are_within_what_is_simulated(height):
    """To five standard deviations, of the 1.2 m of ground, or more, that surround a lane."""
    options = {"peak_frequency": 1.5e9}
    margin = max(1.2, bounce_radius(height + 0.1, **options) + 0.2)
    assert bounce_radius(height + 5 * ROUGHEST, **options) < margin


def test_missing_fields_are_told_by_their_path(document):
    """At the top and within tables."""
    del document["ground"]
    with pytest.raises(ValueError, match=r"Missing field - at `\$.ground`"):
        read_scenario(document)
    with pytest.raises(ValueError, match=r"Missing field - at `\$.distance`"):
        build(RowLayout, {"spacing": 1.0})


def test_records_need_some_fault(document):
    """A share that is not accurate has to be faulty somehow."""
    document["records"] |= {"displaced": 0, "rotated": 0, "incomplete": 0, "wrong": 0}
    with pytest.raises(ValueError, match="Must hold one greater than zero"):
        read_scenario(document)


@pytest.mark.parametrize(
    ("place", "overlaps"),
    [
        (Place(kind="pmn", easting=2.05, northing=3.0, depth=0.05), True),
        (Place(kind="pmn", easting=2.05, northing=3.0, depth=0.2), False),  # below it
        (Place(kind="pmn", easting=2.2, northing=3.0, depth=0.05), False),  # beside it
        (Place(kind="m14", easting=2.0, northing=3.0, depth=0.005), False),  # above it
        (Place(kind="m14", easting=2.0, northing=3.0, depth=0.03), True),
    ],
)
def test_targets_must_not_take_the_same_ground(document, place, overlaps):
    """Beside, above and below each other they may lie."""
    document["targets"]["places"].append(plain(place))
    document["targets"]["places"][0]["depth"] = 0.06
    if not overlaps:
        assert len(read_scenario(document).targets.places) == 2
        return
    with pytest.raises(ValueError, match=r"Must not overlap the ts50 .*places\[1\]`"):
        read_scenario(document)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scenario("moon"), "Invalid name 'moon'. Must be one of 'basalt'"),
        (lambda: scenario("farmland", lanes={"training": 0, "blind": 0}), "training \\+ blind"),
        (lambda: scenario("farmland", mines=3), r"Unknown field.* - at `\$.mines`"),
        (lambda: RandomLayout(density=-0.1), "Invalid density '-0.1'"),
        (lambda: ClusterLayout(density=1, spread=0), "Invalid spread '0.0'"),
        (lambda: ClusterLayout(density=1, background=-1), "Invalid background '-1.0'"),
        (lambda: Uniform(1.0, 0.0), "Invalid high '0.0'. Must be at least low, '1.0'"),
        (lambda: Normal(0, 1, 50, 60), "Must hold at least a millionth of the law"),
        (lambda: LogNormal(0.01, 0.5, -1, 1), "Invalid low '-1.0'"),
        (lambda: Exponential(0.01, -0.1, 1), "Invalid low '-0.1'. Must not be negative"),
        (lambda: PowerLaw(-2, 0.0, 1), "Invalid low '0.0'"),
        (lambda: Fixed(math.nan), "Invalid value 'nan'"),
    ],
)
def test_bad_input_is_named(call, message):
    """In Python as in files."""
    with pytest.raises(ValueError, match=message):
        call()
