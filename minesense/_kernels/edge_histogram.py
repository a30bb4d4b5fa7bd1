"""Kernel that labels the edges of a plane and counts them in strips."""

from ._jit import jit


@jit
def count_edges(plane, threshold, shares):
    """
    Label every place by the strongest of four edge operators and count labels in strips.

    Parameters
    ----------
    plane : (n_rows + 2, n_columns + 2) float32 array
        Positions by samples, with a margin of one that is not counted; 5 rows or more.
    threshold : float
        What the strongest response must exceed; else the label is "none".
    shares : (7, 5) float64 array
        Overwritten with the shares of edges at 0, 45, 90 and 135 degrees and of none.
    """
    n_rows, n_columns = plane.shape[0] - 2, plane.shape[1] - 2
    shares[:] = 0.0
    for i in range(n_rows):
        for j in range(1, n_columns + 1):
            # sums of doubles: mirrored planes add the same numbers in another order
            a, b, c = float(plane[i, j - 1]), float(plane[i, j]), float(plane[i, j + 1])
            d, f = float(plane[i + 1, j - 1]), float(plane[i + 1, j + 1])
            g, h, k = (
                float(plane[i + 2, j - 1]),
                float(plane[i + 2, j]),
                float(plane[i + 2, j + 1]),
            )
            label, best = 4, 3 * threshold
            response = abs((c + f + k) - (a + d + g))
            if response > best:
                label, best = 0, response
            response = abs((g + h + d) - (c + b + f))
            if response > best:
                label, best = 1, response
            response = abs((g + h + k) - (a + b + c))
            if response > best:
                label, best = 2, response
            response = abs((k + h + f) - (a + b + d))
            if response > best:
                label, best = 3, response
            # strip s is [2 s n / 15, (2 s + 3) n / 15], a place its middle i + 1/2
            for s in range(7):
                middle = 15 * (2 * i + 1)
                if 4 * s * n_rows <= middle <= (4 * s + 6) * n_rows:
                    shares[s, label] += 1.0
    for s in range(7):
        count = 0.0
        for m in range(5):
            count += shares[s, m]
        for m in range(5):
            shares[s, m] /= count
