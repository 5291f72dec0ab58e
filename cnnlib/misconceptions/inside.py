"""Wrong saliency maps and confusion matrices.

A wrong map sends back the wrong thing, or makes the wrong thing of what arrives at the picture.
"""

import functools

import numpy as np

from cnnlib import inside
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions.changes import misconception

STARTS, ENDS = [], []
"""What may be wrong at either end of the walk back. A learner may have made one mistake at each."""


def one_hot(scores, classes):
    """What is right to send back: 1 at the score that is asked for."""
    dy = np.zeros_like(scores)
    dy[np.arange(len(scores)), classes] = 1
    return dy


def largest_over_channels(gradient, images):
    """What is right to make of the gradient at the picture."""
    return np.abs(gradient).max(axis=1)


def walk(start, end, network, images, classes):
    """Send back what `start` makes of the scores, and make a map of what arrives, by `end`."""
    scores = network.forward(images)
    gradient = network.backward(start(scores, classes))
    return end(gradient, images)


def _start(says, hint):
    """Mark ``f(scores, classes)``, a wrong dy, as a misconception of saliency."""

    def mark(start):
        whole = functools.partial(walk, start, largest_over_channels)
        STARTS.append((start, _named_as(start, whole, says, hint)))
        return STARTS[-1][1]

    return mark


def _end(says, hint):
    """Mark ``f(gradient, images)``, a wrong map, as a misconception of saliency."""

    def mark(end):
        whole = functools.partial(walk, one_hot, end)
        ENDS.append((end, _named_as(end, whole, says, hint)))
        return ENDS[-1][1]

    return mark


def _named_as(part, whole, says, hint):
    def saliency(network, images, classes):
        return whole(network, images, classes)

    saliency.__name__ = part.__name__
    return misconception("saliency", says=says, hint=hint)(saliency)


# ---------------------------------------------------------------------------- what is sent back

ASKED = "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?"
WHOSE = "Each picture has its own row of dy. In which column of it does the class that is asked for stand?"


def _probabilities(scores):
    loss = SoftmaxCrossEntropy()
    loss.forward(scores, np.zeros(len(scores), int))
    return loss.p


@_start("You send back the gradient of the loss, not that of the score.", ASKED)
def gradient_of_the_loss(scores, classes):
    loss = SoftmaxCrossEntropy()
    loss.forward(scores, classes)
    return loss.backward()


@_start(
    "You send back the gradient of a loss whose right answer is what the network believes anyway.",
    ASKED,
)
def gradient_of_the_loss_of_the_prediction(scores, classes):
    loss = SoftmaxCrossEntropy()
    loss.forward(scores, scores.argmax(axis=1))
    return loss.backward()


@_start(
    "What you send back is the difference between the probabilities and the one-hot rows. "
    "That is how a loss reacts, or the log of a probability, but not the score.",
    ASKED,
)
def gradient_of_the_log(scores, classes):
    return _probabilities(scores) - one_hot(scores, classes)


@_start(
    "You send back the gradient of the probability, not that of the score. "
    "All the scores have a say in a probability.",
    ASKED,
)
def gradient_of_the_probability(scores, classes):
    p, wanted = _probabilities(scores), one_hot(scores, classes)
    return (p * wanted).sum(axis=1, keepdims=True) * (wanted - p)


@_start("You send back ones, so you ask for all scores at once.", ASKED)
def ones_for_all_scores(scores, classes):
    return np.ones_like(scores)


@_start("You send back the scores themselves.", ASKED)
def scores_as_dy(scores, classes):
    return scores


@_start("You send back the probabilities.", ASKED)
def probabilities_as_dy(scores, classes):
    return _probabilities(scores)


@_start(
    "You send back the score itself, where a 1 belongs.",
    "dy is ∂ what you ask for / ∂ score. If you ask for the score itself, how much is that?",
)
def score_in_place_of_one(scores, classes):
    return scores * one_hot(scores, classes)


@_start(
    "You send back the probability of the class, where a 1 belongs.",
    "dy is ∂ what you ask for / ∂ score. If you ask for the score itself, how much is that?",
)
def probability_in_place_of_one(scores, classes):
    return _probabilities(scores) * one_hot(scores, classes)


@_start(
    "You ask for the class that the network believes in, not for the one in `classes`.",
    "May somebody ask what in this shirt speaks for a bag? Which argument says so?",
)
def predicted_class(scores, classes):
    return one_hot(scores, scores.argmax(axis=1))


@_start("All pictures are asked for the class of the first one.", WHOSE)
def class_of_the_first(scores, classes):
    return one_hot(scores, np.full(len(scores), classes[0]))


@_start("All pictures are asked for the class of the last one.", WHOSE)
def class_of_the_last(scores, classes):
    return one_hot(scores, np.full(len(scores), classes[-1]))


@_start(
    "Every picture is asked for the classes of all pictures. "
    "A colon in the place of the picture means all pictures.",
    WHOSE,
)
def classes_of_all(scores, classes):
    dy = np.zeros_like(scores)
    dy[:, classes] = 1
    return dy


@_start(
    "You use the classes as rows of dy.",
    "The first index of dy says which picture. Which one says which class, and who counts the pictures?",
)
def classes_as_rows(scores, classes):
    dy = np.zeros_like(scores)
    dy[classes] = 1
    return dy


@_start(
    "Your dy has a row for each class and a column for each picture.",
    "dy has the shape of the scores. Which is their first axis?",
)
def one_hot_on_its_side(scores, classes):
    return one_hot(scores, classes).T


@_start(
    "You use the classes as rows of dy, and the pictures as columns.",
    "dy[i, j]: which of the two says which picture, and which one which class?",
)
def rows_and_columns_swapped(scores, classes):
    dy = np.zeros_like(scores)
    dy[classes, np.arange(len(scores))] = 1
    return dy


@_start(
    "Your loop runs over the classes themselves, and you use them as numbers of pictures.",
    "In `for n in [5, 1]`, what is n? And which row of dy is meant?",
)
def classes_as_numbers_of_pictures(scores, classes):
    dy = np.zeros_like(scores)
    for n in classes:
        dy[n, classes[n]] = 1
    return dy


@_start(
    "You take one off each class, as if they were counted from 1.",
    "The classes of this course run from 0. In which column does the score of class 0 stand?",
)
def class_before(scores, classes):
    return one_hot(scores, classes - 1)


@_start(
    "dy is divided by the number of pictures.",
    "A loss is a mean over the batch. Is there a mean in what you are asked for here?",
)
def divided_by_the_batch(scores, classes):
    return one_hot(scores, classes) / scores.dtype.type(len(scores))


@_start(
    "Each row of dy holds the number of its class, not a 1 at its place.",
    "Class 7 isn't worth more than class 1. What tells the network which score you mean?",
)
def number_of_the_class(scores, classes):
    return np.broadcast_to(classes[:, None], scores.shape).astype(scores.dtype)


@_start(
    "The number of the class stands where a 1 belongs.",
    "Class 7 isn't worth more than class 1. How much does the score change when the score changes by 1?",
)
def number_in_place_of_one(scores, classes):
    return one_hot(scores, classes) * classes[:, None].astype(scores.dtype)


@_start(
    "Only the first picture asks for its class; the rows of dy for the others stay 0.",
    "How many rows has dy, and how many of them does your code write into?",
)
def first_row_only(scores, classes):
    dy = one_hot(scores, classes)
    dy[1:] = 0
    return dy


@_start(
    "Only the last picture asks for its class; the rows of dy for the others are 0.",
    "How many rows has dy, and what becomes of them in each turn of your loop?",
)
def last_row_only(scores, classes):
    dy = one_hot(scores, classes)
    dy[:-1] = 0
    return dy


@_start(
    "In each row of dy, the 1s of the pictures before it are still there.",
    "You set a 1 for each picture. Who takes it away again before the next one's turn?",
)
def ones_left_over(scores, classes):
    return np.minimum(one_hot(scores, classes).cumsum(axis=0), 1)


@_start(
    "The first picture is asked for class 0, the second one for class 1, and so on.",
    WHOSE,
)
def place_in_the_batch(scores, classes):
    return one_hot(scores, np.arange(len(scores)))


@_start(
    "You send back 1 for the class and −1 for all others, so you ask how far it is ahead of them.",
    ASKED,
)
def ahead_of_all_others(scores, classes):
    return 2 * one_hot(scores, classes) - 1


@_start(
    "The mean over the classes is taken off your dy, so you ask how far the score is ahead of the mean of all.",
    ASKED,
)
def ahead_of_the_mean(scores, classes):
    return one_hot(scores, classes) - scores.dtype.type(1 / scores.shape[1])


@_start("You send back zeros: no score is asked for.", ASKED)
def zeros(scores, classes):
    return np.zeros_like(scores)


# ---------------------------------------------------------------------------- what is made of it

SIGN = "A pixel whose brightening lowers the score counts as much as one that raises it. What of the two does your number say?"
CHANNELS = (
    "Of the gradient's four axes, one goes away: a pixel counts as much as its strongest channel."
)


@_end("The sign is still there: you take the largest gradient, not the strongest.", SIGN)
def largest_with_sign(gradient, images):
    return gradient.max(axis=1)


@_end(
    "You drop the sign too late, after the maximum over the channels. "
    "With a single channel that makes no difference.",
    "Of −5 and 2, which one is the stronger? And which one comes out of your maximum?",
)
def sign_dropped_too_late(gradient, images):
    return np.abs(gradient.max(axis=1))


@_end(
    "You find the strongest channel, but the sign is still there.",
    "The map says how strongly the score reacts, not in which direction.",
)
def strongest_with_sign(gradient, images):
    strongest = np.abs(gradient).argmax(axis=1)[:, None]
    return np.take_along_axis(gradient, strongest, axis=1)[:, 0]


@_end("What is negative has become 0.", SIGN)
def positive_part(gradient, images):
    return np.maximum(gradient, 0).max(axis=1)


@_end("You add up the channels, without their sign.", CHANNELS)
def sum_over_channels(gradient, images):
    return np.abs(gradient).sum(axis=1)


@_end("You take the mean over the channels, without their sign.", CHANNELS)
def mean_over_channels(gradient, images):
    return np.abs(gradient).mean(axis=1)


@_end("You add up the channels with their sign, so they cancel each other.", CHANNELS)
def signed_sum_over_channels(gradient, images):
    return gradient.sum(axis=1)


@_end("You add up the channels and drop the sign only then, so they cancel each other.", CHANNELS)
def sign_dropped_after_the_sum(gradient, images):
    return np.abs(gradient.sum(axis=1))


@_end("You take the mean over the channels with their sign, so they cancel each other.", CHANNELS)
def signed_mean_over_channels(gradient, images):
    return gradient.mean(axis=1)


@_end(
    "You take the mean over the channels and drop the sign only then, so they cancel each other.",
    CHANNELS,
)
def sign_dropped_after_the_mean(gradient, images):
    return np.abs(gradient.mean(axis=1))


@_end("You look at the first channel only.", CHANNELS)
def first_channel(gradient, images):
    return np.abs(gradient[:, 0])


@_end("You look at the last channel only.", CHANNELS)
def last_channel(gradient, images):
    return np.abs(gradient[:, -1])


@_end("You take the root of the sum of squares over the channels, by Pythagoras.", CHANNELS)
def length_over_channels(gradient, images):
    return np.sqrt((gradient**2).sum(axis=1))


@_end("You take the root of the mean of squares over the channels.", CHANNELS)
def root_of_the_mean_over_channels(gradient, images):
    return np.sqrt((gradient**2).mean(axis=1))


@_end("You add up the squares over the channels.", CHANNELS)
def squares_over_channels(gradient, images):
    return (gradient**2).sum(axis=1)


@_end(
    "Your numbers say which channel is the strongest, not how strong it is.",
    "argmax gives a place. What stands there?",
)
def number_of_the_channel(gradient, images):
    return np.abs(gradient).argmax(axis=1)


@_end("You take the smallest over the channels.", CHANNELS)
def smallest_over_channels(gradient, images):
    return np.abs(gradient).min(axis=1)


@_end("The axis of the channels is still there, with length 1.", CHANNELS)
def channel_axis_kept(gradient, images):
    return np.abs(gradient).max(axis=1, keepdims=True)


@_end("The channels are still there: nothing is chosen among them.", CHANNELS)
def all_channels(gradient, images):
    return np.abs(gradient)


@_end("All axes of length 1 are gone, and nothing is chosen among several channels.", CHANNELS)
def squeezed(gradient, images):
    return np.abs(gradient).squeeze()


@_end(
    "The gradient is returned as it arrives, with its sign and all its channels.",
    "One number for each pixel is asked for. How do you get it from the gradient of its channels?",
)
def the_gradient_itself(gradient, images):
    return gradient


@_end("You take the largest over the pictures, not over the channels.", CHANNELS)
def largest_over_pictures(gradient, images):
    return np.abs(gradient).max(axis=0)


@_end("You take the largest over the rows, not over the channels.", CHANNELS)
def largest_over_rows(gradient, images):
    return np.abs(gradient).max(axis=2)


@_end("You take the largest over the columns, not over the channels.", CHANNELS)
def largest_over_columns(gradient, images):
    return np.abs(gradient).max(axis=3)


@_end(
    "You take the largest over the pictures too: one map is left for all of them.",
    "How many maps does the exercise ask for?",
)
def one_map_for_all(gradient, images):
    return np.abs(gradient).max(axis=(0, 1))


FLOAT = "The gradient itself is asked for. Whoever draws the map can still stretch it; can anybody undo that?"


def _stretched(saliency, axis, from_zero):
    low = 0 if from_zero else saliency.min(axis=axis, keepdims=True)
    return (saliency - low) / (saliency.max(axis=axis, keepdims=True) - low)


@_end("Each map is divided by its largest number.", FLOAT)
def divided_by_its_largest(gradient, images):
    return _stretched(largest_over_channels(gradient, images), (1, 2), from_zero=True)


@_end("All maps are divided by the largest number in them.", FLOAT)
def divided_by_the_largest(gradient, images):
    return _stretched(largest_over_channels(gradient, images), (0, 1, 2), from_zero=True)


@_end("Each map is stretched to run from 0 to 1.", FLOAT)
def stretched_each(gradient, images):
    return _stretched(largest_over_channels(gradient, images), (1, 2), from_zero=False)


@_end("All maps together are stretched to run from 0 to 1.", FLOAT)
def stretched_together(gradient, images):
    return _stretched(largest_over_channels(gradient, images), (0, 1, 2), from_zero=False)


@_end(
    "You square the gradient, where only its sign should go.",
    "A gradient of 3 should say 3. What does yours say?",
)
def squared(gradient, images):
    return (gradient**2).max(axis=1)


@_end(
    "The gradient is multiplied by the picture.",
    "Does a black pixel count for nothing? What would happen if it were brighter?",
)
def times_the_picture(gradient, images):
    return np.abs(gradient * images).max(axis=1)


@_end(
    "The gradients are cut to whole numbers.",
    "Which dtype has the array that you fill, and where does it come from?",
)
def whole_numbers(gradient, images):
    return np.abs(gradient).max(axis=1).astype(int)


# ---------------------------------------------------------------------------- anything else

ONE_EACH = "How many pictures went in, and how many maps came out?"


def _saliency(network, images, classes):
    return walk(one_hot, largest_over_channels, network, images, classes)


def _each(network, images, classes):
    """The maps of one picture after the other."""
    for n in range(len(images)):
        yield _saliency(network, images[n : n + 1], classes[n : n + 1])[0]


def _of_every_class(network, images):
    for k in range(network.forward(images).shape[1]):
        yield _saliency(network, images, np.full(len(images), k))


@misconception("saliency", says="Only the first picture goes through the network.", hint=ONE_EACH)
def first_picture_only(network, images, classes):
    return _saliency(network, images[:1], classes[:1])


@misconception(
    "saliency",
    says="Only the map of the last picture comes back.",
    hint="In each turn of a loop, what becomes of the map of the turn before?",
)
def last_picture_only(network, images, classes):
    return _saliency(network, images[-1:], classes[-1:])


@misconception(
    "saliency",
    says="One map comes back for a whole batch, that of the last picture.",
    hint="In each turn of a loop, what becomes of the map of the turn before?",
)
def last_map_only(network, images, classes):
    return [*_each(network, images, classes)][-1]


@misconception(
    "saliency",
    says="One map comes back for a whole batch, that of the first picture.",
    hint="How far is your return indented? A function that has returned does no more turns of a loop.",
)
def first_map_only(network, images, classes):
    return next(_each(network, images, classes))


@misconception(
    "saliency",
    says="All pictures go forward before the first gradient goes back, one by one. "
    "By then, the layers remember only the last of them.",
    hint="A layer remembers one forward only. What has to stand between two calls of forward?",
)
def all_forward_first(network, images, classes):
    rows = [network.forward(images[n : n + 1]) for n in range(len(images))]
    gradients = [network.backward(one_hot(r, classes[n])) for n, r in enumerate(rows)]
    return largest_over_channels(np.concatenate(gradients), images)


@misconception(
    "saliency",
    says="You walk back without having walked there: no forward with these pictures comes before your backward.",
    hint="Which pictures do the layers remember at that moment, if any?",
)
def without_forward(network, images, classes):
    scores = np.zeros((len(images), network.layers[-1].out_features), images.dtype)
    return largest_over_channels(network.backward(one_hot(scores, classes)), images)


@misconception(
    "saliency",
    says="You divide the pictures by 255, so the network sees others than those that you are given.",
    hint="What comes in is what the network was trained on. What would it make of a picture that dark?",
)
def divided_by_255(network, images, classes):
    return inside.saliency(network, images / images.dtype.type(255), classes)


@misconception(
    "saliency",
    says="Before your backward, blank pictures have gone forward: the layers remember those.",
    hint="A layer remembers its last forward only. Who else in your function knows how many scores there are?",
)
def blank_pictures_last(network, images, classes):
    network.forward(images)
    return inside.saliency(network, np.zeros_like(images), classes)


@misconception(
    "saliency",
    says="Before your backward, one blank picture has gone forward: the layers remember that one.",
    hint="A layer remembers its last forward only. Who else in your function knows how many scores there are?",
)
def a_blank_picture_last(network, images, classes):
    scores = network.forward(images)
    network.forward(np.zeros_like(images[:1]))
    return largest_over_channels(network.backward(one_hot(scores, classes)), images)


@misconception(
    "saliency",
    says="You add up the maps of all classes.",
    hint="How many classes does `classes` name for a picture?",
)
def all_classes_added_up(network, images, classes):
    return sum(_of_every_class(network, images))


@misconception(
    "saliency",
    says="You take the largest over the maps of all classes.",
    hint="How many classes does `classes` name for a picture?",
)
def largest_over_classes(network, images, classes):
    return np.max([*_of_every_class(network, images)], axis=0)


@misconception(
    "saliency",
    says="You walk back through the layers from the first to the last.",
    hint="dy belongs to the scores. Which layer has made them, and so is the only one that can do something with it?",
)
def back_from_the_first_layer(network, images, classes):
    dy = one_hot(network.forward(images), classes)
    for layer in network.layers:
        dy = layer.backward(dy)
    return np.abs(dy).max(axis=1)


def _back(change, network, images, classes):
    """Walk back, and change the gradient behind each layer."""
    dy = one_hot(network.forward(images), classes)
    for layer in reversed(network.layers):
        dy = change(layer.backward(dy))
    return np.abs(dy).max(axis=1)


@misconception(
    "saliency",
    says="You throw away what is negative at each layer on the way back. "
    "That is known as guided backpropagation, but it is no gradient.",
    hint="The layers do all the work on the way back. What is left to do at the end?",
)
def positive_at_each_layer(network, images, classes):
    return _back(lambda dy: np.maximum(dy, 0), network, images, classes)


@misconception(
    "saliency",
    says="You drop the sign at each layer on the way back.",
    hint="A layer adds up what comes back to it. May +3 and −3 become 6 there? When is it early enough to drop a sign?",
)
def sign_dropped_at_each_layer(network, images, classes):
    return _back(np.abs, network, images, classes)


@misconception(
    "saliency",
    says="The scores are returned; no gradient has walked back.",
    hint="forward says what the network thinks. Who says what that depends on?",
)
def the_scores(network, images, classes):
    return network.forward(images)


@misconception(
    "saliency",
    says="You return the largest of each pixel's channels; the network has nothing to do with that.",
    hint="That is what the picture looks like. What does the score make of it?",
)
def the_picture(network, images, classes):
    return np.abs(images).max(axis=1)


@misconception(
    "saliency",
    says="You return what the first layer makes of the picture, on the way there.",
    hint="A feature map says what a layer sees. Which method says what the score depends on?",
)
def first_feature_map(network, images, classes):
    return np.abs(network.layers[0].forward(images)).max(axis=1)


@misconception(
    "saliency",
    says="You look at dW of the first layer, that is at its weights, not at the picture.",
    hint="backward does two things. Which of them belongs to the pixels?",
)
def dW_of_the_first_layer(network, images, classes):
    _saliency(network, images, classes)
    return np.abs(network.layers[0].dW).max(axis=1)


@misconception(
    "saliency",
    says="The walk back stops before the first layer, so your gradient is that of its output.",
    hint="How many layers are there, and how many of them has your gradient walked through?",
)
def stops_before_the_first_layer(network, images, classes):
    dy = one_hot(network.forward(images), classes)
    for layer in network.layers[:0:-1]:
        dy = layer.backward(dy)
    return np.abs(dy).max(axis=1)


@misconception(
    "saliency",
    says="You write into the pictures.",
    hint="Whoever handed you `images` still needs them. Which of your lines has images, or a part of it, on its left?",
)
def writes_into_the_pictures(network, images, classes):
    images[:] = network.backward(one_hot(network.forward(images), classes))
    return np.abs(images).max(axis=1)


@misconception(
    "saliency",
    says="After your call the network has other weights.",
    hint="backward finds dW. Whose work is the step, and is anybody learning here?",
)
def learns_from_it(network, images, classes):
    saliency = _saliency(network, images, classes)
    for layer in network.layers:
        if hasattr(layer, "dW"):
            layer.W -= 0.01 * layer.dW
    return saliency


# ---------------------------------------------------------------------------- the confusion matrix

ROWS = "Look at one picture of the example: what is its right class, and in which row did you count it?"
COUNTS = "The matrix counts pictures. What do all its numbers add up to?"


@misconception("confusion_matrix", says="Your rows are the predictions.", hint=ROWS)
def predictions_in_rows(labels, predictions, classes):
    return inside.confusion_matrix(predictions, labels, classes)


@misconception(
    "confusion_matrix",
    says="However often a pair of classes occurs, you count it once.",
    hint="`= 1`, and `=+ 1`, don't add at all, and `m[[0, 0]] += 1` adds once: it writes the same new number "
    "into one place twice. What adds each time?",
)
def counts_each_pair_once(labels, predictions, classes):
    return np.minimum(inside.confusion_matrix(labels, predictions, classes), 1)


@misconception(
    "confusion_matrix",
    says="Your loop goes from picture to picture, and each time you count all of them.",
    hint="What do labels and predictions stand for within your loop, one number or all?",
)
def all_at_each_turn(labels, predictions, classes):
    return counts_each_pair_once(labels, predictions, classes) * len(labels)


@misconception(
    "confusion_matrix",
    says="`labels == i & predictions == j` means `labels == (i & predictions) == j`.",
    hint="`&` comes before `==`, as · before +. What can you put around the two questions?",
)
def and_before_equals(labels, predictions, classes):
    matrix = np.zeros((classes, classes), int)
    for i, j in np.ndindex(classes, classes):
        matrix[i, j] = np.sum(labels == i & predictions == j)
    return matrix


NUMBERS = "In `for n in [2, 0, 2]`, what is n in the first turn? How do you get a number for each picture?"


@misconception(
    "confusion_matrix",
    says="Your loop runs over the labels themselves, and you use them as numbers of pictures.",
    hint=NUMBERS,
)
def labels_as_numbers_of_pictures(labels, predictions, classes):
    return _counted(labels[labels], predictions[labels], classes)


@misconception(
    "confusion_matrix",
    says="You take the predictions at the places that the labels name, as if these were numbers of pictures.",
    hint=NUMBERS,
)
def predictions_at_the_labels(labels, predictions, classes):
    return _counted(labels, predictions[labels], classes)


@misconception("confusion_matrix", says="You divide by the number of pictures.", hint=COUNTS)
def shares_of_all(labels, predictions, classes):
    return inside.confusion_matrix(labels, predictions, classes) / len(labels)


@misconception(
    "confusion_matrix",
    says="You divide each row by its sum. A class without a picture has none.",
    hint=COUNTS,
)
def shares_of_each_row(labels, predictions, classes):
    matrix = inside.confusion_matrix(labels, predictions, classes)
    return matrix / matrix.sum(axis=1, keepdims=True)


@misconception(
    "confusion_matrix",
    says="You divide each column by its sum. A class that nothing was taken for has none.",
    hint=COUNTS,
)
def shares_of_each_column(labels, predictions, classes):
    matrix = inside.confusion_matrix(labels, predictions, classes)
    return matrix / matrix.sum(axis=0)


@misconception("confusion_matrix", says="You count only the mistakes.", hint=COUNTS)
def mistakes_only(labels, predictions, classes):
    wrong = labels != predictions
    return inside.confusion_matrix(labels[wrong], predictions[wrong], classes)


@misconception(
    "confusion_matrix",
    says="On the diagonal you count all pictures of a class, not only those that were taken for it.",
    hint=COUNTS,
)
def all_of_a_class_on_the_diagonal(labels, predictions, classes):
    matrix = inside.confusion_matrix(labels, predictions, classes)
    np.fill_diagonal(matrix, matrix.sum(axis=1))
    return matrix


@misconception("confusion_matrix", says="You count only what is right.", hint=COUNTS)
def hits_only(labels, predictions, classes):
    right = labels == predictions
    return inside.confusion_matrix(labels[right], predictions[right], classes)


@misconception(
    "confusion_matrix",
    says="You count each pair both ways round.",
    hint="A shirt taken for a coat isn't a coat taken for a shirt. How many places belong to one picture?",
)
def both_ways_round(labels, predictions, classes):
    matrix = inside.confusion_matrix(labels, predictions, classes)
    return matrix + matrix.T


@misconception(
    "confusion_matrix",
    says="The size of your matrix comes out of the labels, not out of `classes`.",
    hint="What if none of these pictures shows the last class?",
)
def as_many_as_labels_show(labels, predictions, classes):
    return _counted(labels, predictions, labels.max() + 1)


@misconception(
    "confusion_matrix",
    says="The size of your matrix comes out of the labels and predictions, not out of `classes`.",
    hint="What if none of these pictures shows the last class, and none is taken for it?",
)
def as_many_as_occur(labels, predictions, classes):
    return _counted(labels, predictions, max(labels.max(), predictions.max()) + 1)


@misconception(
    "confusion_matrix",
    says="Your matrix is for 10 classes, whatever `classes` is.",
    hint="Fashion-MNIST has ten. Where do you ask how many there are here?",
)
def ten_classes(labels, predictions, classes):
    return _counted(labels, predictions, 10)


def _counted(labels, predictions, K):
    matrix = np.zeros((K, K), int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


@misconception(
    "confusion_matrix",
    says="You take one off each class, as if they were counted from 1.",
    hint="The classes of this course run from 0. Where did your class 0 go?",
)
def classes_from_one(labels, predictions, classes):
    return _counted(labels - 1, predictions - 1, classes)


@misconception(
    "confusion_matrix",
    says="Your counts go no further than 255, and then begin again at 0.",
    hint="How many pictures may be of one class, and taken for it? Which dtype has your matrix?",
)
def counts_up_to_255(labels, predictions, classes):
    return inside.confusion_matrix(labels, predictions, classes).astype(np.uint8)


@misconception(
    "confusion_matrix",
    says="You give each pair of classes a number, label · K + prediction, and it goes no further than the largest of its dtype.",
    hint="uint8 ends at 255 and begins again at 0. Which dtype do the labels have, and so your sum?",
)
def pairs_numbered_in_the_dtype_of_the_labels(labels, predictions, classes):
    pairs = labels * classes + predictions
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


@misconception(
    "confusion_matrix",
    says="Only the first picture is counted.",
    hint="How far is your return indented?",
)
def first_pair_only(labels, predictions, classes):
    return inside.confusion_matrix(labels[:1], predictions[:1], classes)


@misconception(
    "confusion_matrix",
    says="Only the last picture is counted.",
    hint="What becomes of your matrix in each turn of the loop?",
)
def last_pair_only(labels, predictions, classes):
    return inside.confusion_matrix(labels[-1:], predictions[-1:], classes)


@misconception(
    "confusion_matrix",
    says="The last picture isn't counted.",
    hint="Write down which pictures your loop visits. Where does it end?",
)
def without_the_last(labels, predictions, classes):
    return inside.confusion_matrix(labels[:-1], predictions[:-1], classes)


@misconception(
    "confusion_matrix",
    says="The first picture isn't counted.",
    hint="Write down which pictures your loop visits. Where does it begin?",
)
def without_the_first(labels, predictions, classes):
    return inside.confusion_matrix(labels[1:], predictions[1:], classes)


@misconception(
    "confusion_matrix",
    says="You count every label with every prediction, those of other pictures too.",
    hint="Two loops, one within the other: how many turns do they make for six pictures?",
)
def everything_with_everything(labels, predictions, classes):
    counts = (np.bincount(values, minlength=classes) for values in (labels, predictions))
    return np.outer(*counts)


@misconception(
    "confusion_matrix",
    says="The counts come in one long row.",
    hint="K classes, and K that each was taken for: how many axes is that?",
)
def one_long_row(labels, predictions, classes):
    return inside.confusion_matrix(labels, predictions, classes).ravel()


@misconception(
    "confusion_matrix",
    says="You count how often each class is right, and not what the others were taken for.",
    hint="What should the network's mistakes in one class tell you, beyond how many there are?",
)
def hits_of_each_class(labels, predictions, classes):
    return inside.confusion_matrix(labels, predictions, classes).diagonal()
