"""Build the course for JupyterLite, where it runs in the reader's browser, into `build/lite/`.

    python tools/lite.py

The kernel and NumPy come from Pyodide's own host when a reader opens it; the rest is in the folder.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from cnnlib import notebooks

ROOT = Path(__file__).resolve().parent.parent
CONTENTS, WHEELS, LITE = (ROOT / "build" / name for name in ("lite-contents", "wheels", "lite"))
INSTALL = """\
import sys

if sys.platform == "emscripten":  # JupyterLite, where nothing is installed yet
    import piplite

    await piplite.install("cnnlib")"""


def main() -> int:
    """Build the wheel, lay out the notebooks, and build the site around them."""
    for folder in (CONTENTS, WHEELS, LITE):
        shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, f"--wheel-dir={WHEELS}", str(ROOT)], check=True)
    lay_out_notebooks()
    (wheel,) = WHEELS.glob("cnnlib-*.whl")
    lite = [sys.executable, "-m", "jupyter", "lite", "build", f"--contents={CONTENTS}"]
    lite += [f"--output-dir={LITE}", f"--piplite-wheels={wheel}", f"--lite-dir={CONTENTS}"]
    return subprocess.run(lite, cwd=CONTENTS).returncode


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
