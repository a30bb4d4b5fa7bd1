"""
Detect on a recording
=====================

Read a recording of a ground-penetrating radar and list the places that stand out. Without a
file of your own, the script writes a small one first: two buried reflectors in noise.
"""

import struct
import sys
import tempfile
from pathlib import Path

import numpy as np

import minesense as ms
from minesense.detect import screen_recording


def write_demo_recording(path):
    """Write a SYNTHETIC 400 MHz line of 20 m as a 16-bit GSSI DZT file."""
    n_traces, n_samples, window_ns, spacing = 800, 256, 50.0, 0.025
    time = window_ns * np.arange(n_samples) / n_samples
    distance = spacing * np.arange(n_traces)

    def ricker(delay):
        argument = (np.pi * 0.4 * (time - np.asarray(delay)[..., None])) ** 2
        return (1 - 2 * argument) * np.exp(-argument)

    traces = 8000 * ricker(np.full(n_traces, 6.0))  # the direct wave
    for place, depth in ((7.0, 0.6), (13.5, 0.9)):
        delay = 6.0 + 2 * np.hypot(depth, distance - place) / 0.1  # 0.1 m/ns
        traces += 900 * ricker(delay) * (np.abs(distance - place) < 1.2)[:, None]
    traces += np.random.default_rng(seed=0).normal(scale=60, size=traces.shape)
    words = np.clip(np.round(traces), -32768, 32767).astype(np.int32) + 32768
    words[:, 0], words[:, 1] = np.arange(n_traces), 0  # scan counter and mark
    header = bytearray(1024)
    struct.pack_into("<HHHHh", header, 0, 0x00FF, 1024, n_samples, 16, 0)
    struct.pack_into("<fff", header, 10, 100.0, 1 / spacing, 0.0)
    struct.pack_into("<ff", header, 22, 0.0, window_ns)
    struct.pack_into("<H", header, 52, 1)
    header[98:104] = b"400MHz"
    path.write_bytes(bytes(header) + words.astype("<u2").tobytes())


# %%
# A recording says what it knows, and where each figure comes from.
if len(sys.argv) > 1:
    path = Path(sys.argv[1])
else:
    path = Path(tempfile.mkdtemp()) / "SYNTHETIC.DZT"
    write_demo_recording(path)
    print("SYNTHETIC recording: two reflectors, at 7.0 and 13.5 m")
recording = ms.read(path)
print(
    f"{recording.shape[0]} traces, {1e9 * recording.window:.0f} ns, every {recording.spacing} m"
)
print(f"interval from {recording.sources['sample_interval']}")

# %%
# No model knows this radar, so the prescreener alone ranks places by how much they stand out
# from the ground around them. What could not be judged is reported with its reason.
screening = screen_recording(recording.to_sweep())
print(f"{screening.observed_length:.1f} m of {screening.length:.1f} m judged")
print(f"not judged: {screening.reasons}")
for alarm in screening.alarms[:5]:
    print(
        f"{alarm.identifier}: {alarm.northing:6.2f} m along the line, score {alarm.score:.1f}"
    )
