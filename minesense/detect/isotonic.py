"""Calibration without a law: steps that only rise; and which calibration data can bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count, check_increasing, check_number, check_one_of
from ..sweep import Floats
from .calibrate import Platt, check_scores, fit_platt

#: Positives from which an isotonic calibration is fitted, and a logistic one below.
ISOTONIC_FROM = 500

#: Ways to calibrate.
METHODS = ("auto", "platt", "isotonic")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Isotonic:
    """
    A calibration by steps that only rise: a probability at each of some scores.

    Between two scores the probability is interpolated; beyond the first and the last it
    stays what it is there.

    Raises
    ------
    TypeError, ValueError
        If the arrays are empty or differ in length, scores do not increase, or
        probabilities fall or are not strictly between 0 and 1.
    """

    scores: Floats  #: (n,) increasing
    probabilities: Floats  #: (n,) not falling

    def __post_init__(self) -> None:
        scores = check_increasing(check_array(self.scores, "scores", ("n",)), "scores")
        p = check_array(self.probabilities, "probabilities", (max(1, len(scores)),))
        if (np.diff(p) < 0).any() or p[0] <= 0 or p[-1] >= 1:
            msg = (
                f"Invalid probabilities from {p[0]:g} to {p[-1]:g}. Must never fall and lie "
                "between 0 and 1, both excluded."
            )
            raise ValueError(msg)
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "probabilities", p)

    def log_odds(self, scores: npt.ArrayLike) -> Floats:
        """
        Return calibrated log odds.

        Parameters
        ----------
        scores : (n,) array_like
            Scores of the kind the calibration was fitted on.

        Returns
        -------
        log_odds : (n,) float64 ndarray
            Natural logarithm of p / (1 - p). Steps make ties: rank by the scores.
        """
        values = np.asarray(scores, dtype=np.float64)
        p = np.interp(values, self.scores, self.probabilities)
        return np.log(p) - np.log1p(-p)

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the card of a model."""
        return {
            "kind": "isotonic",
            "scores": self.scores.tolist(),
            "probabilities": self.probabilities.tolist(),
        }


#: What turns a score into log odds.
Calibration = Platt | Isotonic


def read_calibration(document: Mapping[str, Any]) -> Calibration:
    """
    Return the calibration that plain numbers describe.

    Parameters
    ----------
    document : dict
        From ``as_dict`` of a calibration; without ``kind`` it is a :class:`Platt`.

    Returns
    -------
    calibration : Platt or Isotonic
        The same as was written.

    Raises
    ------
    TypeError, ValueError
        If the kind is unknown, or the numbers are not those of a calibration.

    Examples
    --------
    >>> from minesense.detect import Platt, read_calibration
    >>> read_calibration(Platt(slope=1.5, offset=-2.0).as_dict())
    Platt(slope=1.5, offset=-2.0)
    """
    numbers = {name: value for name, value in document.items() if name != "kind"}
    kind = check_one_of(document.get("kind", "platt"), "kind", METHODS[1:])
    expected = {"slope", "offset"} if kind == "platt" else {"scores", "probabilities"}
    if set(numbers) != expected:
        msg = (
            f"Invalid calibration of kind '{kind}' with {sorted(numbers)}. "
            f"Must hold {' and '.join(sorted(expected))}."
        )
        raise ValueError(msg)
    if kind == "isotonic":
        return Isotonic(**numbers)
    return Platt(**{name: check_number(x, name) for name, x in numbers.items()})


def fit_isotonic(
    scores: npt.ArrayLike, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Isotonic:
    r"""
    Fit an isotonic calibration to scores that the classifier had not been trained on.

    Parameters
    ----------
    scores, labels, weights
        As in :func:`~minesense.detect.calibrate.fit_platt`.

    Returns
    -------
    calibration : Isotonic
        Probabilities that never fall as scores rise.

    Raises
    ------
    ValueError
        As :func:`~minesense.detect.calibrate.fit_platt`.

    Notes
    -----
    Minimises :math:`\sum w_i (y_i - p_i)^2` over all :math:`p` that do not fall with the
    score, by pooling adjacent violators (scikit-learn). A block without any mine would state
    0, and one of mines alone 1, and no evidence could ever move them; probabilities are kept
    between the targets of :func:`~minesense.detect.calibrate.fit_platt`,
    :math:`1/(N_- + 2)` and :math:`(N_+ + 1)/(N_+ + 2)`.

    References
    ----------
    .. [1] Zadrozny, B. & Elkan, C. (2002). Transforming classifier scores into accurate
       multiclass probability estimates. KDD '02, 694-699. doi:10.1145/775047.775151.

    Examples
    --------
    >>> from minesense.detect import fit_isotonic
    >>> calibration = fit_isotonic([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 1, 0, 1, 1])
    >>> calibration.probabilities.tolist()
    [0.2, 0.2, 0.5, 0.5, 0.8, 0.8]
    """
    # scikit-learn takes seconds to import: only who trains pays for it
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

    score, label, weight = check_scores(scores, labels, weights)
    use = weight > 0
    n_mines, n_rest = weight[label].sum(), weight[~label].sum()
    model = IsotonicRegression(
        y_min=1 / (n_rest + 2), y_max=(n_mines + 1) / (n_mines + 2), out_of_bounds="clip"
    )
    model.fit(score[use], label[use].astype(np.float64), sample_weight=weight[use])
    return Isotonic(
        scores=np.array(model.X_thresholds_, dtype=np.float64),
        probabilities=np.array(model.y_thresholds_, dtype=np.float64),
    )


def fit_calibration(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    method: str = "auto",
    isotonic_from: int = ISOTONIC_FROM,
) -> Calibration:
    """
    Fit the calibration that so many mines can bear.

    Parameters
    ----------
    scores, labels, weights
        As in :func:`~minesense.detect.calibrate.fit_platt`.
    method : str
        ``"platt"``, ``"isotonic"``, or ``"auto"`` to choose by the number of mines.
    isotonic_from : int
        Weight of mines (their number, without weights) from which steps are fitted.

    Returns
    -------
    calibration : Platt or Isotonic
        A logistic law below `isotonic_from` mines; from there on steps, which follow any
        shape but need the data to show it.

    Raises
    ------
    TypeError, ValueError
        As :func:`~minesense.detect.calibrate.fit_platt`; if the method is unknown or
        `isotonic_from` is no whole number of at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fit_calibration
    >>> rng = np.random.default_rng(seed=0)
    >>> scores = rng.normal(size=2000)
    >>> labels = rng.random(2000) < 1 / (1 + np.exp(-scores))
    >>> type(fit_calibration(scores[:400], labels[:400])).__name__
    'Platt'
    >>> type(fit_calibration(scores, labels)).__name__
    'Isotonic'
    """
    check_one_of(method, "method", METHODS)
    check_count(isotonic_from, "isotonic_from")
    if method == "auto":
        _, label, weight = check_scores(scores, labels, weights)
        method = "isotonic" if weight[label].sum() >= isotonic_from else "platt"
    fit = fit_isotonic if method == "isotonic" else fit_platt
    return fit(scores, labels, weights=weights)
