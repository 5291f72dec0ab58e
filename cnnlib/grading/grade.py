"""Grade everybody: learner by learner, several at a time, each notebook on its own.

Where no grade could be given, a note says why. The same submission gives the same grade, alone and in
the crowd.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading.assemble import Originals, Submission
from cnnlib.grading.collect import Handed, Learner
from cnnlib.grading.judges import Stopped
from cnnlib.grading.verdict import Result, Status, result, unwritten
from cnnlib.notebooks import Course, Exercise, NotebookError


@dataclass(frozen=True)
class Grade:
    """What a learner has for a notebook.

    Attributes
    ----------
    learner, notebook : str
    out_of : float
        The points of the notebook's exercises.
    results : tuple of Result
        One for each exercise; empty where no grade could be given.
    notes : tuple of str
        Why no grade could be given, or what was not as it was handed out.
    right : tuple of str
        The `grade_id` of each answer that passed all of its checks.
    submission : str
        A hash of what was graded, and of the course that it was graded with.
    extra : float
        Points that the teacher added to the notebook, or took off.
    comments : tuple of str
        What the teacher says of the notebook.
    """

    learner: str
    notebook: str
    out_of: float
    results: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    submission: str = ""
    extra: float = 0.0
    comments: tuple[str, ...] = ()

    @property
    def points(self) -> float | None:
        """The points earned or given, or None where no grade could be given."""
        if not self.results and not self.extra:
            return None
        return sum(result.points for result in self.results) + self.extra

    def to_json(self) -> str:
        """The grade in one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> "Grade":
        """The grade that a line holds."""
        content = json.loads(line)
        results = [
            Result(
                Exercise(**r.pop("exercise")),
                Status(r.pop("status")),
                **{key: tuple(v) if isinstance(v, list) else v for key, v in r.items()},
            )
            for r in content.pop("results")
        ]
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        return cls(**plain, results=tuple(results))


def points_of(pristine: NotebookNode) -> float:
    """The points that a notebook's exercises give together."""
    return sum(exercise.points for exercise in notebooks.exercises(pristine))


# ---------------------------------------------------------------------- one notebook


def job(
    name: str,
    submissions: Mapping[str, Submission],
    right: Iterable[tuple[str, str]],
    seconds: float,
) -> dict:
    """What a judge is told of a learner's notebook: plain data."""
    return {
        "notebook": name,
        "answers": {other: submission.answers for other, submission in submissions.items()},
        "support": {name: list(submissions[name].support)},
        "right": sorted(right),
        "timeout": seconds,
    }


def grade(
    learner: str,
    name: str,
    submissions: Mapping[str, Submission],
    originals: Originals,
    ask: Callable[[dict], dict],
    *,
    timeout: float,
    right: Iterable[tuple[str, str]] = (),
    course: str = "",
) -> Grade:
    """Grade one notebook of one learner.

    Parameters
    ----------
    learner, name : str
    submissions : mapping of str to Submission
        What the learner wrote in this notebook and in others, by the notebook's name.
    originals : Originals
    ask : callable
        Takes a `job` and returns what a judge says of it.
    timeout : float
        Seconds of CPU time that each check may take.
    right : iterable of (str, str)
        Answers of other notebooks that are right, for those that import from `cnnlib.mine`.
    course : str
        What stands for the course and the way of grading in the hash.

    Returns
    -------
    Grade
    """
    pristine, mine = originals.solved[name], submissions[name]
    out_of, exercises = points_of(pristine), notebooks.exercises(pristine)
    request = job(name, submissions, right, timeout)
    known = {"submission": digest(request, course)}
    if not mine.answers:
        results = tuple(map(unwritten, exercises))
        return Grade(learner, name, out_of, results, mine.notes, **known)
    try:
        answer = ask(request)
        rows = {row["name"]: row for row in answer["rows"]}
        results = tuple(result(e, rows[e.name], timeout) for e in exercises)
    except Stopped:
        return Grade(learner, name, out_of, notes=("not graded: the run was interrupted",))
    except Exception as error:  # whatever it is, the others get their grades
        text = f"the grader itself failed with {type(error).__name__}: {error}"
        return Grade(learner, name, out_of, notes=(text,))
    return Grade(learner, name, out_of, results, mine.notes, tuple(answer["right"]), **known)


def digest(request: dict, course: str) -> str:
    """A hash of what is graded and of the course that it is graded with."""
    text = json.dumps([request, course], sort_keys=True)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]


def fingerprint_of(course: Course, how: str) -> str:
    """A hash of everything of the course that a grade depends on, and how learners' code is run."""
    package = Path(notebooks.__file__).parent
    files = [*package.rglob("*.py"), *notebooks.files(course.solutions)]
    whole = hashlib.sha256(how.encode())
    for path in sorted(files):
        whole.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


# ---------------------------------------------------------------------- everybody


def grade_all(
    handed: Handed,
    originals: Originals,
    ask: Callable[[dict], dict],
    *,
    timeout: float,
    jobs: int,
    stop: Event,
    course: str = "",
    known: Mapping[tuple[str, str], Grade] = {},
    interrupt: Callable[[], None] = lambda: None,
    done: Callable[[Grade], None] = lambda grade: None,
) -> list[Grade]:
    """Grade every notebook of every learner. Ctrl-C ends it; what is graded by then is kept.

    Parameters
    ----------
    handed : Handed
    originals : Originals
    ask : callable
        Takes a `job` and returns what a judge says of it; is called from several threads.
    timeout : float
        Seconds of CPU time that each check may take.
    jobs : int
        How many learners are graded at a time.
    stop : Event
        Is set when the run was interrupted.
    course : str
        What stands for the course and the way of grading in a submission's hash.
    known : mapping of (str, str) to Grade
        Grades of an earlier run, by learner and notebook: taken where the hash is the same.
    interrupt : callable
        Ends what `ask` waits for, when the run is interrupted.
    done : callable
        Gets each new grade as soon as it is there, one at a time, in any order.

    Returns
    -------
    list of Grade
        By learner, then by notebook.

    Raises
    ------
    NotebookError
        A solution doesn't pass its own checks, so no grade would mean anything.
    """
    lock = threading.Lock()

    def ask_unless_stopped(request: dict) -> dict:
        if stop.is_set():
            raise Stopped
        return ask(request)

    def one(learner: Learner) -> list[Grade]:
        grades, right = [], set()
        for name in handed.notebooks:
            if name in learner.problems:
                out_of = points_of(originals.solved[name])
                grade_ = Grade(learner.name, name, out_of, notes=(learner.problems[name],))
                with lock:
                    done(grade_)
            elif name not in learner.submissions:
                continue
            else:
                grade_ = _one(learner, name, right)
            right |= {(name, key) for key in grade_.right}
            grades.append(grade_)
        return grades

    def _one(learner: Learner, name: str, right: set) -> Grade:
        before = known.get((learner.name, name))
        request = job(name, learner.submissions, right, timeout)
        if before and before.results and before.submission == digest(request, course):
            return before
        options = {"timeout": timeout, "right": right, "course": course}
        made = grade(
            learner.name, name, learner.submissions, originals, ask_unless_stopped, **options
        )
        with lock:
            if not stop.is_set() or made.results:
                done(made)
        return made

    def prove(name: str) -> None:
        solved = {n: Submission(notebooks.answers(nb)) for n, nb in originals.solved.items()}
        right = {(n, key) for n, each in solved.items() for key in each.answers}
        options = {"timeout": timeout, "right": right}
        _prove(grade("", name, solved, originals, ask_unless_stopped, **options), stop)

    with ThreadPoolExecutor(jobs) as pool:
        proofs = [pool.submit(prove, name) for name in handed.notebooks]
        futures = [pool.submit(one, learner) for learner in handed.learners]
        try:
            for future in as_completed([*proofs, *futures]):
                future.result()
        except BaseException as error:
            stop.set()
            interrupt()
            if not isinstance(error, KeyboardInterrupt):
                raise
    return [grade for future in futures for grade in future.result()]


def _prove(solution: Grade, stop: Event) -> None:
    """Make sure that a solution has all points."""
    if solution.points != solution.out_of and not stop.is_set():
        failed = [r.message for r in solution.results if r.status is not Status.DONE]
        raise NotebookError(
            f"solutions/{solution.notebook}.ipynb does not pass its own checks here, so nobody was "
            "graded:\n" + "\n".join([*solution.notes, *failed])
        )
