"""What goes wrong in a network: the walk forward, the walk back, and how it is put together."""

import copy

import numpy as np

from cnnlib.layers import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnlib.misconceptions.changes import misconception
from cnnlib.network import Sequential


def _back(layers, dy):
    for layer in reversed(layers):
        dy = layer.backward(dy)
    return dy


# ---------------------------------------------------------------------------- forward


@misconception(
    "sequential_forward",
    says="Every layer gets the x that came in, and you return what the last one makes of it.",
    hint="What does the second layer need: x, or what the first layer made of it?",
)
class SameXForEach(Sequential):
    def forward(self, x):
        for layer in self.layers:
            y = layer.forward(x)
        return y


@misconception(
    "sequential_forward",
    says="You return x as it came in, whatever the layers made of it.",
    hint="forward returns a new array. Under which name do you keep it?",
)
class DropsEveryOutput(Sequential):
    def forward(self, x):
        super().forward(x)
        return x


@misconception(
    "sequential_forward",
    says="You stop after the first layer. A return inside a loop ends the loop.",
    hint="How often does your loop run? Look at how far the return is indented.",
)
class ReturnsInTheLoop(Sequential):
    def forward(self, x):
        return self.layers[0].forward(x)


@misconception(
    "sequential_forward",
    says="What you return is the work of all layers but the last.",
    hint="Over which indices does your loop run, when there are three layers?",
)
class StopsBeforeTheLast(Sequential):
    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        return x


@misconception(
    "sequential_forward",
    says="What the first layer makes of x never reaches the others.",
    hint="Which index has the first layer?",
)
class StartsAtTheSecond(Sequential):
    def forward(self, x):
        for layer in self.layers[1:]:
            x = layer.forward(x)
        return x


@misconception(
    "sequential_forward",
    says="forward goes through the layers from the last to the first.",
    hint="Whose hands does x come into first?",
)
class ForwardFromTheEnd(Sequential):
    def forward(self, x):
        for layer in reversed(self.layers):
            x = layer.forward(x)
        return x


@misconception(
    "sequential_forward",
    says="You add what each layer returns to what it was given.",
    hint="Is anything left over of x when a layer has done its work?",
)
class AddsWhatCameIn(Sequential):
    def forward(self, x):
        for layer in self.layers:
            x = x + layer.forward(x)
        return x


@misconception(
    "sequential_forward",
    says="You add up what all layers return.",
    hint="The layers stand behind each other, not beside each other. Who gets what the first one returns?",
)
class AddsAllOutputs(Sequential):
    def forward(self, x):
        total = 0
        for layer in self.layers:
            x = layer.forward(x)
            total = total + x
        return total


@misconception(
    "sequential_forward",
    says="Your walk is written out for three layers.",
    hint="A network may have one layer, or eight. Which part of your three lines is the same each time?",
)
class ThreeLayersOnly(Sequential):
    def forward(self, x):
        for place in (0, 1, 2):
            x = self.layers[place].forward(x)
        return x


@misconception(
    "sequential_forward",
    says="On the way there you call the layers' backward.",
    hint="Which method takes what a layer calculates with, and which one a gradient?",
)
class BackwardOnTheWayThere(Sequential):
    def forward(self, x):
        for layer in self.layers:
            x = layer.backward(x)
        return x


@misconception(
    "sequential_forward",
    says="Each layer's forward is called twice, the second time on its own output.",
    hint="Count the calls in one turn of your loop.",
)
class EachLayerTwice(Sequential):
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(layer.forward(x))
        return x


@misconception(
    "sequential_forward",
    "sequential_backward",
    says="After one forward no layers are left, so the next walk goes through none.",
    hint="How long is self.layers then? pop takes out what it gives you; an iterator runs only once.",
)
class UsesTheLayersUp(Sequential):
    def forward(self, x):
        while self.layers:
            x = self.layers.pop(0).forward(x)
        return x


@misconception(
    "sequential_forward",
    "sequential_backward",
    says="The list of layers belongs to the class, so all networks share the layers of the newest one.",
    hint="Each network has layers of its own. Where does `self` come in?",
)
class SharesItsLayers(Sequential):
    def __init__(self, layers):
        SharesItsLayers.shared = list(layers)

    @property
    def layers(self):
        return SharesItsLayers.shared

    # Not inherited, as a network that contains itself would never end its message.
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        return _back(self.layers, dy)


@misconception(
    "sequential_forward",
    says="The result of the first batch is kept, and returned for later ones.",
    hint="A new x may come, or the same x after the weights have changed.",
)
class KeepsTheFirstResult(Sequential):
    kept = None

    def forward(self, x):
        if self.kept is None:
            self.kept = super().forward(x)
        return self.kept


# ---------------------------------------------------------------------------- backward


@misconception(
    "sequential_backward",
    says="backward goes through the layers from the first to the last.",
    hint="dy says how the loss depends on the network's output. Which layer made that output?",
)
class BackwardFromTheStart(Sequential):
    def backward(self, dy):
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="Every layer gets the dy that came in, and not what the layer behind it returned.",
    hint="What does the last but one layer need: the gradient by the network's output, or by its own?",
)
class SameDyForEach(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dx = layer.backward(dy)
        return dx


@misconception(
    "sequential_backward",
    says="You return dy as it came in: the layers are called, but what they return is dropped.",
    hint="backward returns a new array. Under which name do you keep it?",
)
class DropsEveryGradient(Sequential):
    def backward(self, dy):
        super().backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="You stop after one layer, the last. A return inside a loop ends the loop.",
    hint="How often does your loop run? Look at how far the return is indented.",
)
class ReturnsInTheLoopBack(Sequential):
    def backward(self, dy):
        return self.layers[-1].backward(dy)


@misconception(
    "sequential_backward",
    says="The first layer's backward is never called. Nobody may need its dx today, but its dW is set there too.",
    hint="range(a, b, -1) ends before b. Which index has the first layer?",
)
class StopsBeforeTheFirst(Sequential):
    def backward(self, dy):
        return _back(self.layers[1:], dy)


@misconception(
    "sequential_backward",
    says="dy, as it came in, goes to the last layer but one.",
    hint="dy is the gradient by the network's output. Which layer made that output?",
)
class StartsBeforeTheLast(Sequential):
    def backward(self, dy):
        return _back(self.layers[:-1], dy)


@misconception(
    "sequential_backward",
    says="Your walk is written out for three layers.",
    hint="A network may have one layer, or eight. Which part of your three lines is the same each time?",
)
class ThreeLayersOnlyBack(Sequential):
    def backward(self, dy):
        for place in (2, 1, 0):
            dy = self.layers[place].backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="Layers without weights are left out on the way back.",
    hint="ReLU has nothing to learn. Does that make the gradient before it the same as behind it?",
)
class LayersWithWeightsOnly(Sequential):
    def backward(self, dy):
        return _back([layer for layer in self.layers if hasattr(layer, "W")], dy)


@misconception(
    "sequential_backward",
    says="On the way back you call the layers' forward.",
    hint="Which method takes a gradient?",
)
class ForwardOnTheWayBack(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.forward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="self.layers is turned round by each backward, so the first step is right and the next one walks the wrong way.",
    hint="What is in self.layers after one backward? One way of reversing changes the list itself.",
)
class TurnsTheListRound(Sequential):
    def backward(self, dy):
        self.layers.reverse()
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="After one backward no layers are left, so the next walk goes through none.",
    hint="How long is self.layers then? pop takes out what it gives you.",
)
class UsesTheLayersUpBack(Sequential):
    def backward(self, dy):
        while self.layers:
            dy = self.layers.pop().backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="You multiply what a layer's backward returns by the gradient that went in. "
    "The chain rule's product is in that backward already.",
    hint="dx = layer.backward(dy) is the whole step: what is left to do with dy?",
)
class MultipliesOnceMore(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = dy * layer.backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="You add what each layer's backward returns to the gradient that went in.",
    hint="Is anything left over of dy when a layer has handed it on?",
)
class AddsWhatCameBack(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = dy + layer.backward(dy)
        return dy


@misconception(
    "sequential_backward",
    says="You add up what all layers return.",
    hint="Gradients are added where one number went two ways. Does it, in a row of layers?",
)
class AddsAllGradients(Sequential):
    def backward(self, dy):
        total = 0
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            total = total + dy
        return total


@misconception(
    "sequential_backward",
    says="You send back ones in place of dy, so what the loss had to say is lost.",
    hint="Whoever calls backward says how the loss depends on y. Where in your code does that go in?",
)
class StartsWithOnes(Sequential):
    def backward(self, dy):
        return super().backward(np.ones_like(dy))


@misconception(
    "sequential_backward",
    says="The gradient is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="Sequential hands on. Does it calculate anything?",
)
class DividesByTheBatch(Sequential):
    def backward(self, dy):
        return super().backward(dy / dy.dtype.type(len(dy)))


@misconception(
    "sequential_backward",
    says="The gradient is divided by the size of the batch at each layer. "
    "The loss has done that already, once and for all layers.",
    hint="Sequential hands on. Does it calculate anything?",
)
class DividesAtEachLayer(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy) / dy.dtype.type(len(dy))
        return dy


@misconception(
    "sequential_backward",
    says="Gradients pile up: what an earlier backward returned is added to the next one.",
    hint="Each backward belongs to one forward. What is still there from the last time?",
)
class PilesUp(Sequential):
    total = 0

    def backward(self, dy):
        self.total = self.total + super().backward(dy)
        return self.total


@misconception(
    "sequential_backward",
    says="Every dx lies in the same memory, so the next backward overwrites what the last one returned.",
    hint="Whoever got the first dx may still need it. Does your network need an array of its own for it?",
)
class ReusesItsMemory(Sequential):
    memory = None

    def backward(self, dy):
        dx = super().backward(dy)
        if self.memory is None or self.memory.shape != dx.shape:
            self.memory = dx.copy()
        self.memory[...] = dx
        return self.memory


@misconception(
    "sequential_backward",
    says="dW piles up in the layers: what an earlier backward found is added to the next one.",
    hint="In this course backward sets dW. Does Sequential have to touch it at all?",
)
class PilesUpInTheLayers(Sequential):
    def backward(self, dy):
        earlier = [getattr(layer, "dW", 0) for layer in self.layers]
        dx = super().backward(dy)
        for layer, dW in zip(self.layers, earlier, strict=True):
            if hasattr(layer, "dW"):
                layer.dW = layer.dW + dW
        return dx


@misconception(
    "sequential_backward",
    says="The weights are changed on the way back.",
    hint="backward only finds out what a change would do. Whose work is the change itself?",
)
class LearnsOnTheWay(Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            if hasattr(layer, "dW"):
                layer.W = layer.W - 0.1 * layer.dW
        return dy


@misconception(
    "sequential_backward",
    says="After your backward, the layers of the network have no dW.",
    hint="Each layer's backward sets its own dW. A copy of a layer keeps it to itself; and what is deleted is gone.",
)
class WalksBackThroughCopies(Sequential):
    def backward(self, dy):
        return _back(copy.deepcopy(self.layers), dy)


# ---------------------------------------------------------------------------- build_network


def _built(
    shape, filters, classes, seed, *, padding=1, relu=(1, 1), pool=(1, 1), kind=MaxPool2D, end=()
):
    """The course's network, with some of it changed."""
    rng = np.random.default_rng(seed)
    parts, (C, H, W) = [], shape
    for F, with_relu, with_pool in zip(filters, relu, pool, strict=True):
        parts += [Conv2D(C, F, 3, padding=padding, rng=rng)] + with_relu * [ReLU()]
        C, H, W = F, H + 2 * padding - 2, W + 2 * padding - 2
        if with_pool:
            parts.append(kind(2))
            H, W = H // 2, W // 2
    return Sequential([*parts, Flatten(), Dense(C * H * W, classes, rng=rng), *end])


@misconception(
    "build_network",
    says="Both ReLUs are missing.",
    hint="Count the layers of the course's network. What stands behind each Conv2D?",
)
def without_relu(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, relu=(0, 0))


@misconception(
    "build_network",
    says="The first ReLU is missing.",
    hint="Count the layers of the course's network. What stands behind each Conv2D?",
)
def without_first_relu(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, relu=(0, 1))


@misconception(
    "build_network",
    says="The second ReLU is missing.",
    hint="Count the layers of the course's network. What stands behind each Conv2D?",
)
def without_second_relu(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, relu=(1, 0))


@misconception(
    "build_network",
    says="A ReLU stands behind Dense, so no score is ever below 0.",
    hint="What does softmax do with scores below 0? Does it mind?",
)
def relu_at_the_end(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, end=[ReLU()])


@misconception(
    "build_network",
    says="The convolutions have no padding, so each takes a border off the maps.",
    hint="Compare the shape before and behind a Conv2D with that in the picture.",
)
def without_padding(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, padding=0)


@misconception(
    "build_network",
    says="Your pools average, and those of the course's network keep the largest.",
    hint="Which of the two pools does the picture show?",
)
def average_pools(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, kind=AvgPool2D)


@misconception(
    "build_network",
    says="The first pool is missing.",
    hint="Count the layers of the course's network.",
)
def without_first_pool(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, pool=(0, 1))


@misconception(
    "build_network",
    says="The second pool is missing.",
    hint="Count the layers of the course's network.",
)
def without_second_pool(shape, filters, classes, seed):
    return _built(shape, filters, classes, seed, pool=(1, 0))


@misconception(
    "build_network",
    says="The two numbers of filters have changed places.",
    hint="How many maps come out of the first Conv2D?",
)
def filters_swapped(shape, filters, classes, seed):
    return _built(shape, filters[::-1], classes, seed)


@misconception(
    "build_network",
    says="Two networks of one seed get different weights, so nobody can repeat a run.",
    hint="`rng` is made from the seed. Which layers draw weights, and from what?",
)
def without_the_seed(shape, filters, classes, seed):
    return _built(shape, filters, classes, None)


@misconception(
    "build_network",
    says="Whatever the seed, the weights are the same.",
    hint="`rng` is made from the seed. Which layers draw weights, and from what?",
)
def always_the_same_seed(shape, filters, classes, seed):
    return _built(shape, filters, classes, 0)


# ---------------------------------------------------------------------------- gradient_norms


def _gradients(net, dy):
    """Every gradient of the walk back, from the picture to the loss."""
    gradients = [dy]
    for layer in reversed(net.layers):
        gradients.insert(0, layer.backward(gradients[0]))
    return gradients


def _lengths(length, gradients):
    return np.array([length(gradient) for gradient in gradients])


@misconception(
    "gradient_norms",
    says="Your list runs from the loss to the picture.",
    hint="norms[k] belongs to the arrow before layers[k]. Which one do you meet first on the way back?",
)
def from_the_loss(net, dy):
    return _lengths(np.linalg.norm, _gradients(net, dy)[::-1])


@misconception(
    "gradient_norms",
    says="The length of dy itself is missing at the end.",
    hint="Three layers have four arrows.",
)
def without_dy(net, dy):
    return _lengths(np.linalg.norm, _gradients(net, dy)[:-1])


@misconception(
    "gradient_norms",
    says="The length of the last dx, the one that reaches the picture, is missing.",
    hint="Three layers have four arrows.",
)
def without_the_picture(net, dy):
    return _lengths(np.linalg.norm, _gradients(net, dy)[1:])


@misconception(
    "gradient_norms",
    says="Both ends are the wrong way round: the length of dy comes first, the others from the picture on.",
    hint="norms[k] belongs to the arrow before layers[k]. Where is the arrow that dy comes in by?",
)
def dy_first(net, dy):
    *others, last = _lengths(np.linalg.norm, _gradients(net, dy))
    return np.array([last, *others])


@misconception(
    "gradient_norms",
    says="Your lengths are squared: the root is missing.",
    hint="By Pythagoras, how long is (3, 4)?",
)
def squared(net, dy):
    return _lengths(lambda g: (g**2).sum(), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You take the root of the mean of all squares, not of their sum.",
    hint="By Pythagoras, how long is (3, 4)?",
)
def root_of_the_mean(net, dy):
    return _lengths(lambda g: np.sqrt((g**2).mean()), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You add up the numbers without their sign. That is a length too, but not the one that is asked for.",
    hint="By Pythagoras, how long is (3, 4)?",
)
def added_up_without_sign(net, dy):
    return _lengths(lambda g: np.abs(g).sum(), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You add up the numbers with their sign, so they cancel each other.",
    hint="By Pythagoras, how long is (3, −4)?",
)
def added_up(net, dy):
    return _lengths(np.sum, _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You return the mean of the numbers without their sign.",
    hint="By Pythagoras, how long is (3, 4)?",
)
def mean_without_sign(net, dy):
    return _lengths(lambda g: np.abs(g).mean(), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You return the largest number of each gradient, without its sign.",
    hint="By Pythagoras, how long is (3, 4)?",
)
def the_largest(net, dy):
    return _lengths(lambda g: np.abs(g).max(), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="Only the first picture of the batch counts.",
    hint="The gradient is one array, for the whole batch. How long is all of it together?",
)
def first_picture_only(net, dy):
    return _lengths(lambda g: np.linalg.norm(g[0]), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="Every layer gets the dy that came in, and not what the layer behind it returned.",
    hint="It is the same walk as in Sequential.backward. What does each layer need?",
)
def same_dy_for_each(net, dy):
    return _lengths(np.linalg.norm, [*(layer.backward(dy) for layer in net.layers), dy])


@misconception(
    "gradient_norms",
    says="You walk through the layers from the first to the last.",
    hint="It is the same walk as in Sequential.backward. Which layer comes first?",
)
def from_the_first_layer(net, dy):
    gradients = [dy]
    for layer in net.layers:
        gradients.append(layer.backward(gradients[-1]))
    return _lengths(np.linalg.norm, gradients)


@misconception(
    "gradient_norms",
    says="You walk through the layers from the first to the last.",
    hint="It is the same walk as in Sequential.backward. Which layer comes first?",
)
def from_the_first_layer_and_turned_round(net, dy):
    return from_the_first_layer(net, dy)[::-1]


@misconception(
    "gradient_norms",
    says="You stop after one layer, the last. A return inside a loop ends the loop.",
    hint="How often does your loop run? Look at how far the return is indented.",
)
def returns_in_the_loop(net, dy):
    return _lengths(np.linalg.norm, _gradients(net, dy)[-2:])


@misconception(
    "gradient_norms",
    says="You square the sum, so numbers with different signs cancel each other before that.",
    hint="Pythagoras says a² + b². Is that (a + b)²?",
)
def sum_before_the_square(net, dy):
    return _lengths(lambda g: np.sqrt(g.sum() ** 2), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="With a second argument, np.linalg.norm takes a table for a matrix and measures something else.",
    hint="With an array as its only argument, it takes all numbers of it, whatever the shape.",
)
def norm_of_a_matrix(net, dy):
    return _lengths(lambda g: np.linalg.norm(g, 2), _gradients(net, dy))


@misconception(
    "gradient_norms",
    says="You leave network.layers turned round, so the network's next walk goes the wrong way.",
    hint="Print network.layers after your function. Which way of reversing leaves the list alone?",
)
def turns_the_list_round(net, dy):
    lengths = _lengths(np.linalg.norm, _gradients(net, dy))
    net.layers.reverse()
    return lengths


@misconception(
    "gradient_norms",
    says="After your function, the network has no layers left.",
    hint="How long is network.layers then? pop takes out what it gives you.",
)
def uses_the_layers_up(net, dy):
    lengths = _lengths(np.linalg.norm, _gradients(net, dy))
    net.layers.clear()
    return lengths
