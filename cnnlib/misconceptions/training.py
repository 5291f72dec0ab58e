"""What goes wrong in a training loop: shuffling and batches, the order of the calls, what is measured and returned."""

# fmt: off

import copy
import random

import numpy as np

from cnnlib.misconceptions.changes import Formula, mistakes, slip


class _Train(Formula):
    """A right training loop; what it was given is kept on self while it runs."""

    combines = False  # a run takes too long for trying two at once

    def __call__(self, network, loss, optimizer, training, validation, epochs, batch_size, rng):
        run = copy.copy(self)
        run.network, run.loss, run.optimizer = network, loss, optimizer
        run.training, run.validation = training, validation
        run.epochs, run.batch_size, run.rng = epochs, batch_size, rng
        run.begin()
        return run.returned(run.history())

    def begin(self): pass

    def history(self):
        history = []
        for _ in range(self.count(self.epochs)):
            self.before_epoch()
            losses = self.epoch(self.batches(self.pictures(), self.batch_size))
            self.after_epoch()
            history.append((self.told(losses), self.measured()))
        self.end()
        return history

    def count(self, epochs): return epochs
    def pictures(self): return len(self.training[0])
    def before_epoch(self): pass
    def after_epoch(self): pass
    def end(self): pass
    def returned(self, history): return history

    # Which pictures come when: each batch is indices, or a pair of them for pictures and labels.

    def batches(self, count, size): return self.dealt(self.order(count), size)
    def order(self, count): return self.generator().permutation(count)
    def generator(self): return self.rng
    def dealt(self, order, size): return [order[start : start + size] for start in range(0, len(order), size)]

    # One epoch, one step.

    def epoch(self, batches):
        images, labels = self.training
        self.right = []
        pairs = [batch if isinstance(batch, tuple) else (batch, batch) for batch in batches]
        self.last = pairs[-1][0] if pairs else None
        return [self.learn(images[i], labels[k]) for i, k in pairs]

    def learn(self, x, y):
        self.before_step()
        scores = self.scores(x)
        value = self.loss.forward(scores, y)
        self.right.append(scores.argmax(axis=1) == y)
        self.between()
        self.network.backward(self.sent_back(scores, value))
        self.step()
        return value

    def before_step(self): pass
    def scores(self, x): return self.network.forward(x)
    def between(self): pass
    def sent_back(self, scores, value): return self.loss.backward()
    def step(self): self.optimizer.step()

    # What is told of an epoch.

    def told(self, losses): return np.mean(losses)
    def sizes(self): return [len(batch) for batch in _Train.dealt(self, range(self.pictures()), self.batch_size)]
    def measured(self): return self.accuracy(*self.validation)
    def accuracy(self, images, labels): return self.share(self.network.forward(images).argmax(axis=1) == labels)
    def share(self, right): return np.mean(right)


# ---------------------------------------------------------------------------- shuffling

_DEAL = "Think of a pack of cards: shuffle, then deal all of it. Where does the next batch begin?"
_PAIRS = "labels[4] belongs to images[4]. What happens to each of the two arrays?"


def _in_file_order(self, count): return np.arange(count)
def _shuffled_once(self, count): return vars(self).setdefault("kept", self.rng.permutation(count))


def _shuffled_too_late(self, count):
    began, self.began = getattr(self, "began", False), True
    return self.rng.permutation(count) if began else np.arange(count)


def _own_generator(*seed):
    def begin(self): self.rng = np.random.default_rng(*seed)

    return begin


def _by_python(self, count): return random.sample(range(count), count)


def _seeds_numpy(self):
    np.random.seed(0)  # noqa: NPY002 – the mistake itself


def _in_place(self):
    images, labels = self.training
    order = self.rng.permutation(len(images))
    images[:], labels[:] = images[order], labels[order]


def _apart_in_place(self):
    self.rng.shuffle(self.training[0])
    self.rng.shuffle(self.training[1])


def _pictures_in_place(self, count):
    self.rng.shuffle(self.training[0])
    return np.arange(count)


def _in_two_orders(pictures, labels):
    def batches(self, count, size):
        parts = (self.dealt(order(self, count), size) for order in (pictures, labels))
        return list(zip(*parts, strict=True))

    return batches


def _batches_shuffled(self, count, size):
    dealt = self.dealt(np.arange(count), size)
    return [dealt[k] for k in self.rng.permutation(len(dealt))]


def _dealt_once(self, count, size):
    if not hasattr(self, "kept"):
        self.kept = self.dealt(self.order(count), size)
    return [self.kept[k] for k in self.rng.permutation(len(self.kept))]


mistakes(__name__, {"train_steps": _Train},
    no_shuffling=slip("You don't shuffle: every epoch takes the pictures in the order of the file.",
        "What is `rng` there for? A file may be sorted, all shirts first.", order=_in_file_order),
    shuffled_once=slip("You shuffle once, and every epoch goes through the pictures in that same order.",
        "Which line shuffles, and how many times does it run?", order=_shuffled_once),
    shuffled_too_late=slip("The first epoch is in the order of the file. You shuffle only after it.",
        "Which line shuffles, and how many times does it run?", order=_shuffled_too_late),
    same_order_without_rng=slip("All epochs have the same order, and it does not come from `rng`.",
        "Which generator was handed to train?", generator=lambda self: np.random.default_rng(0)),
    shuffled_without_rng=slip("Whatever `rng` is, you shuffle in the same way: your random numbers come from somewhere else.",
        "Which generator was handed to train?", begin=_own_generator(0)),
    no_seed=slip("You shuffle with random numbers that don't come from `rng`, so nobody can repeat a run.",
        "Which generator was handed to train?", begin=_own_generator()),
    numpys_random_numbers=slip("You shuffle with NumPy's global random numbers, and not with `rng`.",
        "Which generator was handed to train?", generator=lambda self: np.random),
    numpys_random_numbers_seeded=slip("You set the seed of NumPy's global random numbers, and shuffle with those, not with `rng`.",
        "Which generator was handed to train? A global seed disturbs whoever else draws from there.", begin=_seeds_numpy, generator=lambda self: np.random),
    pythons_random_numbers=slip("You shuffle with Python's `random`, and not with `rng`.", "Which generator was handed to train?", order=_by_python),
    pythons_random_numbers_seeded=slip("You set the seed of Python's `random`, and shuffle with that, not with `rng`.",
        "Which generator was handed to train?", begin=lambda self: random.seed(0), order=_by_python),
    labels_left_behind=slip("The pictures are shuffled, the labels are not: they still come in the order of the file.",
        "labels[4] belongs to images[4]. What happens to each of the two arrays?", batches=_in_two_orders(_Train.order, _in_file_order)),
    pictures_left_behind=slip("The labels are shuffled, the pictures are not: they still come in the order of the file.",
        "labels[4] belongs to images[4]. What happens to each of the two arrays?", batches=_in_two_orders(_in_file_order, _Train.order)),
    shuffled_apart=slip("Pictures and labels come in two different orders, so most pictures meet a wrong label.",
        "labels[4] belongs to images[4]. What happens to each of the two arrays?", batches=_in_two_orders(_Train.order, _Train.order)),
    shuffled_in_place=slip("You shuffle the arrays that you were given. Pictures and labels still belong together, but whoever handed them to you finds them in another order.",
        "Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?", begin=_in_place),
    shuffled_apart_in_place=slip("You shuffle the two arrays that you were given, each in an order of its own: they are changed, and pictures and labels no longer belong together.",
        "Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?", begin=_apart_in_place),
    pictures_shuffled_in_place=slip("You shuffle the array of pictures that you were given: it is changed, and the labels have stayed where they were.",
        "Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?", order=_pictures_in_place),
    only_the_batches_shuffled=slip("Neighbours in the file stay together: you shuffle the order of the batches, not the pictures.",
        "If a file is sorted, what is in such a batch?", batches=_batches_shuffled),
    only_within_batches_shuffled=slip("Neighbours in the file stay together: you shuffle the pictures within each batch, and the batches come in the order of the file.",
        "If a file is sorted, what is in such a batch?", batches=lambda self, count, size: [self.rng.permutation(batch) for batch in self.dealt(np.arange(count), size)]),
    dealt_once=slip("You deal the pictures into batches once. Later epochs only change the order of the batches, so the same pictures meet again and again.",
        "What has to be shuffled in each epoch: the batches, or the pictures before they are dealt?", batches=_dealt_once),
    drawn_without_replacement=slip("You draw each batch at random from all pictures, so in an epoch some come several times and others never.",
        _DEAL, batches=lambda self, count, size: [self.rng.choice(count, min(size, count), replace=False) for _ in range(0, count, size)]),
    drawn_with_replacement=slip("You draw each batch at random from all pictures, so in an epoch some come several times and others never. One can even come twice in a batch.",
        _DEAL, batches=lambda self, count, size: [self.rng.integers(count, size=size) for _ in range(0, count, size)]),
    drawn_with_replacement_rounded_down=slip("You draw each batch at random from all pictures, so in an epoch some come several times and others never. And the number of batches is rounded down.",
        _DEAL, batches=lambda self, count, size: [self.rng.integers(count, size=size) for _ in range(count // size)]),
    order_drawn_with_replacement=slip("Your order of an epoch is drawn with replacement: some numbers are in it several times, others never.",
        _DEAL, order=lambda self, count: self.rng.choice(count, count)),
    new_order_for_each_batch=slip("You shuffle anew before each batch, so in an epoch some pictures come several times and others never.",
        "Which line shuffles, and how many times does it run?", batches=lambda self, count, size: [self.order(count)[k : k + size] for k in range(0, count, size)]),
)

# ---------------------------------------------------------------------------- batches


def _cut(starts, end=lambda start, size: start + size):
    """Deal from these starts up to this end."""
    return lambda self, order, size: [order[k : end(k, size)] for k in starts(len(order), size)]


def _every_batch(count, size): return range(0, count, size)


def _several_times(self):
    history = []
    for batch in self.batches(self.pictures(), self.batch_size):
        for _ in range(self.epochs):
            history += self.epoch([batch])
    return [(value, self.measured()) for value in history[: self.epochs]]


def _once(self, count, size):
    """The batches of the first epoch; none for those that follow."""
    used_up, self.used_up = vars(self).get("used_up"), True
    return [] if used_up else _Train.batches(self, count, size)


mistakes(__name__, {"train_steps": _Train},
    smaller_batch_dropped=slip("The last pictures of each epoch, too few for a whole batch, are left out.",
        "10 pictures in batches of 3: how many batches are there, and how many pictures are in the last one?", dealt=_cut(lambda count, size: range(0, count // size * size, size))),
    last_batch_dropped=slip("The last batch of each epoch is left out, even where it is a whole one.",
        "10 pictures in batches of 3: how many batches are there, and how many pictures are in the last one?", dealt=_cut(lambda count, size: range(0, count - size, size))),
    only_the_first_batch=slip("Each epoch learns from its first batch only.",
        "How many times does your inner loop run? Look for a break, and at how far each line is indented.", batches=lambda self, count, size: _Train.batches(self, count, size)[:1]),
    length_of_the_pair=slip("You count two pictures: len(training) counts the things in the pair, images and labels.",
        "Which array has a length that is the number of pictures?", pictures=lambda self: len(self.training)),
    length_of_the_pair_in_the_range=slip("You count two pictures: len(training) counts the things in the pair, images and labels.",
        "Which array has a length that is the number of pictures?", dealt=_cut(lambda count, size: range(0, 2, size))),
    same_batch_again=slip("All batches of an epoch hold the same pictures: the first ones of its order.",
        "Where does your second batch begin? Which name in your line moves on from batch to batch?", dealt=lambda self, order, size: [order[:size] for _ in range(0, len(order), size)]),
    batches_without_an_end=slip("Each batch goes on to the end of the epoch's order: the slice has a beginning and no end.",
        "Which entries are in a[3:], and which ones in a[3:6]?", dealt=_cut(_every_batch, lambda start, size: None)),
    only_the_last_batch=slip("Each epoch learns from its last batch only.",
        "How far is each line indented: what belongs to the loop over the batches?", batches=lambda self, count, size: _Train.batches(self, count, size)[-1:]),
    first_batch_left_out=slip("The first batch of each epoch is left out.",
        "With which number does your count begin?", batches=lambda self, count, size: _Train.batches(self, count, size)[1:]),
    one_picture_left_out=slip("At one end of each epoch's order, a picture is left out.",
        "With which number does your count begin, and up to where does a slice or a range go?", order=lambda self, count: self.generator().permutation(count)[1:]),
    one_picture_short=slip("Your batches are one picture short, and one is left out between each two.",
        "Which entries are in a[3:6]? The end of a slice is not in it.", dealt=_cut(_every_batch, lambda start, size: start + size - 1)),
    one_picture_too_many=slip("Your batches have one picture too many: the first one of the next batch.",
        "Which entries are in a[3:6]? The end of a slice is not in it.", dealt=_cut(_every_batch, lambda start, size: start + size + 1)),
    one_picture_skipped=slip("Between each two batches, one picture is left out.",
        "Where does one batch end, and where does the next one begin?", dealt=_cut(lambda count, size: range(0, count, size + 1))),
    batches_overlap=slip("Each batch begins one picture after the one before it, so they overlap.",
        "What step does your range have?", dealt=_cut(lambda count, size: range(count))),
    batches_overlap_without_rest=slip("Each batch begins one picture after the one before it, so they overlap, as far as there are whole ones.",
        "What step does your range have?", dealt=_cut(lambda count, size: range(count - size + 1))),
    filled_up=slip("You fill the last batch up with pictures that this epoch has already had.",
        "The last batch may be smaller. Does anything in your loop need it to be whole?", dealt=lambda self, order, size: [np.take(order, range(k, k + size), mode="wrap") for k in range(0, len(order), size)]),
    even_parts=slip("You cut each epoch into parts of about equal size, so hardly any batch has batch_size pictures.",
        "Cards are dealt from the top: batch_size, batch_size, …, and what is left.", dealt=lambda self, order, size: np.array_split(order, -(-len(order) // size))),
    as_many_batches_as_batch_size=slip("You make batch_size batches, where each batch should have batch_size pictures.",
        "With 1000 pictures and batch_size 50, how many steps does an epoch have?", dealt=lambda self, order, size: np.array_split(order, size)),
    all_in_one_batch=slip("Each epoch makes one step, with all pictures in one batch.", "What is batch_size there for?", dealt=lambda self, order, size: [order]),
    one_picture_at_a_time=slip("You learn from one picture at a time.", "What is batch_size there for?", dealt=lambda self, order, size: _Train.dealt(self, order, 1)),
    each_batch_several_times=slip("You take each batch as many times in a row as there are epochs.",
        "Which of the two loops is the outer one?", history=_several_times),
)
mistakes(__name__, {"train_steps": _Train, "train_history": _Train},
    one_epoch_more=slip("There is one epoch too many.", "Which numbers does your range give for 3 epochs?", count=lambda self, epochs: epochs + 1),
    one_epoch_less=slip("There is one epoch too few.", "Which numbers does your range give for 3 epochs?", count=lambda self, epochs: epochs - 1),
    batches_used_up=slip("From the second epoch on nothing is left to learn from: what your batches are taken from runs only once.",
        "An iterator (a zip, a reversed, an iter, a generator) gives everything once. Where is yours made: before the epochs, or in each?", batches=_once),
    returns_in_the_loop=slip("train ends with its first epoch. A return inside a loop ends the loop.",
        "How far is your return indented?", count=lambda self, epochs: 1),
)

# ---------------------------------------------------------------------------- there and back


def _nothing(self): pass
def _step(self): self.optimizer.step()


def _two_steps(self):
    self.optimizer.step()
    self.optimizer.step()


def _only_the_loss_back(self, x, y):
    value = self.loss.forward(self.network.forward(x), y)
    self.loss.backward()
    self.optimizer.step()
    return value


def _of_the_batch_before(self, scores, value):
    kept = vars(self).setdefault("kept", [])
    kept.append(self.loss.backward())
    return kept[max(0, len(kept) - 2)]


def _scored_before(self, batches):
    losses, scores = [], self.network.forward(self.training[0])
    for batch in batches:
        losses.append(self.loss.forward(scores[batch], self.training[1][batch]))
        self.network.backward(self.loss.backward())
        self.optimizer.step()
    return losses


def _probabilities(self, x):
    e = np.exp(self.network.forward(x))
    return e / e.sum(axis=1, keepdims=True)


def _divides_in_place(self):
    images = self.training[0]
    images /= 255


def _learns_by_heart(self):
    for batch in self.dealt(np.arange(len(self.validation[0])), self.batch_size):
        self.learn(self.validation[0][batch], self.validation[1][batch])


def _all_pictures(self):
    pairs = zip(self.training, self.validation, strict=True)
    self.training = tuple(np.concatenate(pair) for pair in pairs)


def _swapped(self): self.training, self.validation = self.validation, self.training


mistakes(__name__, {"train_steps": _Train},
    step_before_the_way_back=slip("You call step before the gradient has walked back through the network, so each step takes the gradients of the batch before.",
        "Write down, one below the other, all calls between two steps. Who needs what the others did?", between=_step, step=_nothing),
    step_comes_first=slip("Your loop begins with the step, when this batch has no gradients yet.",
        "Write down, one below the other, all calls between two steps. Who needs what the others did?", before_step=_step, step=_nothing),
    one_step_per_epoch=slip("You call step once per epoch. Each way back sets dW and db anew, so all batches but the last one are lost.",
        "How far is your step indented?", step=_nothing, after_epoch=_step),
    one_step_at_all=slip("You call step once, when all epochs are over.", "How far is your step indented?", step=_nothing, end=_step),
    two_steps_per_batch=slip("You call step twice for each batch, the second time with gradients that the weights have already followed.",
        "Write down, one below the other, all calls between two steps. Who needs what the others did?", step=_two_steps),
    no_step_at_all=slip("You never call step, so no weight ever moves.", "Who moves the weights, once the gradients are there?", step=_nothing),
    no_way_back=slip("You never call network.backward, so no layer learns its gradient.", "Which array walks back, and who gets it first?", learn=_only_the_loss_back),
    loss_walks_back=slip("You hand the loss itself to network.backward, a single number.",
        "Which call knows how the loss changes with each score, and who needs its answer?", sent_back=lambda self, scores, value: value),
    scores_walk_back=slip("You hand the scores to network.backward.",
        "Which call knows how the loss changes with each score, and who needs its answer?", sent_back=lambda self, scores, value: scores),
    divided_once_more=slip("You divide the gradient by the number of pictures. The loss is a mean already, and so is its gradient.",
        "What does loss.backward return: the gradient of a sum, or of a mean?", sent_back=lambda self, scores, value: self.loss.backward() / len(scores)),
    times_the_batch=slip("You multiply the gradient by the number of pictures, which undoes the mean in the loss.",
        "What does loss.backward return: the gradient of a sum, or of a mean?", sent_back=lambda self, scores, value: self.loss.backward() * len(scores)),
    times_the_learning_rate=slip("You multiply the gradient by the learning rate, and so does the optimizer.",
        "Whose job is the learning rate?", sent_back=lambda self, scores, value: self.optimizer.learning_rate * self.loss.backward()),
    gradient_of_the_batch_before=slip("The gradient that walks back is that of the batch before.",
        "Write down, one below the other, all calls between two steps. Who needs what the others did?", sent_back=_of_the_batch_before),
    other_pictures_in_between=slip("Between the forward and the backward of a batch, other pictures walk forward. The layers remember those, while the gradient is the batch's.",
        "Each layer remembers one forward only, the last. Where in your loop can something be measured without harm?", between=lambda self: self.network.forward(self.training[0])),
    all_pictures_in_each_step=slip("Each step takes the gradient of all pictures, not of its batch.",
        "What goes into network.forward: images, or the images of this batch?", dealt=lambda self, order, size: [np.arange(len(order)) for _ in range(0, len(order), size)]),
    scored_before_the_epoch=slip("You calculate all scores of an epoch before its first step. Then the weights move, and the scores are those of the old ones.",
        "When does the network see a batch, and which weights has it then?", epoch=_scored_before),
    probabilities_for_scores=slip("You turn the scores into probabilities, and the loss does so once more.",
        "What does SoftmaxCrossEntropy begin with?", scores=_probabilities),
    pictures_calculated_with=slip("The network does not see the pictures as you were given them: you change them first.",
        "train picks pictures and hands them on. Which of your lines makes something else of them?", scores=lambda self, x: self.network.forward(x / 255)),
    pictures_changed_in_place=slip("You change the pictures in place. Whoever handed them to you finds them changed, and so does the next call.",
        "train picks pictures and hands them on. Which of your lines writes into them?", begin=_divides_in_place),
    learns_from_validation_too=slip("In each epoch, the network also learns from the validation pictures.",
        "Which calls measure, and which ones learn? Then why is there another pair of arrays?", after_epoch=lambda self: self.learn(*self.validation)),
    learns_from_validation_batch_by_batch=slip("In each epoch, the network also learns from the validation pictures, batch by batch.",
        "Which calls measure, and which ones learn? Then why is there another pair of arrays?", after_epoch=_learns_by_heart),
    learns_from_all_pictures=slip("You mix the validation pictures with the training pictures.",
        "If the network has seen them, what does its accuracy on them still tell?", begin=_all_pictures),
    learns_from_validation_alone=slip("The network learns from the validation pictures, and never sees the training pictures.",
        "Which of the two pairs is which?", begin=_swapped),
)

# ---------------------------------------------------------------------------- what is returned


def _piled_up(self, losses):
    kept = vars(self).setdefault("kept", [])
    kept.extend(losses)
    return kept


def _loss_on(network, loss, images, labels): return loss.forward(network.forward(images), labels)
def _measures_now(self): self.before = self.accuracy(*self.validation)


def _before_the_last_step(self, batches):
    losses = _Train.epoch(self, batches[:-1])
    self.before = self.accuracy(*self.validation)
    return losses + _Train.epoch(self, batches[-1:])


def _running_mean(self, history):
    pairs = np.array(history)
    pairs[:, 1] = np.cumsum(pairs[:, 1]) / np.arange(1, len(pairs) + 1)
    return pairs


def _on_the_last_batch(self):
    images, labels = self.training
    return self.accuracy(images[self.last], labels[self.last])


def _parts(self):
    """The validation pictures in batches."""
    images, labels = self.validation
    starts = range(0, len(images), self.batch_size)
    return [(images[k : k + self.batch_size], labels[k : k + self.batch_size]) for k in starts]


def _on_whole_batches(self):
    whole = len(self.validation[0]) // self.batch_size * self.batch_size
    return self.accuracy(*(array[:whole] for array in self.validation))


def _a_pair_for_each_step(self):
    pairs, (images, labels) = [], self.training
    for _ in range(self.epochs):
        self.right = []
        for batch in self.batches(self.pictures(), self.batch_size):
            pairs.append((self.learn(images[batch], labels[batch]), self.measured()))
    return pairs


mistakes(__name__, {"train_history": _Train},
    last_loss=slip("The loss that you return is that of the epoch's last step.",
        "The steps of an epoch had the losses 2.5, 2.0 and 1.5. What is the first number of its pair?", told=lambda self, losses: losses[-1]),
    first_loss=slip("The loss that you return is that of the epoch's first step.",
        "The steps of an epoch had the losses 2.5, 2.0 and 1.5. What is the first number of its pair?", told=lambda self, losses: losses[0]),
    each_picture_counts_the_same=slip("Your mean is weighted: the smaller last batch counts less than the others. In the mean that is asked for, each step counts the same.",
        "An epoch of 3, 3 and 1 pictures told the losses 2.5, 2.0 and 1.5. Which number is asked for: 2.0, or the 2.14 that one gets where each picture counts the same?",
        told=lambda self, losses: np.average(losses, weights=self.sizes())),
    sum_of_losses=slip("You return the sum of the losses, not their mean.",
        "The steps of an epoch had the losses 2.5, 2.0 and 1.5. What is the first number of its pair?", told=lambda self, losses: np.sum(losses)),
    sum_by_pictures=slip("You add up the losses of the steps, and divide by the number of pictures.",
        "How many losses have you added up?", told=lambda self, losses: np.sum(losses) / self.pictures()),
    sum_by_batch_size=slip("You add up the losses of the steps, and divide by batch_size.",
        "How many losses have you added up?", told=lambda self, losses: np.sum(losses) / self.batch_size),
    sum_by_whole_batches=slip("You divide the sum of the losses by the number of whole batches. The smaller one counts in the sum only.",
        "How many losses have you added up?", told=lambda self, losses: np.sum(losses) / (self.pictures() // self.batch_size)),
    smaller_batch_counts_too_much=slip("You weight each loss with batch_size, even that of the smaller batch.",
        "How many pictures were in the last batch?", told=lambda self, losses: np.sum(losses) * self.batch_size / self.pictures()),
    median_of_losses=slip("You return the median of the losses, not their mean.",
        "The steps of an epoch had the losses 2.5, 2.0 and 1.5. What is the first number of its pair?", told=lambda self, losses: np.median(losses)),
    losses_pile_up=slip("The losses of earlier epochs still count: your list is never emptied.",
        "Where do you make the list of losses, and how many times does that line run?", told=lambda self, losses: np.mean(_piled_up(self, losses))),
    sum_piles_up=slip("The losses of earlier epochs are still in your sum.",
        "Where do you set the sum to 0, and how many times does that line run?", told=lambda self, losses: np.sum(_piled_up(self, losses)) / len(losses)),
    loss_of_validation=slip("The loss that you return is that of the validation pictures.",
        "Which losses did the steps of the epoch give you?", told=lambda self, losses: _loss_on(self.network, self.loss, *self.validation)),
    loss_behind_the_epoch=slip("The loss that you return is one from after the epoch, when all its steps are done.",
        "Which losses did the steps of the epoch give you?", told=lambda self, losses: _loss_on(self.network, self.loss, *self.training)),
    count_of_right_ones=slip("You count the right ones, and don't divide by the number of pictures.",
        "6 of 8 validation pictures are right. What is the second number of the pair?", share=lambda self, right: right.sum()),
    percent=slip("Your accuracy is in percent.",
        "6 of 8 validation pictures are right. What is the second number of the pair?", share=lambda self, right: 100 * right.mean()),
    share_of_wrong_ones=slip("You return the share of wrong pictures, not that of right ones.",
        "6 of 8 validation pictures are right. What is the second number of the pair?", share=lambda self, right: 1 - right.mean()),
    number_of_wrong_ones=slip("You count the wrong ones.",
        "6 of 8 validation pictures are right. What is the second number of the pair?", share=lambda self, right: (~right).sum()),
    always_zero=slip("Your accuracy is 0 in every epoch, though some pictures are right.",
        "Print the two things that you compare, what the comparison gives, and what the division makes of it.", share=lambda self, right: right.sum() // len(right)),
    divided_by_the_other_number=slip("You count right validation pictures, and divide by the number of training pictures.",
        "Of how many pictures was that count?", share=lambda self, right: right.sum() / self.pictures()),
    divided_by_batch_size=slip("You count right validation pictures, and divide by batch_size.",
        "Of how many pictures was that count?", share=lambda self, right: right.sum() / self.batch_size),
    measured_before_the_epoch=slip("You measure the accuracy before the epoch's steps.",
        "When is an epoch over, and what should its accuracy tell?", before_epoch=_measures_now, measured=lambda self: self.before),
    measured_before_the_last_step=slip("You measure the accuracy before the last step of the epoch is done.",
        "When is an epoch over, and what should its accuracy tell?", epoch=_before_the_last_step, measured=lambda self: self.before),
    measured_at_the_end=slip("You measure once, when all epochs are over, and give every epoch that accuracy.",
        "When is an epoch over, and what should its accuracy tell?", returned=lambda self, history: [(value, history[-1][1]) for value, _ in history]),
    mean_of_accuracies=slip("You return the mean of all accuracies so far.", "When is an epoch over, and what should its accuracy tell?", returned=_running_mean),
    measured_on_training=slip("You measure the accuracy on the pictures that the network has learned from.",
        "Whose accuracy tells how the network does on pictures that it has not learned from?", measured=lambda self: self.accuracy(*self.training)),
    measured_on_the_last_batch=slip("You measure the accuracy on the last batch that the network has learned from, after its step.",
        "Whose accuracy tells how the network does on pictures that it has not learned from?", measured=_on_the_last_batch),
    counted_while_learning=slip("You count right pictures while the network learns from them, and return that as its accuracy.",
        "Whose accuracy tells how the network does on pictures that it has not learned from?", measured=lambda self: self.share(np.concatenate(self.right))),
    counted_in_the_last_step=slip("The accuracy is that of the scores of the epoch's last step, on pictures that the network learns from.",
        "Whose accuracy tells how the network does on pictures that it has not learned from?", measured=lambda self: self.share(self.right[-1])),
    last_batch_of_validation=slip("Only the last batch of the validation pictures counts.",
        "How far is each line indented: what happens in each iteration of the loop, and what after it?", measured=lambda self: self.accuracy(*_parts(self)[-1])),
    first_batch_of_validation=slip("Only the first batch of the validation pictures counts.",
        "How many times does your loop over the validation pictures run?", measured=lambda self: self.accuracy(*_parts(self)[0])),
    smaller_batch_of_validation_dropped=slip("The last validation pictures, too few for a whole batch, are left out.",
        "10 pictures in batches of 3: how many batches are there, and how many pictures are in the last one?", measured=_on_whole_batches),
    mean_of_batches=slip("You return the mean of the accuracies of several batches of validation pictures, so each picture of the smaller batch counts more than the others.",
        "Of how many pictures is the largest score that of the right class? Count them over all batches.", measured=lambda self: np.mean([self.accuracy(*part) for part in _parts(self)])),
    nothing_comes_back=slip("Nothing comes back from train: it returns None. What is only printed, nobody can draw or compare.",
        "Is there a return after the loop?", returned=lambda self, history: None),
    a_pair_for_each_step=slip("Your list has a pair for each step, not for each epoch.",
        "How far is the line indented that lets the list grow?", history=_a_pair_for_each_step),
    only_losses=slip("Your list has losses only.", "Each epoch has two numbers to tell. Which ones?", returned=lambda self, history: [value for value, _ in history]),
    only_accuracies=slip("Your list has accuracies only.",
        "Each epoch has two numbers to tell. Which ones?", returned=lambda self, history: [accuracy for _, accuracy in history]),
    accuracy_first=slip("The two numbers of each pair have changed places.",
        "Which one comes first, the loss or the accuracy?", returned=lambda self, history: [pair[::-1] for pair in history]),
    two_lists=slip("You return two lists, one of losses and one of accuracies.",
        "The exercise asks for one list: what is each of its entries?", returned=lambda self, history: list(zip(*history, strict=True))),
    one_flat_list=slip("Losses and accuracies come one after the other in a flat list.",
        "What is each entry of the list that is asked for?", returned=lambda self, history: [number for pair in history for number in pair]),
    only_the_last_epoch=slip("Your list has the last epoch's pair only.",
        "What does the list look like after 3 epochs? Where is it made, and where does it grow?", returned=lambda self, history: history[-1:]),
    only_the_last_pair=slip("You return the pair of the last epoch, not a list of all.",
        "What does the list look like after 3 epochs? Where is it made, and where does it grow?", returned=lambda self, history: history[-1]),
    the_last_pair_each_time=slip("Every entry is the pair of the last epoch: your list holds one and the same object several times.",
        "Do you make a new pair in each epoch, or change the one that the list already holds?", returned=lambda self, history: history[-1:] * self.epochs),
    begins_with_an_empty_epoch=slip("Your list begins with an entry from before the first epoch.",
        "What does the list look like after 3 epochs? Where is it made, and where does it grow?", begin=_measures_now, returned=lambda self, history: [(0.0, self.before), *history]),
    newest_first=slip("Your list begins with the last epoch.", "At which end does a new entry go?", returned=lambda self, history: history[::-1]),
)
