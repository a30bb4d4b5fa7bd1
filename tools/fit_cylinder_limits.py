"""
Print the coefficients of minesense/physics/cylinder_limits.py.

Boundary elements (tests/naive_bodies.py) at 41 aspects and 13 permeabilities, half an hour,
then least squares by Chebyshev polynomials:

    python tools/fit_cylinder_limits.py
"""

import sys
from pathlib import Path

import numpy as np
from numpy.polynomial import chebyshev

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import naive_bodies

ASPECTS = np.geomspace(0.01, 100, 41)
PERMEABILITIES = np.array([1.001, 1.3, 2, 3.5, 6, 10, 20, 40, 80, 150, 300, 600, 1000])
DEGREE, MAGNETIC_DEGREE = 8, 5


def fit(moments, losses):
    """Return {name: coefficients} from moments (n_aspects, 2, n) and transverse losses."""
    x = np.log(ASPECTS) / np.log(100)
    chi = PERMEABILITIES - 1
    y = 2 * np.log(PERMEABILITIES) / np.log(1000) - 1
    axial, across = -moments[:, 0, 0], -moments[:, 1, 0]
    found = {
        "_AXIAL": chebyshev.chebfit(x, np.log(axial - 4 / (3 * np.pi * ASPECTS) - 1), DEGREE),
        "_TRANSVERSE": chebyshev.chebfit(x, np.log((2 - across) / (across - 1)), DEGREE),
        "_LOSS": chebyshev.chebfit(x, losses * (3 / ASPECTS**2 + 4), DEGREE),
    }
    basis = chebyshev.chebvander2d(
        np.repeat(x, len(y)), np.tile(y, len(x)), [DEGREE, MAGNETIC_DEGREE]
    )
    for k, name in enumerate(("_AXIAL_FACTOR", "_TRANSVERSE_FACTOR")):
        factor = 1 / moments[:, k, 1:] - 1 / chi
        solution = np.linalg.lstsq(basis, np.log(factor).ravel(), rcond=None)[0]
        found[name] = solution.reshape(DEGREE + 1, MAGNETIC_DEGREE + 1)
    return found


def main():
    """Compute, fit and print."""
    moments = np.array(
        [naive_bodies.cylinder_moments(p, [0.0, *PERMEABILITIES], levels=13) for p in ASPECTS]
    )
    losses = np.array([naive_bodies.transverse_loss(p, 2000) for p in ASPECTS])
    for name, coefficients in fit(moments, losses).items():
        sys.stdout.write(f"{name} = {np.round(coefficients, 5).tolist()}\n")


if __name__ == "__main__":
    main()
