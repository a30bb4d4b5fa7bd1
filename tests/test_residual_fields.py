"""Test intervals and orders of search on a few SYNTHETIC fields, and the written table."""

import json

import numpy as np
import pytest

from benchmarks.residual import coverage, fields, ranking, run
from minesense.minefield_records import is_outside

FIRST = 9000


def test_the_fields_are_those_of_the_preset():
    """Rows, a quarter of the records accurate, most mines outside; the model knows no truth."""
    sites = [fields.make_site(FIRST + k) for k in range(8)]
    outside = [site.share_outside for site in sites]
    assert 0.3 < np.mean(outside) < 0.85
    site = sites[0]
    expected = np.mean([is_outside(e, n, site.records) for e, n in site.mines])
    assert site.share_outside == expected
    assert 0.6 <= site.pd <= 0.9
    model = fields.model_of(site)
    assert len(model.records) == len(site.records)
    mask = fields.random_blocks(site, 0.5, np.random.default_rng(seed=1))
    counted = fields.search_of(site, mask).pd["AP", 0]
    assert (counted.found, counted.laid) == (site.seeds_found, fields.SEEDS_LAID)
    found = fields.look(site, mask, np.random.default_rng(seed=1))
    assert not (found & site.hidden).any()
    east, north = (site.mines[found] // 1).astype(int).T
    assert mask[np.clip(north, 0, 99), np.clip(east, 0, 99)].all()


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["rows", "scattered"])
def test_intervals_hold_on_a_few_fields(layout):
    """A dozen fields tell a model that is far off; the table has the hundreds."""
    results = coverage.run(layout, 12, FIRST, n_draws=120)
    inside = sum(r["inside"] for r in results)
    assert inside >= 8  # of 12 at 0.9: four in a thousand by chance
    assert min(r["pit"] for r in results) < 0.6
    assert max(r["pit"] for r in results) > 0.4


@pytest.mark.slow
def test_the_joint_order_beats_the_map_and_finds_what_lies_outside():
    """On the same fields; the table has more, with intervals."""
    results = ranking.compare("rows", 4, FIRST)
    found = {order: sum(r.found for r in rows) for order, rows in results.items()}
    assert found["joint"] > 1.1 * found["map only"]
    assert found["joint"] > 1.1 * found["lane by lane"]
    outside = sum(r.outside for r in results["joint"])
    assert outside > 0.2 * sum(r.n_outside for r in results["joint"])


def test_the_table_is_what_the_results_say():
    """Nobody has edited it, and what it is judged by holds."""
    results = json.loads(run.RESULTS.read_text())
    assert run.TABLE.read_text() == run.table(results)
    assert "SYNTHETIC" in run.TABLE.read_text()
    rows = results["rows"]
    assert len(rows) == 200
    assert len({row["search"] for row in rows}) == 4
    low, high = run.WANTED
    assert low <= np.mean([row["inside"] for row in rows]) <= high
    outcomes = {k: [ranking.Outcome(**row) for row in v] for k, v in results["ranking"].items()}
    for other in ("sensor only", "map only", "lane by lane"):
        assert ranking.paired(outcomes, other)[1] > 0
    joint = outcomes["joint"]
    assert np.mean([row.outside > 0 for row in joint]) > 0.9
    assert sum(row.outside for row in joint) > 0.35 * sum(row.n_outside for row in joint)
