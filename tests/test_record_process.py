"""Test minefield records drawn from the truth: exist, accurate, faulty, outside."""

import dataclasses
import math
import re

import numpy as np
import numpy.testing as npt
import pytest

from minesense.minefield_records import (
    HEADING_TOLERANCE,
    MARGIN,
    NUMBER_TOLERANCE,
    POSITION_TOLERANCE,
    MinefieldRecord,
    is_outside,
)
from minesense.synthetic import (
    CATALOGUE,
    RecordProcess,
    draw_records,
    field,
    is_accurate,
    scenario,
)
from minesense.synthetic.lanes import rotate
from minesense.truth import FAULTS, Target

BARE = {"preset": "clean", "metal_density": 0.0, "dielectric_density": 0.0}


def make_field(layout, *, seed=1, **changes):
    """Return a field of bare ground with some layout of small mines."""
    changes = {"clutter": BARE, "targets": {"kinds": ["pma2", "m14"]}} | changes
    return field(scenario("farmland", layout=layout, **changes), seed=seed)


def make_mines(n=10, *, group="row 0", spacing=2.0, kind="pmn"):
    """Return mines in a row eastward."""
    return [
        Target(
            identifier=f"T{k}",
            kind=kind,
            is_target=True,
            easting=spacing * k,
            northing=5.0,
            depth=0.05,
            diameter=0.1,
            metal_class="medium",
            group=group,
        )
        for k in range(n)
    ]


def recorded(process, *, seed, mines=None, kinds=("pmn", "pma2")):
    mines = mines or make_mines()
    return draw_records(mines, process, kinds=kinds, row_heading=math.pi / 2, seed=seed)


def test_an_accurate_record_says_what_is_there():
    """Within the tolerances, in every figure; often not exactly."""
    process, mines = RecordProcess(exists=1.0, accurate=1.0), make_mines()
    offsets = []
    for seed in range(300):
        (record,), (origin,) = recorded(process, seed=seed)
        assert is_accurate(record, mines, heading=math.pi / 2)
        assert (origin.fault, origin.targets) == ("", tuple(f"T{k}" for k in range(10)))
        assert (record.form, record.kind, record.number) == ("row", "pmn", 10)
        npt.assert_allclose((record.length, record.width), (18.0, 1.0))
        offsets.append((record.easting - 9.0, record.northing - 5.0))
        assert abs(record.heading - math.pi / 2) <= HEADING_TOLERANCE
    offsets = np.array(offsets)
    assert np.hypot(*offsets.T).max() <= POSITION_TOLERANCE
    assert offsets.std(axis=0).min() > 3.0
    assert abs(offsets.mean(axis=0)).max() < 1.0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_record_is_off_by_its_fault(fault):
    """Beyond the tolerance, and by nothing else that the fault does not bring along."""
    weights = dict.fromkeys(FAULTS, 0.0) | {fault: 1.0}
    process, mines = RecordProcess(exists=1.0, accurate=0.0, **weights), make_mines()
    for seed in range(120):
        (record,), (origin,) = recorded(process, seed=seed)
        assert origin.fault == fault
        assert not is_accurate(record, mines, heading=math.pi / 2)
        off = math.hypot(record.easting - 9.0, record.northing - 5.0)
        turn = abs((record.heading - math.pi / 2 + math.pi / 2) % math.pi - math.pi / 2)
        match fault:
            case "displaced":
                assert off > POSITION_TOLERANCE
                assert record.kind == "pmn"
            case "rotated":
                assert turn > HEADING_TOLERANCE
                assert off < 1e-5
            case "incomplete":
                assert record.number < (1 - NUMBER_TOLERANCE) * 10
                assert record.length < 0.71 * 18.0
                ends = 9.0 + record.length / 2 * np.array([-1, 1]) + record.easting - 9.0
                assert np.isclose(ends, [0.0, 18.0], atol=1e-5).any()
            case "wrong":
                assert record.kind == "pma2"
                assert off <= POSITION_TOLERANCE


def test_a_wrong_record_of_a_field_of_one_kind_is_wrong_in_number():
    """And a single mine cannot be recorded in part."""
    weights = dict.fromkeys(FAULTS, 0.0) | {"incomplete": 1.0}
    process = RecordProcess(exists=1.0, accurate=0.0, **weights)
    mines = make_mines(1)
    (record,), (origin,) = recorded(process, seed=1, mines=mines, kinds=("pmn",))
    assert (record.kind, record.number, origin.fault) == ("pmn", 3, "wrong")
    assert not is_accurate(record, mines, heading=math.pi / 2)


def test_records_exist_as_often_as_stated():
    """Of many rows; one row's record does not hang on another's."""
    mines = [mine for k in range(200) for mine in make_mines(2, group=f"row {k}")]
    mines = [dataclasses.replace(m, identifier=f"{k}") for k, m in enumerate(mines)]
    records, origins = recorded(RecordProcess(exists=0.6), seed=1, mines=mines)
    assert abs(len(records) / 200 - 0.6) < 4 * math.sqrt(0.6 * 0.4 / 200)
    process = RecordProcess(exists=1.0, accurate=0.25)
    many = [mine for k in range(4000) for mine in make_mines(1, group=f"row {k}")]
    _, whole = recorded(process, seed=2, mines=many)
    share = np.mean([origin.fault == "" for origin in whole])
    assert abs(share - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 4000)
    few, _ = recorded(RecordProcess(exists=0.6), seed=1, mines=mines[:200])
    assert few == records[: len(few)]
    assert {origin.record for origin in origins} == {record.identifier for record in records}


def test_random_mines_share_the_record_of_their_square():
    """Blocks where nothing has a group; mines outside groups have none where some do."""
    mines = [dataclasses.replace(m, group="") for m in make_mines(10, spacing=5.0)]
    process = RecordProcess(exists=1.0, accurate=1.0, block=25.0)
    records, origins = recorded(process, seed=1, mines=mines)
    assert [record.form for record in records] == ["area", "area"]
    assert [len(origin.targets) for origin in origins] == [5, 5]
    mixed = [*mines, dataclasses.replace(mines[0], identifier="x", group="cluster 1 -2 3")]
    _, origins = recorded(process, seed=1, mines=mixed)
    assert [origin.targets for origin in origins] == [("x",)]


def test_a_place_is_outside_farther_than_the_margin():
    """From the strip, not from its middle; along it as across it."""
    row = MinefieldRecord(
        identifier="R1",
        form="row",
        easting=0.0,
        northing=0.0,
        heading=math.pi / 4,
        length=40.0,
        width=2.0,
        kind="pmn",
        number=8,
    )
    along, across = rotate(0.0, 1.0, row.heading), rotate(1.0, 0.0, row.heading)
    for direction, reach in ((along, 20.0), (across, 1.0)):
        for side in (-1, 1):
            inside = [side * (reach + MARGIN - 0.01) * float(x) for x in direction]
            outside = [side * (reach + MARGIN + 0.01) * float(x) for x in direction]
            assert not is_outside(*inside, [row])
            assert is_outside(*outside, [row])
    assert not is_outside(0.0, 0.0, [row], margin=0.0)
    assert is_outside(0.0, 0.0, [])


@pytest.mark.slow
def test_a_quarter_is_accurate_and_55_percent_of_the_mines_lie_outside():
    """Over fresh seeds of the preset, within four standard errors over fields."""
    accurate, outside = [], []
    for seed in range(1000, 1060):
        made = field("unreliable_records", seed=seed)
        mines = {row.identifier: row for row in made.mines()}
        heading = made.scenario.layout.heading
        origins = {origin.record: origin for origin in made.record_origins}
        found = [
            is_accurate(
                record,
                [mines[name] for name in origins[record.identifier].targets],
                heading=heading,
            )
            for record in made.records
        ]
        assert found == [origins[r.identifier].fault == "" for r in made.records]
        accurate += found
        outside.append(
            np.mean([is_outside(m.easting, m.northing, made.records) for m in mines.values()])
        )
    error = math.sqrt(0.25 * 0.75 / len(accurate))
    assert abs(np.mean(accurate) - 0.25) < 4 * error
    assert error < 0.025
    spread = np.std(outside) / math.sqrt(len(outside))
    assert abs(np.mean(outside) - 0.55) < 4 * spread
    assert spread < 0.02


def test_test_pieces_are_on_no_record():
    """Records are about mines."""
    made = make_field(
        {"density": 1.0},
        targets={"kinds": ["simulant", "pma2"]},
        records={"exists": 1.0, "accurate": 1.0},
    )
    kinds = {row.identifier: row.kind for row in made.truth.targets}
    meant = {kinds[name] for origin in made.truth.origins for name in origin.targets}
    assert meant == {"pma2"}
    assert set(kinds.values()) == {"simulant", "pma2"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"form": "spiral"}, "Invalid form 'spiral'"),
        ({"number": 0}, "Invalid number '0'. Must be at least 1"),
        ({"length": -1.0}, "Invalid length '-1.0'"),
        ({"easting": math.nan}, "Invalid easting 'nan'"),
    ],
)
def test_bad_records_are_named(change, message):
    """Name, value, rule."""
    good = {
        "identifier": "R1",
        "form": "row",
        "easting": 0.0,
        "northing": 0.0,
        "heading": 0.0,
        "length": 1.0,
        "width": 1.0,
        "kind": "pmn",
        "number": 1,
    }
    with pytest.raises(ValueError, match=message):
        MinefieldRecord(**good | change)
    with pytest.raises(ValueError, match=r"Invalid margin '-1.0'"):
        is_outside(0.0, 0.0, [], margin=-1.0)


def test_the_catalogue_names_what_records_name():
    """Kinds of claims are entries of the catalogue."""
    made = field("unreliable_records", seed=3)
    assert made.records
    assert {record.kind for record in made.records} <= set(CATALOGUE)
    assert all(re.fullmatch(r"R\d{3}", record.identifier) for record in made.records)
