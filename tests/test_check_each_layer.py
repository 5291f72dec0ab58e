"""In a network, the layer that is wrong is named, and what is wrong with it."""

import pytest

from cnnlib import check, layers, misconceptions, network
from cnnlib.misconceptions import flatten, gradients


def network_with(**others):
    """build_network as the course has it, with some layers replaced."""
    kinds = {
        name: getattr(layers, name) for name in ("Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense")
    }
    kinds |= others

    def build_network(shape, filters, classes, seed):
        (C, H, W), (first, second) = shape, filters
        return network.Sequential(
            [
                kinds["Conv2D"](C, first, 3, padding=1, rng=seed),
                kinds["ReLU"](),
                kinds["MaxPool2D"](2),
                kinds["Conv2D"](first, second, 3, padding=1, rng=seed),
                kinds["ReLU"](),
                kinds["MaxPool2D"](2),
                kinds["Flatten"](),
                kinds["Dense"](second * (H // 4) * (W // 4), classes, rng=seed),
            ]
        )

    return build_network


def renamed(broken, name):
    return type(name, (broken,), {})


WRONG = [
    (
        check.build_network,
        "Flatten",
        flatten.FortranBothWays,
        "layers[6]",
        "forward",
        "You flatten in Fortran order",
    ),
    (
        check.end_to_end,
        "Flatten",
        flatten.FortranBothWays,
        "layers[6]",
        "forward",
        "You flatten in Fortran order",
    ),
    (
        check.end_to_end,
        "Flatten",
        flatten.SwapsHeightAndWidth,
        "layers[6]",
        "backward",
        "H and W are swapped",
    ),
    (
        check.end_to_end,
        "ReLU",
        gradients.Guided,
        "layers[4]",
        "backward",
        gradients.Guided.says.split(". ")[0],
    ),
]


@pytest.mark.parametrize(
    ("c", "name", "broken", "place", "method", "says"),
    WRONG,
    ids=[f"{c.name}-{b.__name__}" for c, _, b, *_ in WRONG],
)
def test_the_layer_is_named_with_its_own_mistake(c, name, broken, place, method, says):
    text = " ".join(str(c.failure(network_with(**{name: renamed(broken, name)}))).split())
    assert f"{place}, {name}, is the first to go wrong, in its {method}." in text
    assert says in text


@pytest.mark.parametrize("name", ["conv_dW", "conv_dx"])
def test_a_convolution_is_told_what_it_does(name):
    broken = next(
        b
        for b in misconceptions.seen_by(name)
        if b.__name__.startswith("FlipsDy") or name == "conv_dx"
    )
    text = " ".join(
        str(check.end_to_end.failure(network_with(Conv2D=renamed(broken, "Conv2D")))).split()
    )
    assert "layers[3], Conv2D, is the first to go wrong, in its backward." in text


def test_a_right_network_has_no_wrong_layer():
    assert check.build_network.failure(network_with()) is None


def test_behind_a_layer_of_another_size_no_other_is_accused():
    def swapped(inputs, filters, *rest, **more):
        return layers.Conv2D(*sorted((inputs, filters), reverse=inputs > 1), *rest, **more)

    assert "to go wrong" not in str(check.end_to_end.failure(network_with(Conv2D=swapped)))
