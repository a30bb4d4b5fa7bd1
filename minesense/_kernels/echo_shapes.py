"""Kernels that look for shapes of echoes in patches of a radar lane."""

from ._jit import jit


@jit
def project_samples(traces, filters, out):
    """
    Give the products of each trace with the columns of all filters.

    Parameters
    ----------
    traces : (n_traces, n_channels, n_samples) float32 array
        Finite.
    filters : (n_samples, n_columns) float32 array
        By sample; side by side what each trace of a patch has with each filter.
    out : (n_traces, n_channels, n_columns) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_samples = traces.shape
    n_columns = filters.shape[1]
    for i in range(n_traces):
        for c in range(n_channels):
            row = out[i, c]
            for m in range(n_columns):
                row[m] = 0
            for t in range(n_samples):
                value = traces[i, c, t]
                column = filters[t]
                for m in range(n_columns):  # innermost: these lie side by side
                    row[m] += value * column[m]


@jit
def sum_patches(products, is_present, first, reach, stride, along, energy, counts):
    """
    Give the energy of the patch around each trace and channel along a few filters.

    What lies beyond the ends of the lane, and traces that are absent, add nothing.

    Parameters
    ----------
    products : (n_held, n_channels, n_taps * n_filters) float32 array
        Of consecutive traces, as :func:`project_samples` gives them; by trace of a patch, then
        by filter; zero where a trace is absent.
    is_present : (n_held,) bool array
        Whether a trace takes part.
    first : int
        Trace of the first patch's middle.
    reach, stride : int
        Traces to each side of a patch, a multiple of `stride`, and from one of its traces to
        the next; `n_taps` is 2 reach / stride + 1.
    along : (n_filters,) float32 array
        Overwritten: scratch.
    energy : (n_patches, n_channels) float32 array
        Overwritten with the sum of the squared projections.
    counts : (n_patches,) int64 array
        Overwritten with the traces of each patch that take part.
    """
    n_held, n_channels = products.shape[:2]
    n_taps, n_filters = 2 * reach // stride + 1, len(along)
    for i in range(len(energy)):
        counts[i] = 0
        for m in range(n_taps):
            k = first + i - reach + m * stride
            counts[i] += 0 <= k < n_held and is_present[k]
        for c in range(n_channels):
            for f in range(n_filters):
                along[f] = 0
            for m in range(n_taps):
                k = first + i - reach + m * stride
                if 0 <= k < n_held:
                    for f in range(n_filters):
                        along[f] += products[k, c, m * n_filters + f]
            total = along[0] * along[0]
            for f in range(1, n_filters):
                total += along[f] * along[f]
            energy[i, c] = total
