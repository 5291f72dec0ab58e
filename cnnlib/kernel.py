"""What the course adds to a kernel: a check that runs too early says what to run first.

Every kernel of an environment with this package loads it; see `data-files` in `pyproject.toml`.
"""

import re


def load_ipython_extension(shell) -> None:
    """Let IPython ask `explain` about names that it doesn't know."""
    shell.set_custom_exc((NameError,), explain)


def explain(shell, kind, error, trace, tb_offset=None) -> None:
    """Show a NameError; where a check's cell raised it itself, in words that help.

    Such a cell is right as it stands, so what it names is defined in a cell above that hasn't run.
    """
    in_the_cell = trace.tb_next is None or trace.tb_next.tb_next is None
    if in_the_cell and re.search(r"^check\.\w+\(", shell.user_ns["In"][-1], re.MULTILINE):
        lines = too_early(error.name)
        error._render_traceback_ = lambda: lines
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def too_early(name: str) -> list[str]:
    """Return what is said of a name that a check's cell needs and doesn't have.

    Examples
    --------
    >>> print(*too_early("check"), sep="\\n")
    ○ This check can't run yet: check is not defined.
    <BLANKLINE>
      hint  The name comes from the imports, in the first code cell. Choose "Run All Above Selected
            Cell" in the menu Run, then run this cell again.
    """
    source = "the imports, in the first code cell" if name == "check" else "a cell above"
    return [
        f"○ This check can't run yet: {name} is not defined.",
        "",
        f'  hint  The name comes from {source}. Choose "Run All Above Selected',
        '        Cell" in the menu Run, then run this cell again.',
    ]
