"""A small field and a small recording that the tests of the report make by hand."""

import dataclasses
import math
import warnings
from pathlib import Path

import numpy as np
from lanes import make_coils, make_sensor, make_sweep

from minesense.alarm import Alarm
from minesense.coverage import observe
from minesense.detect import Detection, DetectorSettings
from minesense.detect.recording import Screening
from minesense.detect.screen import Part, Screened
from minesense.gaps import Gap
from minesense.io.recording import Draft
from minesense.io.trouble import Correction, Findings, FormatWarning
from minesense.report import FieldResults, Strip
from minesense.score import score
from minesense.sweep import Quality, track_length
from minesense.truth import Target, Truth

LANES = (Strip("lane 1", (0.0, 0.0, 1.0, 6.0)), Strip("lane 2", (1.5, 0.0, 2.5, 6.0)))


def make_target(identifier, easting, northing, *, is_target=True, metal="low", depth=0.06):
    """Return an object of 10 cm in the lane that holds it."""
    return Target(
        identifier=identifier,
        kind="disc" if is_target else "scrap",
        is_target=is_target,
        easting=easting,
        northing=northing,
        depth=depth,
        diameter=0.1,
        metal_class=metal,
        lane="lane 1" if easting < 1.25 else "lane 2",
    )


def make_alarm(identifier, easting, northing, value, **options):
    """Return an alarm of some score."""
    return Alarm(
        identifier=identifier,
        lane=options.pop("lane", "lane 1" if easting < 1.25 else "lane 2"),
        time=0.0,
        easting=easting,
        northing=northing,
        position_error=0.03,
        depth=options.pop("depth", 0.05),
        probability=options.pop("probability", 1 / (1 + math.exp(-value))),
        score=value,
        **options,
    )


TRUTH = Truth(
    objects=(
        make_target("T1", 0.5, 1.0, metal="high"),
        make_target("T2", 0.6, 4.0, metal="none", depth=0.12),
        make_target("T3", 2.0, 1.0),  # missed though swept
        make_target("T4", 2.0, 3.5),  # in the gap
        make_target("T5", 1.9, 3.06),  # at the border of the gap
        make_target("C1", 0.4, 2.5, is_target=False),
        make_target("C2", 2.2, 5.0, is_target=False),
    )
)
#: By mode: places noticed, the strongest first.
ALARMS = {
    "emi": (make_alarm("A1", 0.52, 1.02, 2.0), make_alarm("A2", 0.4, 2.5, 1.0)),
    "gpr": (make_alarm("A1", 0.6, 4.03, 1.5), make_alarm("A2", 2.2, 5.0, 0.5)),
    "both": (
        make_alarm("A1", 0.51, 1.02, 3.0),
        make_alarm("A2", 0.6, 4.03, 2.0),
        make_alarm("A3", 0.4, 2.5, 0.5),
        make_alarm("A4", 2.2, 5.0, -0.5),
        make_alarm("A5", 2.02, 1.02, -1.0),
    ),
}


def make_lane(strip, *, heading=0.0, gap=None, seed=0):
    """Return radar and coils along the middle of a strip; `gap` is not recorded."""
    rng = np.random.default_rng(seed)
    west, south, east, north = strip.area
    sweeps = []
    for sensor, spacing in ((make_sensor(8, 40), 0.05), (make_coils(4, 5, unit="V"), 0.1)):
        along = np.arange(south, north + spacing / 2, spacing)
        if gap is not None:
            along = along[(along < gap[0]) | (along > gap[1])]
        along = along[:: -1 if math.cos(heading) < 0 else 1]
        middle = np.full(len(along), (west + east) / 2)
        sweeps.append(
            make_sweep(
                rng.normal(size=(len(along), *sensor.shape)).astype(np.float32),
                sensor=sensor,
                lane=strip.name,
                position=np.column_stack([middle, along, 0 * along]),
                heading=np.full(len(along), heading),
                time=np.arange(len(along)) * 0.1,
            )
        )
    return sweeps


def make_part(sweep, processed=None):
    """Return a sweep as a part whose traces are what was processed."""
    best = np.zeros((len(sweep), sweep.sensor.shape[0]))
    return Part(
        processed=sweep if processed is None else processed,
        scores=sweep,
        candidates=(),
        position=sweep.channel_position,
        best=best,
    )


def make_screened(sweeps):
    """Return one lane's sweeps as what the screens keep, by kind."""
    return {
        sweep.sensor.kind: Screened(
            kind=sweep.sensor.kind, lane=sweep.lane, parts=(make_part(sweep),), gaps=()
        )
        for sweep in sweeps
    }


def make_results(*, lanes=LANES, truth=TRUTH, alarms=ALARMS, name="test field"):
    """Return the results of a field of two lanes, the second with a gap."""
    gaps = [None, (3.0, 4.0)]
    sweeps = [make_lane(strip, gap=gap) for strip, gap in zip(lanes, gaps, strict=True)]
    coverage = observe(
        [sweep for lane in sweeps for sweep in lane],
        footprint={"gpr": 0.1, "emi": 0.2},
        area=[(*strip.area, strip.name) for strip in lanes],
        max_step=0.25,
    )
    gap = Gap(lane=lanes[1].name, sensor="radar", start_time=2.9, stop_time=3.0, length=1.1)
    detections = {
        mode: Detection(
            ranked=ranked,
            threshold=0.0,
            mode=mode,
            coverage=coverage,
            gaps=(gap,),
            model="model-1",
        )
        for mode, ranked in alarms.items()
    }
    sensors = {"emi": "emi", "gpr": "gpr", "both": "all"}
    return FieldResults(
        name=name,
        seed=1,
        lanes=lanes,
        truth=truth,
        coverage=coverage,
        detections=detections,
        scores={
            mode: score(ranked, truth, coverage, threshold=0.0, sensors=sensors[mode])
            for mode, ranked in alarms.items()
        },
        baselines={"random": score((), truth, coverage, threshold=0.0)},
        screened=[make_screened(lane) for lane in sweeps],
        settings=DetectorSettings(),
    )


def make_recording(path="line 1.dzt", *, n_traces=30, spacing=0.05, **options):
    """Return a recording of one channel of 40 samples, with doubts and a correction."""
    rng = np.random.default_rng(0)
    stored = rng.integers(-1000, 1000, (n_traces, 1, 40)).astype(np.int16)
    unknown = np.full(n_traces, np.nan)
    known = {} if spacing is None else {"distance": spacing * np.arange(n_traces)}
    findings = Findings(Path(path))
    findings.corrections.append(
        Correction(field="bits", old=12, new=16, reason="the file is twice as long")
    )
    findings.warnings.append("the last trace is short")
    draft = Draft(
        findings=findings,
        header=options.pop("header", {"antenna": "400MHz", "nested": {"gain": 3}}),
        fields={
            "format": "dzt",
            "stored": stored,
            "offset": 0,
            "header_words": (2,),
            "sample_interval": 1e-10,
            "window": 4e-9,
            "latitude": unknown,
            "longitude": unknown,
            "altitude": unknown,
            "marks": np.empty(0, np.int64),
            "quality": np.zeros(n_traces, np.int64),
            **known,
            **options,
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return draft.finish()


def make_screening(sweep, *, traces=(4, 20), channel=0):
    """Return a screening of a sweep with an alarm at some of its traces."""
    alarms = tuple(
        make_alarm(
            f"A{k}",
            0.0,
            float(sweep.position[trace, 1]),
            9.0 - k,
            probability=math.nan,
            lane=sweep.lane,
            evidence={"two_way_time_s": 2e-9, "trace": float(trace), "channel": channel},
            quality=int(Quality.GAP) if trace == 20 else 0,
        )
        for k, trace in enumerate(traces, start=1)
    )
    length = track_length(sweep)
    processed = dataclasses.replace(sweep, samples=-sweep.samples, history=("turned over",))
    half = len(sweep) // 2
    parts = [
        make_part(sweep[:half], processed[:half]),
        make_part(sweep[half:], processed[half:]),
    ]
    return Screening(
        alarms=alarms,
        screened=Screened(kind="gpr", lane=sweep.lane, parts=tuple(parts), gaps=()),
        settings=DetectorSettings(),
        length=length,
        observed_length=0.8 * length,
        n_traces=len(sweep),
        n_observed=len(sweep) - 6,
        reasons={"EDGE": 6},
        gaps=(Gap(lane=sweep.lane, sensor="dzt", start_time=1.0, stop_time=2.0, length=0.5),),
    )
