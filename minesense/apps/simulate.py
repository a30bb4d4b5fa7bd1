"""The command ``minesense simulate``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from ..synthetic import PRESETS
from .fieldfolder import SYNTHETIC, write_field
from .files import make_folder, write_json
from .recipe import make_field, read_recipe


def run(options: Namespace) -> str:
    """
    Simulate a field and write it, measure how real its ground is, or list the scenarios.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was written.

    Raises
    ------
    FileExistsError
        If the folder holds sweeps already.
    ValueError
        If options of a check come without it, or those of a field with it, or anything they
        name cannot be used.
    """
    if options.list:
        return preset_table()
    _check_options(options)
    if options.check:
        return _check(options)
    field = make_field(options)
    output = options.output or "field"
    folder = make_folder(output)
    if any((folder / "sweeps").glob("*")):
        msg = f"Invalid --output '{output}': it holds sweeps already. Must be another folder."
        raise FileExistsError(msg)
    with tqdm(total=len(field.lanes), desc="sweeping", unit="lane") as bar:
        sweeps = field.stream(workers=options.workers, progress=lambda _: bar.update() and None)
        n_traces = write_field(output, field, sweeps)
    n_targets = n_clutter = 0
    for lane in field.lanes:
        rows = field.rows_of(lane.index)
        n_targets += sum(row.is_target for row in rows)
        n_clutter += sum(not row.is_target for row in rows)
    records = f" and {len(field.records)} minefield records" if field.records else ""
    return (
        f"{SYNTHETIC}\n"
        f"Wrote {len(field.training)} training and {len(field.blind)} blind lanes with "
        f"{n_targets} targets and {n_clutter} pieces of clutter{records}, "
        f"{n_traces} traces, to {output}"
    )


def _check_options(options: Namespace) -> None:
    """Raise if options are of no use together."""
    of_field = ("training_lanes", "blind_lanes")
    of_check = ("reference", "ground", "height", "spacing", "frequency")
    rule = "left out with --check" if options.check else "given with --check"
    for name in of_field if options.check else of_check:
        value = getattr(options, name)
        if value is not None and value != []:
            msg = f"Invalid --{name.replace('_', '-')} '{value}'. Must be {rule}."
            raise ValueError(msg)


def _check(options: Namespace) -> str:
    """Measure the ground of a scenario, beside recordings, and write what was found."""
    from ..report import realism_figure  # noqa: PLC0415 - slow to import
    from .check import check_realism  # noqa: PLC0415
    from .checkdocument import document_of  # noqa: PLC0415
    from .checkfigure import blocks_of  # noqa: PLC0415
    from .checktable import table_of  # noqa: PLC0415
    from .references import read_references  # noqa: PLC0415

    recipe = read_recipe(options.scenario)
    references = [
        reference
        for path in options.reference
        for reference in read_references(
            path,
            spacing=options.spacing,
            frequency=options.frequency,
            ground=options.ground,
        )
    ]
    output = Path(make_folder(options.output or "check"))
    with tqdm(total=2 + len(references), desc="checking", unit="step") as bar:

        def tell(what: str) -> None:
            bar.set_description(what)
            bar.update()

        found = check_realism(
            recipe,
            references,
            seed=options.seed,
            height=options.height,
            workers=options.workers,
            progress=tell,
        )
    write_json(output / "check.json", document_of(found))
    (output / "check.png").write_bytes(realism_figure(blocks_of(found)))
    return f"{table_of(found)}\n\nWrote check.json and check.png to {output}"


def preset_table() -> str:
    """
    Return the scenarios that come with the package as text.

    Returns
    -------
    text : str
        A line each: name, lanes, platform, what it is for.
    """
    lines = []
    for name, recipe in PRESETS.items():
        plan = recipe.lanes
        lanes = f"{plan.training} + {plan.blind} lanes of {plan.length:g} m"
        lines.append(f"{name:20} {lanes:26} {recipe.platform.kind:9} {recipe.note}")
    return "\n".join(lines)
