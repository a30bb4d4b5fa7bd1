"""Kernels that look for shapes of echoes in patches of a radar lane."""

from ._jit import jit


@jit
def project_patches(traces, is_present, first, reach, stride, filters, along, energy, counts):
    """
    Give the energy of the patch around each trace and channel along a few filters.

    What lies beyond the ends of the lane, and traces that are absent, add nothing.

    Parameters
    ----------
    traces : (n_held, n_channels, n_samples) float32 array
        Consecutive traces, finite where present.
    is_present : (n_held,) bool array
        Whether a trace takes part.
    first : int
        Trace of the first patch's middle.
    reach, stride : int
        Traces to each side of a patch, a multiple of `stride`, and from one of its traces to
        the next.
    filters : (n_taps, n_samples, n_filters) float32 array
        By trace and sample of a patch; `n_taps` is 2 reach / stride + 1.
    along : (n_filters,) float32 array
        Overwritten: scratch.
    energy : (n_patches, n_channels) float32 array
        Overwritten with the sum of the squared projections.
    counts : (n_patches,) int64 array
        Overwritten with the traces of each patch that take part.
    """
    n_held, n_channels, n_samples = traces.shape
    n_taps, n_filters = filters.shape[0], filters.shape[2]
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
                if k < 0 or k >= n_held or not is_present[k]:
                    continue
                for t in range(n_samples):
                    for f in range(n_filters):  # innermost: these lie side by side
                        along[f] += traces[k, c, t] * filters[m, t, f]
            total = along[0] * along[0]
            for f in range(1, n_filters):
                total += along[f] * along[f]
            energy[i, c] = total
