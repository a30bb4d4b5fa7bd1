"""Sealed seeds: a promise before the run, a secret during it, a proof after it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._validation import check_count
from ..digest import canonical
from .scenarios import PARTS, TESTS, VERSION, benchmark_plan
from .surveys import plan_truth

#: Scored submissions to one sealed seed, at most: more would learn it by heart.
MOST_SUBMISSIONS = 5

_LEAST_NONCE = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """
    A seed that nobody else knows, and a nonce, so that it cannot be found by trying.

    Raises
    ------
    TypeError, ValueError
        If the seed is not a whole number of at least zero, or the nonce too short.
    """

    seed: int
    nonce: str  #: hexadecimal

    def __post_init__(self) -> None:
        check_count(self.seed, "seed", least=0)
        digits = isinstance(self.nonce, str) and all(
            c in "0123456789abcdef" for c in self.nonce
        )
        if not digits or len(self.nonce) < _LEAST_NONCE:
            msg = f"Invalid nonce. Must be {_LEAST_NONCE} or more hexadecimal digits."
            raise ValueError(msg)


def commitment(secret: Secret, *, version: str = VERSION) -> str:
    """
    Return what is published before a sealed run.

    Parameters
    ----------
    secret : Secret
        Seed and nonce.
    version : str
        Of the benchmark.

    Returns
    -------
    digest : str
        SHA-256 of canonical JSON of the three, in hexadecimal.

    Examples
    --------
    >>> from minesense.bench import Secret, commitment
    >>> secret = Secret(seed=7, nonce="00" * 32)
    >>> commitment(secret) == commitment(Secret(seed=8, nonce="00" * 32))
    False
    """
    document = {"benchmark": version, "seed": secret.seed, "nonce": secret.nonce}
    return hashlib.sha256(canonical(document)).hexdigest()


def write_secret(path: str | Path) -> Secret:
    """
    Draw a secret and write it to a new file that only its owner can read.

    Parameters
    ----------
    path : path-like
        Of a file that does not exist.

    Returns
    -------
    secret : Secret
        From the operating system's source of chance.

    Raises
    ------
    OSError
        If the file exists or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.bench import read_secret, write_secret
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     secret = write_secret(f"{folder}/secret.json")
    ...     read_secret(f"{folder}/secret.json") == secret
    True
    """
    secret = Secret(seed=secrets.randbits(62), nonce=secrets.token_hex(32))
    document = {"seed": secret.seed, "nonce": secret.nonce}
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(document) + "\n")
    return secret


def read_secret(path: str | Path) -> Secret:
    """
    Read a secret.

    Parameters
    ----------
    path : path-like
        Of :func:`write_secret`.

    Returns
    -------
    secret : Secret
        Seed and nonce.

    Raises
    ------
    ValueError
        If the file holds none. The message does not show what it holds.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> read_secret("no such file")
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        return Secret(seed=document["seed"], nonce=document["nonce"])
    except (KeyError, TypeError, ValueError, RecursionError):  # also what is no UTF-8 or JSON
        msg = f"Invalid secret '{path}'. Must be JSON with a seed and a nonce."
        raise ValueError(msg) from None


def reveal(results: Mapping[str, Any], secret: Secret) -> list[str]:
    """
    Check that results were made with a secret that had been promised.

    Parameters
    ----------
    results : dict
        A results file with a commitment.
    secret : Secret
        Now public.

    Returns
    -------
    faults : list of str
        What does not fit, in words: the commitment, the scenarios, tracks that were run and
        are not told, or the truth of a part, which is made again from the seed, or is not told
        though figures rest on it. Empty if all does. Track C has no truth: its figures are
        found out by running it again, and alone it cannot be verified.

    Raises
    ------
    ValueError
        If the results were not made with a sealed seed, or are not of the form of a results
        file.

    Examples
    --------
    >>> from minesense.bench import Secret, reveal
    >>> reveal({"benchmark": {"commitment": None}}, Secret(seed=1, nonce="0" * 64))
    Traceback (most recent call last):
    ValueError: Invalid results: they hold no commitment. Must be of a sealed run.
    """
    if not results["benchmark"].get("commitment"):
        msg = "Invalid results: they hold no commitment. Must be of a sealed run."
        raise ValueError(msg)
    try:
        return _faults(results, secret)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"Invalid results: {error!r}. Must be a file of `minesense bench`."
        raise ValueError(msg) from None


def _faults(results: Mapping[str, Any], secret: Secret) -> list[str]:
    """Return what does not fit a secret."""
    head = results["benchmark"]
    if head["commitment"] != commitment(secret, version=head["version"]):
        return ["the secret is not the one that was promised"]
    plan = benchmark_plan(head["size"])
    if head["plan_sha256"] != plan.sha256 or head["version"] != plan.version:
        return [f"version {head['version']} of the benchmark is not this one, {plan.version}"]
    tracks, run = set(results["tracks"]), set(results["configuration"]["tracks"])
    if tracks != run or not tracks:
        told = ", ".join(sorted(tracks)) or "none"
        return [f"the tracks told are {told}; those run are {', '.join(sorted(run)) or 'none'}"]
    if tracks == {"C"}:
        return ["track C alone tells no truth, so that nothing is made again from the seed"]
    needed = [
        part
        for part in PARTS
        if (part in ("training", "lessons") and tracks & {"A", "B", "D"})
        or (part in TESTS and tracks & {"A", "B"})
        or (part == "faulty" and "D" in tracks)
    ]
    absent = [part for part in needed if part not in results["data"]]
    if absent or not results["data"]:
        return [f"no truth is told of {', '.join(absent) or 'any part'}"]
    return [
        f"the truth of {part} is not that of the seed"
        for part, data in results["data"].items()
        if plan_truth(plan, part, seed=secret.seed).sha256 != data["truth_sha256"]
    ]
