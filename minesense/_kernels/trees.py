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
    for i in range(len(rows)):
        total = baseline
        for root in roots:
            node = root
            feature = links[node, 0]
            while feature >= 0:
                value = rows[i, feature]
                if value <= values[node]:
                    node = links[node, 1]
                elif value > values[node]:
                    node = links[node, 2]
                else:  # NaN compares with nothing
                    node = links[node, 3]
                feature = links[node, 0]
            total += values[node]
        out[i] = total
