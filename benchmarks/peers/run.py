"""
Measure minesense beside its peers; keep the figures, and make the table of the documentation.

    python -m benchmarks.peers.run [--only NAME ...] [--path FOLDER ...] [--rounds N]

An environment for the peers is made below benchmarks/peers/build, once. Each case runs in a
process of its own there, with one thread for BLAS, OpenMP and Numba on both sides, ours and
the peers in turns; ratios are formed within a round. Cases that are not asked for keep the
figures of the last run. Peers that no registry has are imported from the folders of --path:
`gprpy`, a checkout of GPRPy with irlib's external/mig_fk.py (terms of its own: read them),
and `_mig_cython`, ImpDAR's compiled loop built from its source.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from .table import load_cases, table_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results.json"
TABLE = ROOT / "docs" / "performance_table.md"
THREADS = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


def make_environment(folder: Path) -> Path:
    """Install peers, and what minesense needs, once; return the interpreter."""
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    wanted = (HERE / "requirements.txt").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    sys.stderr.write(f"installing peers into {folder} ...\n")
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "-c", str(ROOT / "constraints.txt"), str(ROOT)], check=True, cwd=folder
    )
    # the checkout is measured, not a copy of it
    subprocess.run([str(python), "-m", "pip", "uninstall", "-qy", "minesense"], check=True)
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
    stamp.write_text(wanted)
    return python


def machine(python: Path) -> dict[str, str]:
    """Return what a reader should know about the machine."""
    cores = len(os.sched_getaffinity(0))
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    about = {"processor": model, "cores": str(cores), "Python": platform.python_version()}
    asked = "from importlib.metadata import version\n"
    asked += "print(*(version(x) for x in ('numpy', 'scipy', 'numba')))"
    found = subprocess.run(
        [str(python), "-c", asked], check=True, capture_output=True, text=True
    )
    about |= dict(zip(("numpy", "scipy", "numba"), found.stdout.split(), strict=True))
    if core := os.environ.get("OPENBLAS_CORETYPE"):
        about["OpenBLAS kernels, on both sides, for"] = core
    return about


def main() -> int:
    """Run the cases that are asked for, write results and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--only", nargs="+", help="parts of names of cases")
    parser.add_argument("--path", nargs="+", default=[], help="folders with further peers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--budget", type=float, default=20.0, help="s for a peer of a case")
    parser.add_argument("--environment", type=Path, default=HERE / "build")
    parser.add_argument("--table", action="store_true", help="only make the table again")
    options = parser.parse_args()
    results: dict[str, Any] = {"machine": {}, "cases": {}}
    if RESULTS.exists():
        results = json.loads(RESULTS.read_text())
    if not options.table:
        measure(options, results)
    TABLE.write_text(table_of(results))
    sys.stdout.write(table_of(results))
    return 0


def keep(results: dict[str, Any]) -> None:
    """Write the figures of the cases that there are, in the order of the table."""
    cases = results["cases"]
    results["cases"] = {name: cases[name] for name in load_cases() if name in cases}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def measure(options: argparse.Namespace, results: dict[str, Any]) -> None:
    """Run each case that is asked for in a process of its own."""
    python = make_environment(options.environment)
    folders = [str(ROOT), str(ROOT / "tests"), *(str(Path(x).resolve()) for x in options.path)]
    results["machine"] = machine(python)
    cache = options.environment / "numba"
    with tempfile.TemporaryDirectory(dir=options.environment) as work:
        env = os.environ | THREADS | {
            "PYTHONPATH": os.pathsep.join(folders),
            "MINESENSE_CACHE": "1",
            "NUMBA_CACHE_DIR": str(cache / Path(work).name),
        }  # fmt: skip
        for name in load_cases():
            if options.only and not any(part in name for part in options.only):
                continue
            sys.stderr.write(f"{name} ...\n")
            out = Path(work) / "found.json"
            command = [str(python), "-m", "benchmarks.peers.worker", name, str(out)]
            command += [str(options.rounds), str(options.budget)]
            subprocess.run(command, check=True, env=env, cwd=work)
            results["cases"][name] = json.loads(out.read_text())
            keep(results)


if __name__ == "__main__":
    sys.exit(main())
