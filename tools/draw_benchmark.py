"""
Draw the curves of a results file of the benchmark, and write its tables for the docs.

Run it as ``.venv/bin/python tools/draw_benchmark.py RESULTS.json`` when the figures change; the
picture goes to ``docs/images/benchmark_SIZE.png``, the tables to ``docs/benchmark_SIZE.txt``.
"""

import sys
from pathlib import Path

from minesense.bench import format_results, read_results
from minesense.report import RocLine, roc_figure

#: At most seven lines in a figure: detectors, then baselines.
SHOWN = ("full", "radar", "metal_detector", "prescreener", "energy", "random", "dowsing")

path = Path(sys.argv[1])
results = read_results(path)
part = sys.argv[2] if len(sys.argv) > 2 else "lane_out"
entrants = results["tracks"]["A"]["parts"][part]["entrants"]
lines = [
    RocLine(
        label=name,
        rate=entrants[name]["curve"]["far"],
        pd=entrants[name]["curve"]["pd"],
        **(
            {side: entrants[name]["curve"][side] for side in ("low", "high")}
            if name == "full"
            else {}
        ),
    )
    for name in SHOWN
    if name in entrants
]
docs, size = Path(__file__).parent.parent / "docs", results["benchmark"]["size"]
image = roc_figure(lines, is_synthetic=True, image_format="png")
(docs / "images" / f"benchmark_{size}.png").write_bytes(image)
tables = "\n".join(line.rstrip() for line in format_results(results).splitlines())
(docs / f"benchmark_{size}.txt").write_text(tables + "\n")
