"""`cnnlib check`: a learner's exercises, run as the grader would run them, with what to do next."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cnnlib import notebooks
from cnnlib.grading.assemble import Originals, Submission, extract, load
from cnnlib.grading.box import OWN
from cnnlib.grading.grade import Grade, grade, points_of
from cnnlib.grading.hand import names_by_notebook, wanted_from_mine
from cnnlib.grading.judges import Judges, Process
from cnnlib.grading.verdict import Result, Status, title
from cnnlib.notebooks import NotebookError

COLOURS = {Status.DONE: "green", Status.UNWRITTEN: "blue"}  # the others are red
SAVED = "cnnlib check reads the file as it was last saved (Ctrl+S)."


def check(
    names: Iterable[str],
    *,
    timeout: float,
    watch: bool = False,
    processes: list[Process] | None = None,
) -> int:
    """Run the exercises of the course and print a row for each.

    Parameters
    ----------
    names : iterable of str
        Which notebooks: `04`, `flatten`, `04_flatten` or a path. All, if there is none.
    timeout : float
        Seconds of work that each check may take.
    watch : bool
        Go on: run a notebook again whenever an answer in it was changed and saved, until Ctrl-C.
    processes : list of Process, optional
        One, that `cnnlib.grading.judges.launch` started already.

    Returns
    -------
    int
        0 when all of them are done, else 1.

    Raises
    ------
    NotebookError
        There is no course, or no such notebook.
    """
    course = notebooks.find_course()
    originals = load(course)
    paths = {name: course.exercises / f"{name}.ipynb" for name in originals.graded}
    chosen = dict(choose(name, paths) for name in names)
    if not chosen:
        chosen = {name: path for name, path in paths.items() if path.exists()}
    if not chosen:
        raise NotebookError(f"{course.exercises} holds no exercise. Make them: cnnlib release")
    console, grades = Console(), {}
    ended = suppress(KeyboardInterrupt) if watch else nullcontext()
    with ended, Judges(course, OWN, 1, processes) as judges:
        for now in _rounds(chosen, originals, console) if watch else [chosen]:
            found = _run(now, paths | chosen, originals, judges, timeout, console)
            grades |= {grade.notebook: grade for grade in found}
            message = _first_failure(found)
            if message:
                console.print(Text(f"\n{message}"), soft_wrap=True)
            advice = next_step(list(grades.values()), chosen, originals.graded, watch)
            console.print(Text(f"\n{advice}"), soft_wrap=True)
    return int(any(grade.points != grade.out_of for grade in grades.values()))


def _rounds(
    chosen: Mapping[str, Path], originals: Originals, console: Console
) -> Iterator[Mapping[str, Path]]:
    """What to run: everything once, then what was saved with another answer in it, until Ctrl-C."""
    import watchfiles

    seen, stamps = _read(chosen, originals)[0], _stamps(chosen)
    yield chosen
    console.print(Text("\nWatching: save a notebook (Ctrl+S) to run it, end with Ctrl+C.", "dim"))
    folders = {path.resolve().parent for path in chosen.values()}
    # It also wakes up once a second, for what was saved while something ran.
    ticks = {"yield_on_timeout": True, "rust_timeout": 1000}
    for _ in watchfiles.watch(*folders, recursive=False, debounce=300, step=50, **ticks):
        if stamps == (stamps := _stamps(chosen)):
            continue
        now = _read(chosen, originals)[0]
        saved = {name: chosen[name] for name, each in now.items() if each != seen.get(name)}
        seen |= now
        if saved:
            console.rule(style="dim")
            yield saved


def _stamps(chosen: Mapping[str, Path]) -> dict[str, int]:
    """When each notebook was last saved."""
    return {name: path.stat().st_mtime_ns for name, path in chosen.items() if path.exists()}


def choose(name: str, paths: Mapping[str, Path]) -> tuple[str, Path]:
    """Find the notebook that somebody means.

    Parameters
    ----------
    name : str
        `04`, `flatten`, `04_flatten` or a path.
    paths : mapping of str to Path
        Where the course's exercises are, by their names.

    Returns
    -------
    str, Path
        Its name and where it is.

    Raises
    ------
    NotebookError
        The course has no such notebook.

    Examples
    --------
    >>> choose("flatten", {"04_flatten": Path("exercises/04_flatten.ipynb")})[0]
    '04_flatten'
    """
    if name.endswith(".ipynb") and Path(name).stem in paths:
        return Path(name).stem, Path(name)
    for full, path in paths.items():
        number, _, words = full.partition("_")
        if name in (full, number, words):
            return full, path
    raise NotebookError(f"The course has no exercises called {name}. It has {', '.join(paths)}.")


def rows(
    name: str, titles: Mapping[str, str], results: Mapping[str, Result], grade: Grade | None
) -> Text:
    """What is shown of a notebook: a heading with the points, and a row for each exercise.

    Parameters
    ----------
    name : str
    titles : mapping of str to str
        The title of each exercise, by its name.
    results : mapping of str to Result
        What is known so far.
    grade : Grade or None
        None while the notebook runs.

    Returns
    -------
    Text
    """
    if grade is None:
        state = "running …"
    elif grade.points is None:
        state = "not run"
    else:
        state = f"{grade.points:g} of {grade.out_of:g} points"
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(name, "bold").append(f"  {state}\n")
    for note in grade.notes if grade else ():
        text.append(f"  {note}\n", "yellow")
    width = max(map(len, titles.values()))
    for exercise, label in titles.items():
        result = results.get(exercise)
        if result is None:
            text.append(f"  · {label}\n", "dim")
        else:
            colour = COLOURS.get(result.status, "red")
            detail = result.summary.removeprefix("is ")
            text.append(f"  {result.status.sign} ", colour)
            text.append(f"{label:{width}}  {detail}".rstrip() + "\n")
    return text


def next_step(
    grades: list[Grade], paths: Mapping[str, Path], graded: list[str], watch: bool = False
) -> str:
    """Say what to do now: mend what is wrong, else write what isn't, else go on.

    Parameters
    ----------
    grades : list of Grade
    paths : mapping of str to Path
        Where each notebook is.
    graded : list of str
        Every notebook of the course that has exercises.
    watch : bool
        Whether saving is enough for the notebook to be run again.

    Returns
    -------
    str
    """
    for each in grades:
        if each.points is None:
            return f"Next: {each.notes[0]}"
    for verb, wanted in (("mend", _failed), ("write", _open)):
        for each in grades:
            for result in filter(wanted, each.results):
                path = _from_here(paths[each.notebook])
                number = each.notebook.partition("_")[0]
                again = "." if watch else f", and run: cnnlib check {number}\n{SAVED}"
                return f"Next: {verb} {result.title} in {path}, save it{again}"
    done = {each.notebook for each in grades}
    rest = [name for name in graded if name > max(done)]
    if rest:
        return f"All done here. Next: read notebooks/{rest[0]}.ipynb, then do its exercises."
    return "All done." if done < set(graded) else "All done: every exercise of the course."


def _run(
    chosen: Mapping[str, Path],
    paths: Mapping[str, Path],
    originals: Originals,
    judges: Judges,
    timeout: float,
    console: Console,
) -> list[Grade]:
    """Run the chosen notebooks, after those whose layers they import, and show how far each is."""
    board = _Board(chosen, originals)
    submissions, problems = _read(paths, originals)
    needed = needed_by(chosen, submissions, originals)
    right: set[tuple[str, str]] = set()
    live = Live(board, console=console) if console.is_terminal else nullcontext()
    with live:
        for name in originals.graded:
            if name in problems and name in chosen:
                out_of = points_of(originals.solved[name])
                board.finish(Grade("", name, out_of, notes=(problems[name],)))
            elif name in submissions and (name in chosen or name in needed):
                options = {"timeout": timeout, "right": right}
                found = grade("", name, submissions, originals, judges.ask, **options)
                right |= {(name, key) for key in found.right}
                board.finish(found)
            if name in chosen and not console.is_terminal:
                console.print(board.text(name), soft_wrap=True)
    return [board.grades[name] for name in chosen]


def needed_by(
    chosen: Iterable[str], submissions: Mapping[str, Submission], originals: Originals
) -> set[str]:
    """The notebooks from which the chosen ones import, by way of `cnnlib.mine`, and those from which they do."""
    homes, found, waiting = names_by_notebook(originals), set(), list(chosen)
    while waiting:
        mine = submissions.get(waiting.pop(), Submission({})).answers.values()
        for name in wanted_from_mine("\n".join(mine)):
            home = homes.get(name, (None, None))[0]
            if home is not None and home not in found:
                found.add(home)
                waiting.append(home)
    return found


class _Board:
    """What is shown while the notebooks run; rich draws it again and again."""

    def __init__(self, names: Iterable[str], originals: Originals):
        self.titles = {
            name: {e.name: title(e) for e in notebooks.exercises(originals.solved[name])}
            for name in names
        }
        self.results = {name: {} for name in names}
        self.grades = {}

    def finish(self, grade: Grade) -> None:
        if grade.notebook not in self.titles:
            return
        self.results[grade.notebook] = {r.exercise.name: r for r in grade.results}
        self.grades[grade.notebook] = grade

    def text(self, name: str) -> Text:
        return rows(name, self.titles[name], self.results[name], self.grades.get(name))

    def __rich__(self) -> Text:
        return Text("\n").join(map(self.text, self.titles))


def _read(
    paths: Mapping[str, Path], originals: Originals
) -> tuple[dict[str, Submission], dict[str, str]]:
    """The answers in each notebook, and why the others can't be read."""
    submissions, problems = {}, {}
    for name, path in paths.items():
        try:
            submissions[name] = extract(notebooks.read(path), originals.solved[name])
        except NotebookError as error:
            problems[name] = str(error)
    return submissions, problems


def _failed(result: Result) -> bool:
    return result.status not in (Status.DONE, Status.UNWRITTEN)


def _open(result: Result) -> bool:
    return result.status is Status.UNWRITTEN


def _first_failure(grades: list[Grade]) -> str | None:
    """The whole message of the first exercise that is neither done nor unwritten."""
    failed = (result.message for grade in grades for result in filter(_failed, grade.results))
    return next(failed, None)


def _from_here(path: Path) -> str:
    """A path as somebody would type it."""
    return min(str(path), os.path.relpath(path), key=len)
