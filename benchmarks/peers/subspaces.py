"""Cases that take out what traces share: singular vectors, low-rank parts."""

from __future__ import annotations

import numpy as np

from minesense import gpr

from .contest import Contest, Peer, case
from .inputs import profile


@case("two singular vectors removed", workload="512 x 20,000", goal=10.0)
def two_vectors() -> Contest:
    """Return the section less its nearest one of rank 2, BLAS with one thread on both sides."""
    from scipy import linalg  # noqa: PLC0415
    from scipy.sparse.linalg import svds  # noqa: PLC0415

    lane = profile()
    rows = lane.samples[:, 0]
    columns = np.ascontiguousarray(rows.T)

    def by(section, decompose):
        left, values, right = decompose(section)
        order = np.argsort(values)[::-1][:2]
        return section - (left[:, order] * values[order]) @ right[order]

    def whole(section):
        return linalg.svd(section, full_matrices=False)

    def truncated(section):
        return svds(section, k=2, random_state=0)

    return Contest(
        ours=lambda: gpr.remove_subspace(lane, rank=2).sweep.samples[:, 0],
        n_values=rows.size,
        peers=(
            Peer(name="linalg.svd", package="scipy", pick=np.transpose,
                 call=lambda: by(columns, whole)),
            Peer(name="linalg.svd, traces as rows", package="scipy", pick=np.asarray,
                 call=lambda: by(rows, whole)),
            Peer(name="sparse.linalg.svds", package="scipy", pick=np.transpose,
                 call=lambda: by(columns, truncated),
                 note="finds two vectors only, and tells no energy of the rest."),
        ),
    )  # fmt: skip


@case("robust principal components", workload="512 x 2,000", goal=6.0)
def robust_components() -> Contest:
    """Return low-rank and sparse parts at the same weight and tolerance."""
    from pyrpca import rpca_pcp_ialm  # noqa: PLC0415

    lane = profile(2_000)
    section = lane.samples[:, 0].astype(np.float64)
    columns = np.ascontiguousarray(section.T)
    weight = 1 / np.sqrt(2_000)

    def peer(x):
        return rpca_pcp_ialm(x, weight, tol=1e-7, verbose=False)[1]

    return Contest(
        ours=lambda: gpr.remove_low_rank(lane).sweep.samples[:, 0],
        n_values=section.size,
        peers=(
            Peer(name="rpca_pcp_ialm", package="pyrpca", pick=np.transpose,
                 call=lambda: peer(columns)),
            Peer(name="rpca_pcp_ialm, traces as rows", package="pyrpca", pick=np.asarray,
                 call=lambda: peer(section)),
        ),
    )  # fmt: skip
