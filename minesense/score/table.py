"""A score as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import format_fixed

if TYPE_CHECKING:
    from .result import Proportion, Score

#: Said first, wherever a score on synthetic data is shown.
SYNTHETIC = "SYNTHETIC data: says nothing about performance in the field."


def format_score(score: Score) -> str:
    """
    Return a score as a table: the worst stratum first, every figure with its limits.

    A Pd without a miss is shown as its lower limit, since no number of hits makes it 1, and
    one with a miss never as 1.000: it gets as many decimals as tell it apart.

    Parameters
    ----------
    score : Score
        What to show.

    Returns
    -------
    str
        Lines of at most 96 characters, without a line break at the end.
    """
    percent = f"{100 * score.confidence:g} %"
    lines = [SYNTHETIC] if score.is_synthetic else []
    if score.is_capped:
        lines.append("Alarms were capped: every Pd is a lower bound.")
    if score.is_tuned_on_test:
        lines.append("tuned_on_test: the threshold was chosen on these targets: no claim.")
    if score.no_claim:
        lines.append(f"No overall claim, too few targets: {'; '.join(score.no_claim)}")
    if score.worst:
        name = f"{score.worst.group} = {score.worst.name}"
        lines.append(f"Worst stratum: {name}: Pd | swept {_pd(score.worst.swept).strip()}")
    rate = score.false_alarms
    lines += [
        "",
        _row("", "value", f"{percent} interval", "counts"),
        f"{'Pd | swept':<24}{_pd(score.pd_swept)}",
        f"{'Pd total':<24}{_pd(score.pd_total)}",
        _row(
            "False alarms per m2",
            f"{rate.value:.4g}",
            f"{rate.low:.4g} to {rate.high:.4g}",
            f"{rate.count} in {rate.area:.4g} m2",
        ),
    ]
    # single kinds are too few to fill a table; they are in `strata` and in the report
    groups = dict.fromkeys(s.group for s in score.strata if s.group != "kind")
    for group in groups:
        lines += ["", f"Pd | swept by {group.replace('_', ' ')}"]
        for stratum in score.strata:
            if stratum.group == group:
                line = f"  {stratum.name:<22}{_pd(stratum.swept)}"
                lines.append(f"{line}  {stratum.claim}".rstrip())
    lines += ["", *_counts(score)]
    return "\n".join(lines)


def _row(label: str, value: str, interval: str, counts: str) -> str:
    """Return one line of the table."""
    return f"{label:<24}{value:>10}  {interval:<19} {counts}".rstrip()


def _pd(share: Proportion) -> str:
    """Return a Pd with its limits; without a miss, its lower limit in its place."""
    if not share.n:
        return _row("", "-", "not tested", "0 of 0")[24:]
    interval = f"{format_fixed(share.low)} to {_top(share)}"
    return _row("", _point(share), interval, f"{share.k} of {share.n}")[24:]


def _point(share: Proportion) -> str:
    """Return a Pd; without a miss, its lower limit in its place."""
    if share.k == share.n:
        return f">= {format_fixed(share.low)}"
    return format_fixed(share.value)


def _top(share: Proportion) -> str:
    """Return the upper limit; 1 is the end of the scale, not a measured figure."""
    return "1" if share.k == share.n else format_fixed(share.high)


def _counts(score: Score) -> list[str]:
    """Return the lines below the table: targets, alarms, clutter and areas."""
    targets = {
        "detected": "detected",
        "missed_swept": "missed though swept",
        "partly_swept": "partly swept",
        "never_swept": "never swept",
    }
    found = ", ".join(f"{score.count(key)} {words}" for key, words in targets.items())
    alarms = {"hit": "hits", "repeat": "repeats", "false": "false", "outside": "outside"}
    outcomes: list[str] = [alarm.outcome for alarm in score.alarms]
    counted = ", ".join(f"{outcomes.count(key)} {words}" for key, words in alarms.items())
    left_out = ", ".join(f"{n} {reason}" for reason, n in score.outside.items())
    lines = [
        f"Targets: {found}",
        f"Alarms: {counted}{f' ({left_out})' if left_out else ''}",
        *(
            f"Clutter, {item.kind}: {item.n_alarmed} of {item.n} alarmed"
            for item in score.clutter
        ),
        "Area, m2: "
        + ", ".join(f"{name.replace('_', ' ')} {x:.4g}" for name, x in score.areas.items()),
    ]
    reasons = ", ".join(f"{name} {area:.4g}" for name, area in score.not_observed.items())
    lines.append(f"Not observed, m2: {reasons or '0 by every sensor counted'}")
    halo = f"{score.halo.kind}, {score.halo.radius:g} m, ring {score.halo.ring:g}"
    threshold = "all alarms" if score.threshold is None else f"threshold {score.threshold:g}"
    lines.append(f"Halo: {halo}; {threshold}; observed by: {score.sensors}")
    lines.append(f"False alarms per target found: {_per_target(score)}")
    if score.digging_time:
        value, low, high = (seconds / 60 for seconds in score.digging_time)
        lines.append(
            f"Digging at false alarms, minutes per m2: {value:.3g}, {low:.3g} to {high:.3g}"
        )
    for effect in score.exclusions:
        item = effect.exclusion
        lines.append(
            f"Left out, lane {item.lane}: {item.reason}; {effect.area:.4g} m2, "
            f"{effect.n_detected} of {effect.n_swept} swept targets detected"
        )
    if score.pd_with_excluded:
        lines.append(
            f"Pd | swept with what was left out: {_pd(score.pd_with_excluded).strip()}"
        )
    return lines


def _per_target(score: Score) -> str:
    """Return false alarms per target found, with their limits and counts."""
    ratio = score.false_per_target
    if not ratio.per:
        return f"none found, {ratio.count} false"
    limits = f"{ratio.low:.3g} to {ratio.high:.3g}"
    return f"{ratio.value:.3g}, {limits} ({ratio.count} for {ratio.per})"


def format_headline(score: Score) -> str:
    """
    Return the one line that a claim consists of; see :meth:`Score.headline`.

    Parameters
    ----------
    score : Score
        With a stratum that was tested.

    Returns
    -------
    str
        Mean and worst stratum with their limits and counts, and false alarms.
    """
    worst, rate = score.worst, score.false_alarms
    assert worst is not None
    label = "SYNTHETIC: " if score.is_synthetic else ""
    capped = " (a lower bound: alarms were capped)" if score.is_capped else ""
    name = f"{worst.group} = {worst.name}"
    return (
        f"{label}Pd | swept, all targets {_brief(score.pd_swept)}, worst stratum {name} "
        f"{_brief(worst.swept)}{capped}; false alarms per m2 {rate.value:.4g} "
        f"[{rate.low:.4g} to {rate.high:.4g}], {rate.count} in {rate.area:.4g} m2"
    )


def _brief(share: Proportion) -> str:
    """Return a Pd with its limits and counts in few words."""
    limits = f"{format_fixed(share.low)} to {_top(share)}"
    return f"{_point(share)} [{limits}], {share.k} of {share.n}"
