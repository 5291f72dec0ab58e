"""A script by its name, with the settings that it runs with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from inspect import signature

PACKAGE = "cnnlib.scripts."


@dataclass(frozen=True)
class Script:
    """What a case does with somebody's class or function.

    Parameters
    ----------
    name
        The function's module in `cnnlib.scripts` and its name there: ``"conv.backward"``.
    settings
        Plain data that the function gets by name, such as ``{"stride": 2}``.
    course
        Modules of the course that it gets by name, such as ``("layers",)``: what a learner is
        given in this lesson, and nothing that the lesson asks for.
    """

    name: str
    settings: dict = field(default_factory=dict)
    course: tuple[str, ...] = ()

    def __call__(self, thing, **inputs):
        modules = {name: import_module(f"cnnlib.{name}") for name in self.course}
        return self.function(thing, **inputs, **modules, **self.settings)

    @property
    def function(self) -> Callable:
        module, _, name = self.name.rpartition(".")
        return getattr(import_module(PACKAGE + module), name)

    @property
    def parameters(self) -> set[str]:
        """The names that the function takes."""
        return set(signature(self.function).parameters)

    def with_settings(self, **changes) -> "Script":
        """The same script with other settings."""
        return replace(self, settings=self.settings | changes)


def script(function: Callable, /, *, course: tuple[str, ...] = (), **settings) -> Script:
    """Name a function of `cnnlib.scripts`, and its settings.

    Examples
    --------
    >>> from cnnlib.scripts import layer
    >>> script(layer.forward)
    Script(name='layer.forward', settings={}, course=())
    """
    module = function.__module__
    if not module.startswith(PACKAGE):
        raise ValueError(f"{function.__name__} stands in {module}, not in cnnlib.scripts")
    return Script(f"{module.removeprefix(PACKAGE)}.{function.__name__}", settings, course)
