"""Reader of magnetic polarizability tensors in the folder layout of the MPT-Library."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .sidecar import read_text_bytes
from .trouble import FormatError, parse_number

if TYPE_CHECKING:
    from ..physics.polarizability_fit import PolarizabilitySpectrum

_FREQUENCIES, _TENSORS, _STATIC = "Frequencies.csv", "Tensors.csv", "N0.csv"

#: Largest part of a tensor that may differ from its transpose, or have the other sign.
_SYMMETRY_TOLERANCE = 1e-3
_SIGN_TOLERANCE = 1e-6

_PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
#: "a+bj", "a+-bj", "bj" or "a", in brackets or not; the parts of the first are signed.
_COMPLEX = re.compile(
    rf"(?P<open>\()?\s*(?:(?P<real>[+-]?{_PLAIN})\s*\+?\s*(?P<imag>[+-]{_PLAIN})[jJi]"
    rf"|(?P<alone>[+-]?{_PLAIN})(?P<unit>[jJi])?)\s*(?(open)\))"
)


def read_polarizability(folder: str | Path) -> PolarizabilitySpectrum:
    r"""
    Read the polarizability tensors of an object of the MPT-Library.

    Parameters
    ----------
    folder : str or Path
        With Frequencies.csv (angular frequencies in rad/s, one a line), Tensors.csv (one line
        a frequency, nine complex numbers, row by row, in m^3, for the time factor
        exp(-i omega t)) and N0.csv (three lines of three real numbers, the static tensor).

    Returns
    -------
    spectrum : PolarizabilitySpectrum
        Frequencies in Hz, and tensors for exp(+i omega t): the complex conjugates of those
        in the file.

    Raises
    ------
    FormatError
        If a file is missing, empty or no text; a line holds another number of values than
        it should, or what is no finite number; frequencies are not greater than zero or do
        not increase; there is not a tensor for each; a tensor is off its transpose by more
        than 1e-3 of its largest element; or an imaginary part is negative along some
        direction.

    Notes
    -----
    That frequencies are in rad/s is taken on trust: a file in hertz looks the same and gives
    time constants that are wrong by :math:`2 \pi`. The sign of losses tells which time factor
    the tensors were made for, so that a file for the other one is refused.

    References
    ----------
    B. A. Wilson and P. D. Ledger, MPT-Library, https://github.com/BAWilson94/MPT-Library
    (GPL 3; nothing of it is part of minesense).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     _ = (folder / "Frequencies.csv").write_text("1e4")
    ...     _ = (folder / "Tensors.csv").write_text(
    ...         "(-1e-7+3e-7j), 0j, 0j, 0j, (-1e-7+3e-7j), 0j, 0j, 0j, (-2e-7+1e-7j)"
    ...     )
    ...     _ = (folder / "N0.csv").write_text("0,0,0\n0,0,0\n0,0,0")
    ...     spectrum = read_polarizability(folder)
    >>> complex(spectrum.tensors[0, 2, 2])
    (-2e-07-1e-07j)
    """
    # what else is in this package reads files without waiting for kernels
    from ..physics.polarizability_fit import PolarizabilitySpectrum  # noqa: PLC0415

    folder = Path(folder)
    path = folder / _FREQUENCIES
    omega = np.array([row[0] for row in _rows(path, 1, "angular frequency", _real)]).real
    _check_frequencies(path, omega)
    path = folder / _TENSORS
    tensors = np.array(_rows(path, 9, "tensor element", _complex)).reshape(-1, 3, 3)
    if len(tensors) != len(omega):
        rule = f"{len(omega)}, one for each angular frequency of {_FREQUENCIES}"
        raise FormatError(path, "number of tensors", len(tensors), rule)
    _check_symmetric(path, tensors)
    _check_losses(path, tensors)
    path = folder / _STATIC
    static = np.array(_rows(path, 3, "tensor element", _real)).real
    if len(static) != 3:
        raise FormatError(path, "number of lines", len(static), "3, of a tensor")
    _check_symmetric(path, static[None])
    return PolarizabilitySpectrum(
        frequency=omega / (2 * math.pi), tensors=tensors.conj(), static=static
    )


def _rows(path: Path, width: int, field: str, parse: object) -> list[list[complex]]:
    """Return the numbers of a file, one list a line; blank lines do not count."""
    if not path.is_file():
        raise FormatError(path, "file", "missing", "there, beside the others")
    rows = []
    for number, line in enumerate(read_text_bytes(path).decode("latin-1").splitlines(), 1):
        if not line.strip():
            continue
        cells, where = line.split(","), f"line {number}"
        if len(cells) != width:
            rule = f"{width} separated by commas"
            raise FormatError(path, "number of values", len(cells), rule, where=where)
        row = []
        for cell in cells:
            value = parse(cell.strip())  # type: ignore[operator]
            if value is None:
                raise FormatError(path, field, cell.strip(), "a finite number", where=where)
            row.append(value)
        rows.append(row)
    if not rows:
        raise FormatError(path, "content", "empty", "one line of numbers or more")
    return rows


def _real(text: str) -> complex | None:
    """Return a real number, None for anything else."""
    return parse_number(text)


def _complex(text: str) -> complex | None:
    """Return a complex number in the ways the library writes it, None for anything else."""
    match = _COMPLEX.fullmatch(text)
    if match is None:
        return None
    real, imag = match["real"], match["imag"]
    if match["alone"] is not None:
        real, imag = ("0", match["alone"]) if match["unit"] else (match["alone"], "0")
    x, y = parse_number(real), parse_number(imag)
    return None if x is None or y is None else complex(x, y)


def _check_frequencies(path: Path, omega: npt.NDArray[np.float64]) -> None:
    """Raise unless angular frequencies are positive and increase."""
    bad = np.diff(omega, prepend=0.0) <= 0
    if bad.any():
        i = int(np.argmax(bad))
        rule = "greater than zero and than the one before"
        raise FormatError(
            path, "angular frequency", float(omega[i]), rule, where=f"row {i + 1}"
        )


def _check_symmetric(path: Path, tensors: npt.NDArray) -> None:
    """Raise unless tensors equal their transposes closely."""
    twist = np.abs(tensors - np.swapaxes(tensors, 1, 2)).max(axis=(1, 2))
    size = np.abs(tensors).max(axis=(1, 2))
    bad = twist > _SYMMETRY_TOLERANCE * size
    if bad.any():
        i = int(np.argmax(bad))
        rule = f"equal to its transpose within {_SYMMETRY_TOLERANCE:g} of its largest element"
        where = f"row {i + 1}"
        raise FormatError(path, "tensor", f"off by {twist[i]:g}", rule, where=where)


def _check_losses(path: Path, tensors: npt.NDArray) -> None:
    """Raise unless imaginary parts are positive semidefinite."""
    imag = 0.5 * (tensors + np.swapaxes(tensors, 1, 2)).imag
    least = np.linalg.eigvalsh(imag)[:, 0]
    bad = least < -_SIGN_TOLERANCE * np.abs(tensors).max(axis=(1, 2))
    if bad.any():
        i = int(np.argmax(bad))
        rule = (
            "positive along every direction, as of losses with the time factor "
            "exp(-i omega t) that the library uses"
        )
        where = f"row {i + 1}"
        raise FormatError(path, "imaginary part", float(least[i]), rule, where=where)
