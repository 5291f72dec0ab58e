"""Build the course for JupyterLite, where it runs in the reader's browser, into `build/lite/`.

    python tools/lite.py

All that the course needs lies in the folder but Pyodide, which is Python, NumPy and matplotlib for
the browser: it comes from its own host when a reader opens the page. A complete Pyodide in
`build/pyodide/` goes into the folder too, and then no other host is asked for anything.
"""

import importlib.metadata
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnnlib import notebooks

ROOT = Path(__file__).resolve().parent.parent
LAYOUT, WHEELS, PYODIDE, LITE = (
    ROOT / "build" / name for name in ("lite-layout", "wheels", "pyodide", "lite")
)
CONTENTS = LAYOUT / "contents"
# The rest of what a developer's JupyterLab has would only be in the way.
EXTENSIONS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@jupyterlite/pyodide-kernel-extension",
    "anywidget",
    "cnnlib",
]
CARRIED = {"ipython", "matplotlib", "numpy", "rpds-py"}  # by Pyodide, with all that they need
BROWSER = {"sys_platform": "emscripten", "platform_system": "Emscripten", "extra": ""}
INSTALL = """\
import sys

if sys.platform == "emscripten":  # JupyterLite, where nothing is installed yet
    import piplite

    await piplite.install("cnnlib")"""


def main() -> int:
    """Build the wheels, lay out the notebooks, and build the site around them."""
    if PYODIDE.exists():
        check_version()
    for folder in (LAYOUT, WHEELS, LITE):
        shutil.rmtree(folder, ignore_errors=True)
    collect_wheels()
    lay_out_notebooks()
    if PYODIDE.exists():
        (LAYOUT / "static").mkdir()
        (LAYOUT / "static/pyodide").symlink_to(PYODIDE)
    installed = Path(sys.prefix, "share/jupyter/labextensions")
    settings = {
        "LiteBuildConfig": {
            "contents": [str(CONTENTS)],
            "output_dir": str(LITE),
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(installed / name) for name in EXTENSIONS],
        },
        "PipliteAddon": {"piplite_urls": sorted(map(str, WHEELS.glob("*.whl")))},
    }
    (LAYOUT / "jupyter_lite_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "jupyter", "lite", "build"], cwd=LAYOUT).returncode


def check_version() -> None:
    """Stop where the Pyodide that is to travel along is not the one that the kernel is made for."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION  # only `make lite` has it

    there = json.loads((PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))["info"][
        "version"
    ]
    if there.split(".")[:2] != PYODIDE_VERSION.split(".")[:2]:
        installed = importlib.metadata.version("jupyterlite-pyodide-kernel")
        sys.exit(
            f"build/pyodide/ holds Pyodide {there}, and jupyterlite-pyodide-kernel {installed} needs "
            f"{PYODIDE_VERSION}: its kernel would never start. Put that version there, install the "
            "jupyterlite-pyodide-kernel that is made for yours, or move build/pyodide/ away."
        )


def collect_wheels() -> None:
    """Build the course's wheel, and fetch those it needs, in the versions that are installed here."""
    pip = [sys.executable, "-m", "pip"]
    quiet = ["--quiet", "--no-deps"]
    subprocess.run([*pip, "wheel", *quiet, f"--wheel-dir={WHEELS}", str(ROOT)], check=True)
    pure = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]
    needed = [f"{name}=={importlib.metadata.version(name)}" for name in sorted(requirements())]
    subprocess.run([*pip, "download", *quiet, *pure, f"--dest={WHEELS}", *needed], check=True)


def requirements() -> set[str]:
    """Return the names of all that cnnlib needs in a browser and Pyodide doesn't carry."""
    names, new = set(), {"cnnlib"}
    while new:
        listed = [
            Requirement(line) for name in new for line in importlib.metadata.requires(name) or ()
        ]
        names |= new
        new = {
            canonicalize_name(r.name)
            for r in listed
            if r.marker is None or r.marker.evaluate(BROWSER)
        }
        new -= names | CARRIED
    return names - {"cnnlib"}


def lay_out_notebooks() -> None:
    """Copy lessons and exercises, with a first cell that installs the course where that is needed."""
    # cnnlib.mine looks into solutions/ for what an exercise asks for: here it finds no answers there.
    sources = {"notebooks": "notebooks", "exercises": "exercises", "solutions": "exercises"}
    for folder, source in sources.items():
        (CONTENTS / folder).mkdir(parents=True)
        for path in notebooks.files(ROOT / source):
            nb = notebooks.read(path)
            nb.cells.insert(0, nbformat.v4.new_code_cell(INSTALL, id="install"))
            nb.metadata["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)"}
            nb.metadata["language_info"] = {"name": "python"}
            # Texts in one piece: JupyterLite puts commas between the lines of a list.
            (CONTENTS / folder / path.name).write_text(json.dumps(nb), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
