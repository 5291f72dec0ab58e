"""`cnnlib grade`: a class's notebooks, graded side by side, and the report."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from cnnlib import notebooks
from cnnlib.grading import box, glance, overrides, report, worksheet
from cnnlib.grading.assemble import load
from cnnlib.grading.cluster import Cluster
from cnnlib.grading.collect import collect
from cnnlib.grading.grade import Grade, fingerprint_of, grade_all
from cnnlib.grading.journal import Journal
from cnnlib.grading.judges import Judges, Process

SHOWN = 10  # reasons that are printed; the report has them all


def grade(
    folder: Path,
    out: Path,
    *,
    timeout: float,
    jobs: int,
    sheet: Path | None = None,
    own: Path | None = None,
    formats: Collection[str] = (),
    force: bool = False,
    unconfined: bool = False,
    scheduler: str | None = None,
    processes: list[Process] | None = None,
) -> bool:
    """Grade a folder of submissions and write the report.

    Parameters
    ----------
    folder : Path
        With a folder for each learner, and their notebooks in it.
    out : Path
        The folder for the report.
    timeout : float
        Seconds of CPU time that each check may take.
    jobs : int
        How many learners are graded at a time.
    sheet : Path, optional
        A worksheet of Moodle's or a gradebook of Canvas's; a filled copy goes into the report.
    own : Path, optional
        The teacher's own points; by default `overrides.csv` in the report's folder.
    formats : collection of str
        Which of `report.FORMATS` are written too.
    force : bool
        Grade anew what an earlier run has graded, too.
    unconfined : bool
        Run the learners' code where nothing can confine it.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers grade.
    processes : list of Process, optional
        As many as `jobs`, that `cnnlib.grading.judges.launch` started already.

    Returns
    -------
    bool
        Whether it was interrupted. What was graded by then is in the report.

    Raises
    ------
    NotebookError
        There is no course or no submission, or a solution doesn't pass its own checks.
    ReportError
        The report can't be written there.
    BoxError
        Nothing confines learners' code here.
    OverrideError, WorksheetError
        The teacher's own points, or the worksheet, can't be used.
    """
    rows = overrides.read(own or out / "overrides.csv")
    text = worksheet.read(sheet) if sheet else ""
    course = notebooks.find_course()
    originals = load(course)
    how = box.level(unconfined)
    handed = collect(folder, originals)
    report.prepare(out, folder)
    stop = Event()
    fingerprint = fingerprint_of(course, how)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(out, fresh=force))
        shown = stack.enter_context(_progress(len(handed.learners) * len(handed.notebooks)))
        judges = (
            Cluster(scheduler, course, how) if scheduler else Judges(course, how, jobs, processes)
        )
        stack.enter_context(judges)

        def done(made: Grade) -> None:
            journal.write(made)
            shown(made)

        options = {"timeout": timeout, "jobs": judges.count, "course": fingerprint}
        options |= {"known": journal.grades, "done": done, "interrupt": judges.close}
        grades = grade_all(handed, originals, judges.ask, stop=stop, **options)
    mistaken = None
    try:
        grades = overrides.apply(grades, rows)
    except overrides.OverrideError as error:
        mistaken = error  # the grades are written all the same: they took long
    about = report.About(how, fingerprint, timeout, box.versions())
    report.write(out, grades, handed.skipped, handed.learners, formats, about)
    said = summary(grades, handed.skipped, out)
    if mistaken:
        raise mistaken
    if sheet:
        filled = worksheet.fill(text, grades, {each.name: each for each in handed.learners})
        report.replace(out / sheet.name, filled.text)
        said += f"\nWorksheet: {out / sheet.name}"
        said += "".join(f"\n  {sentence}" for sentence in filled.scaled)
        if filled.unknown:
            said += f"\n  not in it: {', '.join(filled.unknown)}"
    Console().print(Text(said), soft_wrap=True)
    return stop.is_set()


def summary(grades: list[Grade], skipped: list[str], out: Path) -> str:
    """What is printed at the end."""
    without = [grade for grade in grades if grade.points is None]
    lines = [f"{len(grades) - len(without)} of {len(grades)} notebooks have a grade."]
    reasons = [
        f"{who}, {notebook}: {reason}" if who else f"{notebook}: {reason}"
        for who, notebook, reason in glance.of(grades).problems
    ]
    for heading, sentences in (("Without a grade", reasons), ("Skipped", skipped)):
        if sentences:
            more = len(sentences) - SHOWN
            lines += [f"{heading}:", *(f"  {sentence}" for sentence in sentences[:SHOWN])]
            lines += [f"  and {more} more, see {out / 'grades.json'}"] if more > 0 else []
    return "\n".join([*lines, f"Report: {out / 'index.html'}"])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Grade], None]]:
    """A progress bar, or a line for each notebook where there is no terminal to draw in."""
    console = Console(stderr=True)
    finished = 0

    def says(grade: Grade) -> str:
        points = "no grade" if grade.points is None else f"{grade.points:g} of {grade.out_of:g}"
        return f"{grade.learner}, {grade.notebook}: {points}"

    def line(grade: Grade) -> None:
        nonlocal finished
        finished += 1
        console.print(Text(f"{finished}/{total}  {says(grade)}"), soft_wrap=True)

    if not console.is_terminal:
        yield line
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=console) as bar:
        task = bar.add_task("", total=total)
        yield lambda grade: bar.update(task, advance=1, description=says(grade))
