"""What goes wrong in a training loop: shuffling and batches, the order of the calls, what is measured and returned."""

import random

import numpy as np

from cnnlib.misconceptions.changes import misconception

# ---------------------------------------------------------------------------- a loop with parts to exchange


def _dealt(order, size):
    return [order[start : start + size] for start in range(0, len(order), size)]


def _batches(rng, count, size):
    return _dealt(rng.permutation(count), size)


def _learn(network, loss, optimizer, x, y):
    value = loss.forward(network.forward(x), y)
    network.backward(loss.backward())
    optimizer.step()
    return value


def _epoch(network, loss, optimizer, images, labels, batches):
    """Learn from one batch after the other; each is indices, or a pair of them for pictures and labels."""
    pairs = [batch if isinstance(batch, tuple) else (batch, batch) for batch in batches]
    return [_learn(network, loss, optimizer, images[i], labels[k]) for i, k in pairs]


def _accuracy(network, images, labels):
    return np.mean(network.forward(images).argmax(axis=1) == labels)


def _train(
    network,
    loss,
    optimizer,
    training,
    validation,
    epochs,
    batch_size,
    rng,
    *,
    batches=_batches,
    epoch=_epoch,
    told=np.mean,
    measure=_accuracy,
):
    """A right training loop, of which each misconception exchanges a part."""
    history = []
    for _ in range(epochs):
        now = batches(rng, len(training[0]), batch_size)
        losses = epoch(network, loss, optimizer, *training, now)
        history.append((told(losses), measure(network, *validation)))
    return history


# ---------------------------------------------------------------------------- shuffling


_SHUFFLE = "Which line shuffles, and how often does it run?"
_RNG = "Which generator was handed to train?"
_DEAL = "Think of a pack of cards: shuffle, then deal all of it. Where does the next batch begin?"
_PAIRS = "labels[4] belongs to images[4]. What happens to each of the two arrays?"


@misconception(
    "train_steps",
    says="You don't shuffle: every epoch takes the pictures in the order of the file.",
    hint="What is `rng` there for? A file may be sorted, all shirts first.",
)
def no_shuffling(*given):
    return _train(*given, batches=lambda rng, count, size: _dealt(np.arange(count), size))


@misconception(
    "train_steps",
    says="You shuffle once, and every epoch goes through the pictures in that same order.",
    hint=_SHUFFLE,
)
def shuffled_once(*given):
    orders = []

    def batches(rng, count, size):
        orders.append(rng.permutation(count))
        return _dealt(orders[0], size)

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="The first epoch is in the order of the file. You shuffle only behind it.",
    hint=_SHUFFLE,
)
def shuffled_too_late(*given):
    orders = []

    def batches(rng, count, size):
        orders.append(rng.permutation(count) if orders else np.arange(count))
        return _dealt(orders[-1], size)

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="All epochs have the same order, and it does not come from `rng`.",
    hint=_RNG,
)
def same_order_without_rng(*given):
    return _train(*given, batches=lambda rng, *sizes: _batches(np.random.default_rng(0), *sizes))


@misconception(
    "train_steps",
    says="Whatever `rng` is, you shuffle in the same way: your random numbers come from somewhere else.",
    hint=_RNG,
)
def shuffled_without_rng(*given):
    own = np.random.default_rng(0)
    return _train(*given, batches=lambda rng, *sizes: _batches(own, *sizes))


@misconception(
    "train_steps",
    says="You shuffle with random numbers that don't come from `rng`, so nobody can repeat a run.",
    hint=_RNG,
)
def no_seed(*given):
    own = np.random.default_rng()
    return _train(*given, batches=lambda rng, *sizes: _batches(own, *sizes))


@misconception(
    "train_steps",
    says="You shuffle with NumPy's global random numbers, and not with `rng`.",
    hint=_RNG,
)
def numpys_random_numbers(*given):
    return _train(*given, batches=lambda rng, *sizes: _batches(np.random, *sizes))


@misconception(
    "train_steps",
    says="You set the seed of NumPy's global random numbers, and shuffle with those, not with `rng`.",
    hint="Which generator was handed to train? A global seed disturbs whoever else draws from there.",
)
def numpys_random_numbers_seeded(*given):
    np.random.seed(0)  # noqa: NPY002 – the mistake itself
    return numpys_random_numbers(*given)


@misconception(
    "train_steps",
    says="You shuffle with Python's `random`, and not with `rng`.",
    hint=_RNG,
)
def pythons_random_numbers(*given):
    def batches(rng, count, size):
        return _dealt(random.sample(range(count), count), size)

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You set the seed of Python's `random`, and shuffle with that, not with `rng`.",
    hint=_RNG,
)
def pythons_random_numbers_seeded(*given):
    random.seed(0)
    return pythons_random_numbers(*given)


@misconception(
    "train_steps",
    says="The pictures are shuffled, the labels are not: they still come in the order of the file.",
    hint=_PAIRS,
)
def labels_left_behind(*given):
    def batches(rng, count, size):
        return list(zip(_batches(rng, count, size), _dealt(np.arange(count), size), strict=True))

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="The labels are shuffled, the pictures are not: they still come in the order of the file.",
    hint=_PAIRS,
)
def pictures_left_behind(*given):
    def batches(rng, count, size):
        return list(zip(_dealt(np.arange(count), size), _batches(rng, count, size), strict=True))

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Pictures and labels come in two different orders, so most pictures meet a wrong label.",
    hint=_PAIRS,
)
def shuffled_apart(*given):
    def batches(rng, count, size):
        return list(zip(_batches(rng, count, size), _batches(rng, count, size), strict=True))

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You shuffle the arrays that you were given. Pictures and labels still belong together, but whoever handed them to you finds them in another order.",
    hint="Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?",
)
def shuffled_in_place(network, loss, optimizer, training, validation, epochs, batch_size, rng):
    images, labels = training
    order = rng.permutation(len(images))
    images[:], labels[:] = images[order], labels[order]
    return _train(network, loss, optimizer, training, validation, epochs, batch_size, rng)


@misconception(
    "train_steps",
    says="You shuffle the two arrays that you were given, each in an order of its own: they are changed, and pictures and labels no longer belong together.",
    hint="Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?",
)
def shuffled_apart_in_place(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    rng.shuffle(training[0])
    rng.shuffle(training[1])
    return _train(network, loss, optimizer, training, validation, epochs, batch_size, rng)


@misconception(
    "train_steps",
    says="You shuffle the array of pictures that you were given: it is changed, and the labels have stayed where they were.",
    hint="Is there a way to shuffle that moves only numbers of pictures, and leaves the pictures where they are?",
)
def pictures_shuffled_in_place(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    def batches(rng, count, size):
        rng.shuffle(training[0])
        return _dealt(np.arange(count), size)

    arguments = network, loss, optimizer, training, validation, epochs, batch_size, rng
    return _train(*arguments, batches=batches)


@misconception(
    "train_steps",
    says="Neighbours in the file stay together: you shuffle the order of the batches, not the pictures.",
    hint="If a file is sorted, what is in such a batch?",
)
def only_the_batches_shuffled(*given):
    def batches(rng, count, size):
        dealt = _dealt(np.arange(count), size)
        return [dealt[k] for k in rng.permutation(len(dealt))]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Neighbours in the file stay together: you shuffle the pictures within each batch, and the batches come in the order of the file.",
    hint="If a file is sorted, what is in such a batch?",
)
def only_within_batches_shuffled(*given):
    def batches(rng, count, size):
        return [rng.permutation(batch) for batch in _dealt(np.arange(count), size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You deal the pictures into batches once. Later epochs only change the order of the batches, so the same pictures meet again and again.",
    hint="What has to be shuffled in each epoch: the batches, or the pictures before they are dealt?",
)
def dealt_once(*given):
    dealt = []

    def batches(rng, count, size):
        dealt.extend([] if dealt else _batches(rng, count, size))
        return [dealt[k] for k in rng.permutation(len(dealt))]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You draw each batch at random from all pictures, so in an epoch some come several times and others never.",
    hint=_DEAL,
)
def drawn_without_replacement(*given):
    def batches(rng, count, size):
        return [rng.choice(count, min(size, count), replace=False) for _ in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You draw each batch at random from all pictures, so in an epoch some come several times and others never. One can even come twice in a batch.",
    hint=_DEAL,
)
def drawn_with_replacement(*given):
    def batches(rng, count, size):
        return [rng.integers(count, size=size) for _ in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You draw each batch at random from all pictures, so in an epoch some come several times and others never. And the number of batches is rounded down.",
    hint=_DEAL,
)
def drawn_with_replacement_rounded_down(*given):
    def batches(rng, count, size):
        return [rng.integers(count, size=size) for _ in range(count // size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Your order of an epoch is drawn with replacement: some numbers are in it several times, others never.",
    hint=_DEAL,
)
def order_drawn_with_replacement(*given):
    return _train(*given, batches=lambda rng, count, size: _dealt(rng.choice(count, count), size))


@misconception(
    "train_steps",
    says="You shuffle anew before each batch, so in an epoch some pictures come several times and others never.",
    hint=_SHUFFLE,
)
def new_order_for_each_batch(*given):
    def batches(rng, count, size):
        return [rng.permutation(count)[k : k + size] for k in range(0, count, size)]

    return _train(*given, batches=batches)


# ---------------------------------------------------------------------------- batches


_REST = "10 pictures in batches of 3: how many batches are there, and how many pictures has the last one?"


@misconception(
    "train_steps",
    says="The last pictures of each epoch, too few for a whole batch, are left out.",
    hint=_REST,
)
def smaller_batch_dropped(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k * size : (k + 1) * size] for k in range(count // size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="The last batch of each epoch is left out, even where it is a whole one.",
    hint=_REST,
)
def last_batch_dropped(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size] for k in range(0, count - size, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Each epoch learns from its first batch only.",
    hint="How often does your inner loop run? Look for a break, and at how far each line is indented.",
)
def only_the_first_batch(*given):
    return _train(*given, batches=lambda *args: _batches(*args)[:1])


_OF_THE_PAIR = (
    "You count two pictures: len(training) counts the things in the pair, images and labels."
)
_COUNT_PICTURES = "Which array has a length that is the number of pictures?"


@misconception("train_steps", says=_OF_THE_PAIR, hint=_COUNT_PICTURES)
def length_of_the_pair(*given):
    def batches(rng, count, size):
        return _dealt(rng.permutation(len(given[3])), size)

    return _train(*given, batches=batches)


@misconception("train_steps", says=_OF_THE_PAIR, hint=_COUNT_PICTURES)
def length_of_the_pair_in_the_range(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size] for k in range(0, len(given[3]), size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="All batches of an epoch hold the same pictures: the first ones of its order.",
    hint="Where does your second batch begin? Which name in your line moves on from batch to batch?",
)
def same_batch_again(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[:size] for _ in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Each batch goes on to the end of the epoch's order: the slice has a beginning and no end.",
    hint="Which entries are in a[3:], and which ones in a[3:6]?",
)
def batches_without_an_end(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k:] for k in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Each epoch learns from its last batch only.",
    hint="How far is each line indented: what belongs to the loop over the batches?",
)
def only_the_last_batch(*given):
    return _train(*given, batches=lambda *args: _batches(*args)[-1:])


@misconception(
    "train_steps",
    says="The first batch of each epoch is left out.",
    hint="With which number does your count begin?",
)
def first_batch_left_out(*given):
    return _train(*given, batches=lambda *args: _batches(*args)[1:])


@misconception(
    "train_steps",
    says="At one end of each epoch's order, a picture is left out.",
    hint="With which number does your count begin, and up to where does a slice or a range go?",
)
def one_picture_left_out(*given):
    return _train(*given, batches=lambda rng, count, size: _dealt(rng.permutation(count)[1:], size))


@misconception(
    "train_steps",
    says="Your batches are one picture short, and one is left out between each two.",
    hint="Which entries are in a[3:6]? The end of a slice is not in it.",
)
def one_picture_short(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size - 1] for k in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Your batches have one picture too many: the first one of the next batch.",
    hint="Which entries are in a[3:6]? The end of a slice is not in it.",
)
def one_picture_too_many(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size + 1] for k in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Between each two batches, one picture is left out.",
    hint="Where does one batch end, and where does the next one begin?",
)
def one_picture_skipped(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size] for k in range(0, count, size + 1)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Each batch begins one picture behind the one before it, so they overlap.",
    hint="Which step has your range?",
)
def batches_overlap(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size] for k in range(count)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="Each batch begins one picture behind the one before it, so they overlap, as far as there are whole ones.",
    hint="Which step has your range?",
)
def batches_overlap_without_rest(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order[k : k + size] for k in range(count - size + 1)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You fill the last batch up with pictures that this epoch has already had.",
    hint="The last batch may be smaller. Does anything in your loop need it to be whole?",
)
def filled_up(*given):
    def batches(rng, count, size):
        order = rng.permutation(count)
        return [order.take(range(k, k + size), mode="wrap") for k in range(0, count, size)]

    return _train(*given, batches=batches)


@misconception(
    "train_steps",
    says="You cut each epoch into parts of about equal size, so hardly a batch has batch_size pictures.",
    hint="Cards are dealt from the top: batch_size, batch_size, …, and what is left.",
)
def even_parts(*given):
    return _train(
        *given,
        batches=lambda rng, count, size: np.array_split(rng.permutation(count), -(-count // size)),
    )


@misconception(
    "train_steps",
    says="You make batch_size batches, where each batch should have batch_size pictures.",
    hint="With 1000 pictures and batch_size 50, how many steps has an epoch?",
)
def as_many_batches_as_batch_size(*given):
    return _train(
        *given, batches=lambda rng, count, size: np.array_split(rng.permutation(count), size)
    )


@misconception(
    "train_steps",
    says="Each epoch makes one step, with all pictures in one batch.",
    hint="What is batch_size there for?",
)
def all_in_one_batch(*given):
    return _train(*given, batches=lambda rng, count, size: [rng.permutation(count)])


@misconception(
    "train_steps",
    says="You learn from one picture at a time.",
    hint="What is batch_size there for?",
)
def one_picture_at_a_time(*given):
    return _train(*given, batches=lambda rng, count, size: _dealt(rng.permutation(count), 1))


@misconception(
    "train_steps",
    "train_history",
    says="There is one epoch too many.",
    hint="Which numbers does your range give for 3 epochs?",
)
def one_epoch_more(network, loss, optimizer, training, validation, epochs, batch_size, rng):
    return _train(network, loss, optimizer, training, validation, epochs + 1, batch_size, rng)


@misconception(
    "train_steps",
    "train_history",
    says="There is one epoch too few.",
    hint="Which numbers does your range give for 3 epochs?",
)
def one_epoch_less(network, loss, optimizer, training, validation, epochs, batch_size, rng):
    return _train(network, loss, optimizer, training, validation, epochs - 1, batch_size, rng)


@misconception(
    "train_steps",
    "train_history",
    says="train ends with its first epoch. A return inside a loop ends the loop.",
    hint="How far is your return indented?",
)
def returns_in_the_loop(network, loss, optimizer, training, validation, epochs, batch_size, rng):
    return _train(network, loss, optimizer, training, validation, 1, batch_size, rng)


@misconception(
    "train_steps",
    says="You take each batch as many times in a row as there are epochs.",
    hint="Which of the two loops is the outer one?",
)
def each_batch_several_times(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    images, labels = training
    history = []
    for batch in _batches(rng, len(images), batch_size):
        for _ in range(epochs):
            history.append(_learn(network, loss, optimizer, images[batch], labels[batch]))
    return [(value, _accuracy(network, *validation)) for value in history[:epochs]]


# ---------------------------------------------------------------------------- there and back


_BETWEEN = (
    "Write down, one below the other, all calls between two steps. Who needs what the others did?"
)
_HANDED = "Which call knows how the loss changes with each score, and who needs its answer?"


@misconception(
    "train_steps",
    says="You call step before the gradient has walked back through the network, so each step takes the gradients of the batch before.",
    hint=_BETWEEN,
)
def step_before_the_way_back(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            optimizer.step()
            network.backward(loss.backward())
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="Your loop begins with the step, when this batch has no gradients yet.",
    hint=_BETWEEN,
)
def step_comes_first(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            optimizer.step()
            losses.append(loss.forward(network.forward(x), y))
            network.backward(loss.backward())
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You call step once per epoch. Each way back sets dW and db anew, so all batches but the last one are lost.",
    hint="How far is your step indented?",
)
def one_step_per_epoch(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            losses.append(loss.forward(network.forward(images[batch]), labels[batch]))
            network.backward(loss.backward())
        optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You call step once, when all epochs are over.",
    hint="How far is your step indented?",
)
def one_step_at_all(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            losses.append(loss.forward(network.forward(images[batch]), labels[batch]))
            network.backward(loss.backward())
        return losses

    history = _train(*given, epoch=epoch)
    given[2].step()
    return history


@misconception(
    "train_steps",
    says="You call step twice for each batch, the second time with gradients that the weights have already followed.",
    hint=_BETWEEN,
)
def two_steps_per_batch(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(loss.backward())
            optimizer.step()
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You never call step, so no weight ever moves.",
    hint="Who moves the weights, once the gradients are there?",
)
def no_step_at_all(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(loss.backward())
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You never call network.backward, so no layer learns its gradient.",
    hint="Which array walks back, and who gets it first?",
)
def no_way_back(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            loss.backward()
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You hand the loss itself to network.backward, a single number.",
    hint=_HANDED,
)
def loss_walks_back(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(losses[-1])
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You hand the scores to network.backward.",
    hint=_HANDED,
)
def scores_walk_back(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            scores = network.forward(x)
            losses.append(loss.forward(scores, y))
            network.backward(scores)
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You divide the gradient by the number of pictures. The loss is a mean already, and so is its gradient.",
    hint="What does loss.backward return: the gradient of a sum, or of a mean?",
)
def divided_once_more(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(loss.backward() / len(x))
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You multiply the gradient by the number of pictures, which undoes the mean in the loss.",
    hint="What does loss.backward return: the gradient of a sum, or of a mean?",
)
def times_the_batch(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(loss.backward() * len(x))
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You multiply the gradient by the learning rate, and so does the optimizer.",
    hint="Whose job is the learning rate?",
)
def times_the_learning_rate(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x), y))
            network.backward(optimizer.learning_rate * loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="The gradient that walks back is that of the batch before.",
    hint=_BETWEEN,
)
def gradient_of_the_batch_before(*given):
    kept = []

    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            losses.append(loss.forward(network.forward(images[batch]), labels[batch]))
            kept.append(loss.backward())
            network.backward(kept[max(0, len(kept) - 2)])
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="Between the forward and the backward of a batch, other pictures walk forward. The layers remember those, and the gradient is that of the batch.",
    hint="Each layer remembers one forward only, the last. Where in your loop can something be measured without harm?",
)
def other_pictures_in_between(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            value = loss.forward(network.forward(x), y)
            network.forward(images)
            losses.append(value)
            network.backward(loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="Each step takes the gradient of all pictures, not of its batch.",
    hint="What goes into network.forward: images, or the images of this batch?",
)
def all_pictures_in_each_step(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        everything = np.arange(len(images))
        return _epoch(network, loss, optimizer, images, labels, [everything for _ in batches])

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You calculate all scores of an epoch before its first step. Then the weights move, and the scores are those of the old ones.",
    hint="When does the network see a batch, and which weights has it then?",
)
def scored_before_the_epoch(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses, scores = [], network.forward(images)
        for batch in batches:
            losses.append(loss.forward(scores[batch], labels[batch]))
            network.backward(loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You turn the scores into probabilities, and the loss does so once more.",
    hint="What does SoftmaxCrossEntropy begin with?",
)
def probabilities_for_scores(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            scores = np.exp(network.forward(x))
            losses.append(loss.forward(scores / scores.sum(axis=1, keepdims=True), y))
            network.backward(loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="The network does not see the pictures as you were given them: you change them first.",
    hint="train picks pictures and hands them on. Which of your lines makes other ones of them?",
)
def pictures_calculated_with(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = []
        for batch in batches:
            x, y = images[batch], labels[batch]
            losses.append(loss.forward(network.forward(x / 255), y))
            network.backward(loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You change the pictures in place. Whoever handed them to you finds other ones, and so does the next call.",
    hint="train picks pictures and hands them on. Which of your lines writes into them?",
)
def pictures_changed_in_place(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    images = training[0]
    images /= 255
    return _train(network, loss, optimizer, training, validation, epochs, batch_size, rng)


@misconception(
    "train_steps",
    says="In each epoch, the network also learns from the validation pictures.",
    hint="Which calls measure, and which ones learn? Then why is there another pair of arrays?",
)
def learns_from_validation_too(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = _epoch(network, loss, optimizer, images, labels, batches)
        _learn(network, loss, optimizer, *given[4])
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="In each epoch, the network also learns from the validation pictures, batch by batch.",
    hint="Which calls measure, and which ones learn? Then why is there another pair of arrays?",
)
def learns_from_validation_batch_by_batch(*given):
    def epoch(network, loss, optimizer, images, labels, batches):
        losses = _epoch(network, loss, optimizer, images, labels, batches)
        _epoch(network, loss, optimizer, *given[4], _dealt(np.arange(len(given[4][0])), given[6]))
        return losses

    return _train(*given, epoch=epoch)


@misconception(
    "train_steps",
    says="You mix the validation pictures with those to learn from.",
    hint="If the network has seen them, what does its accuracy on them still tell?",
)
def learns_from_all_pictures(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    both = tuple(np.concatenate(pair) for pair in zip(training, validation, strict=True))
    return _train(network, loss, optimizer, both, validation, epochs, batch_size, rng)


@misconception(
    "train_steps",
    says="The network learns from the validation pictures, and never sees those to learn from.",
    hint="Which of the two pairs is which?",
)
def learns_from_validation_alone(
    network, loss, optimizer, training, validation, epochs, batch_size, rng
):
    return _train(network, loss, optimizer, validation, training, epochs, batch_size, rng)


# ---------------------------------------------------------------------------- what is returned


_MEAN = "An epoch told the losses 2.5, 2.0 and 1.5. What is the first number of its pair?"
_SHARE = "6 of 8 validation pictures are right. What is the second number of the pair?"
_WHEN = "When is an epoch over, and what does its accuracy tell about?"
_LIST = "What does the list look like after 3 epochs? Where is it made, and where does it grow?"
_WHOSE = "Whose accuracy tells how the network does on pictures that it has not learned from?"


@misconception(
    "train_history",
    says="The loss that you return is that of the epoch's last step.",
    hint=_MEAN,
)
def last_loss(*given):
    return _train(*given, told=lambda losses: losses[-1])


@misconception(
    "train_history",
    says="The loss that you return is the one of the epoch's beginning, that of its first step.",
    hint=_MEAN,
)
def first_loss(*given):
    return _train(*given, told=lambda losses: losses[0])


@misconception(
    "train_history",
    says="You return the sum of the losses, not their mean.",
    hint=_MEAN,
)
def sum_of_losses(*given):
    return _train(*given, told=np.sum)


@misconception(
    "train_history",
    says="You add up the losses of the steps, and divide by the number of pictures.",
    hint="How many losses have you added up?",
)
def sum_by_pictures(*given):
    return _train(*given, told=lambda losses: np.sum(losses) / len(given[3][0]))


@misconception(
    "train_history",
    says="You add up the losses of the steps, and divide by batch_size.",
    hint="How many losses have you added up?",
)
def sum_by_batch_size(*given):
    return _train(*given, told=lambda losses: np.sum(losses) / given[6])


@misconception(
    "train_history",
    says="You divide the sum of the losses by the number of whole batches. The smaller one counts in the sum only.",
    hint="How many losses have you added up?",
)
def sum_by_whole_batches(*given):
    return _train(*given, told=lambda losses: np.sum(losses) / (len(given[3][0]) // given[6]))


@misconception(
    "train_history",
    says="You weight each loss with batch_size, the one of the smaller batch too.",
    hint="How many pictures were in the last batch?",
)
def smaller_batch_counts_too_much(*given):
    return _train(*given, told=lambda losses: np.sum(losses) * given[6] / len(given[3][0]))


@misconception(
    "train_history",
    says="You return the median of the losses, not their mean.",
    hint=_MEAN,
)
def median_of_losses(*given):
    return _train(*given, told=np.median)


@misconception(
    "train_history",
    says="The losses of earlier epochs still count: your list is never emptied.",
    hint="Where do you make the list of losses, and how often does that line run?",
)
def losses_pile_up(*given):
    kept = []

    def told(losses):
        kept.extend(losses)
        return np.mean(kept)

    return _train(*given, told=told)


@misconception(
    "train_history",
    says="The losses of earlier epochs are still in your sum.",
    hint="Where do you set the sum to 0, and how often does that line run?",
)
def sum_piles_up(*given):
    kept = []

    def told(losses):
        kept.extend(losses)
        return np.sum(kept) / len(losses)

    return _train(*given, told=told)


@misconception(
    "train_history",
    says="The loss that you return is that of the validation pictures.",
    hint="Which losses have the steps of the epoch told you?",
)
def loss_of_validation(*given):
    loss = given[1]
    told = []

    def measure(network, *validation):
        told.append(loss.forward(network.forward(validation[0]), validation[1]))
        return _accuracy(network, *validation)

    pairs = _train(*given, measure=measure)
    return [(value, accuracy) for value, (_, accuracy) in zip(told, pairs, strict=True)]


@misconception(
    "train_history",
    says="The loss that you return is one from behind the epoch, when all its steps are done.",
    hint="Which losses have the steps of the epoch told you?",
)
def loss_behind_the_epoch(*given):
    _, loss, _, (images, labels), *_ = given
    told = []

    def measure(network, *validation):
        told.append(loss.forward(network.forward(images), labels))
        return _accuracy(network, *validation)

    pairs = _train(*given, measure=measure)
    return [(value, accuracy) for value, (_, accuracy) in zip(told, pairs, strict=True)]


@misconception(
    "train_history",
    says="You count the right ones, and don't divide by the number of pictures.",
    hint=_SHARE,
)
def count_of_right_ones(*given):
    def measure(network, images, labels):
        right = network.forward(images).argmax(axis=1) == labels
        return right.sum()

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="Your accuracy is in percent.",
    hint=_SHARE,
)
def percent(*given):
    def measure(network, images, labels):
        right = network.forward(images).argmax(axis=1) == labels
        return 100 * right.mean()

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You return the share of wrong pictures, not that of right ones.",
    hint=_SHARE,
)
def share_of_wrong_ones(*given):
    def measure(network, images, labels):
        right = network.forward(images).argmax(axis=1) == labels
        return 1 - right.mean()

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You count the wrong ones.",
    hint=_SHARE,
)
def number_of_wrong_ones(*given):
    def measure(network, images, labels):
        right = network.forward(images).argmax(axis=1) == labels
        return (~right).sum()

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="Your accuracy is 0 in every epoch, though some pictures are right.",
    hint="Print the two things that you compare, what the comparison gives, and what the division makes of it.",
)
def always_zero(*given):
    def measure(network, images, labels):
        right = network.forward(images).argmax(axis=1) == labels
        return right.sum() // len(right)

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You count right validation pictures, and divide by the number of pictures to learn from.",
    hint="Of how many pictures was that count?",
)
def divided_by_the_other_number(*given):
    def measure(network, images, labels):
        return (network.forward(images).argmax(axis=1) == labels).sum() / len(given[3][0])

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You count right validation pictures, and divide by batch_size.",
    hint="Of how many pictures was that count?",
)
def divided_by_batch_size(*given):
    def measure(network, images, labels):
        return (network.forward(images).argmax(axis=1) == labels).sum() / given[6]

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You measure the accuracy before the epoch's steps.",
    hint=_WHEN,
)
def measured_before_the_epoch(*given):
    before = []

    def epoch(network, *others):
        before.append(_accuracy(network, *given[4]))
        return _epoch(network, *others)

    pairs = _train(*given, epoch=epoch)
    return [(value, accuracy) for accuracy, (value, _) in zip(before, pairs, strict=True)]


@misconception(
    "train_history",
    says="You measure the accuracy before the last step of the epoch is done.",
    hint=_WHEN,
)
def measured_before_the_last_step(*given):
    before = []

    def epoch(network, loss, optimizer, images, labels, batches):
        losses = _epoch(network, loss, optimizer, images, labels, batches[:-1])
        before.append(_accuracy(network, *given[4]))
        return losses + _epoch(network, loss, optimizer, images, labels, batches[-1:])

    pairs = _train(*given, epoch=epoch)
    return [(value, accuracy) for accuracy, (value, _) in zip(before, pairs, strict=True)]


@misconception(
    "train_history",
    says="You measure once, when all epochs are over, and give every epoch that accuracy.",
    hint=_WHEN,
)
def measured_at_the_end(*given):
    pairs = _train(*given)
    return [(value, pairs[-1][1]) for value, _ in pairs]


@misconception(
    "train_history",
    says="You return the mean of all accuracies so far.",
    hint=_WHEN,
)
def mean_of_accuracies(*given):
    pairs = np.array(_train(*given))
    pairs[:, 1] = np.cumsum(pairs[:, 1]) / np.arange(1, len(pairs) + 1)
    return pairs


@misconception(
    "train_history",
    says="You measure the accuracy on the pictures that the network has learned from.",
    hint=_WHOSE,
)
def measured_on_training(*given):
    return _train(*given, measure=lambda network, *_: _accuracy(network, *given[3]))


@misconception(
    "train_history",
    says="You measure the accuracy on the last batch that the network has learned from, behind its step.",
    hint=_WHOSE,
)
def measured_on_the_last_batch(*given):
    last = []

    def batches(*sizes):
        last[:] = _batches(*sizes)
        return last

    def measure(network, *_):
        images, labels = given[3]
        return _accuracy(network, images[last[-1]], labels[last[-1]])

    return _train(*given, batches=batches, measure=measure)


def _counting(given, share):
    """Train, and measure by the scores of each step: which pictures of which batch were right."""
    right = []

    def epoch(network, loss, optimizer, images, labels, batches):
        right.clear()
        losses = []
        for batch in batches:
            scores = network.forward(images[batch])
            losses.append(loss.forward(scores, labels[batch]))
            right.append(scores.argmax(axis=1) == labels[batch])
            network.backward(loss.backward())
            optimizer.step()
        return losses

    return _train(*given, epoch=epoch, measure=lambda *_: share(right))


@misconception(
    "train_history",
    says="You count right pictures while the network learns from them, and return that as its accuracy.",
    hint=_WHOSE,
)
def counted_while_learning(*given):
    return _counting(given, lambda right: np.concatenate(right).mean())


@misconception(
    "train_history",
    says="The accuracy is that of the scores of the epoch's last step, on pictures that the network learns from.",
    hint=_WHOSE,
)
def counted_in_the_last_step(*given):
    return _counting(given, lambda right: right[-1].mean())


@misconception(
    "train_history",
    says="Only the last batch of the validation pictures counts.",
    hint="How far is each line indented: what happens in each turn of the loop, and what behind it?",
)
def last_batch_of_validation(*given):
    def measure(network, images, labels):
        starts = range(0, len(images), given[6])
        parts = [(images[k : k + given[6]], labels[k : k + given[6]]) for k in starts]
        return _accuracy(network, *parts[-1])

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="Only the first batch of the validation pictures counts.",
    hint="How often does your loop over the validation pictures run?",
)
def first_batch_of_validation(*given):
    def measure(network, images, labels):
        starts = range(0, len(images), given[6])
        parts = [(images[k : k + given[6]], labels[k : k + given[6]]) for k in starts]
        return _accuracy(network, *parts[0])

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="The last validation pictures, too few for a whole batch, are left out.",
    hint=_REST,
)
def smaller_batch_of_validation_dropped(*given):
    def measure(network, images, labels):
        whole = len(images) // given[6] * given[6]
        return _accuracy(network, images[:whole], labels[:whole])

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="You return the mean of the accuracies of several batches of validation pictures, so each picture of the smaller batch counts more than the others.",
    hint="Of how many pictures is the largest score that of the right class? Count them over all batches.",
)
def mean_of_batches(*given):
    def measure(network, images, labels):
        starts = range(0, len(images), given[6])
        parts = [(images[k : k + given[6]], labels[k : k + given[6]]) for k in starts]
        return np.mean([_accuracy(network, *part) for part in parts])

    return _train(*given, measure=measure)


@misconception(
    "train_history",
    says="Nothing comes back from train: it returns None. What is only printed, nobody can draw or compare.",
    hint="Is there a return behind the loop?",
)
def nothing_comes_back(*given):
    _train(*given)


@misconception(
    "train_history",
    says="Your list has a pair for each step, not for each epoch.",
    hint="How far is the line indented that lets the list grow?",
)
def a_pair_for_each_step(*given):
    pairs = []

    def epoch(network, loss, optimizer, images, labels, batches):
        for batch in batches:
            value = _learn(network, loss, optimizer, images[batch], labels[batch])
            pairs.append((value, _accuracy(network, *given[4])))
        return [0.0]

    _train(*given, epoch=epoch)
    return pairs


@misconception(
    "train_history",
    says="Your list has losses only.",
    hint="Each epoch has two numbers to tell. Which ones?",
)
def only_losses(*given):
    return [value for value, _ in _train(*given)]


@misconception(
    "train_history",
    says="Your list has accuracies only.",
    hint="Each epoch has two numbers to tell. Which ones?",
)
def only_accuracies(*given):
    return [accuracy for _, accuracy in _train(*given)]


@misconception(
    "train_history",
    says="The two numbers of each pair have changed places.",
    hint="Which one comes first, the loss or the accuracy?",
)
def accuracy_first(*given):
    return [(accuracy, value) for value, accuracy in _train(*given)]


@misconception(
    "train_history",
    says="You return two lists, one of losses and one of accuracies.",
    hint="The exercise asks for one list: what is each of its entries?",
)
def two_lists(*given):
    return list(zip(*_train(*given), strict=True))


@misconception(
    "train_history",
    says="Losses and accuracies come one after the other in a flat list.",
    hint="What is each entry of the list that is asked for?",
)
def one_flat_list(*given):
    return [number for pair in _train(*given) for number in pair]


@misconception(
    "train_history",
    says="Your list has the last epoch's pair only.",
    hint=_LIST,
)
def only_the_last_epoch(*given):
    return _train(*given)[-1:]


@misconception(
    "train_history",
    says="You return the pair of the last epoch, not a list of all.",
    hint=_LIST,
)
def only_the_last_pair(*given):
    return _train(*given)[-1]


@misconception(
    "train_history",
    says="Every entry is the pair of the last epoch: your list holds one and the same object several times.",
    hint="Do you make a new pair in each epoch, or change the one that the list already holds?",
)
def the_last_pair_each_time(*given):
    return _train(*given)[-1:] * given[5]


@misconception(
    "train_history",
    says="Your list begins with an entry from before the first epoch.",
    hint=_LIST,
)
def begins_with_an_empty_epoch(*given):
    before = _accuracy(given[0], *given[4])
    return [(0.0, before), *_train(*given)]


@misconception(
    "train_history",
    says="Your list begins with the last epoch.",
    hint="Which end does an entry come to?",
)
def newest_first(*given):
    return _train(*given)[::-1]
