"""Grade everybody: each notebook of each learner on its own, several at a time.

Where no grade could be given, a note says why. The same submission gives the same grade.
"""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from threading import Event

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading.assemble import Originals, Submission
from cnnlib.grading.collect import Handed, Learner
from cnnlib.grading.run import Stopped, run
from cnnlib.grading.verdict import Result, RunError, Status
from cnnlib.notebooks import NotebookError


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
    extra: float = 0.0
    comments: tuple[str, ...] = ()

    @property
    def points(self) -> float | None:
        """The points earned or given, or None where no grade could be given."""
        if not self.results and not self.extra:
            return None
        return sum(result.points for result in self.results) + self.extra


def points_of(pristine: NotebookNode) -> float:
    """The points that a notebook's exercises give together."""
    return sum(exercise.points for exercise in notebooks.exercises(pristine))


def grade(
    learner: str,
    name: str,
    submissions: Mapping[str, Submission],
    originals: Originals,
    *,
    timeout: float,
    stop: Event,
    show: Callable[[Result], None] = lambda result: None,
) -> Grade:
    """Grade one notebook of one learner.

    Parameters
    ----------
    learner, name : str
    submissions : mapping of str to Submission
        What the learner wrote in this notebook and in others, by the notebook's name.
    originals : Originals
    timeout : float
        Seconds that each cell may take.
    stop : Event
        Set it to end the run; the grade then says so.
    show : callable
        Gets each result as it comes in. A later one for the same exercise replaces it.

    Returns
    -------
    Grade
    """
    out_of = points_of(originals.solved[name])
    answers = {other: submission.answers for other, submission in submissions.items()}
    try:
        results = run(name, originals, answers, timeout=timeout, stop=stop, show=show)
    except Stopped:
        return Grade(learner, name, out_of, notes=("not graded: the run was interrupted",))
    except RunError as error:
        return Grade(learner, name, out_of, notes=(str(error),))
    except Exception as error:  # whatever it is, the others get their grades
        text = f"the grader itself failed with {type(error).__name__}: {error}"
        return Grade(learner, name, out_of, notes=(text,))
    mine = submissions[name]
    results = tuple(_with_hint(result, mine.elsewhere) for result in results)
    return Grade(learner, name, out_of, results, mine.notes)


def grade_all(
    handed: Handed,
    originals: Originals,
    *,
    timeout: float,
    jobs: int,
    stop: Event,
    done: Callable[[Grade], None] = lambda grade: None,
) -> list[Grade]:
    """Grade every notebook of every learner. Ctrl-C ends it; what is graded by then is kept.

    Parameters
    ----------
    handed : Handed
    originals : Originals
    timeout : float
        Seconds that each cell may take.
    jobs : int
        How many notebooks run at a time.
    stop : Event
        Is set when the run was interrupted.
    done : callable
        Gets each grade as soon as it is there, in any order.

    Returns
    -------
    list of Grade
        By learner, then by notebook.

    Raises
    ------
    NotebookError
        A solution doesn't pass its own checks, so no grade would mean anything.
    """

    def one(learner: Learner, name: str) -> Grade:
        if name in learner.problems:
            out_of = points_of(originals.solved[name])
            return Grade(learner.name, name, out_of, notes=(learner.problems[name],))
        options = {"timeout": timeout, "stop": stop}
        return grade(learner.name, name, learner.submissions, originals, **options)

    solved = {n: Submission(notebooks.answers(nb)) for n, nb in originals.solved.items()}
    teacher = Learner("", solved, {})
    tasks = [
        (learner, name) for learner in (teacher, *handed.learners) for name in handed.notebooks
    ]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, *task) for task in tasks]
        try:
            for future in as_completed(futures):
                if future.result().learner == teacher.name:
                    _prove(future.result(), stop)
                else:
                    done(future.result())
        except BaseException as error:
            stop.set()
            if not isinstance(error, KeyboardInterrupt):
                raise
    return [future.result() for future in futures[len(handed.notebooks) :]]


def _prove(solution: Grade, stop: Event) -> None:
    """Make sure that a solution has all points."""
    if solution.points != solution.out_of and not stop.is_set():
        failed = [r.message for r in solution.results if r.status is not Status.DONE]
        raise NotebookError(
            f"solutions/{solution.notebook}.ipynb does not pass its own checks here, so nobody was "
            "graded:\n" + "\n".join([*solution.notes, *failed])
        )


def _with_hint(result: Result, elsewhere: frozenset[str]) -> Result:
    """Say where a missing name is, where the learner defined it outside the answers."""
    missing = re.search(r"name '(\w+)' is not defined", result.message)
    if missing is None or missing[1] not in elsewhere:
        return result
    hint = (
        f"`{missing[1]}` is defined in a cell of its own. Only the answer cells are graded: "
        "move it into the answer cell."
    )
    return replace(result, message=f"{result.message}\n\n{hint}")
