"""Kernel that runs rows of features through boosted trees."""

from ._jit import jit


@jit
def sum_leaves(rows, roots, values, links, baseline, out):
    """
    Add to a baseline the leaf that a row falls into, tree after tree.

    Parameters
    ----------
    rows : (n_rows, n_features) float64 array
        NaN where a feature is missing.
    roots : (n_trees,) int32 array
        Node at which each tree begins.
    values : (n_nodes,) float64 array
        Of an inner node the threshold, of a leaf its value.
    links : (n_nodes, 4) int32 array
        Of each node its feature, negative in a leaf; then the node for values up to the
        threshold, for greater ones and for missing ones.
    baseline : float
        Score before the first tree.
    out : (n_rows,) float64 array
        Overwritten with the scores.
    """
    n_rows = len(rows)
    for first in range(0, n_rows, 64):  # a tree stays at hand for as many rows
        stop = min(first + 64, n_rows)
        for i in range(first, stop):
            out[i] = baseline
        for root in roots:
            for i in range(first, stop):
                node = root
                feature = links[node, 0]
                while feature >= 0:
                    value = rows[i, feature]
                    # a sum and no branches: which way a row goes cannot be foreseen; NaN
                    # compares with nothing, not even itself
                    way = 1 + (value > values[node]) + 2 * (value != value)  # noqa: PLR0124
                    node = links[node, way]
                    feature = links[node, 0]
                out[i] += values[node]
