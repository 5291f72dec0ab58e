"""An exception in the learner's own code: find their line, and say what the usual reason is."""

import re

import numpy as np

from cnnlib.check.diagnosis import Finding
from cnnlib.scripts import Frame, own_frame
from cnnlib.scripts.words import without_addresses


def explain(error: BaseException, reference) -> Finding:
    """What to tell the learner whose code raised `error`."""
    text = without_addresses(f"{type(error).__name__}: {error}".rstrip(": "))
    stop = own_frame(error)
    if stop is None:
        return _never_started(error, text, reference)
    facts = {
        "error": text,
        "in": f"{stop.function}, line {stop.number} of {stop.file or 'the cell'}",
    }
    if stop.line:
        facts["line"] = stop.line
    there = [f"{name} {shape}" for name, shape in stop.shapes.items()][:6]
    there += [f"{name} = {value}" for name, value in stop.values.items()][:6]
    if there:
        facts["there"] = ", ".join(there)
    if notes := getattr(error, "__notes__", None):
        facts["note"] = "\n".join(notes)
    hint = _usual_reason(error, stop, isinstance(reference, type))
    return Finding(f"Your code stopped with {type(error).__name__}.", hint, facts)


def _never_started(error, text: str, reference) -> Finding:
    """The call itself failed, before any line of the learner's."""
    name = reference.__name__
    missing = re.search(r"has no attribute '(\w+)'", str(error))
    if isinstance(error, AttributeError) and missing:
        spelt = "Is the name spelt as the exercise asks, and "
        if hasattr(reference, missing[1]):
            spelt += "is the method indented so that it belongs to the class?"
        else:
            spelt += f"has a line with self.{missing[1]} = … been run?"
        return Finding(f"Your {name} has no {missing[1]}.", spelt, {"error": text})
    if isinstance(error, TypeError):
        hint = "Compare your parameters with the exercise's, one by one."
        if isinstance(reference, type):
            hint += " The first one of each method is self."
            called = re.match(r"(?:\w+\.)?(\w+)\(\)", str(error))
            name = f"{name}.{called[1]}" if called and hasattr(reference, called[1]) else name
        return Finding(f"{name} can't be called as the exercise asks.", hint, {"error": text})
    return Finding(
        f"Your {name} gave something that can't be worked with.",
        "Does each function return what the exercise asks for?",
        {"error": text},
    )


# What a word of PyTorch's is about, for those who look for NumPy's.
PYTORCH = {
    "view": "gives an array another shape",
    "permute": "puts the axes in another order",
    "unsqueeze": "adds an axis of length 1",
    "squeeze_": "removes an axis of length 1",
    "size": "tells the length of an axis",
    "dim": "tells the number of axes",
    "numel": "tells the number of entries",
    "t": "swaps the axes of a matrix",
    "clone": "makes a copy",
    "cat": "joins arrays",
    "expand": "repeats along an axis without copying",
    "type": "changes the dtype",
    "float": "changes the dtype",
    "long": "changes the dtype",
    "mm": "multiplies matrices",
    "bmm": "multiplies matrices",
    "clamp": "keeps numbers between bounds",
    "scatter_": "writes to places given by indices",
    "gather": "reads from places given by indices",
}


def _emptied(stop: Frame) -> str:
    """The first attribute in the line that holds None."""
    return next((n for n, v in stop.values.items() if v == "None" and n.startswith("self.")), "")


def _from_pytorch(text: str, line: str) -> str:
    """The hint for a habit that comes from PyTorch, or an empty text."""
    missing = re.search(r"no attribute '(\w+)'", text)
    word = missing[1] if missing and re.search("module 'numpy'|'numpy.ndarray'", text) else ""
    if word in ("float", "long", "type") and "numpy.ndarray" not in text:
        word = ""
    if ".view(" in line and re.search(r"data type|sub-type|view\(\) takes|Tuple must have", text):
        word = "view"
    if re.search(r"\.size\(", line) and "not callable" in text:
        word = "size"
    if re.search(r"unexpected keyword argument '(dim|keepdim)'", text):
        return "PyTorch says dim and keepdim. What are these two called in NumPy?"
    if re.search(
        r"name '(torch|nn|F)' is not defined|No module named 'torch'|must be Tensor", text
    ):
        return "Here everything is NumPy: PyTorch would do the work that this exercise is about. What does that line do, number by number?"
    if missing and missing[1] in ("zero_grad", "grad", "requires_grad", "detach"):
        return "PyTorch keeps gradients there and adds each one to the last. Here backward sets self.dW and self.db itself, anew each time, so nothing has to be cleared or detached."
    if word in PYTORCH:
        also = " NumPy's own view is about the dtype." if word == "view" else ""
        also = " Here, size is a number." if word == "size" else also
        return f"In PyTorch, {word} {PYTORCH[word]}.{also} What is it called in NumPy?"
    return ""


def speaks_of_nothing(error: BaseException) -> bool:
    """Whether shapes don't fit because one of them has a length of 0."""
    return "broadcast" in str(error) and bool(re.search(r"[(,]0[,)]", str(error)))


def _usual_reason(error: BaseException, stop: Frame, in_class: bool) -> str:
    text = str(error)
    if habit := _from_pytorch(text, stop.line):
        return habit
    if isinstance(error, RecursionError):
        return "A function calls itself without end. Which call was meant for another function?"
    if isinstance(error, np.exceptions.AxisError):
        return "Axes are counted from 0, and each mean or sum over one leaves one fewer. Which axes are there at this point?"
    if "axes don't match array" in text:
        return "transpose wants each axis once. How many has this array?"
    if "object cannot be interpreted as an integer" in text and re.search(
        r"\brange\(\w+(\.\w+)*\)", stop.line
    ):
        return "range counts up to a whole number. What is in its brackets, and what did you want to count?"
    if "object is not callable" in text:
        return (
            "What stands before the brackets is not a function. Which of its methods did you mean?"
        )
    if (
        "'list' object cannot be interpreted as an integer" in text
        or "as a data type" in text
        or "given by name ('dtype') and position" in text
        or re.search(r"^(zeros|ones|empty|full)\(\) takes", text)
    ):
        return "Several axes, or lengths, go into a tuple: round brackets."
    if "cannot reshape" in text:
        return "A reshape keeps the number of elements. Multiply out both shapes: which factor differs, and where does it come from?"
    if "mismatch in its core dimension" in text or "not aligned" in text:
        return "A matrix product (n, k)·(k, m) gives (n, m): the inner lengths must agree, and go away. Which letter should go away here?"
    if "arrays used as indices must be" in text:
        return "An array of indices holds whole numbers. Which one here holds something else, and since when?"
    if "can't contain negative values" in text:
        return "A padding below 0 would have to cut something off, and np.pad can't. For which kernels and paddings does this number fall below 0, and what has to happen then?"
    if "boolean index did not match" in text:
        return "The mask belongs to another array than this one, with another shape. When was it made, and from what? Is it this layer's own?"
    if "pop from empty" in text:
        return "pop takes things away, and here nothing is left. How many times may this line run after one forward?"
    if "remapped shapes" in text:
        return "In einsum, axes of one letter have one length. Write each array's shape below its word."
    if speaks_of_nothing(error):
        return "One of these shapes has a length of 0: a slice that selects nothing. Which numbers stand before and after its colon?"
    if "could not be broadcast" in text or "operands could not" in text:
        return "NumPy lines shapes up from the right. Write the two shapes below each other."
    missing = re.search(r"'(\w+)' object has no attribute '(\w+)'", text)
    if missing and f"self.{missing[2]}" in stop.line:
        return "Nothing has set this on self yet. Which method should, and under which name?"
    if "can't multiply sequence" in text:
        return "`*` makes a list or a string longer; it doesn't reach the numbers inside. Which name in this line stands for one of them, and what did you take it for?"
    if "bitwise_xor" in text or "operand type(s) for ^" in text:
        return "`^` is not a power in Python. Which operator is?"
    if "can be converted to Python scalars" in text:
        return "This function takes a single number. What is the one for whole arrays called, and where does it come from?"
    if isinstance(error, AttributeError) and "'function' object" in text:
        return "This name stands for a function, not an array. Compare the order of your parameters with the exercise's."
    if isinstance(error, AttributeError) and re.search("module 'numpy'|'numpy.ndarray'", text):
        return "NumPy has nothing of this name. Is it spelt right, or does it come from another library? np. and Tab show what there is."
    if missing and missing[1] not in ("NoneType", "list", "tuple"):
        return f"What this line asks has nothing called {missing[2]}. What does it have, and how is that spelt?"
    if isinstance(error, TypeError) and "positional argument" in text:
        return "Count what this call hands over, and what it asks for. (Python counts self, too.)"
    if "object is not reversible" in text:
        return "Only a list can be walked from its end. What stands here, and where is the list?"
    if "tuple.index(x): x not in tuple" in text:
        return "tuple.index looks for a value, and says where it stands. Did you want the entry at a place?"
    if missing and missing[1] == "tuple":
        return "This name stands for a tuple, several things in one. What does your loop hand out in each iteration?"
    if "object is not iterable" in text and re.search("'(int|float)'", text):
        return "A single number is nothing to loop over. What counts up to it?"
    if isinstance(error, NameError):
        hint = "Is the name spelt the same way where you set it? Helpers and imports belong in the answer cell."
        return (
            hint
            + " What one method keeps for another goes on self, as in self.name = …." * in_class
        )
    if isinstance(error, TypeError) and "unpack" in text and "arg" in stop.line:
        return "argmax counts through all that it is given, and returns a single number. How does a row and a column follow from that?"
    if "einstein sum" in text:
        return "einsum wants a word for each array, and in it a letter for each axis. How many axes has each array here, and what is each of them?"
    if isinstance(error, TypeError) and "unpack" in text and "NoneType" not in text:
        return "There is a single number here, not several. Compare the order of your parameters with the exercise's."
    if isinstance(error, TypeError) and "unpack" in text:
        return "Something is None here. Which function lacks its return, or what was not set yet?"
    if isinstance(error, ValueError) and "unpack" in text:
        return "How many things stand on the right, and how many names on the left? (An array gives its pictures there, not its lengths.)"
    if "only integer scalar arrays can be converted" in text:
        return "An array stands where one whole number is asked for, such as an axis. What does each argument of that function mean?"
    if "truth value of an array" in text:
        return "`if`, `and` and `max(0, x)` decide once, yes or no. Here there are many entries, and each needs an answer of its own; a function of NumPy's gives them."
    if "inhomogeneous" in text:
        return "You ask for one array made of things whose shapes don't fit together. Which ones are they, and were they meant to become one array?"
    if "array element with a sequence" in text:
        return "On the left there is room for one number. How many are there on the right?"
    if "object cannot be interpreted as an integer" in text or re.search(
        r"\d\.\d+, but must be a whole number", text
    ):
        return "A length or an index must be whole. `/` always gives a float; `//` stays whole."
    if isinstance(error, TypeError) and "NoneType" in text and ".reverse()" in stop.line:
        return "`reverse()` reverses the list itself, and returns None. What walks backwards and leaves the list alone?"
    if isinstance(error, TypeError) and "NoneType" in text and _emptied(stop):
        return f"{_emptied(stop)} is None by now. Who set it to None, and may backward be called twice?"
    if isinstance(error, TypeError) and "NoneType" in text:
        return "Something is None here. What was not set yet, or has None as its default, or was made by a method that changes its object and returns nothing, as shuffle, sort, reverse and append do?"
    if "invalid index to scalar" in text or re.search(
        r"'(int|float)' object is not subscriptable", text
    ):
        return "A single number has no index. Which name in this line stands for one?"
    if isinstance(error, IndexError) and "valid indices" in text:
        return "An index is a whole number. Does your loop run over indices, or over the values themselves?"
    if "list index out of range" in text:
        return "A list of three things has the places 0, 1 and 2. Which place does this line ask for, and how long is the list?"
    if isinstance(error, KeyError):
        return "A dict holds only what was put in. Which line puts this key in, and did it run for this batch?"
    if isinstance(error, IndexError):
        return "An index runs past the end. Count the axes, and the entries along each."
    if isinstance(error, SystemExit):
        return "A layer never ends the program: raise an error, or return."
    return ""
