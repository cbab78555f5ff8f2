"""Fit voxels by NiftyPAD, in an environment of its own; run by ``benchmarks/maps.py``, not by hand.

    PEER/bin/python benchmarks/peers/niftypad_voxels.py CURVES.npz MODEL OUT.npz

CURVES holds ``activity`` (n_voxel, n_frame), ``reference`` (n_frame,), ``edges`` (2, n_frame) in s, ``weights``
(n_frame,) or nothing, and ``k2_prime`` in 1/min. OUT gets BP_ND of each voxel and the seconds that the voxels took;
what is made once for a scan (basis functions, the reference's interpolation) is not in them.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
from niftypad import basis, kt, models

warnings.filterwarnings("ignore")
N_BASIS = 100


def main() -> None:
    given, model, out = np.load(sys.argv[1]), sys.argv[2], sys.argv[3]
    edges, activity = given["edges"], given["activity"]
    mid = kt.dt2mft(edges)
    reference = kt.interpt1(mid, given["reference"], edges)
    weights = np.sqrt(given["weights"]) if "weights" in given else None  # it multiplies curves, not squares, by them
    k2_prime = float(given["k2_prime"]) / 60
    fit = {
        "SRTM": _srtm(reference, edges, weights),
        "MRTM1": lambda y: models.mrtm(y, edges, reference, weights, None, None, False)["bp"],
        "MRTM2": lambda y: models.mrtm_k2p(y, edges, reference, k2_prime, weights, None, None, False)["bp"],
        "LoganRef": lambda y: models.logan_ref_k2p(y, edges, reference, k2_prime, weights, 1800, None, False)["bp"],
    }[model]
    found = np.empty(len(activity))
    fit(activity[0].copy())
    start = time.perf_counter()
    for i, curve in enumerate(activity):
        found[i] = fit(curve.copy())
    np.savez(out, BP_ND=found, seconds=time.perf_counter() - start)


def _srtm(reference, edges, weights):
    """SRTM by its basis functions, spaced as its documentation's example has them."""
    table = basis.make_basis(reference, edges, beta_lim=[1e-4 / 60 * 10, 2 / 60], n_beta=N_BASIS, w=weights)
    return lambda y: models.srtmb_basis(y, table)["bp"]


if __name__ == "__main__":
    main()
