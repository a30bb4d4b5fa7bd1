"""Test the reliability figure against the record that it is drawn from."""

import sys

import numpy as np
import numpy.testing as npt
import pytest

from minesense.report import lane_reliability_figure
from minesense.score import reliability

MODULE = sys.modules[lane_reliability_figure.__module__]


def make_record(n_lanes=4, *, is_synthetic=True):
    """Return the reliability of places whose last lane is far worse than stated."""
    rng = np.random.default_rng(seed=1)
    p = rng.random(60 * n_lanes)
    lanes = np.repeat([f"lane {k:02d}" for k in range(n_lanes)], 60)
    y = rng.random(len(p)) < np.where(lanes == lanes[-1], 1 - p, p)
    return reliability(p, y, lanes, is_synthetic=is_synthetic)


@pytest.mark.parametrize("image_format", ["svg", "png"])
def test_the_image_repeats_and_says_synthetic(image_format):
    """The same record, the same bytes; measured data carry no stamp."""
    first = lane_reliability_figure(make_record(), image_format=image_format)
    assert first == lane_reliability_figure(make_record(), image_format=image_format)
    field = lane_reliability_figure(make_record(is_synthetic=False), image_format=image_format)
    assert first != field
    if image_format == "svg":
        assert b"SYNTHETIC" in first
        assert b"SYNTHETIC" not in field
    with pytest.raises(ValueError, match="Invalid image_format 'gif'"):
        lane_reliability_figure(make_record(), image_format="gif")


def test_the_figure_shows_the_record(monkeypatch):
    """Shares against stated means; the worst lane on top; what is not drawn is said."""
    figures = []
    monkeypatch.setattr(MODULE, "to_bytes", lambda figure, *_, **__: figures.append(figure))
    found = make_record(30)
    lane_reliability_figure(found)
    left, right = figures[0].axes
    points = left.containers[0].lines[0].get_xydata()
    npt.assert_allclose(points, [(b.stated, b.share.value) for b in found.bins])
    assert [t.get_text() for t in left.texts] == [str(b.n) for b in found.bins]
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels[0].startswith(f"{found.worst.lane}  n = 60")
    assert found.worst.lane == "lane 29"
    assert len(labels) == 24
    assert "6 more not drawn" in right.get_title(loc="left")
    npt.assert_allclose(right.lines[-1].get_xdata()[0], found.worst.stated)
