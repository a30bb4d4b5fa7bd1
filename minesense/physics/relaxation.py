"""The one form of every induced moment: an instantaneous part and first-order relaxations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_positive

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

#: Share of the largest element by which rounding may spoil symmetry or a sign.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Response:
    """What passive bodies and missing soil share: the form of the list, and its views."""

    instantaneous: Floats  #: (3, 3), m^3
    amplitudes: Floats  #: (n, 3, 3), m^3
    taus: Floats  #: (n,), s

    def __post_init__(self) -> None:
        taus = check_array(self.taus, "taus", ("n",))
        if (taus <= 0).any():
            msg = f"Invalid taus {taus.tolist()}. Must be greater than zero."
            raise ValueError(msg)
        amplitudes = check_array(self.amplitudes, "amplitudes", (len(taus), 3, 3))
        instantaneous = check_array(self.instantaneous, "instantaneous", (3, 3))
        for name, tensors in (("instantaneous", instantaneous), ("amplitudes", amplitudes)):
            twist = np.abs(tensors - np.swapaxes(tensors, -1, -2)).max(initial=0.0)
            if twist > _ROUNDING * np.abs(tensors).max(initial=0.0):
                msg = f"Invalid {name}: off its transpose by {twist:g}. Must be symmetric."
                raise ValueError(msg)
        self._check_sign(amplitudes)
        object.__setattr__(self, "instantaneous", instantaneous)
        object.__setattr__(self, "amplitudes", amplitudes)
        object.__setattr__(self, "taus", taus)

    def _check_sign(self, amplitudes: Floats) -> None:
        """Raise unless the amplitudes are those of such a body."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Return the number of relaxations."""
        return len(self.taus)

    def polarizability(self, frequency: npt.ArrayLike) -> Complexes:
        """
        Return M, the moment per field at given frequencies.

        Parameters
        ----------
        frequency : (...) array_like
            In Hz, zero or more.

        Returns
        -------
        polarizability : (..., 3, 3) complex128 ndarray
            In m^3, for the time factor exp(+i omega t).

        Raises
        ------
        ValueError
            If a frequency is negative or not finite.
        """
        omega = 2 * math.pi * check_range(frequency, "frequency")
        low_pass = 1 / (1 + 1j * omega[..., None] * self.taus)
        return self.instantaneous + np.tensordot(low_pass, self.amplitudes, axes=1)

    def decay(self, time: npt.ArrayLike) -> Floats:
        """
        Return L, the moment per field that was on for ever and ended at time zero.

        Parameters
        ----------
        time : (...) array_like
            In seconds, zero or more.

        Returns
        -------
        decay : (..., 3, 3) float64 ndarray
            In m^3.

        Raises
        ------
        ValueError
            If a time is negative or not finite.
        """
        decay = np.exp(-check_range(time, "time")[..., None] / self.taus)
        return np.asarray(np.tensordot(decay, self.amplitudes, axes=1))

    def decay_rate(self, time: npt.ArrayLike) -> Floats:
        """
        Return dL/dt, the rate of change of the decay.

        Parameters
        ----------
        time : (...) array_like
            In seconds, zero or more.

        Returns
        -------
        rate : (..., 3, 3) float64 ndarray
            In m^3/s.

        Raises
        ------
        ValueError
            If a time is negative or not finite.
        """
        decay = np.exp(-check_range(time, "time")[..., None] / self.taus)
        return np.asarray(np.tensordot(decay / -self.taus, self.amplitudes, axes=1))

    def rotated(self, rotation: npt.ArrayLike) -> Self:
        """
        Return the same body turned.

        Parameters
        ----------
        rotation : (3, 3) array_like
            Orthogonal matrix that takes body axes to easting, northing, upward.

        Returns
        -------
        turned : Relaxation or Absence
            The same kind, with every tensor replaced by R A R^T.

        Raises
        ------
        ValueError
            If the matrix is not orthogonal.
        """
        turn = check_array(rotation, "rotation", (3, 3))
        error = float(np.abs(turn @ turn.T - np.eye(3)).max())
        if error > 1e-9:
            msg = f"Invalid rotation: R R^T differs from 1 by {error:g}. Must be orthogonal."
            raise ValueError(msg)
        return type(self)(
            instantaneous=_symmetric(turn @ self.instantaneous @ turn.T),
            amplitudes=_symmetric(turn @ self.amplitudes @ turn.T),
            taus=self.taus,
        )

    def scaled(self, ratio: float) -> Self:
        """
        Return the same body at another size.

        Parameters
        ----------
        ratio : float
            New length over old length.

        Returns
        -------
        scaled : Relaxation or Absence
            The same kind, with volumes times the cube and time constants times the square of
            the ratio, exact for any shape as long as displacement currents do not count.

        Raises
        ------
        ValueError
            If `ratio` is not greater than zero.
        """
        ratio = check_positive(ratio, "ratio")
        return type(self)(
            instantaneous=ratio**3 * self.instantaneous,
            amplitudes=ratio**3 * self.amplitudes,
            taus=ratio**2 * self.taus,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaxation(_Response):
    r"""
    The magnetic polarizability of a small passive body as a list of relaxations.

    Parameters
    ----------
    instantaneous : (3, 3) array_like
        Moment per field faster than every relaxation, m^3.
    amplitudes : (n, 3, 3) array_like
        Symmetric, positive semidefinite tensor of each relaxation, m^3; n may be 0.
    taus : (n,) array_like
        Time constants, s.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, a tensor is not symmetric, an amplitude is not positive
        semidefinite, a value is not finite or a time constant is not greater than zero.

    Notes
    -----
    With the time factor :math:`e^{+i \omega t}`,

    .. math:: M(\omega) = M_\infty + \sum_k \frac{A_k}{1 + i \omega \tau_k},
        \qquad L(t) = \sum_k A_k e^{-t / \tau_k} .

    A passive body takes energy from the field along every direction, so every
    :math:`A_k` is positive semidefinite; a list that is not is refused. What is missing in
    magnetic soil is no body: see :class:`Absence`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import Relaxation
    >>> one = np.eye(3)
    >>> body = Relaxation(instantaneous=-one, amplitudes=one[None], taus=[1e-4])
    >>> bool(abs(body.polarizability(0.0)).max() == 0)
    True
    """

    def _check_sign(self, amplitudes: Floats) -> None:
        _check_semidefinite(amplitudes, "positive", 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Absence(_Response):
    """
    What is missing in magnetic soil: minus the response of the soil that would be there.

    It has the fields and methods of a :class:`Relaxation`, and every amplitude is negative
    semidefinite. It may stand among the objects of :func:`~minesense.physics.pulse_voltage`
    and is refused where a body is meant.

    Raises
    ------
    TypeError, ValueError
        As for a Relaxation, but with every amplitude negative semidefinite.
    """

    def _check_sign(self, amplitudes: Floats) -> None:
        _check_semidefinite(amplitudes, "negative", -1.0)


def combine_axes(first: Relaxation, second: Relaxation, third: Relaxation) -> Relaxation:
    """
    Build an elongated or flat body: a diagonal tensor with its own list along each axis.

    Parameters
    ----------
    first, second, third : Relaxation
        The body whose element (0, 0), (1, 1) or (2, 2) is the response along that axis;
        spheres of unequal size, for example.

    Returns
    -------
    body : Relaxation
        In its own axes, m^3 and s; turn it with :meth:`Relaxation.rotated`.

    Raises
    ------
    TypeError
        If an argument is no Relaxation.

    Notes
    -----
    Taking the axes from scaled spheres is a modelling choice that nobody has checked
    against a real body (unverified); a published polarizability tensor is better.

    Examples
    --------
    >>> from minesense.physics import combine_axes, sphere_relaxation
    >>> thin = sphere_relaxation(radius=0.003, conductivity=4e6, permeability=100.0)
    >>> nail = combine_axes(thin, thin, thin.scaled(3.0))
    >>> diagonal = nail.polarizability(0.0).real.diagonal()
    >>> round(float(diagonal[2] / diagonal[0]), 6)
    27.0
    """
    axes = [check_relaxation(axis, "axis") for axis in (first, second, third)]
    # Axes taken from one list share their time constants: keep each once.
    taus, index = np.unique(np.concatenate([a.taus for a in axes]), return_inverse=True)
    amplitudes = np.zeros((len(taus), 3, 3))
    instantaneous = np.zeros((3, 3))
    start = 0
    for i, axis in enumerate(axes):
        instantaneous[i, i] = axis.instantaneous[i, i]
        own = index[start : start + len(axis)]
        np.add.at(amplitudes[:, i, i], own, axis.amplitudes[:, i, i])
        start += len(axis)
    return Relaxation(instantaneous=instantaneous, amplitudes=amplitudes, taus=taus)


def isotropic(instantaneous: float, amplitudes: Floats, taus: Floats) -> Relaxation:
    """
    Build a body that responds alike along every axis.

    Parameters
    ----------
    instantaneous : float
        In m^3.
    amplitudes, taus : (n,) float64 ndarray
        In m^3 and s.

    Returns
    -------
    body : Relaxation
        With every tensor a multiple of the identity.
    """
    one = np.eye(3)
    return Relaxation(
        instantaneous=instantaneous * one, amplitudes=amplitudes[:, None, None] * one, taus=taus
    )


def check_response(value: Any, name: str) -> Relaxation | Absence:
    """
    Return value if it is a relaxation list, of a body or of what is missing.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What an error calls it.

    Returns
    -------
    value : Relaxation or Absence
        The same.
    """
    if not isinstance(value, (Relaxation, Absence)):
        msg = f"Invalid {name} of type {type(value).__name__}. Must be a Relaxation or Absence."
        raise TypeError(msg)
    return value


def check_relaxation(value: Any, name: str) -> Relaxation:
    """
    Return value if it is the relaxation list of a body.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What an error calls it.

    Returns
    -------
    value : Relaxation
        The same.
    """
    if not isinstance(value, Relaxation):
        msg = f"Invalid {name} of type {type(value).__name__}. Must be a Relaxation."
        raise TypeError(msg)
    return value


def check_range(values: npt.ArrayLike, name: str) -> Floats:
    """
    Return frequencies or times as an array of any shape.

    Parameters
    ----------
    values : (...) array_like
        Finite and not negative.
    name : str
        What an error calls them.

    Returns
    -------
    values : (...) float64 ndarray
        The same values.
    """
    shape = np.shape(values)
    array = check_array(np.reshape(values, -1), name, ("n",)).reshape(shape)
    if (array < 0).any():
        msg = f"Invalid {name} '{array.min()}'. Must not be negative."
        raise ValueError(msg)
    return array


def _check_semidefinite(amplitudes: Floats, word: str, sign: float) -> None:
    """Raise unless all tensors have eigenvalues of one sign, or zero."""
    if not len(amplitudes):
        return
    least = np.linalg.eigvalsh(sign * amplitudes)[:, 0]
    bad = least < -_ROUNDING * np.abs(amplitudes).max()
    if bad.any():
        k = int(np.argmax(bad))
        msg = (
            f"Invalid amplitudes: tensor {k} has the eigenvalue {sign * least[k]:g} m^3. Must "
            f"be {word} semidefinite."
        )
        raise ValueError(msg)


def _symmetric(tensors: Floats) -> Floats:
    """Remove the rounding errors that make a tensor differ from its transpose."""
    return 0.5 * (tensors + np.swapaxes(tensors, -1, -2))
