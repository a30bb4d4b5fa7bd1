"""Test that foreign entrants neither cheat the benchmark nor stop it."""

import dataclasses
import math
import sys

import numpy as np
import pytest
from bench_plans import tiny_plan
from fields import make_alarm

from minesense.bench import Found, make_survey, new_entrant, plan_truth, run_benchmark
from minesense.bench.found import check_found
from minesense.bench.handed import entrant_seed, handed_to
from minesense.bench.surveys import part_of
from minesense.coverage import observe

SEED = 2**61 + 8


class Foreign:
    """An entrant with ten marks in every lane."""

    def __init__(self, name, **changes):
        self.name = name
        self.changes = changes
        self.n_asked = 0

    def train(self, sweeps, truth, *, area, seed, workers):
        """Keep the seed."""
        self.seed = seed

    def marks(self, area):
        """Return the marks."""
        return [
            dataclasses.replace(
                make_alarm(
                    (west + east) / 2,
                    south + (k + 0.5) / 10 * (north - south),
                    0.1 * k,
                    identifier=f"{lane} {k}",
                    lane=lane,
                ),
                **self.changes,
            )
            for west, south, east, north, lane in area
            for k in range(10)
        ]

    def detect(self, sweeps, *, area):
        """Return them."""
        self.n_asked += 1
        return Found(ranked=self.marks(area), threshold=0.5)


class Prophet(Foreign):
    """One that makes the truth from the seed it is given."""

    def detect(self, sweeps, *, area):
        """Mark what would be there."""
        truth = plan_truth(tiny_plan(), part_of(area[0][-1]), seed=self.seed)
        alarms = [
            make_alarm(t.easting, t.northing, 1.0, identifier=t.identifier, lane=t.lane)
            for t in truth.targets
        ]
        return Found(ranked=alarms, threshold=0.5)


class Spoiler(Foreign):
    """One that filters in place."""

    def detect(self, sweeps, *, area):
        """Set all samples to zero."""
        for sweep in sweeps:
            sweep.samples[:] = 0
        return Found(ranked=[], threshold=0.5)


class Turncoat(Foreign):
    """One that sets its threshold when it sees the test."""

    def detect(self, sweeps, *, area):
        """Return another threshold each time."""
        self.n_asked += 1
        return Found(ranked=self.marks(area), threshold=0.1 * self.n_asked)


class Stammerer(Foreign):
    """One that returns an alarm twice, by another name."""

    def detect(self, sweeps, *, area):
        """Return the marks twice."""
        others = Foreign("", identifier="again").marks(area)[:1]
        return Found(ranked=[*self.marks(area), *others], threshold=0.5)


class Trickle(Foreign):
    """One whose alarms can be read once alone."""

    def detect(self, sweeps, *, area):
        """Return a generator."""
        return Found(ranked=iter(self.marks(area)), threshold=0.5)


class Claims(Foreign):
    """One that claims ground in cells of another size."""

    def detect(self, sweeps, *, area):
        """Claim."""
        claimed = observe(sweeps, footprint=0.3, area=area, cell=0.1)
        return Found(ranked=[], threshold=0.5, coverage=claimed)


class Boaster(Foreign):
    """One that promises and then fails."""

    def promise(self, found, miss_rate):
        """Fail."""
        msg = "out of luck"
        raise RuntimeError(msg)


class Quitter(Foreign):
    """One that leaves the program."""

    def detect(self, sweeps, *, area):
        """Leave."""
        sys.exit(3)


@pytest.fixture(scope="module")
def results():
    """Run them all once, with a sealed seed."""
    kinds = (Prophet, Spoiler, Turncoat, Stammerer, Trickle, Claims, Boaster, Quitter)
    changed = {"nan": {"score": math.nan}, "infinite": {"score": math.inf}}
    changed |= {"text": {"score": "half"}, "certain": {"probability": 1.7}}
    return run_benchmark(
        tiny_plan(),
        seed=SEED,
        entrants=[
            *(kind(kind.__name__.lower()) for kind in kinds),
            *(Foreign(name, **changes) for name, changes in changed.items()),
            new_entrant("energy"),
        ],
        n_resamples=20,
        commitment="c" * 64,
    )


@pytest.mark.parametrize(
    ("name", "part", "reason"),
    [
        ("spoiler", "lane_out", "read-only"),
        ("turncoat", "soil_out", "Invalid threshold '0.2': it was 0.1 in the part before"),
        ("stammerer", "lane_out", "it has the place and time of alarm"),
        ("trickle", "lane_out", "Must be a list of alarms"),
        ("claims", "faulty", "Invalid coverage with cells of 0.1 m"),
        ("boaster", "lane_out", "its promise: RuntimeError: out of luck"),
        ("quitter", "lane_out", "SystemExit: 3"),
        ("nan", "lane_out", "Must be finite"),
        ("infinite", "type_out", "Must be finite"),
        ("text", "lane_out", "Must be a number"),
        ("certain", "lane_out", "Invalid probability '1.7'"),
    ],
)
def test_who_cannot_be_judged_is_left_out_alone(results, name, part, reason):
    """The others are judged, and why is told."""
    reasons = {(x["entrant"], x["part"]): x["reason"] for x in results["exclusions"]}
    assert reason in reasons[name, part]
    assert "energy" in results["tracks"]["A"]["all"]["readings"]
    assert ("energy", part) not in reasons


def test_a_sealed_seed_is_not_told_to_entrants(results):
    """Who makes the truth from the seed that he is given makes that of another field."""
    found = results["tracks"]["A"]["all"]["readings"]["prophet"]
    assert found["pd"]["value"] < 0.3
    assert entrant_seed(SEED, "c" * 64) == entrant_seed(SEED + 1, "c" * 64) != SEED
    assert entrant_seed(SEED, "c" * 64) != entrant_seed(SEED, "d" * 64)
    assert entrant_seed(7, None) == 7


def test_what_is_handed_out_is_the_same_and_cannot_be_written():
    """The library's own entrants get it as it is: they share what was screened."""
    sweeps = make_survey(tiny_plan(), "type_out", seed=1).sweeps
    handed = handed_to(Foreign("x"), sweeps)
    assert all(
        np.shares_memory(a.samples, b.samples) for a, b in zip(handed, sweeps, strict=True)
    )
    assert not any(sweep.quality.flags.writeable for sweep in handed)
    assert all(sweep.samples.flags.writeable for sweep in sweeps)
    described = [sweep.sensor.describe() for sweep in sweeps]
    assert [sweep.sensor.describe() for sweep in handed] == described
    handed[0].sensor.axis[:] *= 1.5
    handed[0].sensor.lever_arms[:] *= 1.5
    assert [sweep.sensor.describe() for sweep in sweeps] == described
    assert handed_to(new_entrant("energy"), sweeps) is sweeps


def test_other_results_are_refused():
    """A threshold or coverage of the wrong kind."""
    with pytest.raises(ValueError, match="Invalid threshold 'nan'"):
        check_found(Found(ranked=[], threshold=math.nan))
    with pytest.raises(TypeError, match="Invalid coverage of type str"):
        check_found(Found(ranked=[], threshold=0.5, coverage="everything"))
    with pytest.raises(TypeError, match="one is of type int"):
        check_found(Found(ranked=[1], threshold=0.5))
    with pytest.raises(ValueError, match="Must have a name each"):
        run_benchmark(tiny_plan(), seed=1, entrants=[Foreign("")])
