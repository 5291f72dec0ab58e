"""Build the course as a site, into `build/site/`.

    python tools/site.py

The notebooks are taken with the outputs that they carry. Nothing on the pages comes from another host.
"""

import importlib.metadata
import re
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from cnnlib import check, explorers, notebooks
from cnnlib.misconceptions.flatten import FillsColumnByColumn

ROOT = Path(__file__).resolve().parent.parent
SOURCE, SITE, LITE = ROOT / "build/site-source", ROOT / "build/site", ROOT / "build/lite"
MATHJAX = "mathjax/tex-chtml.js", "mathjax/output/chtml/fonts/woff-v2"
# Links that lead somewhere in a folder of the course, and nowhere on a site.
FOLDER_LINK = re.compile(r"\[([^\]]*)\]\(\.\./(?:exercises|solutions)/?\)")


def main() -> int:
    """Lay out the pages, and build them; a warning is an error."""
    for folder in (SOURCE, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs/site", SOURCE)
    lay_out_notebooks()
    lay_out_pages()
    copy_mathjax()
    failed = build_main(["-W", "--keep-going", "-q", "-b", "html", str(SOURCE), str(SITE)])
    if not failed and LITE.exists():
        shutil.copytree(LITE, SITE / "lite")
    if not failed:
        print(f"✓ {SITE / 'index.html'}")
    return failed


def lay_out_notebooks() -> None:
    for folder in ("notebooks", "exercises"):
        (SOURCE / folder).mkdir()
        for path in notebooks.files(ROOT / folder):
            nb = notebooks.read(path)
            for cell in nb.cells:
                if cell.cell_type == "markdown":
                    cell.source = FOLDER_LINK.sub(r"\1", cell.source)
            notebooks.write(SOURCE / folder / path.name, nb)


def lay_out_pages() -> None:
    parts = SOURCE / "parts"
    parts.mkdir()
    (parts / "explorer.html").write_text(explorers.flatten()._repr_mimebundle_()["text/html"])
    try:
        check.flatten_backward(FillsColumnByColumn)
    except check.Failed as failed:
        (parts / "message.txt").write_text(f"{failed}\n")
    shutil.copy(ROOT / "docs/grading.md", SOURCE / "grading.md")
    shutil.copy(ROOT / "CONTRIBUTING.md", SOURCE / "maintainers.md")
    whole = (LITE / "static/pyodide").exists()
    elsewhere = "" if whole else "; Python itself comes from another host, once"
    with (SOURCE / "try.md").open("a") as page:
        page.write(
            '\n<a href="lite/lab/index.html?path=notebooks/00_start_here.ipynb">Open the course in'
            f" JupyterLite</a>. The first cell of a notebook installs the course{elsewhere}. Checks work there; `cnnlib check` and `cnnlib grade` start processes,"
            " which a browser can't.\n"
            if LITE.exists()
            else "\nThis copy of the site was built without it: `make lite site` adds it.\n"
        )


def copy_mathjax() -> None:
    """Put beside the pages what they need of MathJax, from a package that carries all of it."""
    files = importlib.metadata.distribution("sphinx-mathjax-offline").files
    for file in files:
        _, _, path = file.as_posix().partition("/static/")
        if path.startswith(MATHJAX):
            target = SOURCE / "_static" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), target)


if __name__ == "__main__":
    sys.exit(main())
