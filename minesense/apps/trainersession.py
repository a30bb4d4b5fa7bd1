"""One learner's way through a course: what may be seen when, and what is kept."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..digest import canonical
from ..synthetic.document import build
from .trainerground import ASIDE, HEIGHTS, STEP, Course, Ground, Training, make_training
from .trainerrun import Limits, Run, read_run
from .trainerscore import result_of
from .trainersheet import sheet_page, summary

FORMAT = "minesense trainer run 1"

#: Said on every page.
BANNER = "Practice aid, not a qualification."

_LONGEST_NAME = 60  # characters
_MOST_BYTES = 256 << 20  # of a file of runs


class OutOfTurn(ValueError):
    """Asked for something that is not to be had yet, or no more."""


class Session:
    """
    One learner's way through a course.

    Grounds come one after the other, each once. What lies in a blind lane is not in anything
    that is given out before the last ground is done.

    Parameters
    ----------
    training : Training
        The course made.
    folder : path-like, optional
        Where runs and sheet are written.
    limits : Limits, optional
        What counts as a proper sweep.
    """

    def __init__(
        self,
        training: Training,
        *,
        folder: Path | None = None,
        limits: Limits | None = None,
    ):
        self.training = training
        self.limits = Limits() if limits is None else limits
        self.folder = folder
        self.learner = ""
        self.date = ""
        self.runs: dict[str, Run] = {}
        self.step = 0  #: index of the ground that is to be done next
        self._result: dict[str, Any] | None = None
        self._lock = threading.RLock()

    @property
    def is_finished(self) -> bool:
        """Whether the last ground is done, so that the truth may be opened."""
        return self.step >= len(self.training.grounds)

    def configuration(self) -> dict[str, Any]:
        """Return what the page may know from the start: no truth of a blind lane, no seed."""
        course, voice = self.training.course, self.training.course.voice
        return {
            "banner": BANNER,
            "seal": self.training.seal,
            "step": self.step,
            "head": course.head,
            "mode": course.mode,
            "voice": {
                field.name: getattr(voice, field.name) for field in dataclasses.fields(voice)
            },
            "limits": dataclasses.asdict(self.limits),
            "grid": {"step": STEP, "aside": ASIDE, "heights": list(HEIGHTS)},
            "grounds": [self._public(ground) for ground in self.training.grounds],
        }

    def _public(self, ground: Ground) -> dict[str, Any]:
        """Return what is said about a ground before it is swept."""
        shown = {
            "name": ground.name,
            "kind": ground.kind,
            "width": ground.width,
            "length": ground.length,
        }
        if ground.kind == "blind":
            return shown
        return shown | {"targets": _in_lane(ground)}

    def statistic(self, step: int) -> bytes:
        """
        Return the statistic over a ground.

        Parameters
        ----------
        step : int
            Index of the ground.

        Returns
        -------
        data : bytes
            float32, little-endian: its inverse hyperbolic sine, by height, forward, right.

        Raises
        ------
        OutOfTurn
            If it is not the turn of this ground.
        """
        with self._lock:
            if step != self.step or self.is_finished:
                msg = f"Invalid step '{step}'. Must be {self.step}, which is next."
                raise OutOfTurn(msg)
            folded = np.arcsinh(self.training.grounds[step].statistic)
            return folded.astype("<f4").tobytes()

    def start(self, document: Any) -> None:
        """
        Take the learner's pseudonym.

        Parameters
        ----------
        document : object
            Parsed JSON: ``{"learner": text}``.

        Raises
        ------
        ValueError
            If it is anything else, or too long.
        """
        name = document.get("learner") if isinstance(document, Mapping) else None
        if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
            msg = f"Invalid learner. Must be at most {_LONGEST_NAME} printable characters."
            raise ValueError(msg)
        with self._lock:
            if self.step:
                msg = "Invalid learner: the course has begun. Must be given before."
                raise OutOfTurn(msg)
            self.learner = name.strip()

    def submit(self, step: int, document: Any) -> dict[str, Any]:
        """
        Take what was done on a ground; it cannot be done again.

        Parameters
        ----------
        step : int
            Index of the ground.
        document : object
            Parsed JSON, as :func:`~minesense.apps.trainerrun.read_run` takes it.

        Returns
        -------
        answer : dict
            The next step; of an open lane and a check also how well it was done.

        Raises
        ------
        OutOfTurn
            If it is not the turn of this ground.
        ValueError
            If the document is no run.
        """
        with self._lock:
            if step != self.step or self.is_finished:
                msg = f"Invalid step '{step}'. Must be {self.step}, which is next."
                raise OutOfTurn(msg)
            ground = self.training.grounds[step]
            self.runs[ground.name] = read_run(document, ground)
            if not self.date:
                self.date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            self.step += 1
            self._keep()
            answer: dict[str, Any] = {"step": self.step, "finished": self.is_finished}
            if ground.kind != "blind":
                answer["feedback"] = self._feedback(ground)
            return answer

    def _feedback(self, ground: Ground) -> dict[str, Any]:
        """Return how well an open lane or a check was done."""
        only = dataclasses.replace(self.training, grounds=(ground,))
        found = result_of(only, self.runs, self.limits)
        return {"checks": found["checks"], "lanes": found["lanes"], "open": found["open"]}

    def finish(self) -> None:
        """End the course; what was not done is said to be so."""
        with self._lock:
            self.step = len(self.training.grounds)
            self._keep()

    def result(self) -> dict[str, Any]:
        """
        Open the truth.

        Returns
        -------
        result : dict
            JSON-ready: the result, the runs for the replay, and what was sealed.

        Raises
        ------
        OutOfTurn
            If the course is not finished.
        """
        with self._lock:
            if not self.is_finished:
                msg = "Invalid request: the truth is sealed until the last ground is done."
                raise OutOfTurn(msg)
            if self._result is None:
                training = self.training
                self._result = {
                    **result_of(training, self.runs, self.limits),
                    "banner": BANNER,
                    "learner": self.learner,
                    "date": self.date,
                    "course": dataclasses.asdict(training.course),
                    "seal": training.seal,
                    "sealed": canonical(training.sealed).decode("ascii"),
                    "grounds": [
                        {
                            "name": ground.name,
                            "kind": ground.kind,
                            "width": ground.width,
                            "length": ground.length,
                            "start": list(ground.start),
                            "objects": _in_lane(ground, everything=True),
                        }
                        for ground in training.grounds
                    ],
                    "runs": {name: run.document() for name, run in self.runs.items()},
                    "voice": self.configuration()["voice"],
                }
            return self._result

    def sheet(self) -> str:
        """Return the instructor's sheet, one page that stands alone."""
        return sheet_page(self.result())

    def document(self) -> dict[str, Any]:
        """Return what was done, so that it can be scored again."""
        return {
            "format": FORMAT,
            "is_synthetic": True,
            "learner": self.learner,
            "date": self.date,
            "course": dataclasses.asdict(self.training.course),
            "limits": dataclasses.asdict(self.limits),
            "seal": self.training.seal,
            "runs": {name: run.document() for name, run in self.runs.items()},
        }

    def _keep(self) -> None:
        """Write what was done so far, and the sheet at the end."""
        if self.folder is None:
            return
        _write(self.folder / "run.json", json.dumps(self.document(), allow_nan=False))
        if self.is_finished:
            text = json.dumps(self.result(), indent=1, sort_keys=True, allow_nan=False)
            _write(self.folder / "sheet.json", text + "\n")
            _write(self.folder / "sheet.html", self.sheet())

    def summary(self) -> str:
        """Return the result as lines of text, or how far the course came."""
        if self.is_finished:
            return summary(self.result())
        return f"{self.step} of {len(self.training.grounds)} grounds were done."


def read_session(path: str | Path) -> Session:
    """
    Read a file of runs, and make the course again that they were made on.

    Parameters
    ----------
    path : path-like
        A ``run.json``.

    Returns
    -------
    session : Session
        Finished; grounds that are missing were not done.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no file of runs, or the seal is not that of its course.
    """
    path = Path(path)
    if path.stat().st_size > _MOST_BYTES:
        msg = f"Invalid file '{path}'. Must be at most {_MOST_BYTES >> 20} MiB."
        raise ValueError(msg)
    name = f"Invalid file '{path}'"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        msg = f"{name}: it is no JSON. Must be a run.json of the trainer."
        raise ValueError(msg) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        msg = f"{name}. Must be a run.json of the trainer, with format '{FORMAT}'."
        raise ValueError(msg)
    try:
        course = build(Course, document.get("course"))
        limits = build(Limits, document.get("limits"))
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ValueError(msg) from None
    session = Session(make_training(course), limits=limits)
    if document.get("seal") != session.training.seal:
        msg = f"{name}: its seal is not that of its course. Must be as the trainer wrote it."
        raise ValueError(msg)
    session.start({"learner": document.get("learner")})
    date = document.get("date")
    if not isinstance(date, str) or len(date) > _LONGEST_NAME or not date.isprintable():
        msg = f"{name}: its date is none. Must be text."
        raise ValueError(msg)
    session.date = date
    runs = document.get("runs")
    by_name = {ground.name: ground for ground in session.training.grounds}
    if not isinstance(runs, dict) or not set(runs) <= set(by_name):
        msg = f"{name}: runs of other grounds than its course has. Must be {list(by_name)}."
        raise ValueError(msg)
    session.runs = {key: read_run(value, by_name[key]) for key, value in runs.items()}
    session.finish()
    return session


def _in_lane(ground: Ground, *, everything: bool = False) -> list[dict[str, Any]]:
    """Return objects in the axes of the lane."""
    return [
        {
            "right": round(item.easting - ground.start[0], 6),
            "forward": round(item.northing - ground.start[1], 6),
            "depth": item.depth,
            "diameter": item.diameter,
            "kind": item.kind,
            "is_target": item.is_target,
            "identifier": item.identifier,
        }
        for item in ground.truth.objects
        if everything or item.is_target
    ]


def _write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
