"""Small sites and tracks that tests make for themselves."""

import datetime

import numpy as np

from minesense.evidence import (
    AlarmHalo,
    Area,
    CannotSee,
    Footprint,
    FunctionCheck,
    Gate,
    Gates,
    RequiredTarget,
    Site,
    SiteFrame,
    SiteSensor,
    Task,
    Track,
)

#: Limits that a track of `make_track` meets.
LIMITS = {
    "head_height": 0.10,
    "tilt": 0.26,
    "speed_upper": 1.0,
    "speed_lower": 0.1,
    "possible_speed": 6.0,
    "sample_spacing": 0.1,
    "overlap": None,
    "gap_length": 0.2,
    "gap_time": 1.0,
    "position_error": 0.08,
    "noise": 2.0,
    "looks": 1,
    "look_separation": 2.0,
    "break_time": 600.0,
    "check_tolerance": 0.2,
}
TARGET = {"depth_from": 0.0, "depth_to": 0.1}
SQUARE = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))


def make_gates(**limits):
    """Return gates; None stands for unlimited."""
    return Gates(
        **{
            name: Gate(limit=limit, unlimited=limit is None, reason="test")
            for name, limit in (LIMITS | limits).items()
        }
    )


def make_site(*, polygon=SQUARE, holes=(), cell=0.1, sensors=("coil",), table=None, **limits):
    """Return a site of one class, with sensors that are alike."""
    heights, radii = table or ((0.0, 0.05, 0.2), (0.25, 0.25, 0.10))
    footprint = Footprint(
        target="AP", p_det=0.9, heights=heights, radii=radii, source="test", **TARGET
    )
    return Site(
        task=Task(
            identifier="T1",
            imsma_id="S1",
            organisation="test",
            operator="one",
            given_by="test",
            procedure="test",
            dates=(datetime.date(2026, 5, 4),),
            clock="utc",
        ),
        frame=SiteFrame(crs="local", description="peg"),
        area=(Area(name="A", polygon=polygon, holes=holes),),
        target=(
            RequiredTarget(name="AP", given_by="test", **TARGET),
            RequiredTarget(name="plastic", given_by="test", **TARGET),
        ),
        sensor=tuple(
            SiteSensor(
                identifier=name,
                kind="emi",
                gates=make_gates(**limits),
                footprint=(footprint,),
                cannot_see=(CannotSee(target="plastic", reason="no metal", **TARGET),),
            )
            for name in sensors
        ),
        alarm=AlarmHalo(radius=0.15, reason="test"),
        cell=cell,
    )


def make_track(site, *, east=1.0, n=41, start=0.0, spacing=0.05, speed=0.5, **options):
    """Return a lane northward at an easting, from northing 0, that meets `LIMITS`."""
    northing = spacing * np.arange(n)
    record = {
        "sensor": "coil",
        "session": "1",
        "lane": "A",
        "time": start + spacing * np.arange(n) / speed,
        "position": np.column_stack([np.full(n, east), northing]),
        "heading": 0.0,
        "height": 0.05,
        "tilt": 0.1,
        "position_error": 0.05,
        "noise": 1.0,
        "frame": site.frame.frame,
    }
    return Track(**record | options)


def make_check(time, *, occasion="interim", **options):
    """Return a function check that passes."""
    record = {
        "sensor": "coil",
        "session": "1",
        "time": time,
        "occasion": occasion,
        "test_piece": "ring",
        "medium": "air",
        "depth": 0.1,
        "response": 100.0,
        "noise": 1.0,
        "baseline": 100.0,
        "baseline_noise": 1.0,
    }
    return FunctionCheck(**record | options)


def around(*tracks, **options):
    """Return checks that pass, before and after tracks."""
    first = min(track.time[0] for track in tracks) - 10
    last = max(track.time[-1] for track in tracks) + 10
    return [
        make_check(first, occasion="start", **options),
        make_check(last, occasion="end", **options),
    ]
