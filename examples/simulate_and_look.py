"""
Simulate and look
=================

Make one lane of a SYNTHETIC field, sweep it, and look at what the radar and the coils
recorded over the first target.
"""

import sys

import numpy as np
from matplotlib.figure import Figure

import minesense as ms

# %%
# A field is made from a scenario and a seed. Its truth is known.
field = ms.synthetic.field(
    ms.synthetic.scenario("farmland", lanes={"training": 1, "blind": 0, "length": 6.0}),
    seed=17,
)
print(f"SYNTHETIC field with {len(field.truth.targets)} targets")
for target in field.truth.targets:
    print(
        f"{target.kind}: {target.metal_class} metal, {100 * target.depth:.0f} cm deep, at "
        f"{target.easting:.2f} m east, {target.northing:.2f} m north"
    )

# %%
# The cart carries eight radar channels and seven coils; each lane gives two sweeps.
radar, coils = field.sweep(ms.synthetic.cart())
print(f"radar: {radar.samples.shape}, coils: {coils.samples.shape} (traces, channels, samples)")

# %%
# Take the channel nearest to the target. Bring the ground to the same time in every trace, and
# remove what all traces have in common.
target = field.truth.targets[0]
place = np.array([target.easting, target.northing])


def nearest_channel(sweep):
    """Return the channel that passed nearest to the target."""
    distance = np.linalg.norm(sweep.channel_position[..., :2] - place, axis=2)
    return int(np.unravel_index(distance.argmin(), distance.shape)[1])


level = ms.gpr.align_ground(
    ms.gpr.align_time_zero(radar, spacing=0.025),
    search=(1.3e-9, 2.2e-9),
    ground_time=1.5e-9,
    polarity="negative",
)
background = ms.gpr.remove_median_background(level, spacing=0.025, half_width=1.0)
section = background.samples[:, nearest_channel(radar)]
decays = coils.samples[:, nearest_channel(coils)]

# %%
# The radar sees its casing as a hyperbola, the coils its metal as a bump of the early gates.
figure = Figure(figsize=(9, 6), layout="constrained")
above, below = figure.subplots(2, 1, sharex=True)
northing, time = radar.position[:, 1], radar.sensor.axis
limit = np.nanpercentile(np.abs(section[:, time > 2e-9]), 99.5)
above.pcolormesh(northing, 1e9 * time, section.T, cmap="gray", vmin=-limit, vmax=limit)
above.set(ylim=(6, 1.5), xlim=(target.northing - 1.5, target.northing + 1.5))
above.set(ylabel="two-way time (ns)", title=f"SYNTHETIC: {target.kind}")
below.plot(coils.position[:, 1], 1e9 * decays[:, :3])
below.set(xlabel="northing (m)", ylabel="early gates (nV/A)")
for axes in (above, below):
    axes.axvline(target.northing, color="tab:orange", linestyle="--")
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1])
figure
