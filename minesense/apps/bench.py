"""The command ``minesense bench``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from ..bench import (
    ENTRANTS,
    MOST_SUBMISSIONS,
    TESTS,
    AlarmFile,
    Entrant,
    Screens,
    benchmark_plan,
    commitment,
    compare_results,
    format_comparison,
    format_results,
    new_entrant,
    read_results,
    read_secret,
    reveal,
    run_benchmark,
    write_secret,
)
from .files import make_folder, write_json

#: Draws of lanes for limits, by size.
_RESAMPLES = {"quick": 400, "full": 1000}


class Verdict(str):
    """What a command says, with an exit code of its own."""

    code: int  #: that the process leaves with

    def __new__(cls, text: str, code: int) -> Verdict:
        """Return text that leaves with a code."""
        verdict = super().__new__(cls, text)
        verdict.code = code
        return verdict


def run(options: Namespace) -> str:
    """
    Run the benchmark, compare two runs of it, or deal with a sealed seed.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        Tables; a :class:`Verdict` of code 1 for a regression, an entrant that could not be
        trained or judged, or a secret that does not fit.

    Raises
    ------
    ValueError
        If options do not go together, or a file cannot be used.
    OSError
        If a file cannot be read or written.
    """
    _refuse_unused(options)
    if options.compare:
        first, second = (read_results(path) for path in options.compare)
        found = compare_results(first, second, confidence=options.confidence)
        return Verdict(format_comparison(found), 1 if found.is_regression else 0)
    if options.sealed in ("commit", "reveal"):
        return _seal(options)
    return _run(options)


def _refuse_unused(options: Namespace) -> None:
    """Raise if an option says something of what is not asked for."""
    if options.threshold is not None and not options.alarms:
        msg = (
            f"Invalid --threshold '{options.threshold:g}' without --alarms. Must come with the "
            "file of alarms whose score it is of."
        )
        raise ValueError(msg)
    runs = not options.compare and options.sealed not in ("commit", "reveal")
    if not runs and (options.entrant or options.alarms):
        named = [*(options.entrant or []), *map(str, options.alarms or [])]
        what = "--compare" if options.compare else f"--sealed {options.sealed}"
        msg = (
            f"Invalid entrants {', '.join(named)} beside {what}, which runs none. Must be "
            "left out."
        )
        raise ValueError(msg)


def _seal(options: Namespace) -> str:
    """Draw and promise a secret, or check a promise."""
    if options.sealed == "commit":
        promise = commitment(write_secret(options.secret))
        return (
            f"commitment {promise}\nPublish it before the run, keep '{options.secret}' to "
            f"yourself, and accept at most {MOST_SUBMISSIONS} submissions to it."
        )
    if not options.results:
        msg = "Invalid --results: not given. Must name the file of the sealed run to check."
        raise ValueError(msg)
    secret, results = read_secret(options.secret), read_results(options.results)
    faults = reveal(results, secret)
    if faults:
        return Verdict("NOT VERIFIED: " + "; ".join(faults), 1)
    rest = "; track C has no field, run it again" if "C" in results["tracks"] else ""
    return (
        f"verified: seed {secret.seed} is the one promised, and made this field (SYNTHETIC)"
        f"{rest}"
    )


def _run(options: Namespace) -> str:
    """Run the tracks that were asked for, write the results file, return the tables."""
    plan = benchmark_plan("quick" if options.quick else "full")
    seed, promise = options.seed, None
    if options.sealed == "run":
        secret = read_secret(options.secret)
        seed, promise = secret.seed, commitment(secret)
    screens = Screens(options.workers)
    entrants = _entrants(options, screens)
    folder = make_folder(options.output)
    with tqdm(desc="benchmark", unit="step", bar_format="{desc} [{elapsed}]") as bar:
        results = run_benchmark(
            plan,
            seed=seed,
            tracks=options.track or ("A", "B", "D"),
            entrants=entrants,
            screens=screens,
            workers=options.workers,
            commitment=promise,
            n_resamples=_RESAMPLES[plan.size],
            progress=bar.set_description,
        )
    path = Path(folder) / f"{plan.size}.json"
    write_json(path, results)
    lines = [f"commitment {promise}"] if promise else []
    text = "\n".join([*lines, format_results(results), f"wrote {path}"])
    # who was to be compared and could not be makes a run that failed
    needed = ("training", *TESTS)
    is_lame = any(item["part"] in needed for item in results["exclusions"])
    is_broken = results["tracks"].get("C", {}).get("n_failed", 0) > 0
    return Verdict(text, 1) if is_lame or is_broken else text


def _entrants(options: Namespace, screens: Screens) -> list[Entrant]:
    """Return the entrants that were named, all by default, and files of alarms."""
    names = options.entrant or ([] if options.alarms else list(ENTRANTS))
    found = [new_entrant(name, screens) for name in names]
    for path in options.alarms:
        found.append(AlarmFile(path, options.threshold))
    if options.alarms and not options.entrant:
        # never without what any detector must beat
        found += [new_entrant(name, screens) for name in ("energy", "coil_signal", "random")]
    return found
