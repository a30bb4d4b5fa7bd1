"""Where the platform was when a scan was taken: between fixes, never beyond them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..message import FixClass, PositionMessage, StreamDeclaration
from ..standstill import SPEED_WINDOW
from ..sweep import Floats, Quality
from .config import StreamConfig
from .geodesy import LocalFrame
from .pose_limits import Poses, flag_limits, nowhere
from .timebase import Taken

__all__ = ["PoseTrack", "Poses", "nowhere"]

#: Metres from the origin: a local frame ends there, and so does any task.
_FARTHEST = 1e5

#: Fixes that are kept, at most.
_MOST_FIXES = 4096

# as plain numbers: masks of flags cost ten times as much
_NO_POSE, _POSE_COARSE = int(Quality.POSE_NONE), int(Quality.POSE_COARSE)
_JUMP = int(Quality.POSE_JUMP)
_COARSE = FixClass.SINGLE, FixClass.DIFFERENTIAL, FixClass.FLOAT


@dataclass(frozen=True, slots=True, eq=False)
class _Fix:
    """One fix that may be interpolated from, and what lies between the one before and it."""

    time: float
    antenna: tuple[float, float, float]
    heading: float
    is_heading_stated: bool
    pitch: float
    roll: float
    height: float
    error: float
    time_error: float
    speed: float
    vertical: float  #: m/s of height
    own: int  #: flags of the fix
    between: int  #: flags of what lies before it; POSE_NONE if that has no pose


class PoseTrack:
    """
    Take the fixes of one position stream; tell the poses of scans between them.

    Parameters
    ----------
    declaration : StreamDeclaration
        Frame, height datum and lever arm.
    config : StreamConfig
        How far apart fixes may be, what is a jump, what is stale, limits.

    Notes
    -----
    Between two fixes no further apart than `max_fix_gap` all coordinates go linearly with
    time; headings turn the short way round. Nothing is extrapolated. From the antenna the
    platform's origin is found with the lever arm, rotated by heading, pitch and roll.

    The heading is that which the fix states, else that of the track over a quarter of a second.
    Where neither is known, at a standstill, the last one is kept for drawing, and the
    error grows by the horizontal lever arms: beyond the limit, nothing is credited.

    A fix whose coordinates repeat those before it while the platform moved is stale, and as
    good as none. A step beyond `jump_distance` and what `possible_speed` allows is
    a jump: what lies before it, since the last fix, has no pose, and poses that were told
    since the last good fix are taken back.
    """

    def __init__(self, declaration: StreamDeclaration, config: StreamConfig):
        self.declaration, self.config = declaration, config
        assert declaration.lever_arm is not None
        self.arm = np.array(declaration.lever_arm)
        self.needed: dict[str, float] = {}  #: by sensor stream, task time of its last scan
        self._arm_across = float(np.hypot(*self.arm[:2]))
        self._frame: LocalFrame | None = None
        if declaration.coordinates == "geographic":
            assert config.origin is not None
            self._frame = LocalFrame(config.origin)
        self.restart()

    def restart(self) -> None:
        """Forget all fixes: the clock of the stream was set."""
        self._fixes: deque[_Fix] = deque(maxlen=_MOST_FIXES)
        self._arrays: dict[str, npt.NDArray[Any]] | None = None
        self._lost = 0  # why there is no fix now
        self._raw: tuple[float, ...] | None = None
        self._n_equal = 0
        self._was_moving = False
        self._last_heading = math.nan
        self._good_time = -math.inf  # of the last good fix
        self.taken_back: tuple[float, float] | None = None  #: s, by the last fix; see `take`
        self.needed.clear()

    @property
    def newest(self) -> float:
        """Task time up to which there are poses; minus infinity before the second fix."""
        return self._fixes[-1].time if len(self._fixes) > 1 else -math.inf

    def take(self, taken: Taken) -> int:
        """
        Take the next position in order.

        Parameters
        ----------
        taken : Taken
            Of the stream's timebase.

        Returns
        -------
        flags : int
            What is wrong with the fix, for the quality lights.

        Notes
        -----
        After a jump that ends a run of poor fixes, `taken_back` says since when poses must not
        be used: the time of the last good fix, and that of the last one before the jump.
        """
        self.taken_back = None
        message = taken.message
        assert isinstance(message, PositionMessage)
        coordinates = message.coordinates
        place = (math.nan,) * 3
        if message.fix != FixClass.NONE and all(map(math.isfinite, coordinates[:2])):
            place = self._local(coordinates)
        if not all(map(math.isfinite, place)):
            self._lost |= _NO_POSE
            return _NO_POSE
        if self._is_stale(coordinates):
            self._lost |= int(Quality.POSE_STALE)
            return int(Quality.POSE_STALE) | _NO_POSE
        if self._fixes:
            step = taken.time - self._fixes[-1].time
            if step < self.config.least_fix_interval:
                return self._fixes[-1].own
        fix = self._new_fix(taken, message, place)
        if self._fixes and fix.between & _JUMP and self._good_time < self._fixes[-1].time:
            self.taken_back = (self._good_time, self._fixes[-1].time)
        limits = self.config.limits
        is_precise = limits is None or fix.error <= limits.position_error
        if is_precise and not fix.own & _POSE_COARSE:
            self._good_time = fix.time
        self._fixes.append(fix)
        self._arrays = None
        self._lost = 0
        return fix.own | (fix.between & ~_NO_POSE)

    def _is_stale(self, coordinates: tuple[float, ...]) -> bool:
        """Return whether a moving platform is said to be where it was."""
        raw = tuple(coordinates)
        if raw != self._raw:
            self._raw, self._n_equal = raw, 1
            return False
        self._n_equal += 1
        if self._n_equal == 2:
            self._was_moving = bool(
                self._fixes and self._fixes[-1].speed > 2 * self.config.standstill
            )
        return self._was_moving

    def _new_fix(
        self, taken: Taken, message: PositionMessage, place: tuple[float, float, float]
    ) -> _Fix:
        """Return a fix with its speed, its heading and its flags."""
        config, own = self.config, taken.flags
        error = message.error
        if math.isnan(error):
            error = config.fix_errors[message.fix]
        elif error < 0:
            error = math.inf  # no size of an error: a receiver that means "unknown"
        if message.fix in _COARSE:
            own |= int(Quality.POSE_COARSE)
        height = self._height(message)
        speed, course, vertical = self._motion(taken.time, place, height)
        heading = _within(message.heading, 2 * math.pi)
        is_stated = math.isfinite(heading)
        if not is_stated:
            heading = course
        if math.isfinite(heading):
            self._last_heading = heading
        between = 0
        if self._fixes:
            before = self._fixes[-1]
            gap = taken.time - before.time
            if gap > config.max_fix_gap * (1 + 1e-9):
                between = _NO_POSE | self._lost
            step = math.dist(place[:2], before.antenna[:2])
            if step > config.jump_distance + config.possible_speed * gap:
                between |= _NO_POSE | _JUMP
        return _Fix(
            time=taken.time,
            antenna=place,
            heading=heading,
            is_heading_stated=is_stated,
            pitch=_within(message.pitch, math.pi),
            roll=_within(message.roll, math.pi),
            height=height,
            error=error,
            time_error=taken.time_error,
            speed=speed,
            vertical=vertical,
            own=own,
            between=between,
        )

    def _local(self, coordinates: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return easting, northing and upward of the antenna, m; an unknown height is 0."""
        x, y, z = coordinates
        if self._frame is not None:
            place = self._frame.local(x, y, z if math.isfinite(z) else self._frame.origin[2])
            is_near = math.hypot(*place[:2]) <= _FARTHEST
            return place if is_near else (math.nan,) * 3
        return x, y, z if math.isfinite(z) else 0.0

    def _height(self, message: PositionMessage) -> float:
        """Return the height of the head above ground; NaN if unknown or not plausible."""
        height = message.height
        if not math.isfinite(height) and self.declaration.height_datum == "ground":
            height = message.coordinates[2] - float(self.arm[2])  # of the platform's origin
        low, high = self.config.plausible_height
        return height if low <= height <= high else math.nan

    def _motion(
        self, time: float, place: tuple[float, float, float], height: float
    ) -> tuple[float, float, float]:
        """Return the speed over the last quarter of a second, the course, the rise."""
        start: _Fix | None = None
        for fix in reversed(self._fixes):
            if time - fix.time > max(SPEED_WINDOW, self.config.max_fix_gap) + 1e-9:
                break
            start = fix
            if time - fix.time >= SPEED_WINDOW - 1e-9 or fix.between:
                break
        if start is None or time <= start.time:
            return math.nan, math.nan, math.nan
        east, north = place[0] - start.antenna[0], place[1] - start.antenna[1]
        speed = math.hypot(east, north) / (time - start.time)
        is_moving = speed > self.config.standstill
        rise = math.nan
        last = self._fixes[-1]
        if math.isfinite(height) and math.isfinite(last.height):
            rise = abs(height - last.height) / (time - last.time)
        return speed, math.atan2(east, north) if is_moving else math.nan, rise

    def forget(self) -> None:
        """Drop fixes that no sensor needs any more."""
        if not self.needed:
            return
        time = min(self.needed.values())
        while len(self._fixes) > 2 and self._fixes[1].time < time - 2 * SPEED_WINDOW:
            self._fixes.popleft()
            self._arrays = None

    def locate(self, times: Floats, time_errors: Floats, *, reach: float = 0.0) -> Poses:
        """
        Return the poses of scans.

        Parameters
        ----------
        times : (n,) float64 ndarray
            Task times, rising.
        time_errors : (n,) float64 ndarray
            Seconds by which they may be wrong: clock, lag, lost digits.
        reach : float
            Metres from the platform's origin to the outermost channel, horizontal: what an
            unknown heading moves.

        Returns
        -------
        poses : Poses
            Without a fix before and one after, POSE_NONE.
        """
        n = len(times)
        if len(self._fixes) < 2:
            return nowhere(n, self._lost | _NO_POSE)
        fixes = self._as_arrays()
        known = fixes["time"]
        after = np.searchsorted(known, times, side="left")
        after[(after == 0) & (times == known[0])] = 1
        inside = (after > 0) & (after < len(known))
        j = np.clip(after, 1, len(known) - 1)
        i = j - 1
        share = np.clip((times - known[i]) / (known[j] - known[i]), 0.0, 1.0)
        flags = fixes["own"][i] | fixes["own"][j] | fixes["between"][j]
        flags = np.where(inside, flags, self._lost | _NO_POSE)
        has_pose = inside & ((flags & _NO_POSE) == 0)
        antenna = fixes["antenna"][i]
        antenna = antenna + share[:, None] * (fixes["antenna"][j] - antenna)
        heading, is_known = _turn(fixes["heading"][i], fixes["heading"][j], share)
        heading = np.where(is_known, heading, self._fallback_heading(fixes, j))
        pitch = _between(fixes["pitch"], i, j, share)
        roll = _between(fixes["roll"], i, j, share)
        speed = np.fmax(fixes["speed"][j], fixes["speed"][i])
        error = np.maximum(fixes["error"][i], fixes["error"][j])
        late = time_errors + np.maximum(fixes["time_error"][i], fixes["time_error"][j])
        error = error + np.where(late > 0, np.nan_to_num(speed) * late, 0.0)
        error = error + np.where(is_known, 0.0, self._arm_across + reach)
        position = antenna - self._rotated(heading, pitch, roll)
        poses = Poses(
            position=np.where(has_pose[:, None], position, np.nan),
            heading=np.where(has_pose, heading, np.nan),
            speed=np.where(has_pose, speed, np.nan),
            height=np.where(has_pose, _between(fixes["height"], i, j, share), np.nan),
            tilt=np.where(has_pose, np.arccos(np.cos(pitch) * np.cos(roll)), np.nan),
            error=np.where(has_pose, error, np.inf),
            flags=flags,
        )
        vertical = np.fmax(fixes["vertical"][i], fixes["vertical"][j])
        return flag_limits(poses, vertical, has_pose, self.config)

    def _as_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the fixes as arrays."""
        if self._arrays is None:
            fixes = list(self._fixes)
            self._arrays = {
                name: np.array([getattr(fix, name) for fix in fixes])
                for name in (
                    *("time", "antenna", "heading", "pitch", "roll", "height", "error"),
                    *("time_error", "speed", "vertical", "own", "between"),
                )
            }
        return self._arrays

    def _fallback_heading(
        self, fixes: dict[str, npt.NDArray[Any]], j: npt.NDArray[Any]
    ) -> Floats:
        """Return headings for drawing where none is known."""
        last = self._last_heading if math.isfinite(self._last_heading) else 0.0
        own = fixes["heading"][j]
        return np.where(np.isfinite(own), own, last)

    def _rotated(self, heading: Floats, pitch: Floats, roll: Floats) -> Floats:
        """Return the lever arm in easting, northing, upward; unknown angles count as level."""
        if not self.arm.any():
            return np.zeros((len(heading), 3))
        from ..physics import attitude  # noqa: PLC0415  # its kernels load slowly

        turned = attitude(
            np.nan_to_num(heading), pitch=np.nan_to_num(pitch), roll=np.nan_to_num(roll)
        )
        result: Floats = turned @ self.arm
        return result


def _within(angle: float, bound: float) -> float:
    """Return an angle in rad; NaN for what can only be degrees, or nothing at all."""
    return angle if abs(angle) <= bound * (1 + 1e-6) else math.nan


def _between(values: Floats, i: npt.NDArray[Any], j: npt.NDArray[Any], share: Floats) -> Floats:
    """Return what lies between two values; NaN if one of them is."""
    result: Floats = values[i] + share * (values[j] - values[i])
    return result


def _turn(first: Floats, second: Floats, share: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return headings between two, the short way round, and whether they are known."""
    turn = (second - first + math.pi) % (2 * math.pi) - math.pi
    heading = first + share * turn
    return heading, np.isfinite(heading)
