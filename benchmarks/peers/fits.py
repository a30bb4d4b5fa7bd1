"""Cases of metal detectors: dipole inversion."""

from __future__ import annotations

import numpy as np

from minesense.emi import fit_dipole

from .contest import Contest, Peer, case


@case("dipole inversion, grid and ten starts", workload="121 stations x 20 gates", goal=4.0)
def dipole() -> Contest:
    """Return place and tensors of a nail, the search alike on both sides."""
    from benchmarks import test_inversion as base  # noqa: PLC0415

    stations, noise = base.make_stations()
    options = {
        "head": base.HEAD,
        "area": np.column_stack([base.LOW, base.HIGH])[:2],
        "depths": [-base.HIGH[2], -base.LOW[2]],
        "noise": noise,
        "starts": base.STARTS,
        "grid": base.GRID,
    }
    return Contest(
        ours=lambda: fit_dipole(stations, **options),
        n_values=stations.data.size,
        peers=(
            Peer(name="least_squares (lm), variable projection", package="scipy",
                 call=lambda: base.scipy_fit(stations.position, stations.data / noise),
                 pick=lambda found: found[0], pick_ours=lambda found: found.position),
        ),
    )  # fmt: skip
