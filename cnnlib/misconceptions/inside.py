"""Wrong saliency maps and confusion matrices.

A wrong map sends back the wrong thing, or makes the wrong thing of what arrives at the picture.
"""

# fmt: off

import numpy as np

from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions.changes import Formula, mistakes, slip


def _one_hot(scores, classes):
    dy = np.zeros_like(scores)
    dy[np.arange(len(scores)), classes] = 1
    return dy


class _Saliency(Formula):
    def __call__(self, network, images, classes):
        scores = self.scores(network, images)
        gradient = self.walk(network, self.dy(scores, classes))
        self.leave(network)
        return self.drawn(gradient, images)

    def scores(self, network, images): return network.forward(images)

    def dy(self, scores, classes):
        """What is sent back: 1 at the score that is asked for."""
        return _one_hot(scores, classes)

    def walk(self, network, dy):
        for layer in self.route(network.layers):
            dy = self.handed_on(layer.backward(dy))
        return dy

    def route(self, layers): return layers[::-1]
    def handed_on(self, dy): return dy
    def leave(self, network): pass

    def drawn(self, gradient, images):
        """What is made of the gradient at the picture: the strongest of a pixel's channels."""
        return self.over_channels(self.sizes(gradient))

    def sizes(self, gradient): return np.abs(gradient)
    def over_channels(self, sizes): return sizes.max(axis=1)


# ---------------------------------------------------------------------------- what is sent back


def _loss_of(scores, classes):
    loss = SoftmaxCrossEntropy()
    loss.forward(scores, classes)
    return loss


def _p(scores): return _loss_of(scores, np.zeros(len(scores), int)).p


def _of_the_probability(self, scores, classes):
    p, wanted = _p(scores), _one_hot(scores, classes)
    return (p * wanted).sum(axis=1, keepdims=True) * (wanted - p)


def _ones_at(place):
    """A dy with 1 at ``place(scores, classes)``."""

    def dy(self, scores, classes):
        dy = np.zeros_like(scores)
        dy[place(scores, classes)] = 1
        return dy

    return dy


def _only_rows(rows):
    def dy(self, scores, classes):
        dy = np.zeros_like(scores)
        dy[rows] = _one_hot(scores, classes)[rows]
        return dy

    return dy


def _classes_for_pictures(self, scores, classes):
    dy = np.zeros_like(scores)
    for n in classes:
        dy[n, classes[n]] = 1
    return dy


def _same_for_all(which): return lambda self, scores, classes: _one_hot(scores, np.full(len(scores), classes[which]))


_ONE_AXIS = "Of the gradient's four axes, one goes away: a pixel counts as much as its strongest channel."

mistakes(__name__, {"saliency": _Saliency},
    gradient_of_the_loss=slip("You send back the gradient of the loss, not that of the score.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: _loss_of(scores, classes).backward()),
    gradient_of_the_loss_of_the_prediction=slip("You send back the gradient of a loss whose right answer is what the network believes anyway.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: _loss_of(scores, scores.argmax(axis=1)).backward()),
    gradient_of_the_log=slip("What you send back is the difference between the probabilities and the one-hot rows. That is how a loss reacts, or the log of a probability, but not the score.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: _p(scores) - _one_hot(scores, classes)),
    gradient_of_the_probability=slip("You send back the gradient of the probability, not that of the score. All the scores have a say in a probability.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=_of_the_probability),
    ones_for_all_scores=slip("You send back ones, so you ask for all scores at once.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: np.ones_like(scores)),
    scores_as_dy=slip("You send back the scores themselves.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: scores),
    probabilities_as_dy=slip("You send back the probabilities.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: _p(scores)),
    score_in_place_of_one=slip("You send back the score itself, where a 1 belongs.",
        "dy is ∂ what you ask for / ∂ score. If you ask for the score itself, how much is that?", dy=lambda self, scores, classes: scores * _one_hot(scores, classes)),
    probability_in_place_of_one=slip("You send back the probability of the class, where a 1 belongs.",
        "dy is ∂ what you ask for / ∂ score. If you ask for the score itself, how much is that?", dy=lambda self, scores, classes: _p(scores) * _one_hot(scores, classes)),
    predicted_class=slip("You ask for the class that the network believes in, not for the one in `classes`.",
        "May somebody ask what in this shirt speaks for a bag? Which argument says so?", dy=lambda self, scores, classes: _one_hot(scores, scores.argmax(axis=1))),
    class_of_the_first=slip("All pictures are asked for the class of the first one.",
        "Each picture has its own row of dy. In which column of it does the class that is asked for stand?", dy=_same_for_all(0)),
    class_of_the_last=slip("All pictures are asked for the class of the last one.",
        "Each picture has its own row of dy. In which column of it does the class that is asked for stand?", dy=_same_for_all(-1)),
    classes_of_all=slip("Every picture is asked for the classes of all pictures. A colon in the place of the picture means all pictures.",
        "Each picture has its own row of dy. In which column of it does the class that is asked for stand?", dy=_ones_at(lambda scores, classes: (slice(None), classes))),
    classes_as_rows=slip("You use the classes as rows of dy.",
        "The first index of dy says which picture. Which one says which class, and what counts the pictures?", dy=_ones_at(lambda scores, classes: classes)),
    one_hot_on_its_side=slip("Your dy has a row for each class and a column for each picture.",
        "dy has the shape of the scores. Which is their first axis?", dy=lambda self, scores, classes: _one_hot(scores, classes).T),
    rows_and_columns_swapped=slip("You use the classes as rows of dy, and the pictures as columns.",
        "dy[i, j]: which of the two says which picture, and which one which class?", dy=_ones_at(lambda scores, classes: (classes, np.arange(len(scores))))),
    classes_as_numbers_of_pictures=slip("Your loop runs over the classes themselves, and you use them as numbers of pictures.",
        "In `for n in [5, 1]`, what is n? And which row of dy is meant?", dy=_classes_for_pictures),
    class_before=slip("You take one off each class, as if they were counted from 1.",
        "The classes of this course run from 0. In which column does the score of class 0 stand?", dy=lambda self, scores, classes: _one_hot(scores, classes - 1)),
    divided_by_the_batch=slip("dy is divided by the number of pictures.",
        "A loss is a mean over the batch. Is there a mean in what you are asked for here?", dy=lambda self, scores, classes: _one_hot(scores, classes) / scores.dtype.type(len(scores))),
    number_of_the_class=slip("Each row of dy holds the number of its class, not a 1 at its place.",
        "Class 7 isn't worth more than class 1. What tells the network which score you mean?", dy=lambda self, scores, classes: np.broadcast_to(classes[:, None], scores.shape).astype(scores.dtype)),
    number_in_place_of_one=slip("The number of the class stands where a 1 belongs.",
        "Class 7 isn't worth more than class 1. How much does the score change when the score changes by 1?", dy=lambda self, scores, classes: (_one_hot(scores, classes) * classes[:, None].astype(scores.dtype))),
    first_row_only=slip("Only the first picture asks for its class; the rows of dy for the others stay 0.",
        "How many rows does dy have, and how many of them does your code write into?", dy=_only_rows(slice(1))),
    last_row_only=slip("Only the last picture asks for its class; the rows of dy for the others are 0.",
        "How many rows does dy have, and what becomes of them in each iteration of your loop?", dy=_only_rows(slice(-1, None))),
    ones_left_over=slip("In each row of dy, the 1s of the pictures before it are still there.",
        "You set a 1 for each picture. Who takes it away again before the next one's turn?", dy=lambda self, scores, classes: np.minimum(_one_hot(scores, classes).cumsum(axis=0), 1)),
    place_in_the_batch=slip("The first picture is asked for class 0, the second one for class 1, and so on.",
        "Each picture has its own row of dy. In which column of it does the class that is asked for stand?", dy=lambda self, scores, classes: _one_hot(scores, np.arange(len(scores)))),
    ahead_of_all_others=slip("You send back 1 for the class and −1 for all others, so you ask how far it is ahead of them.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: 2 * _one_hot(scores, classes) - 1),
    ahead_of_the_mean=slip("The mean over the classes is taken off your dy, so you ask how far the score is ahead of the mean of all.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?",
        dy=lambda self, scores, classes: (_one_hot(scores, classes) - scores.dtype.type(1 / scores.shape[1]))),
    zeros=slip("You send back zeros: no score is asked for.",
        "The question is how one score reacts to a pixel. Which dy says: I care for this number, and for no other?", dy=lambda self, scores, classes: np.zeros_like(scores)),
)

# ---------------------------------------------------------------------------- what is made of it


def _with_sign(self, gradient): return gradient
def _squares(self, gradient): return gradient**2


def _strongest(self, gradient):
    strongest = np.abs(gradient).argmax(axis=1)[:, None]
    return np.take_along_axis(gradient, strongest, axis=1)[:, 0]


def _stretched(axis, from_zero):
    def drawn(self, gradient, images):
        saliency = _Saliency.drawn(self, gradient, images)
        low = 0 if from_zero else saliency.min(axis=axis, keepdims=True)
        return (saliency - low) / (saliency.max(axis=axis, keepdims=True) - low)

    return drawn


mistakes(__name__, {"saliency": _Saliency},
    largest_with_sign=slip("The sign is still there: you take the largest gradient, not the strongest.",
        "A pixel whose brightening lowers the score counts as much as one that raises it. What of the two does your number say?", sizes=_with_sign),
    sign_dropped_too_late=slip("You drop the sign too late, after the maximum over the channels. With a single channel that makes no difference.",
        "Of −5 and 2, which one is the stronger? And which one comes out of your maximum?", sizes=_with_sign, over_channels=lambda self, g: np.abs(g.max(axis=1))),
    strongest_with_sign=slip("You find the strongest channel, but the sign is still there.",
        "The map says how strongly the score reacts, not in which direction.", sizes=_with_sign, over_channels=_strongest),
    positive_part=slip("What is negative has become 0.",
        "A pixel whose brightening lowers the score counts as much as one that raises it. What of the two does your number say?", sizes=lambda self, gradient: np.maximum(gradient, 0)),
    sum_over_channels=slip("You add up the channels, without their sign.", _ONE_AXIS, over_channels=lambda self, g: g.sum(axis=1)),
    mean_over_channels=slip("You take the mean over the channels, without their sign.", _ONE_AXIS, over_channels=lambda self, g: g.mean(axis=1)),
    signed_sum_over_channels=slip("You add up the channels with their sign, so they cancel each other.",
        _ONE_AXIS, sizes=_with_sign, over_channels=lambda self, g: g.sum(axis=1)),
    sign_dropped_after_the_sum=slip("You add up the channels and drop the sign only then, so they cancel each other.",
        _ONE_AXIS, sizes=_with_sign, over_channels=lambda self, g: np.abs(g.sum(axis=1))),
    signed_mean_over_channels=slip("You take the mean over the channels with their sign, so they cancel each other.",
        _ONE_AXIS, sizes=_with_sign, over_channels=lambda self, g: g.mean(axis=1)),
    sign_dropped_after_the_mean=slip("You take the mean over the channels and drop the sign only then, so they cancel each other.",
        _ONE_AXIS, sizes=_with_sign, over_channels=lambda self, g: np.abs(g.mean(axis=1))),
    first_channel=slip("You look at the first channel only.", _ONE_AXIS, over_channels=lambda self, g: g[:, 0]),
    last_channel=slip("You look at the last channel only.", _ONE_AXIS, over_channels=lambda self, g: g[:, -1]),
    length_over_channels=slip("You take the root of the sum of squares over the channels, by Pythagoras.",
        _ONE_AXIS, sizes=_squares, over_channels=lambda self, g: np.sqrt(g.sum(axis=1))),
    root_of_the_mean_over_channels=slip("You take the root of the mean of squares over the channels.",
        _ONE_AXIS, sizes=_squares, over_channels=lambda self, g: np.sqrt(g.mean(axis=1))),
    squares_over_channels=slip("You add up the squares over the channels.", _ONE_AXIS, sizes=_squares, over_channels=lambda self, g: g.sum(axis=1)),
    number_of_the_channel=slip("Your numbers say which channel is the strongest, not how strong it is.",
        "argmax gives a place. What is there?", over_channels=lambda self, g: g.argmax(axis=1)),
    smallest_over_channels=slip("You take the smallest over the channels.", _ONE_AXIS, over_channels=lambda self, g: g.min(axis=1)),
    channel_axis_kept=slip("The axis of the channels is still there, with length 1.", _ONE_AXIS, over_channels=lambda self, g: g.max(axis=1, keepdims=True)),
    all_channels=slip("The channels are still there: nothing is chosen among them.", _ONE_AXIS, over_channels=lambda self, g: g),
    squeezed=slip("All axes of length 1 are gone, and nothing is chosen among several channels.", _ONE_AXIS, over_channels=lambda self, g: g.squeeze()),
    the_gradient_itself=slip("The gradient is returned as it arrives, with its sign and all its channels.",
        "One number for each pixel is asked for. How do you get it from the gradient of its channels?", drawn=lambda self, gradient, images: gradient),
    largest_over_pictures=slip("You take the largest over the pictures, not over the channels.", _ONE_AXIS, over_channels=lambda self, g: g.max(axis=0)),
    largest_over_rows=slip("You take the largest over the rows, not over the channels.", _ONE_AXIS, over_channels=lambda self, g: g.max(axis=2)),
    largest_over_columns=slip("You take the largest over the columns, not over the channels.", _ONE_AXIS, over_channels=lambda self, g: g.max(axis=3)),
    one_map_for_all=slip("You take the largest over the pictures too: one map is left for all of them.",
        "How many maps does the exercise ask for?", over_channels=lambda self, g: g.max(axis=(0, 1))),
    divided_by_its_largest=slip("Each map is divided by its largest number.",
        "The gradient itself is asked for. Whoever draws the map can still stretch it; can anybody undo that?", drawn=_stretched((1, 2), from_zero=True)),
    divided_by_the_largest=slip("All maps are divided by the largest number in them.",
        "The gradient itself is asked for. Whoever draws the map can still stretch it; can anybody undo that?", drawn=_stretched((0, 1, 2), from_zero=True)),
    stretched_each=slip("Each map is stretched to run from 0 to 1.",
        "The gradient itself is asked for. Whoever draws the map can still stretch it; can anybody undo that?", drawn=_stretched((1, 2), from_zero=False)),
    stretched_together=slip("All maps together are stretched to run from 0 to 1.",
        "The gradient itself is asked for. Whoever draws the map can still stretch it; can anybody undo that?", drawn=_stretched((0, 1, 2), from_zero=False)),
    squared=slip("You square the gradient, where only its sign should go.", "A gradient of 3 should say 3. What does yours say?", sizes=_squares),
    times_the_picture=slip("The gradient is multiplied by the picture.",
        "Does a black pixel count for nothing? What would happen if it were brighter?", drawn=lambda self, gradient, images: np.abs(gradient * images).max(axis=1)),
    whole_numbers=slip("The gradients are cut to whole numbers.",
        "What dtype does the array that you fill have, and where does it come from?", drawn=lambda self, gradient, images: _Saliency.drawn(self, gradient, images).astype(int)),
)

# ---------------------------------------------------------------------------- anything else


def _of_each(self, network, images, classes):
    """The maps of one picture after the other."""
    for n in range(len(images)):
        yield _Saliency.__call__(self, network, images[n : n + 1], classes[n : n + 1])[0]


def _of_every_class(self, network, images):
    for k in range(network.forward(images).shape[1]):
        yield _Saliency.__call__(self, network, images, np.full(len(images), k))


def _all_forward_first(self, network, images, classes):
    rows = [network.forward(images[n : n + 1]) for n in range(len(images))]
    gradients = [network.backward(_one_hot(r, classes[n])) for n, r in enumerate(rows)]
    return self.drawn(np.concatenate(gradients), images)


def _a_blank_picture_last(self, network, images):
    scores = network.forward(images)
    network.forward(np.zeros_like(images[:1]))
    return scores


def _blank_pictures_last(self, network, images):
    network.forward(images)
    return network.forward(np.zeros_like(images))


def _into_the_pictures(self, gradient, images):
    images[:] = gradient
    return np.abs(images).max(axis=1)


def _dW_of_the_first(self, network, images, classes):
    _Saliency.__call__(self, network, images, classes)
    return np.abs(network.layers[0].dW).max(axis=1)


def _learns(self, network):
    for layer in network.layers:
        if hasattr(layer, "dW"):
            layer.W -= 0.01 * layer.dW


def _unseen(self, network, images): return np.zeros((len(images), network.layers[-1].out_features), images.dtype)


def _called(change):
    """A call with other pictures and classes."""
    return lambda self, network, images, classes: _Saliency.__call__(self, network, *change(images, classes))


mistakes(__name__, {"saliency": _Saliency},
    first_picture_only=slip("Only the first picture goes through the network.",
        "How many pictures went in, and how many maps came out?", __call__=_called(lambda images, classes: (images[:1], classes[:1]))),
    last_picture_only=slip("Only the map of the last picture comes back.",
        "In each iteration of a loop, what becomes of the map from the one before?", __call__=_called(lambda images, classes: (images[-1:], classes[-1:]))),
    last_map_only=slip("One map comes back for a whole batch, that of the last picture.",
        "In each iteration of a loop, what becomes of the map from the one before?", __call__=lambda self, *given: [*_of_each(self, *given)][-1]),
    first_map_only=slip("One map comes back for a whole batch, that of the first picture.",
        "How far is your return indented? A function that has returned goes no further round its loop.", __call__=lambda self, *given: next(_of_each(self, *given))),
    all_forward_first=slip("All pictures go forward before the first gradient goes back, one by one. By then, the layers remember only the last of them.",
        "A layer remembers one forward only. What has to stand between two calls of forward?", __call__=_all_forward_first),
    without_forward=slip("You walk back without having walked there: no forward with these pictures comes before your backward.",
        "Which pictures do the layers remember at that moment, if any?", scores=_unseen),
    divided_by_255=slip("You divide the pictures by 255, so the network doesn't see those that you are given.",
        "What comes in is what the network was trained on. What would it make of a picture that dark?", scores=lambda self, network, images: network.forward(images / images.dtype.type(255))),
    blank_pictures_last=slip("Before your backward, blank pictures have gone forward: the layers remember those.",
        "A layer remembers its last forward only. Who else in your function knows how many scores there are?", scores=_blank_pictures_last),
    a_blank_picture_last=slip("Before your backward, one blank picture has gone forward: the layers remember that one.",
        "A layer remembers its last forward only. Who else in your function knows how many scores there are?", scores=_a_blank_picture_last),
    all_classes_added_up=slip("You add up the maps of all classes.",
        "How many classes does `classes` name for a picture?", __call__=lambda self, network, images, classes: sum(_of_every_class(self, network, images))),
    largest_over_classes=slip("You take the largest over the maps of all classes.",
        "How many classes does `classes` name for a picture?", __call__=lambda self, network, images, classes: np.max([*_of_every_class(self, network, images)], axis=0)),
    back_from_the_first_layer=slip("You walk back through the layers from the first to the last.",
        "dy belongs to the scores. Which layer has made them, and so is the only one that can do something with it?", route=lambda self, layers: layers),
    positive_at_each_layer=slip("You throw away what is negative at each layer on the way back. That is known as guided backpropagation, but it is no gradient.",
        "The layers do all the work on the way back. What is left to do at the end?", handed_on=lambda self, dy: np.maximum(dy, 0)),
    sign_dropped_at_each_layer=slip("You drop the sign at each layer on the way back.",
        "A layer adds up what comes back to it. May +3 and −3 become 6 there? When is it early enough to drop a sign?", handed_on=lambda self, dy: np.abs(dy)),
    the_scores=slip("The scores are returned; no gradient has walked back.",
        "forward says what the network thinks. Who says what that depends on?", __call__=lambda self, network, images, classes: network.forward(images)),
    the_picture=slip("You return the largest of each pixel's channels; the network has nothing to do with that.",
        "That is what the picture looks like. What does the score make of it?", __call__=lambda self, network, images, classes: np.abs(images).max(axis=1)),
    first_feature_map=slip("You return what the first layer makes of the picture, on the way there.",
        "A feature map says what a layer sees. Which method says what the score depends on?", __call__=lambda self, network, images, classes: np.abs(network.layers[0].forward(images)).max(axis=1)),
    dW_of_the_first_layer=slip("You look at dW of the first layer, that is at its weights, not at the picture.",
        "backward does two things. Which of them belongs to the pixels?", __call__=_dW_of_the_first),
    stops_before_the_first_layer=slip("The walk back stops before the first layer, so your gradient is that of its output.",
        "How many layers are there, and how many of them has your gradient walked through?", route=lambda self, layers: layers[:0:-1]),
    writes_into_the_pictures=slip("You write into the pictures.",
        "Whoever handed you `images` still needs them. Which of your lines has images, or a part of it, on its left?", drawn=_into_the_pictures),
    learns_from_it=slip("After your call the network has other weights.", "backward finds dW. Whose work is the step, and is anybody learning here?", leave=_learns),
)

# ---------------------------------------------------------------------------- the confusion matrix


class _Confusion(Formula):
    def __call__(self, labels, predictions, classes):
        counted = self.counted(labels, predictions)
        matrix = self.matrix(*counted, self.size(labels, predictions, classes))
        return self.told(matrix, len(labels))

    def counted(self, labels, predictions):
        """Which row and column each picture is counted in."""
        return labels, predictions

    def size(self, labels, predictions, classes): return classes

    def matrix(self, rows, columns, size):
        matrix = np.zeros((size, size), int)
        np.add.at(matrix, (rows, columns), 1)
        return matrix

    def told(self, matrix, N): return matrix


def _and_before_equals(self, labels, predictions, size):
    matrix = np.zeros((size, size), int)
    for i, j in np.ndindex(size, size):
        matrix[i, j] = np.sum(labels == i & predictions == j)
    return matrix


def _numbered(self, labels, predictions, size):
    pairs = labels * size + predictions
    return np.bincount(pairs, minlength=size**2).reshape(size, size)


def _everything(self, labels, predictions, size):
    return np.outer(*(np.bincount(values, minlength=size) for values in (labels, predictions)))


def _whole_classes(self, matrix, N):
    np.fill_diagonal(matrix, matrix.sum(axis=1))
    return matrix


def _where(chosen):
    """Count only the pictures that are chosen."""
    return lambda self, labels, predictions: tuple(a[chosen(labels, predictions)] for a in (labels, predictions))


mistakes(__name__, {"confusion_matrix": _Confusion},
    predictions_in_rows=slip("Your rows are the predictions.",
        "Look at one picture of the example: what is its right class, and in which row did you count it?", counted=lambda self, labels, predictions: (predictions, labels)),
    counts_each_pair_once=slip("However often a pair of classes occurs, you count it once.",
        "`= 1`, and `=+ 1`, don't add at all, and `m[[0, 0]] += 1` adds once: it writes the same new number into one place twice. What adds each time?", told=lambda self, matrix, N: np.minimum(matrix, 1)),
    all_at_each_turn=slip("Your loop goes from picture to picture, and each time you count all of them.",
        "What do labels and predictions stand for within your loop, one number or all?", told=lambda self, matrix, N: np.minimum(matrix, 1) * N),
    either_agrees=slip("You count a picture where only one of the two agrees: its label or its prediction.",
        "Which pictures belong in row 1 and column 2? What does `|` ask for, and what does `&`?", told=lambda self, matrix, N: matrix.sum(axis=1, keepdims=True) + matrix.sum(axis=0) - matrix),
    and_before_equals=slip("`labels == i & predictions == j` means `labels == (i & predictions) == j`.",
        "`&` comes before `==`, as · before +. What can you put around the two questions?", matrix=_and_before_equals),
    labels_as_numbers_of_pictures=slip("Your loop runs over the labels themselves, and you use them as numbers of pictures.",
        "In `for n in [2, 0, 2]`, what is n in the first iteration? How do you get a number for each picture?", counted=lambda self, labels, predictions: (labels[labels], predictions[labels])),
    predictions_at_the_labels=slip("You take the predictions at the places that the labels name, as if these were numbers of pictures.",
        "In `for n in [2, 0, 2]`, what is n in the first iteration? How do you get a number for each picture?", counted=lambda self, labels, predictions: (labels, predictions[labels])),
    shares_of_all=slip("You divide by the number of pictures.",
        "The matrix counts pictures. What do all its numbers add up to?", told=lambda self, matrix, N: matrix / N),
    shares_of_each_row=slip("You divide each row by its sum. A class without a picture has none.",
        "The matrix counts pictures. What do all its numbers add up to?", told=lambda self, matrix, N: matrix / matrix.sum(axis=1, keepdims=True)),
    shares_of_each_column=slip("You divide each column by its sum. A class that nothing was taken for has none.",
        "The matrix counts pictures. What do all its numbers add up to?", told=lambda self, matrix, N: matrix / matrix.sum(axis=0)),
    one_row_for_all=slip("All your rows are one and the same list: what is counted in one of them is counted in all.",
        "`[row] * n` is n times the same row, not n rows. What makes a new one each time?", told=lambda self, matrix, N: np.broadcast_to(matrix.sum(axis=0), matrix.shape)),
    mistakes_only=slip("You count only the mistakes.",
        "The matrix counts pictures. What do all its numbers add up to?", counted=_where(lambda labels, predictions: labels != predictions)),
    all_of_a_class_on_the_diagonal=slip("On the diagonal you count all pictures of a class, not only those that were taken for it.",
        "The matrix counts pictures. What do all its numbers add up to?", told=_whole_classes),
    hits_only=slip("You count only what is right.",
        "The matrix counts pictures. What do all its numbers add up to?", counted=_where(lambda labels, predictions: labels == predictions)),
    both_ways_round=slip("You count each pair both ways round.",
        "A shirt taken for a coat isn't a coat taken for a shirt. How many places belong to one picture?", told=lambda self, matrix, N: matrix + matrix.T),
    as_many_as_labels_show=slip("The size of your matrix comes out of the labels, not out of `classes`.",
        "What if none of these pictures shows the last class?", size=lambda self, labels, predictions, classes: labels.max() + 1),
    as_many_as_occur=slip("The size of your matrix comes out of the labels and predictions, not out of `classes`.",
        "What if none of these pictures shows the last class, and none is taken for it?", size=lambda self, labels, predictions, classes: max(labels.max(), predictions.max()) + 1),
    ten_classes=slip("Your matrix is for 10 classes, whatever `classes` is.",
        "Fashion-MNIST has ten. Where do you ask how many there are here?", size=lambda self, labels, predictions, classes: 10),
    classes_from_one=slip("You take one off each class, as if they were counted from 1.",
        "The classes of this course run from 0. Where did your class 0 go?", counted=lambda self, labels, predictions: (labels - 1, predictions - 1)),
    counts_up_to_255=slip("Your counts go no further than 255, and then begin again at 0.",
        "How many pictures may be of one class, and taken for it? What dtype does your matrix have?", told=lambda self, matrix, N: matrix.astype(np.uint8)),
    pairs_numbered_in_the_dtype_of_the_labels=slip("You give each pair of classes a number, label · K + prediction, and it goes no further than the largest of its dtype.",
        "uint8 ends at 255 and begins again at 0. What dtype do the labels have, and so your sum?", matrix=_numbered),
    first_pair_only=slip("Only the first picture is counted.", "How far is your return indented?", counted=_where(lambda labels, predictions: slice(1))),
    last_pair_only=slip("Only the last picture is counted.",
        "What becomes of your matrix in each iteration of the loop?", counted=_where(lambda labels, predictions: slice(-1, None))),
    without_the_last=slip("The last picture isn't counted.",
        "Write down which pictures your loop visits. Where does it end?", counted=_where(lambda labels, predictions: slice(-1))),
    without_the_first=slip("The first picture isn't counted.",
        "Write down which pictures your loop visits. Where does it begin?", counted=_where(lambda labels, predictions: slice(1, None))),
    everything_with_everything=slip("You count every label with every prediction, those of other pictures too.",
        "Two loops, one within the other: how many iterations do they make for six pictures?", matrix=_everything),
    one_long_row=slip("The counts come in one long row.",
        "K classes, and K that each was taken for: how many axes is that?", told=lambda self, matrix, N: matrix.ravel()),
    hits_of_each_class=slip("You count how often each class is right, and not what the others were taken for.",
        "What should the network's mistakes in one class tell you, beyond how many there are?", told=lambda self, matrix, N: matrix.diagonal()),
)
