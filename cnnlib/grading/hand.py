"""A learner's answers, at arm's length: what a check cell gets in place of a class is a handle to one.

For each check the learner's code runs anew, in a process of its own (`cnnlib.grading.box`): what the
answer needs, then the answer. Where an earlier answer that it needs isn't right, the course's own
stands in for it; where a layer comes from another exercise that isn't right, so does the course's.
"""

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cnnlib import check, notebooks
from cnnlib.check.engine import Comparison
from cnnlib.grading.assemble import Originals, statements
from cnnlib.grading.box import Box, Ended
from cnnlib.grading.plain import not_plain
from cnnlib.notebooks import Exercise
from cnnlib.scripts import Elsewhere, Frame, Outcome, outcome
from cnnlib.scripts.network import NotALength

SPACE = "exercise"
MINE = "cnnlib.mine"
TEXT = 2_000  # characters of an error's text


class LearnerEnded(BaseException):
    """The learner's process ended in the middle of a check. No check may take it for an error of theirs."""


class OutOfTime(LearnerEnded):
    """It took too long."""


class Died(LearnerEnded):
    """It is gone."""


@dataclass
class Work:
    """What a learner handed in, as far as one notebook is concerned.

    Attributes
    ----------
    answers : dict of str to dict
        The sources of the answers by their `grade_id`, by notebook.
    support : dict of str to list
        Statements of the learner's other cells, by notebook: imports, functions, classes, constants.
    right : set of (str, str)
        The notebook and `grade_id` of each answer that passed all of its checks.
    """

    answers: dict[str, dict[str, str]]
    support: dict[str, list[str]] = field(default_factory=dict)
    right: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Cell:
    """Something to run in the learner's process."""

    space: str
    file: str
    source: str
    names: tuple[str, ...] = ()


class Hand:
    """One learner's answers in one notebook, while it is judged.

    Parameters
    ----------
    box : Box
    originals : Originals
    name : str
        The notebook.
    work : Work
    seconds : float
        CPU time that a check may take.
    """

    def __init__(self, box: Box, originals: Originals, name: str, work: Work, seconds: float):
        self.box, self.originals, self.name, self.work = box, originals, name, work
        self.seconds = seconds
        self.pristine = notebooks.answers(originals.solved[name])
        self.own = work.answers.get(name, {})
        self.exercise: Exercise | None = None
        self.stand_ins = False
        self._end()

    # ------------------------------------------------------------------ what the judge does

    def begin(self, exercise: Exercise, stand_ins: bool = False) -> None:
        """A check comes: with the learner's own earlier answers, or with the course's for the wrong ones."""
        self.end()
        self.exercise, self.stand_ins = exercise, stand_ins

    @property
    def reaches_for(self) -> str:
        """Where the check counts the steps of the learner's code: a name with which it could stop the count."""
        if not counts_steps(self.exercise.name):
            return ""
        cells, _ = self._cells(set())
        return next((name for cell in cells if (name := not_plain(cell.source))), "")

    def end(self) -> None:
        """A check is over: so is the learner's process."""
        if self._conversation is not None:
            self._conversation.close()
        self._end()

    def _end(self):
        self._conversation = None
        self.kinds: dict[str, str] = {}
        self.shown: dict[str, str] = {}
        self.stopped: BaseException | None = None
        self.notes: list[str] = []
        self.borrowed: list[str] = []

    def bind(self, answer_id: str) -> dict[str, "Handle"]:
        """What an answer cell defines, as handles."""
        return {name: Handle(self, name) for name in notebooks.defined(self.pristine[answer_id])}

    @property
    def needs_wrong_ones(self) -> bool:
        """Whether the current answer needs one that was written and isn't right."""
        needed = self._needed(self.exercise.answer_id)
        return any(key in self.own and (self.name, key) not in self.work.right for key in needed)

    # ------------------------------------------------------------------ what handles do

    def kind(self, name: str) -> str:
        self._talk()
        if name in self.kinds:
            return self.kinds[name]
        return "class" if re.search(rf"^class {name}\b", self._all_pristine, re.M) else "function"

    def attempt(self, name: str, run, inputs: dict[str, np.ndarray], props: dict) -> Outcome:
        conversation = self._talk()
        if name not in self.kinds:
            missing = NameError(f"name '{name}' is not defined")
            return Outcome(error=self.stopped or missing)
        flat: list = []
        request = {
            "do": "script",
            "space": SPACE,
            "thing": name,
            "script": run.name,
            "settings": run.settings,
            "course": run.course,
            "inputs": inputs,
            "props": {key: _described(prop, flat) for key, prop in props.items()},
        }
        answer = self._ask(conversation, request, flat)
        try:
            after = answer["inputs"]
            came = {
                n: after[n] if isinstance(after.get(n), np.ndarray) else a
                for n, a in inputs.items()
            }
            return Outcome(
                answer["value"],
                error_of(answer["error"]),
                outcome.changed(inputs, came),
                str(answer["printed"])[:TEXT],
                tuple(str(w)[:TEXT] for w in answer["warned"])[:4],
            )
        except (LookupError, TypeError, AttributeError, ValueError):
            raise Died("what came back is no outcome") from None

    def _ask(self, conversation, request: dict, props: Iterable = ()) -> dict:
        try:
            return conversation.ask(request, list(props))
        except Ended as ended:
            raise (OutOfTime if ended.reason == "timeout" else Died)(ended.reason) from None

    # ------------------------------------------------------------------ what is sent over

    def _talk(self):
        """The conversation of the current check, with everything in place."""
        if self._conversation is None:
            self._conversation = self.box.talk(self.seconds)
            self._set_up(self._conversation)
        return self._conversation

    def _set_up(self, conversation) -> None:
        given = set(course_of(self.exercise.name))
        cells, lent = self._cells(given)
        sources = _modules(given | lent)
        self._ask(conversation, {"do": "modules", "sources": sources})
        for cell in cells:
            if not cell.file:  # names of another exercise, for `from cnnlib.mine import …`
                request = {"do": "bind", "space": cell.space, "into": MINE, "names": cell.names}
                self._ask(conversation, request)
                continue
            request = {"do": "cell", "space": cell.space, "file": cell.file, "source": cell.source}
            answer = self._ask(conversation, request | {"names": cell.names})
            if cell.space == SPACE and cell.names:
                self._learn(answer, cell)

    def _learn(self, answer: dict, cell: Cell) -> None:
        try:
            kinds = {n: str(answer["kinds"][n]) for n in cell.names if n in answer["kinds"]}
            self.kinds |= {n: k if k in ("class", "function") else "" for n, k in kinds.items()}
            self.shown |= {n: str(text)[:200] for n, text in answer["shown"].items()}
            self.stopped = self.stopped or error_of(answer["error"])
        except (LookupError, TypeError, AttributeError, ValueError):
            raise Died("what came back is no answer") from None

    def _cells(self, given: set[str]) -> tuple[list[Cell], set[str]]:
        """What to run before the check, and which modules of the course it needs for that."""
        answer_id = self.exercise.answer_id
        sources = {}
        for key in self._needed(answer_id):
            wrong = (self.name, key) not in self.work.right
            if key not in self.own or (wrong and self.stand_ins):
                sources[key] = _solution(self.pristine[key])
                names = " and ".join(notebooks.defined(self.pristine[key]))
                self.notes.append(f"judged with the course's own {names} in place of yours")
            else:
                sources[key] = self.own[key]
        sources[answer_id] = self.own.get(answer_id, notebooks.stub(self.pristine[answer_id]))
        before, after = self._support("\n".join(sources.values()))
        if before or after:
            self.notes.append(
                "something that this answer needs stands in a cell of its own; it came along"
            )
        used = "\n".join([*sources.values(), *before, *after])
        mine, lent = self._from_other_exercises(used)
        imports = "\n".join(_imports(self.originals.solved[self.name], used, given | lent))
        cells = [*mine, Cell(SPACE, "<imports>", imports)]
        cells += [Cell(SPACE, "<a cell of your own>", source) for source in before]
        names = {key: tuple(notebooks.defined(self.pristine[key])) for key in sources}
        cells += [
            Cell(
                SPACE,
                f"<{key}>",
                notebooks.plain_python(source),
                names[key] if key == answer_id else (),
            )
            for key, source in sources.items()
        ]
        cells += [Cell(SPACE, "<a cell of your own>", source) for source in after]
        return cells, lent

    def _needed(self, answer_id: str) -> list[str]:
        """The answers above that an answer mentions, or that those mention, in the notebook's order."""
        above = list(self.pristine)
        above = above[: above.index(answer_id)]
        found, waiting = set(), [answer_id]
        while waiting:
            key = waiting.pop()
            words = set(re.findall(r"\w+", self.own.get(key, "")))
            for other in above:
                if other not in found and words & set(notebooks.defined(self.pristine[other])):
                    found.add(other)
                    waiting.append(other)
        return [key for key in above if key in found]

    def _support(self, sources: str) -> tuple[list[str], list[str]]:
        """Statements of other cells that the answers need: those that come before, and behind."""
        statements = self.work.support.get(self.name, [])
        defined = set(notebooks.defined(sources))
        words = set(re.findall(r"\w+", sources))
        chosen: set[int] = set()
        grown = True
        while grown:
            grown = False
            for k, statement in enumerate(statements):
                binds, of = bound(statement)
                if k not in chosen and ((binds - defined) & words or of & defined):
                    chosen.add(k)
                    words |= set(re.findall(r"\w+", statement))
                    grown = True
        pairs = [(statements[k], bound(statements[k])[1] & defined) for k in sorted(chosen)]
        return [s for s, of in pairs if not of], [s for s, of in pairs if of]

    def _from_other_exercises(self, sources: str) -> tuple[list[Cell], set[str]]:
        """The learner's own layers for `from cnnlib.mine import …`, or the course's for those that aren't right."""
        cells, lent = [], set()
        homes = names_by_notebook(self.originals)
        asked = wanted_from_mine(self.pristine[self.exercise.answer_id])
        for name in wanted_from_mine(sources):
            if name not in homes or homes[name][0] == self.name:
                continue
            notebook, key = homes[name]
            space = f"exercise {notebook}"
            if (notebook, key) in self.work.right:
                hand = Hand(self.box, self.originals, notebook, self.work, self.seconds)
                hand.exercise = Exercise(key, 0, key)
                theirs, _ = hand._cells(set())
                cells += [Cell(space, cell.file, cell.source) for cell in theirs if cell.file]
                cells.append(Cell(space, "", "", (name,)))
            elif name in asked and (home := _reference(name)):
                cells.append(
                    Cell(f"course {home}", f"<{home}>", f"from cnnlib.{home} import {name}")
                )
                cells.append(Cell(f"course {home}", "", "", (name,)))
                lent.add(home)
                self.borrowed.append(name)
        if self.borrowed:
            names = ", ".join(self.borrowed)
            self.notes.append(f"judged with the course's own {names}, as yours is not right yet")
        return cells, lent

    @property
    def _all_pristine(self) -> str:
        return "\n".join(self.pristine.values())


class Handle(Elsewhere):
    """A name that a learner's answer defines, in the learner's process."""

    def __init__(self, hand: Hand, name: str):
        self._hand, self.__name__ = hand, name

    @property
    def kind(self) -> str:
        return self._hand.kind(self.__name__)

    @property
    def borrowed(self) -> list[str]:
        """The layers that are the course's, in place of the learner's own."""
        return self._hand.borrowed

    def attempt(self, run, inputs, props) -> Outcome:
        return self._hand.attempt(self.__name__, run, inputs, props)

    def __repr__(self):
        return self._hand.shown.get(self.__name__, self.__name__)


def error_of(described) -> BaseException | None:
    """An exception like the one that was described."""
    if described is None:
        return None
    text, name = str(described["text"])[:TEXT], str(described["name"])[:60]
    base = next((ERRORS[k] for k in described["kinds"] if k in ERRORS), Exception)
    argument = described["argument"]
    argument = argument[:TEXT] if isinstance(argument, str) else argument
    if base.__name__ != name and name.isidentifier():
        base = type(name, (base,), {"__str__": lambda self: text})
    elif not isinstance(argument, str | int | float):
        argument = text
    error = base(argument)
    for note in list(described["notes"])[:5]:
        error.add_note(str(note)[:TEXT])
    error.frame_elsewhere = _frame(described["frame"])
    return error


def _frame(frame) -> Frame | None:
    if frame is None:
        return None
    shapes = {
        str(name)[:40]: shape
        for name, shape in frame["shapes"].items()
        if isinstance(shape, tuple) and all(type(n) is int for n in shape)
    }
    number = frame["number"] if type(frame["number"]) is int else 0
    return Frame(str(frame["function"])[:60], number, str(frame["line"])[:300], shapes)


SAFE = (SyntaxError, UnicodeError, BaseExceptionGroup, KeyboardInterrupt, GeneratorExit)
ERRORS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception | SystemExit)
    if not issubclass(kind, SAFE) and kind.__name__ == name
} | {"AxisError": np.exceptions.AxisError, "NotALength": NotALength}


def _described(prop, flat: list):
    """What the learner's process is told of an object of the check's."""
    if isinstance(prop, list):
        return [_described(each, flat) for each in prop]
    flat.append(prop)
    plain = {k: v for k, v in vars(type(prop)).items() if type(v) in (int, float)}
    return {"number": len(flat) - 1, "shown": repr(prop), "attributes": plain}


# ---------------------------------------------------------------------- modules of the course


def course_of(check_name: str) -> tuple[str, ...]:
    """The modules of the course that an answer may import while it is judged by a check."""
    judge = getattr(check, check_name, None)
    found = set(getattr(judge, "course", ()))
    if isinstance(judge, Comparison):
        found |= {name for case in judge.cases() for name in case.run.course}
    return tuple(sorted(found))


@cache
def counts_steps(check_name: str) -> bool:
    """Whether a check goes by the steps that the learner's code takes, which its own process counts."""
    judge = getattr(check, check_name, None)
    cases = judge.cases() if isinstance(judge, Comparison) else []
    return any(case.run.name.startswith("loops.") for case in cases)


def _modules(names: set[str]) -> dict[str, str]:
    """The sources of these modules, and of those that they import."""
    sources, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        if f"cnnlib.{name}" in sources:
            continue
        sources[f"cnnlib.{name}"] = Path(find_spec(f"cnnlib.{name}").origin).read_text("utf-8")
        waiting += re.findall(r"^from cnnlib\.(\w+) import", sources[f"cnnlib.{name}"], re.M)
    return sources


def names_by_notebook(originals: Originals) -> dict[str, tuple[str, str]]:
    """Where each name is asked for: the notebook and the answer's `grade_id`."""
    homes: dict[str, tuple[str, str]] = {}
    for notebook, solved in originals.solved.items():
        for key, source in notebooks.answers(solved).items():
            for name in notebooks.defined(source):
                homes.setdefault(name, (notebook, key))
    return homes


def _reference(name: str) -> str | None:
    """The module of the course that has its own `name`."""
    from cnnlib.mine import _reference

    module = _reference(name)
    return module and module.removeprefix("cnnlib.")


def wanted_from_mine(source: str) -> list[str]:
    """The names that a source imports from `cnnlib.mine`."""
    return list(
        dict.fromkeys(
            name.split(" as ")[0].strip(" ()\n")
            for names in re.findall(r"from cnnlib\.mine import ([^\n(]+|\([^)]*\))", source)
            for name in names.strip("()").split(",")
            if name.strip(" ()\n")
        )
    )


# ---------------------------------------------------------------------- sources


def _solution(source: str) -> str:
    markers = (notebooks.BEGIN, notebooks.END)
    return "\n".join(line for line in source.split("\n") if line.strip() not in markers)


def _imports(pristine, used: str, given: set[str]) -> list[str]:
    """The import statements of the course's own cells that bind a name which is used, and can be had."""
    words, found = set(re.findall(r"\w+", used)), []
    for cell in pristine.cells:
        if cell.cell_type != "code" or notebooks.grade_id(cell):
            continue
        for node in statements(cell.source):
            for statement in _single_imports(node):
                names, _ = bound(statement)
                module = re.match(r"(?:from|import) (\S+)", statement)[1]
                course = module.startswith("cnnlib")
                if names & words and (not course or module.removeprefix("cnnlib.") in given):
                    found.append(statement)
    return [
        s for s in found if re.match(r"(from|import) (numpy|cnnlib|math|itertools|functools)", s)
    ]


def _single_imports(node: ast.stmt) -> list[str]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    parts = []
    for alias in node.names:
        part = ast.Import([alias])
        if isinstance(node, ast.ImportFrom):
            part = ast.ImportFrom(node.module, [alias], node.level)
        parts.append(ast.unparse(part))
    return parts


def bound(statement: str) -> tuple[set[str], set[str]]:
    """The names that a statement binds, and those of which it sets an attribute.

    Examples
    --------
    >>> bound("Flatten.backward = backward")
    (set(), {'Flatten'})
    """
    names, of = set(), set()
    for node in statements(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for part in (part for target in targets for part in ast.walk(target)):
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                    of.add(part.value.id)
                elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    names.add(part.id)
    return names, of
