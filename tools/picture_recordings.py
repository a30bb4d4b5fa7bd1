"""
Take recordings through the radar chain, and draw each before, after and as an image.

Run it as ``.venv/bin/python tools/picture_recordings.py FOLDER OUTPUT``, with a folder of
recordings (DZT, DT1) that is not part of the project. For each it prints what the stages
found and writes a picture: traces as recorded, cleaned without their background, and
migrated at the velocity of the sharpest image or, where none is sharpest, at 0.1 m/ns.
"""

import dataclasses
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import minesense as ms
from minesense import gpr
from minesense.detect import recording_settings, screen_recording
from minesense.io import FormatWarning
from minesense.stage import Pipeline, run_lane
from minesense.sweep import Quality

ASSUMED = 1e8  # m/s
INDICES = np.geomspace(2, 6, 15)  # refractive indices that are tried


def clean(sweep, radar):
    """Return a recording from the ground on, without spikes, drift and what traces share."""
    period = 1 / sweep.sensor.radar.centre_frequency
    longest = max(0.2 * period, 1.01 * sweep.sensor.sample_interval)
    cleaned = run_lane(
        Pipeline(
            gpr.Despike(window=max(period, 5 * longest), longest=longest),
            gpr.Dewow(window=radar.dewow),
            gpr.BandPass(low=radar.band[0], high=radar.band[1]),
            gpr.RemoveMedianBackground(spacing=radar.spacing, half_width=radar.background),
        ),
        sweep,
    )
    first = int(np.searchsorted(sweep.sensor.axis, radar.ground_time))
    axis = sweep.sensor.axis[first:] - sweep.sensor.axis[first]
    return dataclasses.replace(
        cleaned,
        samples=cleaned.samples[..., first:],
        sensor=dataclasses.replace(cleaned.sensor, axis=axis),
    )


def focus(cleaned, radar):
    """Return the image of the recording, its velocity, and why it is that."""
    start = 1.5 / cleaned.sensor.radar.centre_frequency
    found = gpr.sharpest_permittivity(
        cleaned,
        permittivities=INDICES**2,
        spacing=radar.spacing,
        times=(start, start + 0.5 * (cleaned.sensor.axis[-1] - start)),
        method="kirchhoff",
        height=0.0,
    )
    velocity = ASSUMED if found.reason else found.velocity
    image = gpr.kirchhoff(cleaned, velocity=velocity, spacing=radar.spacing)
    return image, velocity, found.reason or "sharpest image"


def draw(parts, path, title):
    """Write a picture of sections one below the other."""
    figure, axes = plt.subplots(len(parts), 1, figsize=(11, 9), layout="constrained")
    figure.suptitle(title)
    for axis, (name, sweep) in zip(axes, parts.items(), strict=True):
        section = sweep.samples[:, 0].T - np.nanmedian(sweep.samples)
        most = np.nanpercentile(np.abs(section), 99)
        ends = (0, len(sweep), 1e9 * sweep.sensor.axis[-1], 1e9 * sweep.sensor.axis[0])
        axis.imshow(section, cmap="gray", vmin=-most, vmax=most, aspect="auto", extent=ends)
        axis.set(title=name, ylabel="two-way time (ns)")
    axis.set_xlabel("trace")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(folder, output):
    """Picture every recording of a folder."""
    mpl.use("Agg")
    output.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", FormatWarning)
    for path in sorted([*folder.rglob("*.DZT"), *folder.rglob("*.DT1")]):
        try:
            sweep = ms.read(path).to_sweep()
            radar = recording_settings(sweep).radar
            alarms = screen_recording(sweep).alarms
        except ValueError as error:
            sys.stdout.write(f"{path.name}: refused. {error}\n")
            continue
        cleaned = clean(sweep, radar)
        image, velocity, reason = focus(cleaned, radar)
        flags = {
            flag.name: int(np.count_nonzero(cleaned.quality & flag))
            for flag in Quality
            if (cleaned.quality & flag).any()
        }
        sys.stdout.write(
            f"{path.name}: {len(sweep)} traces every {radar.spacing:.3g} m or trace, "
            f"{1e-6 * sweep.sensor.radar.centre_frequency:.0f} MHz; flags {flags}; "
            f"{1e-9 * velocity:.3f} m/ns ({reason}); {len(alarms)} places stand out\n"
        )
        parts = {
            "as recorded": sweep,
            "without spikes, drift and background; gained": gpr.equalise(
                cleaned, window=8 / cleaned.sensor.radar.centre_frequency
            ),
            f"migrated at {1e-9 * velocity:.3f} m/ns: {reason}": image,
        }
        draw(parts, output / f"{path.stem}.png", path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
