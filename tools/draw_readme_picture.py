"""
Draw the picture of the README: the blind lanes of the demonstration of seed 1.

Run it as ``.venv/bin/python tools/draw_readme_picture.py`` when the figures change.
"""

from pathlib import Path

from minesense import report
from minesense.apps.trial import conduct
from minesense.synthetic import cart, field

made = field("farmland", seed=1)
trial = conduct(made, cart(), seed=1, workers=2)
picture = report.field_map(
    [made.lane(name) for name in made.blind],
    trial.detections["both"].coverage,
    made.truth_of(made.blind),
    trial.scores["both"],
    image_format="png",
)
target = Path(__file__).parent.parent / "docs" / "images" / "demo.png"
target.parent.mkdir(exist_ok=True)
target.write_bytes(picture)
