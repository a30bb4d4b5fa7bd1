"""The command ``minesense train``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from ..training import train
from .fieldfolder import ground_of, read_lanes, read_truth
from .fieldsweeps import read_sweeps
from .files import make_folder


def run(options: Namespace) -> str:
    """
    Train a detector on the training lanes of a field and save it.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was trained, on what, how well out of fold.
    """
    lanes = [lane for lane in read_lanes(options.field) if not lane["is_blind"]]
    make_folder(Path(options.output).parent)
    names = {lane["name"] for lane in lanes}
    sweeps = read_sweeps(options.field, names)
    with tqdm(total=len(lanes), desc="training", unit="lane") as bar:
        detector = train(
            sweeps,
            read_truth(options.field),
            soils={lane["name"]: lane["soil"] for lane in lanes},
            area=ground_of(lanes),
            seed=options.seed,
            workers=options.workers,
            progress=lambda _: bar.update() and None,
        )
    detector.save(options.output)
    lines = [f"Trained {detector.identity} on {len(lanes)} lanes; wrote {options.output}"]
    for mode, figures in detector.card["out_of_fold"].items():
        lines.append(
            f"  {mode}: {figures['n_mines']} places of targets, {figures['n_others']} others; "
            f"out of fold Brier score {figures['brier']:.3f}, calibration error "
            f"{figures['calibration_error']:.3f}"
        )
    return "\n".join(lines)
