"""
Measure recordings and simulated ground for the page on how real the latter is.

Run it as ``.venv/bin/python tools/measure_realism.py FOLDER``, with a folder of recordings
(DZT, DT1) that is not part of the project. It prints the tables of docs/validation/realism.md
and draws its picture. Only figures leave the folder.
"""

import dataclasses
import sys
import warnings
from pathlib import Path

from minesense.apps.check import check_realism
from minesense.apps.checkdocument import counts_of
from minesense.apps.checkfigure import blocks_of
from minesense.apps.checktable import table_of
from minesense.apps.references import read_references
from minesense.report import realism_figure
from minesense.synthetic import scenario
from minesense.synthetic.realism import Missing

#: Figures that no unit and no gain changes, in the order of the columns.
SHOWN = (
    "noise",
    "slice_1.weibull",
    "slice_1.texture",
    "slice_1.nugget",
    "slice_1.banding",
    "slice_2.weibull",
    "slice_2.nugget",
    "slice_2.banding",
    "singular.share_1",
    "singular.patterns",
    "pulse.high",
)


def row_of(name, figures):
    """Return a line of a table in Markdown."""
    found = {figure.key: figure.value for figure in figures}
    cells = [found.get(key, Missing("not told")) for key in SHOWN]
    words = ["-" if isinstance(x, Missing) else f"{x:.3g}" for x in cells]
    return f"| {name} | {' | '.join(words)} |"


def lines_of_noise(recipe, references, factor):
    """Return how words and figures change with the white noise of the simulated radar."""
    plan = recipe.platform
    errors = dataclasses.replace(plan.radar_errors, white=factor * plan.radar_errors.white)
    plan = dataclasses.replace(plan, radar_errors=errors)
    short = dataclasses.replace(recipe.lanes, length=2.0)  # stretches here are the recording's
    recipe = dataclasses.replace(recipe, platform=plan, lanes=short)
    check = check_realism(recipe, references, seed=1)
    for item in check.compared:
        for beside in item.beside:
            words = counts_of(beside)
            found = [
                dataclasses.replace(row.figure, value=row.synthetic) for row in beside.rows
            ]
            name = f"{beside.soil}, noise times {factor:g}: {words['like']} like, "
            yield row_of(f"{name}{words['differs']} differ", found)


def main(folder):
    """Print the tables and draw the picture."""
    paths = sorted(x for x in folder.rglob("*") if x.suffix.lower() in {".dzt", ".dt1"})
    references = [item for path in paths for item in read_references(str(path))]
    recipe = scenario("farmland")
    check = check_realism(recipe, references, seed=1)
    lines = [table_of(check), "", f"| sweep | {' | '.join(SHOWN)} |"]
    lines.append(f"|{'---|' * (len(SHOWN) + 1)}")
    lines += [row_of(item.reference.name, item.figures) for item in check.compared]
    lines += [
        row_of(f"SYNTHETIC {stretch.label}", stretch.figures)
        for stretch in check.stretches
        if stretch.kind == "gpr"
    ]
    able = [item.reference for item in check.compared if item.beside]
    for factor in (2.0, 1.0, 0.2):
        lines += lines_of_noise(recipe, able, factor)
    sys.stdout.write("\n".join([*lines, ""]))
    target = Path(__file__).parent.parent / "docs" / "validation" / "figures" / "realism.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(realism_figure(blocks_of(check)[2:]))
    sys.stdout.write(f"wrote {target.name}\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
