"""A benchmark small enough for tests, with targets close together."""

from minesense.bench import PARTS, Plan, Plot
from minesense.bench.scenarios import (
    _AWAY_SOILS,
    _AWAY_TYPES,
    _FAULTS,
    _HOME_SOILS,
    _HOME_TYPES,
)
from minesense.synthetic import scenario

SHORT = {"length": 6.0, "width": 0.5, "run_in": 2.0}
CART = {"n_antennas": 3, "n_coils": 3, "width": 0.5}


def make_plot(name, part, *, training=0, blind=2, soils=None, kinds=None, platform=None):
    """Return one small field."""
    recipe = scenario(
        "farmland",
        lanes={"training": training, "blind": blind, **SHORT},
        ground={"soils": soils or _HOME_SOILS},
        layout={"density": 2.5, "separation": 0.2},
        targets={"kinds": kinds or _HOME_TYPES},
        platform={**CART, **(platform or {})},
    )
    if part == "lessons":
        return Plot(name=name, scenario=recipe, parts={"training": part})
    parts = {"training": "training"} if training else {}
    return Plot(name=name, scenario=recipe, parts={**parts, "blind": part})


def tiny_plan():
    """Return a plan with every part."""
    plots = (
        make_plot("home", "lane_out", training=4),
        make_plot("dense", "lessons", training=1, blind=0),
        make_plot("soil", "soil_out", soils=_AWAY_SOILS),
        make_plot("type", "type_out", kinds=_AWAY_TYPES),
        make_plot("faulty", "faulty", blind=3, platform={"faults": _FAULTS}),
    )
    assert {part for plot in plots for part in plot.parts.values()} == set(PARTS)
    return Plan(size="quick", version="test", plots=plots)
