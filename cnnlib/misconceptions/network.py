"""What goes wrong in a network: the walk forward, the walk back, and how it is put together."""

# fmt: off

import copy

import numpy as np

from cnnlib.layers import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnlib.misconceptions import structure
from cnnlib.misconceptions.changes import Formula, mistakes, slip
from cnnlib.network import Sequential


class _Walk(Sequential):
    """A walk in steps."""

    def walk(self, route, given):
        came_out = [given]
        for layer in route:
            fed = self.fed(came_out[-1], given)
            came_out.append(self.handed_on(fed, self.step(layer, fed)))
        return self.returned(came_out)

    def route(self, layers): return layers
    def fed(self, last, given): return last
    def handed_on(self, fed, result): return result
    def returned(self, came_out): return came_out[-1]


class _There(_Walk):
    def forward(self, x): return self.walk(self.route(self.layers), x)
    def step(self, layer, fed): return layer.forward(fed)


class _Back(_Walk):
    def backward(self, dy): return self.walk(self.route(self.layers), dy)
    def route(self, layers): return list(reversed(layers))
    def step(self, layer, fed): return layer.backward(fed)


def _used_up(layers, place):
    while layers:
        yield layers.pop(place)


def _turned_round(self, layers):
    layers.reverse()
    return layers


class _Shared:
    """The list of layers is there once for all networks."""

    stands_at = "memory"

    def __init__(self, layers): type(self).shared = list(layers)

    @property
    def layers(self):
        return type(self).shared


class _InTheLayers:
    """dW is added to what the layers have kept."""

    def backward(self, dy):
        earlier = [getattr(layer, "dW", 0) for layer in self.layers]
        dx = super().backward(dy)
        for layer, dW in zip(self.layers, earlier, strict=True):
            if hasattr(layer, "dW"):
                layer.dW = layer.dW + dW
        return dx


def _learning(self, layer, fed):
    dx = layer.backward(fed)
    if hasattr(layer, "dW"):
        layer.W = layer.W - 0.1 * layer.dW
    return dx


mistakes(__name__, {"sequential_forward": _There},
    SameXForEach=slip("Every layer gets the x that came in, and you return what the last one makes of it.",
        "What does the second layer need: x, or what the first layer made of it?", fed=lambda self, last, given: given),
    DropsEveryOutput=slip("You return x as it came in, whatever the layers made of it.",
        "forward returns a new array. Under which name do you keep it?", returned=lambda self, came_out: came_out[0]),
    ReturnsInTheLoop=slip("You stop after the first layer. A return inside a loop ends the loop.",
        "How many times does your loop run? Look at how far the return is indented.", route=lambda self, layers: layers[:1]),
    StopsBeforeTheLast=slip("What you return is the work of all layers but the last.",
        "Over which indices does your loop run, when there are three layers?", route=lambda self, layers: layers[:-1]),
    StartsAtTheSecond=slip("What the first layer makes of x never reaches the others.", "What is the index of the first layer?", route=lambda self, layers: layers[1:]),
    ForwardFromTheEnd=slip("forward goes through the layers from the last to the first.",
        "Which layer gets x first?", route=lambda self, layers: list(reversed(layers))),
    AddsWhatCameIn=slip("You add what each layer returns to what it was given.",
        "Is anything left over of x when a layer has done its work?", handed_on=lambda self, fed, result: fed + result),
    AddsAllOutputs=slip("You add up what all layers return.",
        "The layers stand one after the other, not side by side. Who gets what the first one returns?", returned=lambda self, came_out: sum(came_out[1:])),
    ThreeLayersOnly=slip("Your walk is written out for three layers.",
        "A network may have one layer, or eight. Which part of your three lines is the same each time?", route=lambda self, layers: (layers[place] for place in (0, 1, 2))),
    BackwardOnTheWayThere=slip("In forward, you call the layers' backward.",
        "Which method takes what a layer calculates with, and which one a gradient?", step=lambda self, layer, fed: layer.backward(fed)),
    EachLayerTwice=slip("Each layer's forward is called twice, the second time on its own output.",
        "Count the calls in one iteration of your loop.", step=lambda self, layer, fed: layer.forward(layer.forward(fed))),
    KeepsTheFirstResult=slip("The result of the first batch is kept, and returned for later ones.",
        "A new x may come, or the same x after the weights have changed.", structure.after("y", "memory", lambda net, y, N: vars(net).setdefault("kept", y))),
)
mistakes(__name__, {"sequential_forward": _There, "sequential_backward": _There},
    UsesTheLayersUp=slip("After one forward no layers are left, so the next walk goes through none.",
        "How long is self.layers then? pop takes out what it gives you; an iterator runs only once.", route=lambda self, layers: _used_up(layers, 0)),
    SharesItsLayers=slip("The list of layers belongs to the class, so all networks share the layers of the newest one.",
        "Each network has layers of its own. Where does `self` come in?", _Shared),
)
mistakes(__name__, {"sequential_backward": _Back},
    BackwardFromTheStart=slip("backward goes through the layers from the first to the last.",
        "dy says how the loss depends on the network's output. Which layer made that output?", route=lambda self, layers: layers),
    SameDyForEach=slip("Every layer gets the dy that came in, and not what the layer after it returned.",
        "What does the last layer but one need: the gradient with respect to the network's output, or to its own?", fed=lambda self, last, given: given),
    DropsEveryGradient=slip("You return dy as it came in: the layers are called, but what they return is dropped.",
        "backward returns a new array. Under which name do you keep it?", returned=lambda self, came_out: came_out[0]),
    ReturnsInTheLoopBack=slip("You stop after one layer, the last. A return inside a loop ends the loop.",
        "How many times does your loop run? Look at how far the return is indented.", route=lambda self, layers: layers[-1:]),
    StopsBeforeTheFirst=slip("The first layer's backward is never called. Its dx may not be needed, but its dW is set there too.",
        "range(a, b, -1) ends before b. What is the index of the first layer?", route=lambda self, layers: layers[:0:-1]),
    StartsBeforeTheLast=slip("dy, as it came in, goes to the last layer but one.",
        "dy is the gradient with respect to the network's output. Which layer made that output?", route=lambda self, layers: layers[-2::-1]),
    ThreeLayersOnlyBack=slip("Your walk is written out for three layers.",
        "A network may have one layer, or eight. Which part of your three lines is the same each time?", route=lambda self, layers: (layers[place] for place in (2, 1, 0))),
    LayersWithWeightsOnly=slip("Layers without weights are left out on the way back.",
        "ReLU has nothing to learn. Does that make the gradient before it the same as after it?", route=lambda self, layers: [each for each in list(reversed(layers)) if hasattr(each, "W")]),
    ForwardBeforeTheWayBack=slip("In backward, you call the layers' forward first, with dy.",
        "What does each layer remember after that: what it made of x, or of dy?", backward=lambda self, dy: (self.forward(dy), _Back.backward(self, dy))[1]),
    ForwardOnTheWayBack=slip("In backward, you call the layers' forward.", "Which method takes a gradient?", step=lambda self, layer, fed: layer.forward(fed)),
    TurnsTheListRound=slip("self.layers is reversed by each backward, so the first step is right and the next one walks the wrong way.",
        "What is in self.layers after one backward? One way of reversing changes the list itself.", route=_turned_round),
    GivesDyToEachAndDropsAll=slip("You call each layer's backward with the dy that came in, and drop what it returns.",
        "layer.backward(dy) returns a new array. Under which name do you keep it, and who needs it next?", fed=lambda self, last, given: given, returned=lambda self, came_out: came_out[0]),
    UsesTheLayersUpBack=slip("After one backward no layers are left, so the next walk goes through none.",
        "How long is self.layers then? pop takes out what it gives you; a reversed runs only once.", route=lambda self, layers: _used_up(layers, -1)),
    WalksBackOnce=slip("The second backward goes through none of the layers: what leads back through them is made once, and runs only once.",
        "reversed doesn't turn a list round, it walks through it from its end. How many times can it?", route=lambda self, layers: vars(self).setdefault("way", iter(layers[::-1]))),
    MultipliesOnceMore=slip("You multiply what a layer's backward returns by the gradient that went in. The chain rule's product is in that backward already.",
        "dx = layer.backward(dy) is the whole step: what is left to do with dy?", handed_on=lambda self, fed, result: fed * result),
    AddsWhatCameBack=slip("You add what each layer's backward returns to the gradient that went in.",
        "Is anything left over of dy when a layer has handed it on?", handed_on=lambda self, fed, result: fed + result),
    AddsAllGradients=slip("You add up what all layers return.",
        "Gradients are added where one number went two ways. Does it, in a row of layers?", returned=lambda self, came_out: sum(came_out[1:])),
    StartsWithOnes=slip("You send back ones in place of dy, so what the loss had to say is lost.",
        "Whoever calls backward says how the loss depends on y. Where in your code does that go in?", backward=lambda self, dy: _Back.backward(self, np.ones_like(dy))),
    DividesByTheBatch=slip("The gradient is divided by the size of the batch here. The loss has done that already, once and for all layers.",
        "Sequential hands on. Does it calculate anything?", backward=lambda self, dy: _Back.backward(self, dy / dy.dtype.type(len(dy)))),
    DividesAtEachLayer=slip("The gradient is divided by the size of the batch at each layer. The loss has done that already, once and for all layers.",
        "Sequential hands on. Does it calculate anything?", handed_on=lambda self, fed, result: result / fed.dtype.type(len(fed))),
    PilesUp=slip("Gradients pile up: what an earlier backward returned is added to the next one.",
        "Each backward belongs to one forward. What is still there from the last time?", *structure.piles_up("dx").wraps),
    ReusesItsMemory=slip("Every dx lies in the same memory, so the next backward overwrites what the last one returned.",
        "Whoever got the first dx may still need it. Does your network need an array of its own for it?", structure.after("dx", "memory", structure.same_memory("dx", np.copy))),
    PilesUpInTheLayers=slip("dW piles up in the layers: what an earlier backward found is added to the next one.",
        "In this course backward sets dW. Does Sequential have to touch it at all?", _InTheLayers),
    LearnsOnTheWay=slip("The weights are changed on the way back.", "backward only finds out what a change would do. Whose work is the change itself?", step=_learning),
    WalksBackThroughCopies=slip("After your backward, the layers of the network have no dW.",
        "Each layer's backward sets its own dW. A copy of a layer keeps it to itself; and what is deleted is gone.", route=lambda self, layers: list(reversed(copy.deepcopy(layers)))),
)

# ---------------------------------------------------------------------------- build_network


class _Built(Formula):
    """The course's network."""

    padding, relu, pool, kind, end = 1, (1, 1), (1, 1), MaxPool2D, ()

    def __call__(self, shape, filters, classes, seed):
        rng, p = np.random.default_rng(self.seed(seed)), self.padding
        parts, (C, H, W) = [], shape
        for F, relu, pool in zip(self.filters(filters), self.relu, self.pool, strict=True):
            parts += [Conv2D(C, F, 3, padding=p, rng=rng)] + relu * [ReLU()]
            C, H, W = F, H + 2 * p - 2, W + 2 * p - 2
            if pool:
                parts.append(self.kind(2))
                H, W = H // 2, W // 2
        end = [layer() for layer in self.end]
        features = self.features(*shape, *filters) if self.miscounts else C * H * W
        return Sequential([*parts, Flatten(), Dense(features, classes, rng=rng), *end])

    @property
    def miscounts(self):
        return type(self).features is not _Built.features

    def features(self, C, H, W, first, second):
        """How many numbers reach Dense, of pictures (C, H, W), through two convolutions with so many filters."""
        return second * (H // 4) * (W // 4)

    def seed(self, seed): return seed
    def filters(self, filters): return filters


def _miscounts(says, hint, features): return slip(says, hint, alone=False, features=features)


def miscounted() -> list:
    """What people take for the number of features that reach Dense."""
    return [each for each in globals().values() if getattr(each, "miscounts", False) is True]


_ROUNDS_DOWN = "What do the two pools make of a side of 9? And of one of 14?"

mistakes(__name__, {"build_network": _Built},
    without_relu=slip("Both ReLUs are missing.", "Count the layers of the course's network. What comes after each Conv2D?", relu=(0, 0)),
    without_first_relu=slip("The first ReLU is missing.", "Count the layers of the course's network. What comes after each Conv2D?", relu=(0, 1)),
    without_second_relu=slip("The second ReLU is missing.", "Count the layers of the course's network. What comes after each Conv2D?", relu=(1, 0)),
    relu_at_the_end=slip("A ReLU comes after Dense, so no score is ever below 0.", "What does softmax do with scores below 0? Does it mind?", end=(ReLU,)),
    without_padding=slip("The convolutions have no padding, so each takes a border off the maps.",
        "Compare the shapes before and after a Conv2D with that in the picture.", padding=0),
    average_pools=slip("Your pools average, and those of the course's network keep the largest.", "Which of the two pools does the picture show?", kind=AvgPool2D),
    without_first_pool=slip("The first pool is missing.", "Count the layers of the course's network.", pool=(0, 1)),
    without_second_pool=slip("The second pool is missing.", "Count the layers of the course's network.", pool=(1, 0)),
    filters_swapped=slip("The two numbers of filters have changed places.", "How many maps come out of the first Conv2D?", filters=lambda self, filters: filters[::-1]),
    without_the_seed=slip("Two networks of one seed get different weights, so nobody can repeat a run.",
        "`rng` is made from the seed. Which layers draw weights, and from what?", seed=lambda self, seed: None),
    always_the_same_seed=slip("Whatever the seed, the weights are the same.",
        "`rng` is made from the seed. Which layers draw weights, and from what?", seed=lambda self, seed: 0),
)
# Where Dense can't take what reaches it, the number of its features tells more than the error.
mistakes(__name__, {"build_network": _Built},
    features_of_7_by_7=_miscounts("Dense is made for maps of 7×7, whatever the size of the pictures.",
        "7×7 is what is left of 28×28. What is left of H×W?", lambda self, C, H, W, first, second: second * 7 * 7),
    features_of_the_first_filters=_miscounts("Dense is made for as many maps as the first Conv2D returns.",
        "Which layer made the maps that reach Flatten?", lambda self, C, H, W, first, second: first * (H // 4) * (W // 4)),
    features_times_the_channels=_miscounts("The channels of the picture are counted in the number of features.",
        "What has become of the channels after the first Conv2D?", lambda self, C, H, W, first, second: C * second * (H // 4) * (W // 4)),
    features_of_all_filters=_miscounts("The filters of both Conv2Ds are multiplied in the number of features.",
        "How many maps reach Flatten? Look at the exercise's table.", lambda self, C, H, W, first, second: first * second * (H // 4) * (W // 4)),
    features_of_one_map=_miscounts("Dense is made for the numbers of a single map.", "How many maps reach Flatten?",
        lambda self, C, H, W, first, second: (H // 4) * (W // 4)),
    features_of_the_height=_miscounts("The number of features takes the maps to be square, with sides of their height.",
        "Where does the width of the picture come in?", lambda self, C, H, W, first, second: second * (H // 4) ** 2),
    features_of_the_width=_miscounts("The number of features takes the maps to be square, with sides of their width.",
        "Where does the height of the picture come in?", lambda self, C, H, W, first, second: second * (W // 4) ** 2),
    features_without_pools=_miscounts("Dense is made for maps as large as the picture.",
        "What have the pools done to them?", lambda self, C, H, W, first, second: second * H * W),
    features_of_one_pool=_miscounts("Dense is made for maps that one pool has made smaller, and there are two.",
        "Follow one side through the layers of the exercise's table.", lambda self, C, H, W, first, second: second * (H // 2) * (W // 2)),
    features_of_a_product=_miscounts("In the number of features, a product is divided; the pools round each side down instead.",
        _ROUNDS_DOWN, lambda self, C, H, W, first, second: second * (H * W // 16)),
    features_of_the_whole_product=_miscounts("In the number of features, a product is divided; the pools round each side down instead.",
        _ROUNDS_DOWN, lambda self, C, H, W, first, second: second * H * W // 16),
    features_rounded_up=_miscounts("The number of features rounds sides up where a pool rounds them down.",
        "What does a pool of 2×2 do with the last row, if there are 9?", lambda self, C, H, W, first, second: second * -(-H // 4) * -(-W // 4)),
)

# ---------------------------------------------------------------------------- gradient_norms


class _Norms(Formula):
    def __call__(self, net, dy):
        gradients = [dy]
        for layer in self.route(net.layers):
            gradients.insert(0, layer.backward(self.fed(gradients[0], dy)))
        lengths = [self.length(gradient) for gradient in self.told(gradients)]
        self.leave(net)
        return np.array(lengths)

    def route(self, layers): return list(reversed(layers))
    def fed(self, last, given): return last

    def told(self, gradients):
        """Every gradient of the walk back, from the picture to the loss."""
        return gradients

    def length(self, gradient): return np.linalg.norm(gradient)
    def leave(self, net): pass


mistakes(__name__, {"gradient_norms": _Norms},
    from_the_loss=slip("Your list runs from the loss to the picture.",
        "norms[k] belongs to the arrow before layers[k]. Which one do you meet first on the way back?", told=lambda self, gradients: gradients[::-1]),
    without_dy=slip("The length of dy itself is missing at the end.", "Three layers have four arrows.", told=lambda self, gradients: gradients[:-1]),
    without_the_picture=slip("The length of the last dx, the one that reaches the picture, is missing.",
        "Three layers have four arrows.", told=lambda self, gradients: gradients[1:]),
    dy_first=slip("Both ends are the wrong way round: the length of dy comes first, the others from the picture on.",
        "norms[k] belongs to the arrow before layers[k]. Where is the arrow that dy comes in by?", told=lambda self, gradients: [gradients[-1], *gradients[:-1]]),
    squared=slip("Your lengths are squared: the root is missing.", "By Pythagoras, how long is (3, 4)?", length=lambda self, g: (g**2).sum()),
    root_of_the_mean=slip("You take the root of the mean of all squares, not of their sum.",
        "By Pythagoras, how long is (3, 4)?", length=lambda self, g: np.sqrt((g**2).mean())),
    added_up_without_sign=slip("You add up the absolute values. That is a length too, but not the one that is asked for.",
        "By Pythagoras, how long is (3, 4)?", length=lambda self, g: np.abs(g).sum()),
    added_up=slip("You add up the numbers with their sign, so they cancel each other.", "By Pythagoras, how long is (3, −4)?", length=lambda self, g: g.sum()),
    mean_without_sign=slip("You return the mean of the absolute values.", "By Pythagoras, how long is (3, 4)?", length=lambda self, g: np.abs(g).mean()),
    the_largest=slip("You return the largest absolute value in each gradient.", "By Pythagoras, how long is (3, 4)?", length=lambda self, g: np.abs(g).max()),
    first_picture_only=slip("Only the first picture of the batch counts.",
        "The gradient is one array, for the whole batch. How long is all of it together?", length=lambda self, g: np.linalg.norm(g[0])),
    same_dy_for_each=slip("Every layer gets the dy that came in, and not what the layer after it returned.",
        "It is the same walk as in Sequential.backward. What does each layer need?", fed=lambda self, last, given: given),
    from_the_first_layer=slip("You walk through the layers from the first to the last.",
        "It is the same walk as in Sequential.backward. Which layer comes first?", route=lambda self, layers: layers, told=lambda self, gradients: gradients[::-1]),
    from_the_first_layer_and_turned_round=slip("You walk through the layers from the first to the last.",
        "It is the same walk as in Sequential.backward. Which layer comes first?", route=lambda self, layers: layers),
    returns_in_the_loop=slip("You stop after one layer, the last. A return inside a loop ends the loop.",
        "How many times does your loop run? Look at how far the return is indented.", told=lambda self, gradients: gradients[-2:]),
    sum_before_the_square=slip("You square the sum, so numbers with different signs cancel each other before that.",
        "Pythagoras says a² + b². Is that (a + b)²?", length=lambda self, g: np.sqrt(g.sum() ** 2)),
    norm_of_a_matrix=slip("With a second argument, np.linalg.norm takes a table for a matrix and measures something else.",
        "With an array as its only argument, it takes all numbers of it, whatever the shape.", length=lambda self, g: np.linalg.norm(g, 2)),
    turns_the_list_round=slip("You leave network.layers reversed, so the network's next walk goes the wrong way.",
        "Print network.layers after your function. Which way of reversing leaves the list alone?", leave=lambda self, net: net.layers.reverse()),
    uses_the_layers_up=slip("After your function, the network has no layers left.",
        "How long is network.layers then? pop takes out what it gives you.", leave=lambda self, net: net.layers.clear()),
)
