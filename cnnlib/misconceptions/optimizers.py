"""What goes wrong when weights move: the step itself, momentum, Adam's running means and their correction."""

# fmt: off

import numpy as np

from cnnlib.misconceptions.changes import mistakes, slip
from cnnlib.optimizers import SGD, Adam


class _Unguarded:
    """As learners write it: nobody checks whether a gradient still has its weight's shape."""

    def _gradient(self, owner, name): return getattr(owner, f"d{name}")


class _SGD(_Unguarded, SGD):
    """SGD in pieces."""

    def direction(self, index, gradient):
        before = self.velocity[index]
        self.velocity[index] = now = self.new_velocity(before, gradient)
        return self.moved_by(index, before, now, gradient)

    def new_velocity(self, velocity, gradient): return self.momentum * velocity + gradient
    def moved_by(self, index, before, now, gradient): return now


class _Adam(_Unguarded, Adam):
    """Adam in pieces."""

    def direction(self, index, gradient):
        self.begin(index)
        self.m[index] = self.new_m(self.m[index], gradient)
        self.v[index] = self.new_v(self.v[index], self.squared(index, gradient))
        with np.errstate(all="ignore"):  # a learner's warnings are the learner's
            t = np.float64(self.time(index))
            m = self.m[index] * np.asarray(self.m_factor(t), gradient.dtype)
            v = self.v[index] * np.asarray(self.v_factor(t), gradient.dtype)
            direction = self.quotient(m, v)
        self.keep(index)
        return direction

    def begin(self, index): pass

    def squared(self, index, gradient):
        """What is squared for v."""
        return gradient

    def new_m(self, m, gradient): return self.beta1 * m + (1 - self.beta1) * gradient
    def new_v(self, v, gradient): return self.beta2 * v + (1 - self.beta2) * gradient**2
    def time(self, index): return self.steps
    def m_factor(self, t): return 1 / (1 - self.beta1**t)
    def v_factor(self, t): return 1 / (1 - self.beta2**t)
    def quotient(self, m, v): return m / (np.sqrt(v) + self.epsilon)
    def keep(self, index): pass


# ---------------------------------------------------------------------------- the step of any optimizer


def _chosen(choose) -> type:
    """Only some of the arrays move."""

    class Chosen:
        stands_at = "parameters"

        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.parameters = choose(self.parameters)

    return Chosen


def _direction(place, change) -> type:
    """Another direction: ``change(optimizer, direction)``."""

    class Direction:
        stands_at = place

        def direction(self, index, gradient): return change(self, super().direction(index, gradient))

    return Direction


def _gradient(place, change) -> type:
    """Another gradient goes in: ``change(optimizer, index, gradient)``."""

    class Gradient:
        stands_at = place

        def direction(self, index, gradient): return super().direction(index, change(self, index, gradient))

    return Gradient


def _weight(optimizer, index):
    owner, name = optimizer.parameters[index]
    return getattr(owner, name)


class _Stays:
    def step(self): pass


class _FirstRate:
    stands_at = "rate"

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.rate = self.learning_rate

    def step(self):
        self.learning_rate = self.rate
        super().step()


class _Forgets:
    """W = -learning_rate * …, without the W on the right."""

    def direction(self, index, gradient):
        return super().direction(index, gradient) + _weight(self, index) / self.learning_rate


class _ChangesGradients:
    def step(self):
        super().step()
        for layer, name in self.parameters:
            getattr(layer, f"d{name}")[...] = 0


class _RunsOut:
    stands_at = "parameters"

    def step(self):
        super().step()
        self.parameters = []


class _FromTheStart:
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.start = [getattr(layer, name) for layer, name in self.parameters]

    def step(self):
        for (layer, name), weight in zip(self.parameters, self.start, strict=True):
            setattr(layer, name, weight)
        super().step()


def _shared(*names) -> type:
    """What is kept under these names is there once for all optimizers."""

    class Shared:
        stands_at = "memory"

        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            type(self).shared = {name: getattr(self, name) for name in names}

        def direction(self, index, gradient):
            vars(self).update(type(self).shared)
            return super().direction(index, gradient)

    return Shared


def _first_gradient(optimizer, index, gradient):
    return vars(optimizer).setdefault("first", {}).setdefault(index, gradient.copy())


mistakes(__name__, {"sgd_step": _SGD, "sgd_momentum": _SGD, "adam_first_step": _Adam, "adam_step": _Adam},
    WeightsStay=slip("After your step, every weight is what it was before. Either the step comes out as 0, or the new W never gets into the layer.",
        "`W = W - …` makes a new array and calls it W: a name of your function's. Which line would tell the layer?", _Stays),
    Uphill=slip("Your weights walk uphill: they move with the gradient, and the loss grows. There is a minus missing, or one too many.",
        "dW says in which direction the loss grows. Where do you want to go? Follow the signs up to the new weight.", _direction("sign", lambda self, direction: -direction)),
    NoRate=slip("The learning rate makes no difference: every step is as long as if it were 1.",
        "Half the learning rate means half the step. Where does self.learning_rate come in?", _direction("rate", lambda self, direction: direction / self.learning_rate)),
    RateTwice=slip("The learning rate counts twice, once more on top of the first time.",
        "Half the learning rate means half the step, not a quarter. Where does self.learning_rate come in?", _direction("rate", lambda self, direction: self.learning_rate * direction)),
    DividesByTheRate=slip("You divide by the learning rate: the smaller it is, the longer are your steps.",
        "Half the learning rate means half the step. Go through the first step by hand.", _direction("rate", lambda self, direction: direction / self.learning_rate**2)),
    WeightForGradient=slip("You use the weight itself where its gradient belongs, so backward makes no difference.",
        "name is \"W\" or \"b\". What is the gradient's attribute called?", _gradient("gradient", lambda self, index, gradient: _weight(self, index))),
    ForgetsWhereItWas=slip("The new weight is the step alone; where the weight was before doesn't count.",
        "A step leads from somewhere to somewhere. Which of the two did you set?", _Forgets),
    ChangesGradients=slip("Your step changes the gradients: after it, dW and db are no longer what backward has set. They belong to the layer.",
        "`*=` and the like write into the array itself, and so into the layer's. Whoever sets dW and db to 0, as zero_grad does, changes them, too; here each backward sets them anew.", _ChangesGradients),
    MeanGradient=slip("All weights of an array move by the same: by the mean of its gradients.",
        "Every weight has a gradient of its own. What does your mean run over?", _gradient("gradient", lambda self, index, gradient: np.full_like(gradient, gradient.mean()))),
    DividesByRows=slip("The gradient is divided by the length of dW, as if that were the batch.",
        "len(dW) counts its rows. Does an optimizer have to know the batch, and who has divided by N already?", _gradient("division", lambda self, index, gradient: gradient / len(gradient))),
    OnlyW=slip("Only the W move; every b stays where it is.",
        "self.parameters lists (layer, name) for everything that is learned. Which names does it hold?", _chosen(lambda parameters: [p for p in parameters if p[1] == "W"])),
    OnlyB=slip("Only the b move; every W stays where it is.",
        "self.parameters lists (layer, name) for everything that is learned. Which names does it hold?", _chosen(lambda parameters: [p for p in parameters if p[1] == "b"])),
    OnlyTheFirst=slip("Only the first array in self.parameters moves, and then step is over.",
        "How many times does your loop run? A return or break ends it; look at how far it is indented.", _chosen(lambda parameters: parameters[:1])),
    OnlyTheLast=slip("Only the last array in self.parameters moves.",
        "Which lines belong to the loop? What stands after it sees only what the last iteration left.", _chosen(lambda parameters: parameters[-1:])),
    AllButTheFirst=slip("The first array in self.parameters stays where it is; all others move.",
        "What is the index of the first pair?", _chosen(lambda parameters: parameters[1:])),
    AllButTheLast=slip("The last array in self.parameters stays where it is; all others move.",
        "Over which indices does your loop run, when there are two pairs?", _chosen(lambda parameters: parameters[:-1])),
    OnlyTheFirstLayer=slip("Only the first layer's weights move; those of the other layers stay where they are.",
        "Over what does your loop run, and what ends it?", _chosen(lambda parameters: [p for p in parameters if p[0] is parameters[0][0]])),
    OnlyTheLastLayer=slip("Only the last layer's weights move; those of the other layers stay where they are.",
        "Over what does your loop run, and which lines belong to it?", _chosen(lambda parameters: [p for p in parameters if p[0] is parameters[-1][0]])),
)
mistakes(__name__, {"sgd_step": _SGD, "sgd_momentum": _SGD, "adam_step": _Adam},
    RunsOut=slip("The first step moves the weights; from the second one on they stay where they are.",
        "What does your loop run over, and what is left of that after one walk? (A zip, like any iterator, gives everything once.)", _RunsOut),
    FromTheStart=slip("Each step starts again from the weights that the network had in the beginning.",
        "Where do you read the weight that you subtract from, and when was that written down?", _FromTheStart),
    FirstGradients=slip("Each step uses the gradients of the first one.", "Every backward sets a new dW. When do you read it?", _gradient("gradient", _first_gradient)),
    FirstRate=slip("You go on with the learning rate that __init__ was given; a new optimizer.learning_rate makes no difference.",
        "A rate may get smaller while a network trains. When do you read it, and from where?", _FirstRate),
)

# ---------------------------------------------------------------------------- SGD, plain and with momentum


def _unit_length(self, index, before, now, gradient): return gradient / (np.linalg.norm(gradient) or 1)


def _one_velocity(key):
    """A velocity that several arrays share: those with the same ``key(owner, name)``."""

    def direction(self, index, gradient):
        speeds, at = vars(self).setdefault("speeds", {}), key(*self.parameters[index])
        before = speeds.get(at, np.zeros_like(gradient))
        speeds[at] = now = self.new_velocity(before, gradient)
        return self.moved_by(index, before, now, gradient)

    return direction


def _into_the_gradient(self, index, gradient):
    if self.steps == 1:
        self.velocity[index] = gradient
    else:
        self.velocity[index] *= self.momentum
        self.velocity[index] += gradient
    return self.velocity[index]


def _is_the_gradient(self, index, gradient):
    if self.steps == 1:
        self.velocity[index] = gradient
        return gradient
    return SGD.direction(self, index, gradient)


def _on_the_weight(self, index, before, now, gradient):
    return gradient + (1 - self.momentum) * _weight(self, index) / self.learning_rate


def _share_later(self, velocity, gradient):
    share = 1 if self.steps == 1 else 1 - self.momentum
    return self.momentum * velocity + share * gradient


def _rate_inside(self, velocity, gradient): return self.momentum * velocity + self.learning_rate * gradient
def _moved_early(self, index, before, now, gradient): return np.asarray(before).astype(gradient.dtype)


mistakes(__name__, {"sgd_step": _SGD},
    TimesTheWeight=slip("You multiply the weight by its step: the larger a weight is, the further it goes.",
        "The gradient already knows how much a weight matters. Where does the weight itself come in?", moved_by=lambda self, index, before, now, gradient: gradient * _weight(self, index)),
    SignOnly=slip("Only the sign of each gradient counts: all steps are equally long.",
        "A gradient near 0 says that there is little to gain. How far should its weight go?", moved_by=lambda self, index, before, now, gradient: np.sign(gradient)),
    UnitLength=slip("You divide each gradient array by its length, so that a small gradient makes as long a step as a large one.",
        "Near the bottom of a valley the gradients get small. What should the steps do there?", moved_by=_unit_length),
    ShorterSteps=slip("Your steps get shorter: the learning rate is divided by the number of the step.",
        "Who decides on the learning rate: your step, or whoever sets self.learning_rate?", moved_by=lambda self, index, before, now, gradient: gradient / self.steps),
    OnlyWButTwice=slip("Every W moves twice in a step, and no b ever moves.",
        "self.parameters holds a pair for W and another one for b. Where do you use the name in the pair?",
        moved_by=lambda self, index, before, now, gradient: (gradient * (2 if self.parameters[index][1] == "W" else 0))),
    MovesTwice=slip("Every step is twice as long as it should be.",
        "self.parameters holds a pair for W and another one for b. How many times does your loop move each array?", moved_by=lambda self, index, before, now, gradient: 2 * gradient),
)
mistakes(__name__, {"sgd_step": _SGD, "sgd_momentum": _SGD},
    AddsUpGradients=slip("The gradients of all steps so far are added up in full: nothing makes older ones count less.",
        "Which factor makes older gradients count less and less?", new_velocity=lambda self, velocity, gradient: velocity + gradient),
    MovesTooEarly=slip("Each step goes by the gradients of the step before it: the weights move first, and what is new comes in afterwards.",
        "In which order do your two lines stand? Go through the first step by hand, with a velocity of 0.", moved_by=_moved_early),
)
mistakes(__name__, {"sgd_momentum": _SGD},
    NoMomentum=slip("The momentum makes no difference: every step is the plain one. There is no velocity, or it begins at 0 again in each step.",
        "What has to be remembered from one step to the next, and where does it stay meanwhile?", new_velocity=lambda self, velocity, gradient: gradient),
    MomentumAsARate=slip("The momentum only makes each step shorter, like a second learning rate; nothing is kept of the steps before.",
        "What has to be remembered from one step to the next, and which of the two does momentum scale: what is remembered, or what is new?", new_velocity=lambda self, velocity, gradient: self.momentum * gradient),
    RunningMean=slip("You take (1 − momentum) of the new gradient: a running mean. That is Adam's m; here the new gradient counts in full.",
        "Go through the first step by hand. How long should it be, with a momentum or without?", new_velocity=lambda self, velocity, gradient: (self.momentum * velocity + (1 - self.momentum) * gradient)),
    RunningMeanLater=slip("From the second step on you take only (1 − momentum) of the new gradient; in the first step, all of it.",
        "Here the new gradient counts in full in every step. Which factor belongs to what is older?", new_velocity=_share_later),
    MomentumOnTheWeight=slip("The momentum shrinks the weight, not the velocity.",
        "What should be kept in part from the step before: the place, or the speed?", moved_by=_on_the_weight),
    OneVelocity=slip("One velocity serves all arrays, so each one goes on with the speed of the one before it.",
        "How many velocities does the network need? Where do you keep each one, and under which index?", direction=_one_velocity(lambda owner, name: None)),
    OneVelocityForEachName=slip("All W share a velocity, and all b share another: it is kept under the name, \"W\" or \"b\", which every layer has.",
        "Whose W is it? What tells one entry of self.parameters from all others?", direction=_one_velocity(lambda owner, name: name)),
    OneVelocityForEachLayer=slip("W and b of a layer share one velocity: it is kept under the layer alone.",
        "What tells one entry of self.parameters from all others?", direction=_one_velocity(lambda owner, name: id(owner))),
    SharesVelocities=slip("All optimizers share their velocities, so a second one disturbs the first.",
        "What stands directly in the class, or in a default argument, is there once for all. Where does `self` come in?", _shared("velocity")),
    WritesIntoTheGradient=slip("Your velocity is the layer's own dW: what you write into it, you write into the layer's array.",
        "`velocity = gradient` gives one array a second name. Which of your lines makes a new array?", direction=_into_the_gradient),
    VelocityIsTheGradient=slip("After the first step your velocity is the layer's own dW, under a second name. A layer that writes its next gradient into the same array changes your velocity too.",
        "`velocity = gradient` copies nothing. Which line would make a new array?", direction=_is_the_gradient),
    Nesterov=slip("You look ahead, as Nesterov did: the gradient counts once more on top of the velocity. A good method, but not the one that the exercise asks for.",
        "By what does the weight move: by the velocity, or by the gradient and the velocity?", moved_by=lambda self, index, before, now, gradient: gradient + self.momentum * now),
    MomentumOnBoth=slip("The momentum shrinks the new gradient as well as the old velocity.",
        "Go through the first step by hand. How long should it be, with a momentum or without?", new_velocity=lambda self, velocity, gradient: self.momentum * (velocity + gradient)),
    VelocityHoldsBack=slip("The old velocity comes in with a minus: it holds the weights back in place of carrying them on.",
        "A ball that rolls downhill: in which direction does its speed take it?", new_velocity=lambda self, velocity, gradient: gradient - self.momentum * velocity),
    RemembersOneGradient=slip("Only the gradient of the step before is remembered; what came before that is lost.",
        "What do you keep for the next step: the gradient, or the velocity that you went with?",
        new_velocity=lambda self, velocity, gradient: gradient.copy(),
        moved_by=lambda self, index, before, now, gradient: gradient + self.momentum * before),
    RateOnTheGradientOnly=slip("The learning rate scales the new gradient, but not the velocity that comes on top of it.",
        "In which unit do you keep the velocity: as a gradient, or as a step? It must be the same in every line.",
        moved_by=lambda self, index, before, now, gradient: (gradient + self.momentum * before / self.learning_rate)),
    RateInsideTheVelocity=slip("The learning rate is inside the velocity: what older steps left goes on with the rate of its own time. As long as the rate stays the same, nobody can see that; the exercise keeps it outside.",
        "A new rate should count for the whole of the next step. By what do you multiply the velocity at the moment when the weight moves?",
        new_velocity=_rate_inside, moved_by=lambda self, index, before, now, gradient: now / self.learning_rate),
    AddsToTheVelocity=slip("The new velocity is added to the old one: `+=`, and on its right side is the old one, too.",
        "How many times does the old velocity count in your line?", new_velocity=lambda self, velocity, gradient: (1 + self.momentum) * velocity + gradient),
    MomentumTwice=slip("The momentum shrinks the velocity once for using it and once more for keeping it.",
        "How many times does momentum appear in your step? What does a gradient of three steps ago count?", new_velocity=lambda self, velocity, gradient: self.momentum**2 * velocity + gradient),
    MomentumOnTheGradient=slip("You add a full velocity: the momentum scales the new gradient in place of the old velocity.",
        "Which of the two should fade, step by step?", new_velocity=lambda self, velocity, gradient: velocity + self.momentum * gradient),
    MomentumTurnedRound=slip("momentum and 1 − momentum are swapped: a momentum of 0.9 keeps a tenth of the velocity.",
        "The larger the momentum, the longer an old gradient counts. And how much of the new one is taken?", new_velocity=lambda self, velocity, gradient: ((1 - self.momentum) * velocity + self.momentum * gradient)),
)

# ---------------------------------------------------------------------------- Adam


def _one(self, t): return 1.0
def _step_one(factor): return lambda self, t: factor(self, 1)


def _divided(divisor, beta):
    """A correction that divides by ``divisor(beta, t)``."""
    return lambda self, t: 1 / divisor(getattr(self, beta), t)


def _both_divided(divisor): return {"m_factor": _divided(divisor, "beta1"), "v_factor": _divided(divisor, "beta2")}


def _no_brackets(self, m, v):
    m, v = m / self.m_factor(self.steps), v / self.v_factor(self.steps)
    return _Adam.quotient(self, m - self.beta1**self.steps, v - self.beta2**self.steps)


def _root_before_the_correction(self, m, v):
    return m / (np.sqrt(v) + np.sqrt(_Adam.v_factor(self, self.steps)) * self.epsilon)


def _corrected(self, index, names="mv"):
    for name, beta in zip("mv", (self.beta1, self.beta2), strict=True):
        if name in names:
            kept = getattr(self, name)
            kept[index] = kept[index] / (1 - beta**self.steps)


def _tiny(self, m, v): return m / np.where(v > 0, np.sqrt(v), self.epsilon).astype(v.dtype)
def _forgets(self, index): self.m[index] = self.v[index] = 0.0


class _Late:
    """What is used is the mean of the step before."""

    stands_at = "late"

    def direction(self, index, gradient):
        self.late = self.m[index], self.v[index]
        return super().direction(index, gradient)


class _MeansTooLate(_Late):
    def quotient(self, m, v):
        late_m, late_v = self.late
        m, v = np.zeros_like(m) + late_m, np.zeros_like(v) + late_v
        t = np.float64(self.steps)
        return super().quotient(m * self.m_factor(t), v * self.v_factor(t))


class _VTooLate(_Late):
    def quotient(self, m, v): return super().quotient(m, self.late[1] * self.v_factor(self.steps))


class _BetasSwapped:
    stands_at = "settings"

    def __init__(self, network, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(network, learning_rate, beta2, beta1, epsilon)


def _one_mean(key):
    """Means that several arrays share: those with the same key."""

    class OneMean:
        stands_at = "memory"

        def direction(self, index, gradient):
            kept, at = vars(self).setdefault("kept", {}), key(*self.parameters[index])
            self.m[index], self.v[index] = kept.get(at, (0.0, 0.0))
            direction = super().direction(index, gradient)
            kept[at] = self.m[index], self.v[index]
            return direction

    return OneMean


class _OneList:
    stands_at = "memory"

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.m = self.v


class _SharesItsCount:
    stands_at = "count"

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        type(self).count = 0

    def step(self):
        type(self).count += 1
        super().step()

    def time(self, index): return type(self).count


_BOTH = {"adam_first_step": _Adam, "adam_step": _Adam}
mistakes(__name__, {"adam_first_step": _Adam},
    FirstVTooSmall=slip("In the first step, the v under your root is too small. Either it isn't corrected for its start at 0, or the share (1 − beta2) is squared too.",
        "What must (1 − beta2) times a square be divided by to be the square again?", v_factor=_one),
    FirstRootOfAbsolute=slip("In the first step, you divide by the root of |gradient|, not by |gradient|. Either the gradient isn't squared, or there is one root too many.",
        "v is made of squares. How many roots undo one square?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * np.abs(gradient)),
    FirstVTooLarge=slip("In the first step, the v under your root is the gradient squared, divided by (1 − beta2): too large. Either the share (1 − beta2) is missing in v, or it is the root that you correct, not v.",
        "Work out v by hand for a gradient of 10, then what you divide it by, then its root: in this order.", new_v=lambda self, v, gradient: self.beta2 * v + gradient**2),
)
mistakes(__name__, _BOTH,
    NoCorrection=slip("The bias correction is missing: m and v are used as they are. Both begin at 0 and are too small at first, v even more than m, so the first steps come out wrong.",
        "After the first step, m is (1 − beta1) times the gradient. What must it be divided by to be the gradient again? And after t steps?", m_factor=_one, v_factor=_one),
    CorrectsOnlyV=slip("v is corrected for its start at 0, m is not. The first steps are too short.",
        "After the first step, m is (1 − beta1) times the gradient. What has v got that m hasn't?", m_factor=_one),
    CountsFromZero=slip("In the first step you divide by 0: 1 − beta**t is 0, as t is still 0.",
        "Which step is the first one, number 0 or number 1? Where do you count, above the division or below it?", time=lambda self, index: self.steps - 1),
    CountsFromTwo=slip("Your count of steps is one ahead: in the first step you correct as in the second one.",
        "Print the t that goes into beta**t in the first step. Who has counted already?", time=lambda self, index: self.steps + 1),
    CountsArrays=slip("You count once for each array in place of once for each step, so every array is corrected with another t.",
        "A step moves all arrays. Is the line that counts inside the loop or before it?", time=lambda self, index: (self.steps - 1) * len(self.parameters) + index + 1),
    MultipliesByTheCorrection=slip("You multiply by 1 − beta**t, where you should divide by it: m and v, too small at first, become smaller still.",
        "At first m and v are too small. Should the correction make them larger or smaller?", m_factor=lambda self, t: 1 - self.beta1**t, v_factor=lambda self, t: 1 - self.beta2**t),
    CorrectionsSwapped=slip("The corrections are swapped: m is divided by 1 − beta2**t, and v by 1 − beta1**t.",
        "Each running mean is corrected by the beta that it was made with.", m_factor=_Adam.v_factor, v_factor=_Adam.m_factor),
    Beta1ForBothCorrections=slip("v is corrected with beta1, as if it were m.",
        "Each running mean is corrected by the beta that it was made with.", v_factor=_Adam.m_factor),
    Beta2ForBothCorrections=slip("m is corrected with beta2, as if it were v.",
        "Each running mean is corrected by the beta that it was made with.", m_factor=_Adam.v_factor),
    PlusInTheCorrection=slip("You divide by 1 + beta**t, with a plus, so m and v become smaller still.",
        "At first m and v are too small. What must they be divided by, to become larger?", **_both_divided(lambda beta, t: 1 + beta**t)),
    NoBrackets=slip("m and v are divided by 1, and beta**t is subtracted from the result: a pair of brackets is missing.",
        "Python divides before it subtracts. What should the division cover?", quotient=_no_brackets),
    DividesByThePower=slip("m and v are divided by beta**t, not by 1 − beta**t.",
        "After many steps no correction is needed any more. What does your divisor become by then?", **_both_divided(lambda beta, t: beta**t)),
    MultipliesByTheCorrectionOfM=slip("m is multiplied by 1 − beta1**t, and should be divided by it.",
        "m begins at 0, so it is too small at first. Does a factor below 1 make up for that?", m_factor=lambda self, t: 1 - self.beta1**t),
    MultipliesByTheCorrectionOfV=slip("v is multiplied by 1 − beta2**t, and should be divided by it.",
        "v begins at 0, so it is too small at first. Does a factor below 1 make up for that?", v_factor=lambda self, t: 1 - self.beta2**t),
    EpsilonBeforeTheCorrection=slip("epsilon is added to the root of the uncorrected v, as in the short form at the end of the paper's section 2. There epsilon counts for more in the first steps than in the exercise's form.",
        "First correct v, then take its root, then add epsilon. What do you do in which order?", quotient=_root_before_the_correction),
    EpsilonUnderTheRoot=slip("epsilon is added to v, under the root.",
        "Read the last line of the formula from the inside: what does the root cover?", quotient=lambda self, m, v: m / np.sqrt(v + self.epsilon)),
    EpsilonAfterTheDivision=slip("You divide by √v, and add epsilon to the result: a pair of brackets is missing.",
        "Python divides before it adds. What should the division cover?", quotient=lambda self, m, v: m / np.sqrt(v) + self.epsilon),
    EpsilonOnTheWeight=slip("You divide by √v, and add epsilon to the new weight: a pair of brackets is missing.",
        "Python divides before it adds. What should the division cover?", quotient=lambda self, m, v: m / np.sqrt(v) - self.epsilon / self.learning_rate),
    NoEpsilon=slip("epsilon is left out, so a weight whose gradients are all 0 becomes NaN.",
        "What is 0/0? A pixel that is always black gives its weights no gradient at all.", quotient=lambda self, m, v: m / np.sqrt(v)),
    NoRoot=slip("You divide by v, not by its root.",
        "v is made of squares. With gradients a hundred times as large, how should the step change?", quotient=lambda self, m, v: m / (v + self.epsilon)),
    HalfForRoot=slip("v is halved, where its root should be taken: `v ** 1 / 2` is v/2.",
        "Python raises to a power before it divides. Which function of NumPy's takes a root?", quotient=lambda self, m, v: m / (v / 2 + self.epsilon)),
    TinyEpsilon=slip("epsilon has no effect, or hardly any: the step comes out as m̂/√v̂ would.",
        "To what is epsilon added, and where does the number come from that you add?", quotient=_tiny),
    Upended=slip("m and v have changed places in the last line.",
        "Which of the two can be negative, and so knows the direction? And which one sets the pace?", quotient=lambda self, m, v: v / (np.sqrt(m) + self.epsilon)),
    TimesTheRoot=slip("You multiply by √v, where you should divide by it.",
        "Which weights are to go slowly: those with large gradients, or those with small ones?", quotient=lambda self, m, v: m * (np.sqrt(v) + self.epsilon)),
    OnlyM=slip("You go by m alone, and v makes no difference: every weight has the same pace.",
        "What is √v for? How long is the first step of a weight with a huge gradient?", quotient=lambda self, m, v: m),
    NoShares=slip("m and v grow by the whole of what is new: the factor 1 − beta is missing in both.",
        "The two weights of a mean add up to 1. What do yours add up to?", new_m=lambda self, m, gradient: self.beta1 * m + gradient, new_v=lambda self, v, gradient: self.beta2 * v + gradient**2),
    AbsoluteGradientInM=slip("m is a mean of |gradient|: the sign, which says where to go, is lost.",
        "Which of m and v has to know the direction?", new_m=lambda self, m, gradient: self.beta1 * m + (1 - self.beta1) * np.abs(gradient)),
    NoShareInM=slip("m grows by the whole new gradient: the factor 1 − beta1 is missing.",
        "The two weights of a mean add up to 1. What do yours add up to?", new_m=lambda self, m, gradient: self.beta1 * m + gradient),
    SharesSwappedInM=slip("beta1 and 1 − beta1 are swapped in m: most of the old m is forgotten in every step.",
        "beta1 is near 1. Which of the two should count for more, what is old or what is new?", new_m=lambda self, m, gradient: (1 - self.beta1) * m + self.beta1 * gradient),
    SharesSwappedInV=slip("beta2 and 1 − beta2 are swapped in v: most of the old v is forgotten in every step.",
        "beta2 is near 1. Which of the two should count for more, what is old or what is new?", new_v=lambda self, v, gradient: (1 - self.beta2) * v + self.beta2 * gradient**2),
    SharesSwapped=slip("beta and 1 − beta are swapped in both running means: most of the old is forgotten in every step.",
        "beta is near 1. Which of the two should count for more, what is old or what is new?",
        new_m=lambda self, m, gradient: (1 - self.beta1) * m + self.beta1 * gradient,
        new_v=lambda self, v, gradient: (1 - self.beta2) * v + self.beta2 * gradient**2),
    Beta1InV=slip("beta1 is in the line that makes v, as if it were m.",
        "Each running mean has a beta of its own. Look at every beta in that line.", new_v=lambda self, v, gradient: self.beta1 * v + (1 - self.beta1) * gradient**2),
    Beta2InM=slip("beta2 is in the line that makes m, as if it were v.",
        "Each running mean has a beta of its own. Look at every beta in that line.", new_m=lambda self, m, gradient: self.beta2 * m + (1 - self.beta2) * gradient),
    NotSquared=slip("v is a mean of the gradients, not of their squares. Where that is negative, its root is NaN.",
        "v says how large the gradients are, whatever their sign. What makes a number positive, and fits a root?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * gradient),
    Doubled=slip("v doubles the gradient in place of squaring it: `* 2` for `** 2`. Where v is negative, its root is NaN.",
        "How many stars make a power?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * gradient * 2),
    SquaresM=slip("v is made of m squared, not of the gradient squared.",
        "The mean of the squares is not the square of the mean. Of what should v be the mean?", squared=lambda self, index, gradient: self.m[index]),
    OnePace=slip("v is one number for a whole array, the mean over its entries; all its weights go at the same pace.",
        "Each weight has a pace of its own. What shape must v have?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * np.mean(gradient**2)),
    OnePaceFromTheSum=slip("v is one number for a whole array, the sum over its entries; all its weights go at the same pace.",
        "Each weight has a pace of its own. What shape must v have?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * np.sum(gradient**2)),
    VTooLate=slip("v is brought up to date only after the step: you divide by the root of the old one, which is 0 at first.",
        "How long is your first step? In which order do your lines stand?", _VTooLate),
    OneMeanForAll=slip("One m and one v serve all arrays, so each array goes on with the means of the one before it.",
        "How many running means does the network need? Where do you keep each one, and under which index?", _one_mean(lambda owner, name: None)),
    OneMeanForEachName=slip("All W share m and v, and so do all b: they are kept under the name, \"W\" or \"b\", which every layer has.",
        "Whose W is it? What tells one entry of self.parameters from all others?", _one_mean(lambda owner, name: name)),
    OneListForBoth=slip("m and v are one and the same list: what you put into m[i], you find in v[i].",
        "`a = b = [...]` gives one list two names. How many lists are there?", _OneList),
)
mistakes(__name__, {"adam_step": _Adam},
    ShareOfBeta1InV=slip("The new square comes into v with the share 1 − beta1, which is m's.",
        "Each running mean has a beta of its own. Look at every beta in that line.", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta1) * gradient**2),
    ShareOfBeta2InM=slip("The new gradient comes into m with the share 1 − beta2, which is v's.",
        "Each running mean has a beta of its own. Look at every beta in that line.", new_m=lambda self, m, gradient: self.beta1 * m + (1 - self.beta2) * gradient),
    CorrectsOnlyM=slip("m is corrected for its start at 0, v is not. v is too small at first, and you divide by its root: the first steps are far too long.",
        "After the first step, v is (1 − beta2) times the gradient squared. What has m got that v hasn't?", v_factor=_one),
    AlwaysStepOne=slip("You divide by 1 − beta in every step, as if it were always the first: t makes no difference.",
        "The longer it runs, the less m and v need a correction. Which line of yours counts the steps?", time=lambda self, index: 1),
    KeepsTheCorrected=slip("What you keep for the next step is the corrected m and v. Then the next correction comes on top of this one.",
        "The running means go on from what they were. How many names do you need: for m, and for what the step divides?", keep=lambda self, index: _corrected(self, index)),
    KeepsTheCorrectedM=slip("What you keep for the next step is the corrected m. Then the next correction comes on top of this one.",
        "The running mean goes on from what it was. How many names do you need?", keep=lambda self, index: _corrected(self, index, "m")),
    KeepsTheCorrectedV=slip("What you keep for the next step is the corrected v. Then the next correction comes on top of this one.",
        "The running mean goes on from what it was. How many names do you need?", keep=lambda self, index: _corrected(self, index, "v")),
    TimesT=slip("beta is multiplied by t, where it should be raised to the power t.",
        "In each step, what is left of the 0 at the start is multiplied by beta once more. What is it after t steps?", **_both_divided(lambda beta, t: 1 - beta * t)),
    PowerOfTheDifference=slip("You divide by (1 − beta)**t, not by 1 − beta**t. The first step is right; then the corrections grow without end.",
        "Which comes first, the power or the subtraction? What should the divisor become after many steps?", **_both_divided(lambda beta, t: (1 - beta) ** t)),
    TimesTForM=slip("You multiply beta1 by t, and should raise it to the power of t.",
        "With beta1 = 0.9, what is 1 − 0.9·t in the second step, and what is 1 − 0.9²?", m_factor=lambda self, t: 1 / (1 - self.beta1 * t)),
    TimesTForV=slip("You multiply beta2 by t, and should raise it to the power of t.",
        "With beta2 = 0.999, what is 1 − 0.999·t in the second step, and what is 1 − 0.999²?", v_factor=lambda self, t: 1 / (1 - self.beta2 * t)),
    AlwaysStepOneForV=slip("v is divided by 1 − beta2 in every step, as if it were always the first; m is corrected as it should be.",
        "The longer it runs, the less v needs a correction. What does t do in the line of m?", v_factor=_step_one(_Adam.v_factor)),
    AlwaysStepOneForM=slip("m is divided by 1 − beta1 in every step, as if it were always the first; v is corrected as it should be.",
        "The longer it runs, the less m needs a correction. What does t do in the line of v?", m_factor=_step_one(_Adam.m_factor)),
    CorrectsTheRoot=slip("v is corrected after its root is taken: the root is divided by 1 − beta2**t.",
        "1 − beta2**t belongs to v itself. What comes first, the correction or the root?", v_factor=lambda self, t: _Adam.v_factor(self, t) ** 2),
    OnlyV=slip("You divide the newest gradient by √v, and m makes no difference.",
        "What goes into the numerator: the newest gradient, or its running mean?", new_m=lambda self, m, gradient: gradient, m_factor=_one),
    KeepsNoM=slip("m begins at 0 in every step: what the steps before left of it is lost.",
        "What has to be kept from one step to the next, and does it get back into self.m?", new_m=lambda self, m, gradient: (1 - self.beta1) * gradient),
    KeepsNoV=slip("v begins at 0 in every step: what the steps before left of it is lost.",
        "What has to be kept from one step to the next, and does it get back into self.v?", new_v=lambda self, v, gradient: (1 - self.beta2) * gradient**2),
    BetasSwapped=slip("beta1 and beta2 are swapped.", "Which of the two belongs to the mean of the gradients, and which to the mean of their squares?", _BetasSwapped),
    NoShareInV=slip("v grows by the whole of the new square: the factor 1 − beta2 is missing.",
        "The two weights of a mean add up to 1. What do yours add up to?", new_v=lambda self, v, gradient: self.beta2 * v + gradient**2),
    AddsToTheMeans=slip("The new m and v are added to the old ones: `+=`, and on its right side are the old ones, too.",
        "How many times does the old m count in your line?", new_m=lambda self, m, gradient: m + _Adam.new_m(self, m, gradient), new_v=lambda self, v, gradient: v + _Adam.new_v(self, v, gradient)),
    OldMInFull=slip("beta1 does not fade the old m: it is kept in full, and (1 − beta1) of the new gradient is added.",
        "The two weights of a mean add up to 1. What do yours add up to?", new_m=lambda self, m, gradient: m + (1 - self.beta1) * gradient),
    OldVInFull=slip("beta2 does not fade the old v: it is kept in full, and (1 − beta2) of the new square is added.",
        "The two weights of a mean add up to 1. What do yours add up to?", new_v=lambda self, v, gradient: v + (1 - self.beta2) * gradient**2),
    AbsoluteValues=slip("v is a mean of |gradient|, not of its square.",
        "Its root is taken later. In which unit is √v then, if v is in that of the gradient?", new_v=lambda self, v, gradient: self.beta2 * v + (1 - self.beta2) * np.abs(gradient)),
    SquaresTheShareToo=slip("(1 − beta2) is squared together with the gradient: the square covers too much.",
        "What does your `** 2` apply to, and what do its brackets hold?", new_v=lambda self, v, gradient: self.beta2 * v + ((1 - self.beta2) * gradient) ** 2),
    AddsUpSquares=slip("The squares are added up and never fade, as in AdaGrad: v only grows, and the steps get shorter and shorter.",
        "A running mean forgets. What happens to the old v in each step?", new_v=lambda self, v, gradient: v + gradient**2, v_factor=_one),
    ForgetsItsMeans=slip("m and v begin at 0 again in every step; nothing is remembered.",
        "What has to be kept from one step to the next, and where does it stay meanwhile?", begin=_forgets),
    MeansTooLate=slip("m and v are brought up to date only after the step: the newest gradient comes one step late.",
        "In the first step, m and v are 0 then. In which order do your lines stand?", _MeansTooLate),
    SharesItsMeans=slip("All optimizers share their m and v, so a second one disturbs the first.",
        "What stands directly in the class, or in a default argument, is there once for all. Where does `self` come in?", _shared("m", "v")),
    SharesItsCount=slip("All optimizers count their steps together, so a second one makes t too large for the first.",
        "What stands directly in the class is there once for all. Where does `self` come in?", _SharesItsCount),
)
