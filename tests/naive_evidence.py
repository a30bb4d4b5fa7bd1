"""
Coverage of a site, cell by cell and sample by sample, as the rules say it.

Everything is looped over and nothing is kept from one cell to the next: the state of a cell is
worked out from the list of all stretches of track near it.
"""

import math

import numpy as np

from minesense.evidence import State
from minesense.evidence.reasons import NOT_CREDITED, NOT_VALID, PARTIAL, Shortfall
from minesense.sweep import Quality

SPARE = 1e-9


def distance(point, start, stop):
    """Return the distance of a point from a segment by the textbook."""
    along, away = np.subtract(stop, start), np.subtract(point, start)
    length = along @ along
    share = 0.0 if length == 0 else min(max((along @ away) / length, 0.0), 1.0)
    return float(np.hypot(*(away - share * along)))


def radius_at(footprint, height):
    """Return the radius of a table at a height by straight lines, 0 beyond."""
    if math.isnan(height):
        return min(footprint.radii)
    for k in range(len(footprint.heights) - 1):
        low, high = footprint.heights[k], footprint.heights[k + 1]
        if low <= height <= high:
            share = (height - low) / (high - low)
            return footprint.radii[k] + share * (footprint.radii[k + 1] - footprint.radii[k])
    return 0.0


def judged(check, gates):
    """Return whether a function check passed."""
    good = abs(check.response - check.baseline) <= gates.check_tolerance.most * check.baseline
    quiet = check.noise <= gates.noise.most * check.baseline_noise
    return bool(good and quiet)  # NaN compares false


def check_flags(moment, session_tracks, checks, gates):
    """Return what function checks say of a moment of a session."""
    before = [c for c in checks if c.time <= moment]
    after = [c for c in checks if c.time > moment]
    flags = 0
    for group, which in ((before, -1), (after, 0)):
        if not group:
            flags |= Shortfall.CHECK_MISSING
        elif not judged(group[which], gates):
            flags |= Quality.CHECK_FAILED
    # Breaks and changes of settings up to this moment ask for a check since.
    last = before[-1].time if before else -math.inf
    samples = sorted(
        (t, q)
        for track in session_tracks
        for t, q in zip(track.time, track.quality, strict=True)
    )
    for k, (time, quality) in enumerate(samples):
        if time > moment:
            break
        if quality & Quality.SETTING_CHANGED and last < time:
            flags |= Shortfall.CHECK_MISSING
        paused = k > 0 and time - samples[k - 1][0] > gates.break_time.most
        if paused and last <= samples[k - 1][0]:
            flags |= Shortfall.CHECK_MISSING
    return int(flags)


def places(track):
    """Return the place of each channel at each sample, and which samples have one."""
    place = np.empty((len(track), len(track.lever_arms), 2))
    for i, heading in enumerate(track.heading):
        for c, (right, forward) in enumerate(track.lever_arms):
            place[i, c] = track.position[i] + [
                math.cos(heading) * right + math.sin(heading) * forward,
                -math.sin(heading) * right + math.cos(heading) * forward,
            ]
    lost = int(Quality.POSE_NONE | Quality.POSE_JUMP)
    located = [
        i
        for i in range(len(track))
        if not track.quality[i] & lost and np.isfinite(place[i]).all()
    ]
    return place, located


def lane_stretches(track, gates):  # noqa: PLR0912 - as long as the rules are
    """Yield (i, j, channel, start, stop, flags) between located neighbours of a lane."""
    place, located = places(track)
    for k, j in enumerate(located):
        i = located[k - 1] if k else j
        flags = int(track.quality[i]) & ~int(Quality.GAP)
        for between in range(i + 1, j + 1):
            flags |= int(track.quality[between])
        if k == 0:
            flags |= Shortfall.FOOTPRINT_EDGE
        flags |= figure_flags(track, gates, i, j)
        seconds = track.time[j] - track.time[i]
        if seconds > gates.gap_time.most + SPARE:
            flags |= Quality.GAP
        steps = [math.dist(place[i, c], place[j, c]) for c in range(place.shape[1])]
        is_jump = k > 0 and max(steps) / seconds > gates.possible_speed.most + SPARE
        if is_jump:
            flags |= int(Quality.POSE_JUMP)
        for c, step in enumerate(steps):
            own = flags
            if k and track.speed is None:
                speeds = [step / seconds]
            elif track.speed is not None:
                speeds = [track.speed[i], track.speed[j]]
            else:
                speeds = []
            limited = gates.speed_upper.limit is not None or gates.speed_lower.limit is not None
            if any(math.isnan(v) for v in speeds):
                own |= Shortfall.SPEED_UNKNOWN if limited else 0
            elif speeds and (
                max(speeds) > gates.speed_upper.most + SPARE
                or min(speeds) < gates.speed_lower.least - SPARE
            ):
                own |= Quality.SPEED_LIMIT
            if step > gates.gap_length.most + SPARE:
                own |= Quality.GAP
            if step > gates.sample_spacing.most + SPARE:
                own |= Shortfall.SAMPLE_SPACING
            if flags & Quality.POSE_JUMP:
                yield i, j, c, place[i, c], place[i, c], int(own)
                yield i, j, c, place[j, c], place[j, c], int(own)
            else:
                yield i, j, c, place[i, c], place[j, c], int(own)


def leaps(tracks, gates):
    """Yield the lanes that belong together, and (i, j, step, error) of each jump in them."""
    group, jumps, last, since = [], [], None, 0
    for number, track in enumerate(tracks):
        place, located = places(track)
        for i in range(len(track)):
            if i not in located:
                since |= int(track.quality[i])
                continue
            time, where, error = track.time[i], place[i], track.position_error[i]
            if last and i == located[0]:
                far = math.dist(last[1][0], where[0])  # of the first channel
                if far > gates.possible_speed.most * (time - last[0]):
                    since |= Quality.POSE_JUMP
            if i == located[0] and last and not since & Quality.POSE_JUMP:
                yield group, jumps
                group, jumps = [], []
            if last:
                is_jump = since & Quality.POSE_JUMP
                if i != located[0]:
                    far = max(math.dist(a, b) for a, b in zip(last[1], where, strict=True))
                    is_jump |= far / (time - last[0]) > gates.possible_speed.most + SPARE
                if is_jump:
                    both = [e for e in (error, last[2]) if not math.isnan(e)]
                    if i != located[0] and len(both) < 2:
                        both = []  # between two samples of a lane both are asked for
                    jumps.append((last[0], time, where[0] - last[1][0], max(both, default=0)))
            if number not in group:
                group.append(number)
            last, since = (time, where, error), 0
    yield group, jumps


def take_back(found, jumps, gates):
    """Flag the stretches of lanes that belong together for the jumps in them."""
    if not jumps:
        return
    net = math.hypot(*sum(step for _, _, step, _ in jumps))
    seconds = sum(after - before for before, after, _, _ in jumps)
    explained = gates.speed_upper.most * seconds + 2 * max(error for *_, error in jumps)
    stayed = net > explained
    for before, after, step, error in jumps:  # a bound as wide as a jump could hide it
        size, own = math.hypot(*step), gates.speed_upper.most * (after - before) + 2 * error
        stayed |= own < size <= explained
    poor = int(Quality.POSE_COARSE | Quality.POSE_STALE | Quality.POSE_JUMP)
    poor |= int(Shortfall.POSITION_ERROR | Shortfall.POSITION_ERROR_UNKNOWN)
    bad = set()
    for k, item in enumerate(found):
        if stayed or (item[2] >= jumps[0][1] and item[3] <= jumps[-1][0]):
            bad.add(k)
    for before, *_ in jumps:
        for k in reversed([k for k, item in enumerate(found) if item[3] <= before]):
            if not found[k][5] & poor:
                break
            bad.add(k)
    for k in bad:
        found[k] = (*found[k][:5], found[k][5] | int(Quality.POSE_JUMP), *found[k][6:])


def figure_flags(track, gates, i, j):
    """Return what two samples fall short of in height, tilt, error and noise."""
    flags = 0
    for k in (i, j):
        height = track.height[k]
        if not (math.isfinite(height) and height >= 0):
            flags |= Quality.HEIGHT_UNKNOWN
        elif height > gates.head_height.most + SPARE:
            flags |= Quality.HEIGHT_LIMIT
        if math.isnan(track.tilt[k]):
            flags |= Shortfall.TILT_UNKNOWN if gates.tilt.limit is not None else 0
        elif abs(track.tilt[k]) > gates.tilt.most + SPARE:
            flags |= Quality.TILT_LIMIT
        if math.isnan(track.position_error[k]):
            flags |= Shortfall.POSITION_ERROR_UNKNOWN
        elif track.position_error[k] > gates.position_error.most + SPARE:
            flags |= Shortfall.POSITION_ERROR
        if math.isnan(track.noise[k]):
            flags |= Shortfall.NOISE_UNKNOWN if gates.noise.limit is not None else 0
        elif track.noise[k] > gates.noise.most + SPARE:
            flags |= Quality.INTERFERENCE
    return int(flags)


def observe(site, sensor, footprint, tracks, checks=(), alarms=()):
    """
    Return states, flags, looks and greatest heights of one layer.

    Tracks are whole lanes, in order of time within their session.
    """
    corners = np.concatenate([np.array(area.polygon) for area in site.area])
    first = np.floor(corners.min(axis=0) / site.cell + 1e-6)
    last = np.ceil(corners.max(axis=0) / site.cell - 1e-6)
    n_columns, n_rows = (last - first).astype(int)
    gates = sensor.gates
    passes = []  # of each lane: stretches with times, epoch and reach
    for track in tracks:
        if track.sensor != sensor.identifier:
            continue
        mine = [c for c in checks if (c.sensor, c.session) == (track.sensor, track.session)]
        mine.sort(key=lambda c: c.time)
        others = [t for t in tracks if (t.sensor, t.session) == (track.sensor, track.session)]
        found = []
        for i, j, c, start, stop, wrong in lane_stretches(track, gates):
            flags = wrong
            for k in (i, j):
                flags |= check_flags(track.time[k], others, mine, gates)
            errors = [track.position_error[k] for k in (i, j)]
            heights = [track.height[k] for k in (i, j)]
            heights = [h if math.isfinite(h) and h >= 0 else math.nan for h in heights]
            known = not any(math.isnan(e) for e in errors)
            error = max(errors) if known else 0.0
            reach = min(radius_at(footprint, h) for h in heights) - error if known else 0.0
            if reach <= 0:
                flags |= int(Shortfall.FOOTPRINT_NONE)
            epoch = sum(check.time <= track.time[j] for check in mine)
            found.append(
                (start, stop, track.time[i], track.time[j], c, flags, reach,
                 max(footprint.radii) + error, epoch, max(heights))
            )  # fmt: skip
        passes.append(found)
    by_session = {}
    for track, found in zip([t for t in tracks if t.sensor == sensor.identifier], passes,
                            strict=True):  # fmt: skip
        by_session.setdefault(track.session, []).append((track, found))
    for lanes in by_session.values():
        for group, jumps in leaps([track for track, _ in lanes], gates):
            whole = [item for number in group for item in lanes[number][1]]
            take_back(whole, jumps, gates)
            for number in group:
                n = len(lanes[number][1])
                lanes[number][1][:], whole = whole[:n], whole[n:]
    shape = (n_rows, n_columns)
    state, flags = np.zeros(shape, np.uint8), np.zeros(shape, np.int64)
    looks, height = np.zeros(shape, int), np.full(shape, np.nan)
    for row, column in np.ndindex(*shape):
        centre = (np.array([column, row]) + first + 0.5) * site.cell
        state[row, column], flags[row, column], looks[row, column], height[row, column] = cell(
            centre, site, gates, passes, alarms
        )
    return state, flags, looks, height


def cell(centre, site, gates, passes, alarms):  # noqa: PLR0912 - as long as the rules are
    """Return state, flags, looks and greatest height of the cell around a centre."""
    flags, n_looks, heights, credits = 0, 0, [], []
    has_partial = has_invalid = False
    for found in passes:
        latest = None  # (epoch, time) of the last credited stretch of this lane
        for start, stop, begin, end, channel, wrong, reach, outer, epoch, height in found:
            away = distance(centre, start, stop)
            is_valid = not wrong & (NOT_CREDITED | NOT_VALID)
            within = reach > 0 and away <= reach + SPARE
            if not is_valid:
                flags |= wrong if away <= outer + SPARE else 0
                has_invalid |= bool(wrong & NOT_VALID) and away <= outer + SPARE
            elif wrong & PARTIAL:
                flags |= int(Shortfall.FOOTPRINT_EDGE) if away <= outer + SPARE else 0
                flags |= wrong if within else 0
                has_partial |= within
            else:
                flags |= int(Shortfall.FOOTPRINT_EDGE) if away <= outer + SPARE else 0
                if within:
                    separation = gates.look_separation.most
                    is_same = latest and latest[0] == epoch and begin - latest[1] <= separation
                    n_looks += 0 if is_same else 1
                    latest = (epoch, end)
                    credits.append((n_looks, channel, away / (reach + SPARE)))
                    heights.append(height)
    few = 0 < n_looks < gates.looks.least
    paths = {(look, channel) for look, channel, _ in credits}
    share = min((s for *_, s in credits), default=1.0)
    met = 0.5 if len(paths) > 1 else (1 - share) / 2
    thin = n_looks > 0 and met < gates.overlap.least - 1e-6
    reported = any(
        math.dist(centre, (alarm.easting, alarm.northing))
        <= site.alarm.radius
        + math.sqrt(-2 * math.log(0.05)) * alarm.position_error
        + site.cell * math.sqrt(0.5)
        for alarm in alarms
    )
    if reported or flags & Quality.SATURATED:
        state = State.ALARM
    elif n_looks and not few and not thin:
        state = State.OBSERVED_NO_ALARM
    elif n_looks or has_partial:
        state = State.PARTIALLY_OBSERVED
    elif has_invalid:
        state = State.INVALID
    else:
        state = State.NOT_OBSERVED
    if flags == 0:
        flags = int(Shortfall.NOT_SWEPT)
    if n_looks or has_partial:
        flags &= ~int(Shortfall.FOOTPRINT_EDGE)
    flags |= int(Shortfall.LOOKS_TOO_FEW) if few else 0
    flags |= int(Shortfall.OVERLAP_TOO_SMALL) if thin else 0
    return state, flags, n_looks, max(heights, default=math.nan)
