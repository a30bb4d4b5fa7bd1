"""The command ``minesense simulate``."""

from __future__ import annotations

from argparse import Namespace

from tqdm import tqdm

from ..synthetic import cart
from .fieldfolder import SYNTHETIC, make_field, make_folder, write_field


def run(options: Namespace) -> str:
    """
    Simulate a field and write it.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was written.
    """
    field = make_field(options)
    make_folder(options.output)
    with tqdm(total=len(field.lanes), desc="sweeping", unit="lane") as bar:
        sweeps = field.sweep(
            cart(), workers=options.workers, progress=lambda _: bar.update() and None
        )
    write_field(options.output, field, sweeps)
    n_traces = sum(len(sweep) * sweep.sensor.shape[0] for sweep in sweeps)
    return (
        f"{SYNTHETIC}\n"
        f"Wrote {len(field.training)} training and {len(field.blind)} blind lanes with "
        f"{len(field.truth.targets)} targets and {len(field.truth.clutter)} pieces of clutter, "
        f"{n_traces} traces, to {options.output}"
    )
