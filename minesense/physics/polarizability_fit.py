"""Relaxation lists fitted to spectra of magnetic polarizability tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_increasing, check_positive, check_shape
from .relaxation import Complexes, Floats, Relaxation

#: Above this the quasi-static eddy-current model of published tensors ends, rad/s.
HIGHEST_OMEGA = 1e6

_PER_DECADE = 24
#: Share by which the sign of losses may be wrong, and a tensor off its transpose.
_SIGN_TOLERANCE = 1e-6
_SYMMETRY_TOLERANCE = 1e-3
_MOST_ROUNDS = 60
#: Of the gradient without any amplitude; below, the fit has nothing more to gain.
_LEAST_PULL = 1e-9

# Elements 00, 11, 22, 01, 02, 12 of a symmetric tensor; the last three count twice.
_ROWS = np.array([0, 1, 2, 0, 0, 1])
_COLUMNS = np.array([0, 1, 2, 1, 2, 2])
_COUNTS = np.sqrt([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolarizabilitySpectrum:
    """
    Magnetic polarizability tensors of a body at some frequencies.

    Tensors are for the time factor exp(+i omega t): the imaginary part is negative. What is
    not symmetric within 1e-3 of the largest element is refused; the rest is made symmetric.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, frequencies are not positive and increasing, a value is not
        finite, a tensor is not symmetric, or losses have the wrong sign.
    """

    frequency: Floats  #: (n,) Hz
    tensors: Complexes  #: (n, 3, 3) m^3
    static: Floats | None = None  #: (3, 3) m^3, the tensor at zero frequency, if known

    def __post_init__(self) -> None:
        frequency = check_increasing(
            check_array(self.frequency, "frequency", ("n",)), "frequency"
        )
        if not len(frequency) or frequency[0] <= 0:
            msg = "Invalid frequency. Must be at least one value, all greater than zero, in Hz."
            raise ValueError(msg)
        tensors = np.asarray(self.tensors)
        if tensors.dtype.kind not in "iufc":
            msg = f"Invalid tensors of dtype {tensors.dtype}. Must be complex numbers."
            raise TypeError(msg)
        check_shape(tensors, "tensors", (len(frequency), 3, 3))
        parts = [
            check_array(np.ascontiguousarray(part), "tensors", (len(frequency), 3, 3))
            for part in (tensors.real, tensors.imag)
        ]
        tensors = _made_symmetric(parts[0] + 1j * parts[1], "tensors")
        size = np.abs(tensors).max(axis=(1, 2))
        has_gain = np.linalg.eigvalsh(tensors.imag)[:, -1] > _SIGN_TOLERANCE * size
        if has_gain.any():
            i = int(np.argmax(has_gain))
            msg = (
                f"Invalid tensors: the imaginary part at {frequency[i]:g} Hz is positive along "
                "some direction. Must be negative (losses, time factor exp(+i omega t)): take "
                "the complex conjugate of tensors made for exp(-i omega t)."
            )
            raise ValueError(msg)
        object.__setattr__(self, "frequency", frequency)
        object.__setattr__(self, "tensors", tensors)
        if self.static is not None:
            static = check_array(self.static, "static", (3, 3))
            object.__setattr__(self, "static", _made_symmetric(static[None], "static")[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolarizabilityFit:
    """What :func:`fit_polarizability` returns: a list, and how well it fits."""

    relaxation: Relaxation
    frequency: Floats  #: (n,) Hz, those used
    error: Floats  #: (n,) Frobenius norm of the misfit over that of the tensor
    n_dropped: int  #: frequencies above the limit, not used
    excess: float  #: by how much the fit may still improve: share of the gradient, see Notes

    @property
    def worst(self) -> float:
        """Largest error at any frequency used."""
        return float(self.error.max())

    @property
    def rms(self) -> float:
        """Root of the mean square error."""
        return float(np.sqrt((self.error**2).mean()))


def fit_polarizability(
    spectrum: PolarizabilitySpectrum, *, highest: float = HIGHEST_OMEGA / (2 * math.pi)
) -> PolarizabilityFit:
    r"""
    Fit a relaxation list to a spectrum of polarizability tensors.

    Parameters
    ----------
    spectrum : PolarizabilitySpectrum
        Tensors, and the static one if it is known.
    highest : float
        Frequencies above are dropped, Hz; by default those above 1e6 rad/s, where the
        model behind published tensors ends.

    Returns
    -------
    fit : PolarizabilityFit
        The list, and the error at every frequency.

    Raises
    ------
    TypeError, ValueError
        If `spectrum` is none, fewer than three frequencies are left, or a tensor is zero.

    Notes
    -----
    All six elements share one grid of time constants, 24 per decade, from a tenth of
    :math:`1/\omega` of the highest frequency to ten times that of the lowest. With
    :math:`M_0` the static tensor, or unknown without it,

    .. math:: \min \sum_\omega \frac{\left\| M_0 - M(\omega)
        - \sum_k A_k \frac{i \omega \tau_k}{1 + i \omega \tau_k} \right\|_F^2}
        {\left\| M(\omega) \right\|_F^2}

    over positive semidefinite :math:`A_k`. Each is a sum of :math:`w\, n n^T` with
    :math:`w \ge 0`, so that no projection is needed: non-negative least squares over
    directions :math:`n`, to which, round after round, the eigenvector of the most negative
    eigenvalue of the gradient at each time constant is added, until there is none. Then no
    semidefinite list fits better; `excess` is how far from that the last round was, as a
    share of the gradient of an empty list. The instantaneous part is :math:`M_0 - \sum_k
    A_k`, so that what is faster than the grid acts at once. The fit turns with the body.

    Largest errors at any frequency below 1e6 rad/s, for computed tensors of the
    MPT-Library: sphere of 20 mm 5e-5, coin 1.2e-4, key 7e-5, screwdriver 7e-4.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import (
    ...     PolarizabilitySpectrum, fit_polarizability, sphere_polarizability
    ... )
    >>> frequency = np.geomspace(10, 1e5, 41)
    >>> ball = {"radius": 0.01, "conductivity": 3.5e7, "permeability": 1.0}
    >>> moment = sphere_polarizability(frequency, **ball)[:, None, None] * np.eye(3)
    >>> spectrum = PolarizabilitySpectrum(
    ...     frequency=frequency, tensors=moment, static=np.zeros((3, 3))
    ... )
    >>> fit_polarizability(spectrum).worst < 2e-4
    True
    """
    if not isinstance(spectrum, PolarizabilitySpectrum):
        msg = f"Invalid spectrum {spectrum!r}. Must be a PolarizabilitySpectrum."
        raise TypeError(msg)
    is_used = spectrum.frequency <= check_positive(highest, "highest")
    if np.count_nonzero(is_used) < 3:
        msg = (
            f"Invalid spectrum: {np.count_nonzero(is_used)} of {len(is_used)} frequencies are "
            f"at most {highest:g} Hz. Must be at least three."
        )
        raise ValueError(msg)
    frequency, tensors = spectrum.frequency[is_used], spectrum.tensors[is_used]
    if not np.abs(tensors).max(axis=(1, 2)).all():
        msg = "Invalid spectrum: a tensor is zero. Must have a size to weigh its error by."
        raise ValueError(msg)
    omega = 2 * math.pi * frequency
    n_taus = math.ceil(_PER_DECADE * math.log10(100 * omega[-1] / omega[0])) + 1
    taus = np.geomspace(10 / omega[0], 0.1 / omega[-1], n_taus)
    amplitudes, static, excess = _semidefinite_fit(omega, tensors, spectrum.static, taus)
    is_active = np.einsum("kii->k", amplitudes) > 0
    relaxation = Relaxation(
        instantaneous=static - amplitudes.sum(axis=0),
        amplitudes=amplitudes[is_active],
        taus=taus[is_active],
    )
    misfit = np.linalg.norm(relaxation.polarizability(frequency) - tensors, axis=(1, 2))
    return PolarizabilityFit(
        relaxation=relaxation,
        frequency=frequency,
        error=misfit / np.linalg.norm(tensors, axis=(1, 2)),
        n_dropped=int(np.count_nonzero(~is_used)),
        excess=excess,
    )


def _semidefinite_fit(
    omega: Floats, tensors: Complexes, static: Floats | None, taus: Floats
) -> tuple[Floats, Floats, float]:
    """Return amplitudes (n_taus, 3, 3), the static tensor and the excess of the gradient."""
    size = np.linalg.norm(tensors, axis=(1, 2))
    weight, scale = 1 / size, float(size.max())
    lag = 1j * omega[:, None] * taus / (1 + 1j * omega[:, None] * taus) * weight[:, None]
    courses = np.concatenate([lag.real, lag.imag])  # (2 n, n_taus)
    wanted = -tensors / scale * weight[:, None, None]
    rows = np.concatenate([wanted.real, wanted.imag])
    if static is not None:
        rows[: len(omega)] += static / scale * weight[:, None, None]
    # without M0: two columns of opposite sign for each of its elements
    unknown = (
        _as_columns(_static_tensors(weight)) if static is None else np.empty((6 * len(rows), 0))
    )
    goal = _flat(rows).ravel()

    which = np.repeat(np.arange(len(taus)), 3)
    directions = np.tile(np.linalg.eigh(tensors.imag.sum(axis=0))[1].T, (len(taus), 1))
    gradient = _gradient(courses, goal)
    empty = float(np.abs(np.linalg.eigvalsh(gradient)).max())
    for _ in range(_MOST_ROUNDS):
        dyads = directions[:, :, None] * directions[:, None, :]
        columns = np.concatenate(
            [_as_columns(dyads * courses[:, which, None, None]), unknown], 1
        )
        found = _non_negative(columns, goal)
        # the gradient by A_k is minus this tensor: positive eigenvalues promise more
        values, vectors = np.linalg.eigh(_gradient(courses, goal - columns @ found))
        shares = found[: len(which)]
        amplitudes = np.zeros((len(taus), 3, 3))
        np.add.at(amplitudes, which, scale * shares[:, None, None] * dyads)
        is_new = values[:, -1] > _LEAST_PULL * empty
        if not is_new.any():
            break
        which = np.concatenate([which[shares > 0], np.flatnonzero(is_new)])
        directions = np.concatenate([directions[shares > 0], vectors[is_new][:, :, -1]])
    if static is None:
        last = found[-2 * len(_ROWS) :]
        half = len(_ROWS)
        static = scale * _tensor((last[:half] - last[half:]) / _COUNTS)
    return amplitudes, static, max(0.0, float(values[:, -1].max()) / empty)


def _non_negative(columns: Floats, goal: Floats) -> Floats:
    """Return the non-negative combination of columns that is nearest to the goal."""
    from scipy.optimize import nnls  # noqa: PLC0415  half a second that few imports need

    norms = np.linalg.norm(columns, axis=0)
    return np.asarray(nnls(columns / norms, goal, maxiter=50 * len(norms))[0] / norms)


def _gradient(courses: Floats, left: Floats) -> Floats:
    """Return how what is left would shrink with the tensors of each course, (n, 3, 3)."""
    return _tensor(courses.T @ (left.reshape(len(courses), -1) / _COUNTS))


def _as_columns(tensors: Floats) -> Floats:
    """Return (n_rows, n, 3, 3) as columns of a matrix, (6 n_rows, n)."""
    flat = np.moveaxis(_flat(tensors), 1, -1)
    return flat.reshape(flat.shape[0] * flat.shape[1], flat.shape[2])


def _static_tensors(weight: Floats) -> Floats:
    """Return what the elements of M0, and those of -M0, add to the goal, (2 n, 12, 3, 3)."""
    columns = np.zeros((2 * len(weight), 12, 3, 3))
    for k, (i, j) in enumerate(zip(_ROWS, _COLUMNS, strict=True)):
        element = np.zeros((3, 3))
        element[i, j] = element[j, i] = 1 / _COUNTS[k]
        columns[: len(weight), k] = -weight[:, None, None] * element
        columns[: len(weight), k + 6] = weight[:, None, None] * element
    return columns


def _flat(tensors: Floats) -> Floats:
    """Return symmetric tensors as vectors whose length is the Frobenius norm."""
    return np.asarray(tensors[..., _ROWS, _COLUMNS] * _COUNTS)


def _tensor(elements: Floats) -> Floats:
    """Return symmetric tensors from their elements in the order of the rows."""
    tensors = np.empty((*elements.shape[:-1], 3, 3))
    tensors[..., _ROWS, _COLUMNS] = elements
    tensors[..., _COLUMNS, _ROWS] = elements
    return tensors


def _made_symmetric(tensors: npt.NDArray, name: str) -> npt.NDArray:
    """Return tensors without what little makes them differ from their transpose."""
    turned = np.swapaxes(tensors, -1, -2)
    size = np.abs(tensors).max(axis=(1, 2))
    twist = np.abs(tensors - turned).max(axis=(1, 2))
    bad = twist > _SYMMETRY_TOLERANCE * size
    if bad.any():
        i = int(np.argmax(bad))
        msg = (
            f"Invalid {name}: tensor {i} is off its transpose by {twist[i] / size[i]:.2g} of "
            f"its largest element. Must be symmetric within {_SYMMETRY_TOLERANCE:g}."
        )
        raise ValueError(msg)
    return 0.5 * (tensors + turned)
