"""The command line: `cnnlib check | release | grade | data`. Each command says in a line what it does.

Everything heavy is imported by the command that needs it, so `cnnlib --help` is there at once.
"""

import argparse
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from cnnlib import __version__, errors

INTERRUPTED = 130  # as a shell reports Ctrl-C


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; by default those that the program was started with.

    Returns
    -------
    int
        The exit code, as `cnnlib COMMAND --help` documents it.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without ✓ gets a ? in its place
    options = _parser().parse_args(arguments)
    if options.course:
        os.environ["CNNLIB_COURSE"] = options.course  # what find_course and the notebooks go by
    try:
        return options.command(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except errors.CourseError as error:
        print(f"cnnlib: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        extra = getattr(options, "extra", None)
        if extra is None or (error.name or "cnnlib").startswith("cnnlib"):
            raise
        print(f"cnnlib: {errors.lacking(error.name, extra)}", file=sys.stderr)
        return 2


def _check(options: argparse.Namespace) -> int:
    errors.refuse_in_browser(
        "cnnlib check runs each notebook in a process of its own",
        "Run the check cells of the notebook instead: they say the same.",
    )
    from cnnlib.grading.judges import launched

    with launched(1) as processes:  # it imports while this process does
        from cnnlib.grading import learner

        how = {"timeout": options.timeout, "watch": options.watch, "processes": processes}
        return learner.check(options.names, **how)


def _release(options: argparse.Namespace) -> int:
    from cnnlib import grading, notebooks  # noqa: F401 - grading makes notebooks quick to import

    course = notebooks.find_course()
    if options.check:
        paths = notebooks.outdated(course)
        verdict = "differ from their solutions; run: cnnlib release"
    else:
        paths = notebooks.release_course(course, force=options.force)
        verdict = "written"
    names = ", ".join(path.name for path in paths)
    print(f"{names}: {verdict}" if paths else "exercises/ is what solutions/ asks for.")
    return int(options.check and bool(paths))


def _grade(options: argparse.Namespace) -> int:
    errors.refuse_in_browser(
        "cnnlib grade runs learners' code in processes of their own",
        "Install the course on a computer, and grade there.",
    )
    from cnnlib.grading.judges import launched

    # They import while this process does.
    with nullcontext() if options.scheduler else launched(options.jobs) as processes:
        from cnnlib.grading import instructor

        interrupted = instructor.grade(
            options.folder,
            options.out,
            timeout=options.timeout,
            jobs=options.jobs,
            sheet=options.worksheet,
            own=options.overrides,
            formats=options.format,
            force=options.force,
            unconfined=options.unconfined,
            scheduler=options.scheduler,
            processes=processes,
        )
    return INTERRUPTED if interrupted else 0


def _fetch(options: argparse.Namespace) -> int:
    from cnnlib import datasets

    print(f"The full Fashion-MNIST is in {datasets.fetch(source=options.source)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cnnlib", description="Check, release and grade the course's exercises."
    )
    parser.add_argument("--version", action="version", version=f"cnnlib {__version__}")
    parser.set_defaults(course=None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command, says: str, codes: str, to=commands) -> argparse.ArgumentParser:
        new = to.add_parser(name, help=says, description=says, epilog=f"Exit code: {codes}.")
        new.set_defaults(command=command)
        return new

    def add_course(new: argparse.ArgumentParser) -> None:
        new.add_argument("--course", metavar="DIR", help="the course's folder, if not this one")

    def add_runs(new: argparse.ArgumentParser) -> None:
        new.add_argument(
            "--timeout",
            type=_positive(float),
            default=20,
            metavar="SECONDS",
            help="how much work, in seconds of CPU time, a check may be (%(default)s)",
        )

    def add_jobs(new: argparse.ArgumentParser) -> None:
        new.add_argument(
            "--jobs",
            type=_positive(int),
            default=os.cpu_count() or 1,
            metavar="N",
            help="how many learners are graded at a time (%(default)s)",
        )

    check = add(
        "check",
        _check,
        "Run your exercises, as you last saved them, and say what to do next.",
        "0 when all that was run is done, 1 when not, 2 when it could not be run",
    )
    check.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="which notebooks: 04, flatten, 04_flatten or a path; without one, all",
    )
    check.add_argument(
        "--watch", action="store_true", help="go on: run a notebook again when you save it"
    )
    check.set_defaults(extra="grading")
    add_runs(check)
    add_course(check)

    release = add(
        "release",
        _release,
        "Make exercises/ from solutions/.",
        "0 when done, 1 when --check finds a difference, 2 when it can't be done",
    )
    either = release.add_mutually_exclusive_group()
    either.add_argument("--check", action="store_true", help="write nothing, only compare")
    either.add_argument("--force", action="store_true", help="overwrite answers in exercises/")
    add_course(release)

    grade = add(
        "grade",
        _grade,
        "Grade FOLDER/<learner>/<notebook>.ipynb; write CSV, JSON and a page for each learner.",
        "0 when every submission has a grade or the reason why not, 2 when nothing could be graded, "
        "130 when it was interrupted (what was graded by then is written)",
    )
    grade.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="a folder for each learner, or what Moodle, Canvas or nbgrader give out, zip files too",
    )
    grade.add_argument("--out", type=Path, required=True, metavar="REPORT", help="where to write")
    grade.add_argument(
        "--worksheet",
        type=Path,
        metavar="FILE",
        help="the worksheet from Moodle or gradebook from Canvas; a filled copy goes into REPORT",
    )
    grade.add_argument(
        "--overrides",
        type=Path,
        metavar="FILE",
        help="your own points and comments (REPORT/overrides.csv, where it is there)",
    )
    grade.add_argument(
        "--format",
        action="append",
        default=[],
        choices=("nbgrader", "gradescope", "moodle"),
        help="write nbgrader's columns, Gradescope's results.json, Moodle's feedback.zip too",
    )
    grade.add_argument("--force", action="store_true", help="grade anew what is graded already")
    grade.add_argument(
        "--unconfined",
        action="store_true",
        help="run the learners' code with your own rights, where nothing can confine it",
    )
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="let the workers of a Dask cluster grade"
    )
    grade.set_defaults(extra="grading")
    add_runs(grade)
    add_jobs(grade)
    add_course(grade)

    data = commands.add_parser("data", help="Bring larger data sets.")
    parts = data.add_subparsers(required=True, metavar="COMMAND")
    fetch = add(
        "fetch",
        _fetch,
        "Bring the full Fashion-MNIST, all 70,000 pictures.",
        "0 when it is there, 2 when it could not be brought",
        to=parts,
    )
    fetch.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="a folder with the original files"
    )
    return parser


def _positive(kind):
    def read(text: str):
        number = kind(text)
        if number <= 0:
            raise argparse.ArgumentTypeError(f"{text} is not more than 0")
        return number

    read.__name__ = kind.__name__  # argparse names it: invalid float value
    return read
