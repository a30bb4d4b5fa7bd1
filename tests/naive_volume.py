"""A volume image from its formula, by loops, in float64."""

import math

import naive_imaging as naive
import numpy as np


def back_project_volume(
    traces,
    axis,
    *,
    index,
    columns,
    depths,
    transmitters,
    receivers,
    heights,
    aperture,
    is_usable,
    time_zero=0.0,
    angle=0.9,
):
    """Sum below columns point by point, trace by trace and channel by channel."""
    image = np.full((len(columns), len(depths)), np.nan)
    coherence = image.copy()
    for i, column in enumerate(columns):
        for j, z in enumerate(depths):
            weights, values = [], []
            for a in np.flatnonzero(is_usable):
                for c in range(traces.shape[1]):
                    ends = transmitters[a, c], receivers[a, c]
                    r = math.dist((ends[0] + ends[1]) / 2, column)
                    if r >= aperture:
                        continue
                    legs = [
                        naive.leg(heights[a, c], z, math.dist(end, column), index)
                        for end in ends
                    ]
                    time = time_zero + legs[0][0] + legs[1][0]
                    if max(math.acos(min(1.0, cosine)) for _, cosine in legs) > angle:
                        continue
                    if not axis[0] <= time <= axis[-1]:
                        continue
                    hann = (1 + math.cos(math.pi * r / aperture)) / 2
                    weights.append((legs[0][1] + legs[1][1]) / 2 * hann)
                    values.append(np.interp(time, axis, traces[a, c].astype(float)))
            if values:
                image[i, j] = np.dot(weights, values)
                coherence[i, j] = sum(values) ** 2 / (len(values) * np.dot(values, values))
    return image, coherence
