"""Read and write Touchstone files: `.s1p` and `.s2p` of versions 1 and 2."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .frequency_sweep import FrequencySweep, check_sweep, finish_sweep
from .sidecar import decode_lines, read_text_bytes
from .trouble import Findings, parse_number

_SCALES = {"HZ": 1.0, "KHZ": 1e3, "MHZ": 1e6, "GHZ": 1e9}
_FORMS = ("RI", "MA", "DB")
_KEYWORD = re.compile(r"\[([^\]]*)\]\s*(.*)")
_MAX_PORTS = 2
_POSITIVE = "a reference resistance above zero"


def read_touchstone(
    path: str | Path,
    *,
    parameter: str | None = None,
    strict: bool = False,
    is_conjugate: bool = False,
) -> FrequencySweep:
    """
    Read a Touchstone file of one or two ports.

    Parameters
    ----------
    path : str or Path
        Of `.s1p`, `.s2p` or, with keywords, `.ts`.
    parameter : str, optional
        Which to keep, for example ``"S21"``. Without it all are channels of the sweep, in
        the order S11, S21, S12, S22.
    strict : bool, optional
        Whether warnings are errors.
    is_conjugate : bool, optional
        Whether phasors turn as exp(-i w t).

    Returns
    -------
    sweep : FrequencySweep
        One position. `header` holds the options, comments and noise rows.

    Raises
    ------
    FormatError
        If the file is none, or holds other parameters than S, or frequencies do not increase;
        in strict mode also for a warning.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    lines = decode_lines(read_text_bytes(path), findings)
    content = _Content(findings)
    for number, line in enumerate(lines, 1):
        content.take(number, line)
    if not content.has_options:
        findings.warn("no option line: frequencies in GHz, magnitudes and angles are assumed")
    ports = content.ports or _ports_of(path)
    rows, noise = _split_rows(findings, content, ports)
    names = [f"S{i}{j}" for j in range(1, ports + 1) for i in range(1, ports + 1)]
    frequency = rows[:, 0] * _SCALES[content.unit]
    values = _complex(rows[:, 1::2], rows[:, 2::2], content.form)
    order = content.order.replace(" ", "").upper()
    if ports == 2 and order == "12_21":
        values = values[:, [0, 2, 1, 3]]  # the file has S11 S12 S21 S22
    if parameter is not None:
        wanted = parameter.upper()
        if wanted not in names:
            findings.fail("parameter", parameter, f"one of {names}")
        values, names = values[:, [names.index(wanted)]], [wanted]
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            sweep = check_sweep(
                findings,
                frequency,
                values.T[None],
                parameters=tuple(names),
                is_conjugate=is_conjugate,
            )
        except ValueError as error:
            findings.fail("content", str(error), "a sweep over increasing frequencies")
    told = "option line" if content.has_options else "no option line"
    return finish_sweep(
        findings,
        sweep,
        format="touchstone",
        header={
            "comments": content.comments,
            "keywords": content.keywords,
            "form": content.form,
            "frequency_unit": content.unit,
            "reference_ohm": content.resistance,
            "noise": noise,
        },
        sources={"frequency": "first column", "values": f"{told}: {content.form}"},
    )


class _Content:
    """Lines of a file, sorted by what they are."""

    def __init__(self, findings: Findings):
        self.findings = findings
        self.unit, self.form, self.resistance = "GHZ", "MA", 50.0
        self.ports = 0
        self.order = "21_12"
        self.comments: list[str] = []
        self.keywords: dict[str, str] = {}
        self.numbers: list[float] = []
        self.counts: list[int] = []  # numbers on each line
        self.starts: list[int] = []  # number of each line in the file
        self.has_options = False
        self.is_noise = self.has_ended = False
        self.matrix = "FULL"

    def take(self, number: int, line: str) -> None:
        """Sort one line."""
        text, _, comment = line.partition("!")
        if comment.strip() and len(self.comments) < 1000:
            self.comments.append(comment.strip())
        text = text.strip()
        if not text or self.has_ended:
            return
        if text.startswith("#"):
            if not self.has_options:  # of several the first counts
                self._take_options(number, text[1:])
            self.has_options = True
        elif text.startswith("["):
            self._take_keyword(number, text)
        elif not self.is_noise:
            self._take_numbers(number, text)

    def _take_options(self, number: int, text: str) -> None:
        words = text.upper().split()
        k = 0
        while k < len(words):
            word = words[k]
            if word in _SCALES:
                self.unit = word
            elif word in _FORMS:
                self.form = word
            elif word == "R" and k + 1 < len(words):
                k += 1
                value = parse_number(words[k])
                if value is None or value <= 0:
                    self._fail(number, "R", words[k], _POSITIVE)
                self.resistance = value or 0.0
            elif word in ("Y", "Z", "G", "H"):
                self._fail(number, "parameter", word, "S: others are not read")
            elif word != "S":
                rule = "# <unit> S <RI|MA|DB> R <ohm>"
                self._fail(number, "option", word, rule)
            k += 1

    def _take_keyword(self, number: int, text: str) -> None:
        match = _KEYWORD.fullmatch(text)
        if match is None:
            self._fail(number, "keyword", text[:80], "[keyword] value")
            return
        name, value = " ".join(match[1].lower().split()), match[2].strip()
        self.keywords[name] = value
        if name == "number of ports":
            ports = parse_number(value)
            if ports not in (1, 2):
                self._fail(number, "Number of Ports", value, f"1 to {_MAX_PORTS}")
            self.ports = int(ports or 0)
        elif name == "two-port data order":
            if value.replace(" ", "").upper() not in ("21_12", "12_21"):
                self._fail(number, "Two-Port Data Order", value, "21_12 or 12_21")
            self.order = value
        elif name == "matrix format" and value.upper() != "FULL":
            self._fail(number, "Matrix Format", value, "Full")
        elif name == "mixed-mode order":
            self._fail(number, "Mixed-Mode Order", value, "absent: single-ended parameters")
        elif name == "noise data":
            self.is_noise = True
        elif name == "end":
            self.has_ended = True

    def _take_numbers(self, number: int, text: str) -> None:
        words = text.split()
        for word in words:
            value = parse_number(word)
            if value is None:
                self._fail(number, "number", word[:80], "a decimal number")
            self.numbers.append(value or 0.0)
        self.counts.append(len(words))
        self.starts.append(number)

    def _fail(self, number: int, field: str, value: object, expected: str) -> None:
        self.findings.fail(field, value, expected, f"line {number}")


def _ports_of(path: Path) -> int:
    """Return the number of ports that the ending of a name tells, 1 if none does."""
    match = re.fullmatch(r"\.s([1-9])p", path.suffix.lower())
    return int(match[1]) if match else 0


def _split_rows(
    findings: Findings, content: _Content, ports: int
) -> tuple[npt.NDArray[np.float64], list[list[float]]]:
    """Return rows of network parameters, and rows of noise behind them."""
    if not ports:
        width = content.counts[0] if content.counts else 0
        ports = {3: 1, 9: 2}.get(width, 0)
    if ports not in (1, 2):
        findings.fail("number of ports", ports or "not told", f"1 to {_MAX_PORTS}")
    width = 1 + 2 * ports * ports
    rows: list[list[float]] = []
    noise: list[list[float]] = []
    offset = 0
    for line, count in zip(content.starts, content.counts, strict=True):
        row = content.numbers[offset : offset + count]
        offset += count
        falls = bool(rows) and row[0] <= rows[-1][0]
        if noise or (falls and ports == 2 and count == 5 and not content.keywords):
            if count != 5:
                findings.fail("noise row", row[:9], "5 numbers", f"line {line}")
            noise.append(row)
        elif count != width:
            rule = f"{width} numbers for {ports} ports, not {count}"
            findings.fail("row", row[:9], rule, f"line {line}")
        elif falls:
            rule = f"above that of the row before, {rows[-1][0]:g}"
            findings.fail("frequency", row[0], rule, f"line {line}")
        else:
            rows.append(row)
    if len(rows) < 2:
        findings.fail("rows", len(rows), "two or more frequencies")
    said = parse_number(content.keywords.get("number of frequencies", ""))
    if said is not None and said != len(rows):
        findings.warn(f"Number of Frequencies says {said:g}, the file holds {len(rows)}")
    return np.array(rows, np.float64), noise


def _complex(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], form: str
) -> npt.NDArray[np.complex128]:
    """Return complex numbers of real and imaginary parts, or magnitude and degrees."""
    if form == "RI":
        return first + 1j * second
    with np.errstate(over="ignore", invalid="ignore"):
        magnitude = first if form == "MA" else 10 ** (first / 20)
        return np.asarray(magnitude * np.exp(1j * np.radians(second)))


def write_touchstone(
    sweep: FrequencySweep, path: str | Path, *, overwrite: bool = False
) -> Path:
    """
    Write one position of a sweep as Touchstone version 1, real and imaginary, 17 digits.

    Parameters
    ----------
    sweep : FrequencySweep
        Of one position; S11 alone, or two ports. Of two ports, parameters that are not there
        cannot be written: a lone S21 is refused.
    path : str or Path
        Ends in `.s1p` or `.s2p`, as the number of ports.
    overwrite : bool, optional
        Whether a file of that name is replaced.

    Returns
    -------
    path : Path
        The file, read back and compared before it got its name.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    TypeError, ValueError
        If the sweep is none, has several positions, values that are not finite, or parameters
        that the file cannot hold.
    """
    path = Path(path)
    if not isinstance(sweep, FrequencySweep):
        msg = f"Invalid sweep of type {type(sweep).__name__}. Must be a FrequencySweep."
        raise TypeError(msg)
    if sweep.shape[0] != 1:
        msg = f"Invalid sweep of {sweep.shape[0]} positions. Must be of one: a file holds one."
        raise ValueError(msg)
    orders = {".s1p": ("S11",), ".s2p": ("S11", "S21", "S12", "S22")}
    wanted = orders.get(path.suffix.lower())
    if wanted is None or set(wanted) != set(sweep.parameters):
        msg = (
            f"Invalid parameters {list(sweep.parameters)} for '{path.name}'. Must be S11 for "
            ".s1p, S11, S21, S12 and S22 for .s2p."
        )
        raise ValueError(msg)
    if not np.isfinite(sweep.values).all():
        msg = "Invalid values: some are not finite. Must be finite: the format has no gaps."
        raise ValueError(msg)
    if path.exists() and not overwrite:
        msg = f"Invalid path '{path}': it exists. Pass overwrite=True to replace it."
        raise FileExistsError(msg)
    rows = [sweep.values[0, sweep.parameters.index(name)] for name in wanted]
    lines = ["# Hz S RI R 50"]
    for k, tone in enumerate(sweep.frequency):
        numbers = [f"{tone:.17g}"]
        for row in rows:
            numbers += [f"{row[k].real:.17g}", f"{row[k].imag:.17g}"]
        lines.append(" ".join(numbers))
    _place(path, ("\n".join(lines) + "\n").encode("ascii"), sweep, wanted)
    return path


def _place(path: Path, data: bytes, sweep: FrequencySweep, order: tuple[str, ...]) -> None:
    """Write beside the place, read back, compare, rename."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        content = _Content(Findings(beside))
        for number, line in enumerate(data.decode("ascii").splitlines(), 1):
            content.take(number, line)
        rows, _ = _split_rows(content.findings, content, _ports_of(beside))
        again: Any = rows[:, 1::2] + 1j * rows[:, 2::2]
        said = np.stack([sweep.values[0, sweep.parameters.index(k)] for k in order], axis=1)
        if beside.read_bytes() != data or not (
            np.array_equal(again, said) and np.array_equal(rows[:, 0], sweep.frequency)
        ):
            msg = f"Writing '{path}' failed: the file does not read back as it was."
            raise OSError(msg)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
