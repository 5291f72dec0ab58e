"""What goes wrong when weights move: the step itself, momentum, Adam's running means and their correction."""

from functools import cache
from itertools import combinations

import numpy as np

from cnnlib.misconceptions.changes import misconception, seen_by
from cnnlib.optimizers import SGD, Adam

# ---------------------------------------------------------------------------- the step of any optimizer


class _Stays:
    def step(self):
        pass


class _Chooses:
    """Moves only the arrays that `chosen` leaves."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.parameters = self.chosen(self.parameters)


class _OnlyW(_Chooses):
    def chosen(self, parameters):
        return [(layer, name) for layer, name in parameters if name == "W"]


class _OnlyB(_Chooses):
    def chosen(self, parameters):
        return [(layer, name) for layer, name in parameters if name == "b"]


class _OnlyTheFirst(_Chooses):
    def chosen(self, parameters):
        return parameters[:1]


class _OnlyTheLast(_Chooses):
    def chosen(self, parameters):
        return parameters[-1:]


class _AllButTheFirst(_Chooses):
    def chosen(self, parameters):
        return parameters[1:]


class _AllButTheLast(_Chooses):
    def chosen(self, parameters):
        return parameters[:-1]


class _OnlyTheFirstLayer(_Chooses):
    def chosen(self, parameters):
        return [(layer, name) for layer, name in parameters if layer is parameters[0][0]]


class _OnlyTheLastLayer(_Chooses):
    def chosen(self, parameters):
        return [(layer, name) for layer, name in parameters if layer is parameters[-1][0]]


class _Uphill:
    def direction(self, index, gradient):
        return -super().direction(index, gradient)


class _NoRate:
    def direction(self, index, gradient):
        return super().direction(index, gradient) / self.learning_rate


class _RateTwice:
    def direction(self, index, gradient):
        return self.learning_rate * super().direction(index, gradient)


class _DividesByTheRate:
    def direction(self, index, gradient):
        return super().direction(index, gradient) / self.learning_rate**2


class _FirstRate:
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.rate = self.learning_rate

    def step(self):
        self.learning_rate = self.rate
        super().step()


class _WeightForGradient:
    def direction(self, index, gradient):
        owner, name = self.parameters[index]
        return super().direction(index, getattr(owner, name))


class _ForgetsWhereItWas:
    """W = -learning_rate * …, without the W on the right."""

    def direction(self, index, gradient):
        owner, name = self.parameters[index]
        return super().direction(index, gradient) + getattr(owner, name) / self.learning_rate


class _ChangesGradients:
    def step(self):
        super().step()
        for layer, name in self.parameters:
            getattr(layer, f"d{name}")[...] = 0


class _RunsOut:
    def step(self):
        super().step()
        self.parameters = []


class _AlwaysFromTheStart:
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.start = [getattr(layer, name) for layer, name in self.parameters]

    def step(self):
        for (layer, name), weight in zip(self.parameters, self.start, strict=True):
            setattr(layer, name, weight)
        super().step()


class _FirstGradients:
    """Keeps the gradients that it saw first."""

    def direction(self, index, gradient):
        self.first = getattr(self, "first", {})
        return super().direction(index, self.first.setdefault(index, gradient.copy()))


class _MeanGradient:
    def direction(self, index, gradient):
        return super().direction(index, np.full_like(gradient, gradient.mean()))


class _DividesByRows:
    def direction(self, index, gradient):
        return super().direction(index, gradient / len(gradient))


STAYS = {
    "says": "After your step, every weight is what it was before. Either the step comes out as 0, or the new W never gets into the layer.",
    "hint": "`W = W - …` makes a new array and calls it W: a name of your function's. Which line would tell the layer?",
}
ONLY_W = {
    "says": "Only the W move; every b stays where it is.",
    "hint": "self.parameters lists (layer, name) for everything that is learned. Which names does it hold?",
}
ONLY_B = {
    "says": "Only the b move; every W stays where it is.",
    "hint": "self.parameters lists (layer, name) for everything that is learned. Which names does it hold?",
}
ONLY_THE_FIRST = {
    "says": "Only the first array in self.parameters moves, and then step is over.",
    "hint": "How often does your loop run? A return or break ends it; look at how far it is indented.",
}
ONLY_THE_LAST = {
    "says": "Only the last array in self.parameters moves.",
    "hint": "Which lines belong to the loop? What stands behind it sees only what the last turn left.",
}
ALL_BUT_THE_FIRST = {
    "says": "The first array in self.parameters stays where it is; all others move.",
    "hint": "Which index has the first pair?",
}
ALL_BUT_THE_LAST = {
    "says": "The last array in self.parameters stays where it is; all others move.",
    "hint": "Over which indices does your loop run, when there are two pairs?",
}
ONLY_THE_FIRST_LAYER = {
    "says": "Only the first layer's weights move; those of the other layers stay where they are.",
    "hint": "Over what does your loop run, and what ends it?",
}
ONLY_THE_LAST_LAYER = {
    "says": "Only the last layer's weights move; those of the other layers stay where they are.",
    "hint": "Over what does your loop run, and which lines belong to it?",
}
UPHILL = {
    "says": "Your weights walk uphill: they move with the gradient, and the loss grows. There is a minus missing, or one too many.",
    "hint": "dW says in which direction the loss grows. Where do you want to go? Follow the signs up to the new weight.",
}
NO_RATE = {
    "says": "The learning rate makes no difference: every step is as long as if it were 1.",
    "hint": "Half the learning rate means half the step. Where does self.learning_rate come in?",
}
RATE_TWICE = {
    "says": "The learning rate counts twice, once more on top of the first time.",
    "hint": "Half the learning rate means half the step, not a quarter. Where does self.learning_rate come in?",
}
DIVIDES_BY_THE_RATE = {
    "says": "You divide by the learning rate: the smaller it is, the longer are your steps.",
    "hint": "Half the learning rate means half the step. Go through the first step by hand.",
}
FIRST_RATE = {
    "says": "You go on with the learning rate that __init__ was given; a new optimizer.learning_rate makes no difference.",
    "hint": "A rate may get smaller while a network trains. When do you read it, and from where?",
}
WEIGHT_FOR_GRADIENT = {
    "says": "You use the weight itself where its gradient belongs, so backward makes no difference.",
    "hint": 'name is "W" or "b". What is the gradient\'s attribute called?',
}
FORGETS = {
    "says": "The new weight is the step alone; where the weight was before doesn't count.",
    "hint": "A step leads from somewhere to somewhere. Which of the two did you set?",
}
CHANGES_GRADIENTS = {
    "says": "Your step changes the gradients: after it, dW and db are no longer what backward has set. They belong to the layer.",
    "hint": "`*=`, `**=` and the like write into the array itself, and so into the layer's. (To set them to 0 is not needed: each backward sets them anew.)",
}
RUNS_OUT = {
    "says": "The first step moves the weights; from the second one on they stay where they are.",
    "hint": "What does your loop run over, and what is left of that after one walk? (A zip, like any iterator, gives everything once.)",
}
FROM_THE_START = {
    "says": "Each step starts again from the weights that the network had in the beginning.",
    "hint": "Where do you read the weight that you subtract from, and when was that written down?",
}
FIRST_GRADIENTS = {
    "says": "Each step uses the gradients of the first one.",
    "hint": "Every backward sets a new dW. When do you read it?",
}
MEAN_GRADIENT = {
    "says": "All weights of an array move by the same: by the mean of its gradients.",
    "hint": "Every weight has a gradient of its own. What does your mean run over?",
}
DIVIDES_BY_ROWS = {
    "says": "The gradient is divided by the length of dW, as if that were the batch.",
    "hint": "len(dW) counts its rows. Does an optimizer have to know the batch, and who has divided by N already?",
}

BOTH = ("sgd_step", "sgd_momentum")
ADAM = ("adam_first_step", "adam_step")


@misconception(*BOTH, **STAYS)
class WeightsStay(_Stays, SGD):
    pass


@misconception(*BOTH, **ONLY_W)
class OnlyW(_OnlyW, SGD):
    pass


@misconception(*BOTH, **ONLY_B)
class OnlyB(_OnlyB, SGD):
    pass


@misconception(*BOTH, **ONLY_THE_FIRST)
class OnlyTheFirst(_OnlyTheFirst, SGD):
    pass


@misconception(*BOTH, **ONLY_THE_LAST)
class OnlyTheLast(_OnlyTheLast, SGD):
    pass


@misconception(*BOTH, **ALL_BUT_THE_FIRST)
class AllButTheFirst(_AllButTheFirst, SGD):
    pass


@misconception(*BOTH, **ALL_BUT_THE_LAST)
class AllButTheLast(_AllButTheLast, SGD):
    pass


@misconception(*BOTH, **ONLY_THE_FIRST_LAYER)
class OnlyTheFirstLayer(_OnlyTheFirstLayer, SGD):
    pass


@misconception(*BOTH, **ONLY_THE_LAST_LAYER)
class OnlyTheLastLayer(_OnlyTheLastLayer, SGD):
    pass


@misconception(*BOTH, **UPHILL)
class Uphill(_Uphill, SGD):
    pass


@misconception(*BOTH, **NO_RATE)
class NoRate(_NoRate, SGD):
    pass


@misconception(*BOTH, **RATE_TWICE)
class RateTwice(_RateTwice, SGD):
    pass


@misconception(*BOTH, **DIVIDES_BY_THE_RATE)
class DividesByTheRate(_DividesByTheRate, SGD):
    pass


@misconception("sgd_step", **FIRST_RATE)
class FirstRate(_FirstRate, SGD):
    pass


@misconception(*BOTH, **WEIGHT_FOR_GRADIENT)
class WeightForGradient(_WeightForGradient, SGD):
    pass


@misconception(*BOTH, **FORGETS)
class ForgetsWhereItWas(_ForgetsWhereItWas, SGD):
    pass


@misconception(*BOTH, **CHANGES_GRADIENTS)
class ChangesGradients(_ChangesGradients, SGD):
    pass


@misconception(*BOTH, **RUNS_OUT)
class RunsOut(_RunsOut, SGD):
    pass


@misconception(*BOTH, **FROM_THE_START)
class FromTheStart(_AlwaysFromTheStart, SGD):
    pass


@misconception(*BOTH, **FIRST_GRADIENTS)
class FirstGradients(_FirstGradients, SGD):
    pass


@misconception(*BOTH, **MEAN_GRADIENT)
class MeanGradient(_MeanGradient, SGD):
    pass


@misconception(*BOTH, **DIVIDES_BY_ROWS)
class DividesByRows(_DividesByRows, SGD):
    pass


# ---------------------------------------------------------------------------- plain steps


@misconception(
    "sgd_step",
    says="You multiply the weight by its step: the larger a weight is, the further it goes.",
    hint="The gradient knows already how much a weight matters. Where does the weight itself come in?",
)
class TimesTheWeight(SGD):
    def direction(self, index, gradient):
        owner, name = self.parameters[index]
        return gradient * getattr(owner, name)


@misconception(
    "sgd_step",
    says="Only the sign of each gradient counts: all steps are equally long.",
    hint="A gradient near 0 says that there is little to gain. How far should its weight go?",
)
class SignOnly(SGD):
    def direction(self, index, gradient):
        return np.sign(gradient)


@misconception(
    "sgd_step",
    says="You divide each gradient array by its length, so that a small gradient makes as long a step as a large one.",
    hint="Near the bottom of a valley the gradients get small. What should the steps do there?",
)
class UnitLength(SGD):
    def direction(self, index, gradient):
        length = np.linalg.norm(gradient)
        return gradient / (length or 1)


@misconception(
    "sgd_step",
    says="Your steps get shorter: the learning rate is divided by the number of the step.",
    hint="Who decides on the learning rate: your step, or whoever sets self.learning_rate?",
)
class ShorterSteps(SGD):
    def direction(self, index, gradient):
        return gradient / self.steps


@misconception(
    "sgd_step",
    says="Every W moves twice in a step, and no b ever moves.",
    hint="self.parameters holds a pair for W and another one for b. Where do you use the name that stands in the pair?",
)
class OnlyWButTwice(SGD):
    def direction(self, index, gradient):
        return gradient * (2 if self.parameters[index][1] == "W" else 0)


@misconception(
    "sgd_step",
    says="Every step is twice as long as it should be.",
    hint="self.parameters holds a pair for W and another one for b. How often does your loop move each array?",
)
class MovesTwice(SGD):
    def direction(self, index, gradient):
        return 2 * gradient


@misconception(
    *BOTH,
    says="The gradients of all steps so far are added up in full; the momentum makes no difference.",
    hint="Which factor makes older gradients count less and less?",
)
class AddsUpGradients(SGD):
    def direction(self, index, gradient):
        self.velocity[index] = self.velocity[index] + gradient
        return self.velocity[index]


@misconception(
    *BOTH,
    says="Each step goes by the gradients of the step before it: the weights move first, and what is new comes in afterwards.",
    hint="In which order do your two lines stand? Go through the first step by hand, with a velocity of 0.",
)
class MovesTooEarly(SGD):
    def direction(self, index, gradient):
        before = np.asarray(self.velocity[index])
        super().direction(index, gradient)
        return before.astype(gradient.dtype)


# ---------------------------------------------------------------------------- momentum


@misconception(
    "sgd_momentum",
    says="The momentum makes no difference: every step is the plain one. There is no velocity, or it begins at 0 again in each step.",
    hint="What has to be remembered from one step to the next, and where does it stay meanwhile?",
)
class NoMomentum(SGD):
    def direction(self, index, gradient):
        return gradient


@misconception(
    "sgd_momentum",
    says="You take (1 − momentum) of the new gradient: a running mean. That is Adam's m; here the new gradient counts in full.",
    hint="Go through the first step by hand. How long should it be, with a momentum or without?",
)
class RunningMean(SGD):
    def direction(self, index, gradient):
        return super().direction(index, (1 - self.momentum) * gradient)


@misconception(
    "sgd_momentum",
    says="From the second step on you take only (1 − momentum) of the new gradient; in the first step, all of it.",
    hint="Here the new gradient counts in full in every step. Which factor belongs to what is older?",
)
class RunningMeanLater(SGD):
    def direction(self, index, gradient):
        share = 1 if self.steps == 1 else 1 - self.momentum
        return super().direction(index, share * gradient)


@misconception(
    "sgd_momentum",
    says="The momentum shrinks the weight, not the velocity.",
    hint="What should be kept in part from the step before: the place, or the speed?",
)
class MomentumOnTheWeight(SGD):
    def direction(self, index, gradient):
        owner, name = self.parameters[index]
        return gradient + (1 - self.momentum) * getattr(owner, name) / self.learning_rate


@misconception(
    "sgd_momentum",
    says="One velocity serves all arrays, so each one goes on with the speed of the one before it.",
    hint="How many velocities does the network need? Where do you keep each one, and under which index?",
)
class OneVelocity(SGD):
    def direction(self, index, gradient):
        self.speed = self.momentum * getattr(self, "speed", 0.0) + gradient
        return self.speed


@misconception(
    "sgd_momentum",
    says='All W share a velocity, and all b share another: it is kept under the name, "W" or "b", which every layer has.',
    hint="Whose W is it? What tells one entry of self.parameters from all others?",
)
class OneVelocityForEachName(SGD):
    def direction(self, index, gradient):
        self.speeds = getattr(self, "speeds", {})
        name = self.parameters[index][1]
        self.speeds[name] = self.momentum * self.speeds.get(name, 0.0) + gradient
        return self.speeds[name]


@misconception(
    "sgd_momentum",
    says="W and b of a layer share one velocity: it is kept under the layer alone.",
    hint="What tells one entry of self.parameters from all others?",
)
class OneVelocityForEachLayer(SGD):
    def direction(self, index, gradient):
        self.speeds = getattr(self, "speeds", {})
        layer = id(self.parameters[index][0])
        self.speeds[layer] = self.momentum * self.speeds.get(layer, 0.0) + gradient
        return self.speeds[layer]


@misconception(
    "sgd_momentum",
    says="All optimizers share their velocities, so a second one disturbs the first.",
    hint="What stands directly in the class, or in a default argument, is there once for all. Where does `self` come in?",
)
class SharesVelocities(SGD):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        SharesVelocities.velocities = self.velocity

    def direction(self, index, gradient):
        self.velocity = SharesVelocities.velocities
        return super().direction(index, gradient)


@misconception(
    "sgd_momentum",
    says="Your velocity is the layer's own dW: what you write into it, you write into the layer's array.",
    hint="`velocity = gradient` gives one array a second name. Which of your lines makes a new array?",
)
class WritesIntoTheGradient(SGD):
    def direction(self, index, gradient):
        if self.steps == 1:
            self.velocity[index] = gradient
        else:
            self.velocity[index] *= self.momentum
            self.velocity[index] += gradient
        return self.velocity[index]


@misconception(
    "sgd_momentum",
    says="After the first step your velocity is the layer's own dW, under a second name. A layer that writes its next gradient into the same array changes your velocity too.",
    hint="`velocity = gradient` copies nothing. Which line would make a new array?",
)
class VelocityIsTheGradient(SGD):
    def direction(self, index, gradient):
        if self.steps == 1:
            self.velocity[index] = gradient
            return gradient
        return super().direction(index, gradient)


@misconception(
    "sgd_momentum",
    says="You look ahead, as Nesterov did: the gradient counts once more on top of the velocity. A good method, but another one than the exercise asks for.",
    hint="By what does the weight move: by the velocity, or by the gradient and the velocity?",
)
class Nesterov(SGD):
    def direction(self, index, gradient):
        return gradient + self.momentum * super().direction(index, gradient)


@misconception(
    "sgd_momentum",
    says="The momentum shrinks the new gradient as well as the old velocity.",
    hint="Go through the first step by hand. How long should it be, with a momentum or without?",
)
class MomentumOnBoth(SGD):
    def direction(self, index, gradient):
        return super().direction(index, self.momentum * gradient)


@misconception(
    "sgd_momentum",
    says="The old velocity comes in with a minus: it holds the weights back in place of carrying them on.",
    hint="A ball that rolls downhill: in which direction does its speed take it?",
)
class VelocityHoldsBack(SGD):
    def direction(self, index, gradient):
        self.velocity[index] = gradient - self.momentum * self.velocity[index]
        return self.velocity[index]


@misconception(
    "sgd_momentum",
    says="Only the gradient of the step before is remembered; what came before that is lost.",
    hint="What do you keep for the next step: the gradient, or the velocity that you went with?",
)
class RemembersOneGradient(SGD):
    def direction(self, index, gradient):
        before, self.velocity[index] = self.velocity[index], gradient.copy()
        return gradient + self.momentum * before


@misconception(
    "sgd_momentum",
    says="The learning rate scales the new gradient, but not the velocity that comes on top of it.",
    hint="In which unit do you keep the velocity: as a gradient, or as a step? It must be the same in every line.",
)
class RateOnTheGradientOnly(SGD):
    def direction(self, index, gradient):
        before = self.momentum * self.velocity[index]
        self.velocity[index] = before + gradient
        return gradient + before / self.learning_rate


@misconception(
    "sgd_momentum",
    says="The new velocity is added to the old one: `+=`, and on its right side is the old one, too.",
    hint="How often does the old velocity count in your line?",
)
class AddsToTheVelocity(SGD):
    def direction(self, index, gradient):
        self.velocity[index] = (1 + self.momentum) * self.velocity[index] + gradient
        return self.velocity[index]


@misconception(
    "sgd_momentum",
    says="The momentum shrinks the velocity once for using it and once more for keeping it.",
    hint="How often does momentum stand in your step? What does a gradient of three steps ago count?",
)
class MomentumTwice(SGD):
    def direction(self, index, gradient):
        before = self.velocity[index]
        self.velocity[index] = self.momentum * before * self.momentum + gradient
        return self.velocity[index]


@misconception(
    "sgd_momentum",
    says="You add a full velocity: the momentum scales the new gradient in place of the old velocity.",
    hint="Which of the two should fade, step by step?",
)
class MomentumOnTheGradient(SGD):
    def direction(self, index, gradient):
        self.velocity[index] = self.velocity[index] + self.momentum * gradient
        return self.velocity[index]


@misconception(
    "sgd_momentum",
    says="momentum and 1 − momentum are swapped: a momentum of 0.9 keeps a tenth of the velocity.",
    hint="The larger the momentum, the longer an old gradient counts. And how much of the new one is taken?",
)
class MomentumTurnedRound(SGD):
    def direction(self, index, gradient):
        self.velocity[index] = (1 - self.momentum) * self.velocity[index] + self.momentum * gradient
        return self.velocity[index]


# ---------------------------------------------------------------------------- Adam: the step


@misconception(*ADAM, **STAYS)
class AdamStays(_Stays, Adam):
    pass


@misconception(*ADAM, **ONLY_W)
class AdamOnlyW(_OnlyW, Adam):
    pass


@misconception(*ADAM, **ONLY_B)
class AdamOnlyB(_OnlyB, Adam):
    pass


@misconception(*ADAM, **ONLY_THE_FIRST)
class AdamOnlyTheFirst(_OnlyTheFirst, Adam):
    pass


@misconception(*ADAM, **ONLY_THE_LAST)
class AdamOnlyTheLast(_OnlyTheLast, Adam):
    pass


@misconception(*ADAM, **ALL_BUT_THE_FIRST)
class AdamAllButTheFirst(_AllButTheFirst, Adam):
    pass


@misconception(*ADAM, **ALL_BUT_THE_LAST)
class AdamAllButTheLast(_AllButTheLast, Adam):
    pass


@misconception(*ADAM, **ONLY_THE_FIRST_LAYER)
class AdamOnlyTheFirstLayer(_OnlyTheFirstLayer, Adam):
    pass


@misconception(*ADAM, **ONLY_THE_LAST_LAYER)
class AdamOnlyTheLastLayer(_OnlyTheLastLayer, Adam):
    pass


@misconception(*ADAM, **UPHILL)
class AdamUphill(_Uphill, Adam):
    pass


@misconception(*ADAM, **NO_RATE)
class AdamNoRate(_NoRate, Adam):
    pass


@misconception(*ADAM, **RATE_TWICE)
class AdamRateTwice(_RateTwice, Adam):
    pass


@misconception(*ADAM, **DIVIDES_BY_THE_RATE)
class AdamDividesByTheRate(_DividesByTheRate, Adam):
    pass


@misconception("adam_step", **FIRST_RATE)
class AdamFirstRate(_FirstRate, Adam):
    pass


@misconception(*ADAM, **WEIGHT_FOR_GRADIENT)
class AdamWeightForGradient(_WeightForGradient, Adam):
    pass


@misconception(*ADAM, **FORGETS)
class AdamForgetsWhereItWas(_ForgetsWhereItWas, Adam):
    pass


@misconception(*ADAM, **CHANGES_GRADIENTS)
class AdamChangesGradients(_ChangesGradients, Adam):
    pass


@misconception("adam_step", **RUNS_OUT)
class AdamRunsOut(_RunsOut, Adam):
    pass


@misconception("adam_step", **FROM_THE_START)
class AdamFromTheStart(_AlwaysFromTheStart, Adam):
    pass


@misconception("adam_step", **FIRST_GRADIENTS)
class AdamFirstGradients(_FirstGradients, Adam):
    pass


@misconception(*ADAM, **MEAN_GRADIENT)
class AdamMeanGradient(_MeanGradient, Adam):
    pass


# ---------------------------------------------------------------------------- Adam: its correction


class _Adam(Adam):
    """Adam in pieces: each wrong version replaces one."""

    def direction(self, index, gradient):
        self.m[index] = self.new_m(self.m[index], gradient)
        self.v[index] = self.new_v(self.v[index], gradient)
        with np.errstate(all="ignore"):  # a learner's warnings are the learner's
            t = np.float64(self.time(index))
            m = self.m[index] * self.m_factor(t).astype(gradient.dtype)
            v = self.v[index] * self.v_factor(t).astype(gradient.dtype)
            return self.quotient(m, v)

    def new_m(self, m, gradient):
        return self.beta1 * m + (1 - self.beta1) * gradient

    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * gradient**2

    def time(self, index):
        return self.steps

    def m_factor(self, t):
        return 1 / (1 - self.beta1**t)

    def v_factor(self, t):
        return 1 / (1 - self.beta2**t)

    def quotient(self, m, v):
        return m / (np.sqrt(v) + self.epsilon)


@misconception(
    *ADAM,
    says="The bias correction is missing: m and v are used as they are. Both begin at 0 and are too small at first, v even more than m, so the first steps come out wrong.",
    hint="After the first step, m is (1 − beta1) times the gradient. What must it be divided by to be the gradient again? And after t steps?",
)
class NoCorrection(_Adam):
    def m_factor(self, t):
        return np.float64(1)

    def v_factor(self, t):
        return np.float64(1)


@misconception(
    *ADAM,
    says="v is corrected for its start at 0, m is not. The first steps are too short.",
    hint="After the first step, m is (1 − beta1) times the gradient. What has v got that m hasn't?",
)
class CorrectsOnlyV(_Adam):
    def m_factor(self, t):
        return np.float64(1)


@misconception(
    "adam_step",
    says="m is corrected for its start at 0, v is not. v is too small at first, and you divide by its root: the first steps are far too long.",
    hint="After the first step, v is (1 − beta2) times the gradient squared. What has m got that v hasn't?",
)
class CorrectsOnlyM(_Adam):
    def v_factor(self, t):
        return np.float64(1)


@misconception(
    "adam_first_step",
    says="In the first step, the v under your root is (1 − beta2) times the gradient squared: too small. Either it isn't corrected, or the share (1 − beta2) is squared too.",
    hint="What must (1 − beta2) times a square be divided by to be the square again?",
)
class FirstVTooSmall(_Adam):
    def v_factor(self, t):
        return np.float64(1)


@misconception(
    "adam_first_step",
    says="In the first step, you divide by the root of |gradient|, not by |gradient|. Either the gradient isn't squared, or there is one root too many.",
    hint="v is made of squares. How many roots undo one square?",
)
class FirstRootOfAbsolute(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * np.abs(gradient)


@misconception(
    "adam_first_step",
    says="In the first step, the v under your root is the gradient squared, divided by (1 − beta2): too large. Either the share (1 − beta2) is missing in v, or it is the root that you correct, not v.",
    hint="Work out v by hand for a gradient of 10, then what you divide it by, then its root: in this order.",
)
class FirstVTooLarge(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + gradient**2


@misconception(
    *ADAM,
    says="In the first step you divide by 0: 1 − beta**t is 0, as t is still 0.",
    hint="Which step is the first one, number 0 or number 1? Where do you count, above the division or below it?",
)
class CountsFromZero(_Adam):
    def time(self, index):
        return self.steps - 1


@misconception(
    "adam_step",
    says="You divide by 1 − beta in every step, as if it were always the first: t makes no difference.",
    hint="The longer it runs, the less m and v need a correction. Which line of yours counts the steps?",
)
class AlwaysStepOne(_Adam):
    def time(self, index):
        return 1


@misconception(
    *ADAM,
    says="Your count of steps is one ahead: in the first step you correct as in the second one.",
    hint="Print the t that goes into beta**t in the first step. Who has counted already?",
)
class CountsFromTwo(_Adam):
    def time(self, index):
        return self.steps + 1


@misconception(
    *ADAM,
    says="You count once for each array in place of once for each step, so every array is corrected with another t.",
    hint="A step moves all arrays. Does the line that counts stand inside the loop or before it?",
)
class CountsArrays(_Adam):
    def time(self, index):
        return (self.steps - 1) * len(self.parameters) + index + 1


@misconception(
    "adam_step",
    says="What you keep for the next step is the corrected m and v. Then the next correction comes on top of this one.",
    hint="The running means go on from what they were. How many names do you need: for m, and for what the step divides?",
)
class KeepsTheCorrected(_Adam):
    def direction(self, index, gradient):
        direction = super().direction(index, gradient)
        self.m[index] = self.m[index] / (1 - self.beta1**self.steps)
        self.v[index] = self.v[index] / (1 - self.beta2**self.steps)
        return direction


@misconception(
    "adam_step",
    says="What you keep for the next step is the corrected m. Then the next correction comes on top of this one.",
    hint="The running mean goes on from what it was. How many names do you need?",
)
class KeepsTheCorrectedM(_Adam):
    def direction(self, index, gradient):
        direction = super().direction(index, gradient)
        self.m[index] = self.m[index] / (1 - self.beta1**self.steps)
        return direction


@misconception(
    "adam_step",
    says="What you keep for the next step is the corrected v. Then the next correction comes on top of this one.",
    hint="The running mean goes on from what it was. How many names do you need?",
)
class KeepsTheCorrectedV(_Adam):
    def direction(self, index, gradient):
        direction = super().direction(index, gradient)
        self.v[index] = self.v[index] / (1 - self.beta2**self.steps)
        return direction


@misconception(
    "adam_step",
    says="beta is multiplied by t, where it should be raised to the power t.",
    hint="In each step, what is left of the 0 at the start is multiplied by beta once more. What is it after t steps?",
)
class TimesT(_Adam):
    def m_factor(self, t):
        return 1 / (1 - self.beta1 * t)

    def v_factor(self, t):
        return 1 / (1 - self.beta2 * t)


@misconception(
    "adam_step",
    says="You divide by (1 − beta)**t, not by 1 − beta**t. The first step is right; then the corrections grow without end.",
    hint="Which comes first, the power or the subtraction? What should the divisor become after many steps?",
)
class PowerOfTheDifference(_Adam):
    def m_factor(self, t):
        return 1 / (1 - self.beta1) ** t

    def v_factor(self, t):
        return 1 / (1 - self.beta2) ** t


@misconception(
    "adam_step",
    says="v is divided by 1 − beta2 in every step, as if it were always the first; m is corrected as it should be.",
    hint="The longer it runs, the less v needs a correction. What does t do in the line of m?",
)
class AlwaysStepOneForV(_Adam):
    def v_factor(self, t):
        return super().v_factor(np.float64(1))


@misconception(
    "adam_step",
    says="m is divided by 1 − beta1 in every step, as if it were always the first; v is corrected as it should be.",
    hint="The longer it runs, the less m needs a correction. What does t do in the line of v?",
)
class AlwaysStepOneForM(_Adam):
    def m_factor(self, t):
        return super().m_factor(np.float64(1))


@misconception(
    *ADAM,
    says="You multiply by 1 − beta**t, where you should divide by it: m and v, too small at first, become smaller still.",
    hint="At first m and v are too small. Should the correction make them larger or smaller?",
)
class MultipliesByTheCorrection(_Adam):
    def m_factor(self, t):
        return 1 - self.beta1**t

    def v_factor(self, t):
        return 1 - self.beta2**t


@misconception(
    *ADAM,
    says="The corrections are swapped: m is divided by 1 − beta2**t, and v by 1 − beta1**t.",
    hint="Each running mean is corrected by the beta that it was made with.",
)
class CorrectionsSwapped(_Adam):
    def m_factor(self, t):
        return super().v_factor(t)

    def v_factor(self, t):
        return super().m_factor(t)


@misconception(
    *ADAM,
    says="v is corrected with beta1, as if it were m.",
    hint="Each running mean is corrected by the beta that it was made with.",
)
class Beta1ForBothCorrections(_Adam):
    def v_factor(self, t):
        return self.m_factor(t)


@misconception(
    *ADAM,
    says="m is corrected with beta2, as if it were v.",
    hint="Each running mean is corrected by the beta that it was made with.",
)
class Beta2ForBothCorrections(_Adam):
    def m_factor(self, t):
        return self.v_factor(t)


@misconception(
    *ADAM,
    says="You divide by 1 + beta**t, with a plus, so m and v become smaller still.",
    hint="At first m and v are too small. What must they be divided by, to become larger?",
)
class PlusInTheCorrection(_Adam):
    def m_factor(self, t):
        return 1 / (1 + self.beta1**t)

    def v_factor(self, t):
        return 1 / (1 + self.beta2**t)


@misconception(
    *ADAM,
    says="m and v are divided by 1, and beta**t is subtracted from the result: a pair of brackets is missing.",
    hint="Python divides before it subtracts. What should the division cover?",
)
class NoBrackets(_Adam):
    def quotient(self, m, v):
        m, v = m / self.m_factor(self.steps), v / self.v_factor(self.steps)
        return super().quotient(m - self.beta1**self.steps, v - self.beta2**self.steps)


@misconception(
    *ADAM,
    says="m and v are divided by beta**t, not by 1 − beta**t.",
    hint="After many steps no correction is needed any more. What does your divisor become by then?",
)
class DividesByThePower(_Adam):
    def m_factor(self, t):
        return 1 / self.beta1**t

    def v_factor(self, t):
        return 1 / self.beta2**t


@misconception(
    "adam_step",
    says="v is corrected after its root is taken: the root is divided by 1 − beta2**t.",
    hint="1 − beta2**t belongs to v itself. What comes first, the correction or the root?",
)
class CorrectsTheRoot(_Adam):
    def v_factor(self, t):
        return super().v_factor(t) ** 2


@misconception(
    *ADAM,
    says="epsilon is added to the root of the uncorrected v, as in the short form at the end of the paper's section 2. There epsilon counts for more in the first steps than in the exercise's form.",
    hint="First correct v, then take its root, then add epsilon. What do you do in which order?",
)
class EpsilonBeforeTheCorrection(_Adam):
    def v_factor(self, t):
        self.root = np.sqrt(super().v_factor(t))
        return super().v_factor(t)

    def quotient(self, m, v):
        return m / (np.sqrt(v) + self.root * self.epsilon)


# ---------------------------------------------------------------------------- Adam: what is divided


@misconception(
    *ADAM,
    says="epsilon is added to v, under the root.",
    hint="Read the last line of the formula from the inside: what does the root cover?",
)
class EpsilonUnderTheRoot(_Adam):
    def quotient(self, m, v):
        return m / np.sqrt(v + self.epsilon)


@misconception(
    *ADAM,
    says="You divide by √v, and add epsilon to the result: a pair of brackets is missing.",
    hint="Python divides before it adds. What should the division cover?",
)
class EpsilonAfterTheDivision(_Adam):
    def quotient(self, m, v):
        return m / np.sqrt(v) + self.epsilon


@misconception(
    *ADAM,
    says="You divide by √v, and add epsilon to the new weight: a pair of brackets is missing.",
    hint="Python divides before it adds. What should the division cover?",
)
class EpsilonOnTheWeight(_Adam):
    def quotient(self, m, v):
        return m / np.sqrt(v) - self.epsilon / self.learning_rate


@misconception(
    *ADAM,
    says="epsilon is left out, so a weight whose gradients are all 0 becomes NaN.",
    hint="What is 0/0? A pixel that is always black gives its weights no gradient at all.",
)
class NoEpsilon(_Adam):
    def quotient(self, m, v):
        return m / np.sqrt(v)


@misconception(
    *ADAM,
    says="You divide by v, not by its root.",
    hint="v is made of squares. With gradients a hundred times as large, how should the step change?",
)
class NoRoot(_Adam):
    def quotient(self, m, v):
        return m / (v + self.epsilon)


@misconception(
    *ADAM,
    says="v is halved, where its root should be taken: `v ** 1 / 2` is v/2.",
    hint="Python raises to a power before it divides. Which function of NumPy's takes a root?",
)
class HalfForRoot(_Adam):
    def quotient(self, m, v):
        return m / (v / 2 + self.epsilon)


@misconception(
    *ADAM,
    says="epsilon has no effect, or hardly any: the step comes out as m̂/√v̂ would.",
    hint="To what is epsilon added, and where does the number come from that you add?",
)
class TinyEpsilon(_Adam):
    def quotient(self, m, v):
        return m / np.where(v > 0, np.sqrt(v), self.epsilon).astype(v.dtype)


@misconception(
    *ADAM,
    says="m and v have changed places in the last line.",
    hint="Which of the two can be negative, and so knows the direction? And which one sets the pace?",
)
class Upended(_Adam):
    def quotient(self, m, v):
        return v / (np.sqrt(m) + self.epsilon)


@misconception(
    *ADAM,
    says="You multiply by √v, where you should divide by it.",
    hint="Which weights are to go slowly: those with large gradients, or those with small ones?",
)
class TimesTheRoot(_Adam):
    def quotient(self, m, v):
        return m * (np.sqrt(v) + self.epsilon)


@misconception(
    *ADAM,
    says="You go by m alone, and v makes no difference: every weight has the same pace.",
    hint="What is √v for? How long is the first step of a weight with a huge gradient?",
)
class OnlyM(_Adam):
    def quotient(self, m, v):
        return m


@misconception(
    "adam_step",
    says="You divide the newest gradient by √v, and m makes no difference.",
    hint="What goes above the fraction: the newest gradient, or its running mean?",
)
class OnlyV(_Adam):
    def new_m(self, m, gradient):
        return gradient

    def m_factor(self, t):
        return np.float64(1)


# ---------------------------------------------------------------------------- Adam: running means


@misconception(
    "adam_step",
    says="beta1 and beta2 are swapped.",
    hint="Which of the two belongs to the mean of the gradients, and which to the mean of their squares?",
)
class BetasSwapped(_Adam):
    def __init__(self, network, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(network, learning_rate, beta2, beta1, epsilon)


@misconception(
    *ADAM,
    says="m and v grow by the whole of what is new: the factor 1 − beta is missing in both.",
    hint="The two weights of a mean add up to 1. What do yours add up to?",
)
class NoShares(_Adam):
    def new_m(self, m, gradient):
        return self.beta1 * m + gradient

    def new_v(self, v, gradient):
        return self.beta2 * v + gradient**2


@misconception(
    *ADAM,
    says="m grows by the whole new gradient: the factor 1 − beta1 is missing.",
    hint="The two weights of a mean add up to 1. What do yours add up to?",
)
class NoShareInM(_Adam):
    def new_m(self, m, gradient):
        return self.beta1 * m + gradient


@misconception(
    "adam_step",
    says="v grows by the whole of the new square: the factor 1 − beta2 is missing.",
    hint="The two weights of a mean add up to 1. What do yours add up to?",
)
class NoShareInV(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + gradient**2


@misconception(
    *ADAM,
    says="beta1 and 1 − beta1 are swapped in m: most of the old m is forgotten in every step.",
    hint="beta1 is near 1. Which of the two should count for more, what is old or what is new?",
)
class SharesSwappedInM(_Adam):
    def new_m(self, m, gradient):
        return (1 - self.beta1) * m + self.beta1 * gradient


@misconception(
    *ADAM,
    says="beta2 and 1 − beta2 are swapped in v: most of the old v is forgotten in every step.",
    hint="beta2 is near 1. Which of the two should count for more, what is old or what is new?",
)
class SharesSwappedInV(_Adam):
    def new_v(self, v, gradient):
        return (1 - self.beta2) * v + self.beta2 * gradient**2


@misconception(
    *ADAM,
    says="beta and 1 − beta are swapped in both running means: most of the old is forgotten in every step.",
    hint="beta is near 1. Which of the two should count for more, what is old or what is new?",
)
class SharesSwapped(_Adam):
    def new_m(self, m, gradient):
        return (1 - self.beta1) * m + self.beta1 * gradient

    def new_v(self, v, gradient):
        return (1 - self.beta2) * v + self.beta2 * gradient**2


@misconception(
    *ADAM,
    says="beta1 stands in the line that makes v, as if it were m.",
    hint="Each running mean has a beta of its own. Look at every beta in that line.",
)
class Beta1InV(_Adam):
    def new_v(self, v, gradient):
        return self.beta1 * v + (1 - self.beta1) * gradient**2


@misconception(
    *ADAM,
    says="beta2 stands in the line that makes m, as if it were v.",
    hint="Each running mean has a beta of its own. Look at every beta in that line.",
)
class Beta2InM(_Adam):
    def new_m(self, m, gradient):
        return self.beta2 * m + (1 - self.beta2) * gradient


@misconception(
    "adam_step",
    says="The new m and v are added to the old ones: `+=`, and on its right side are the old ones, too.",
    hint="How often does the old m count in your line?",
)
class AddsToTheMeans(_Adam):
    def new_m(self, m, gradient):
        return m + super().new_m(m, gradient)

    def new_v(self, v, gradient):
        return v + super().new_v(v, gradient)


@misconception(
    "adam_step",
    says="beta1 does not fade the old m: it is kept in full, and (1 − beta1) of the new gradient is added.",
    hint="The two weights of a mean add up to 1. What do yours add up to?",
)
class OldMInFull(_Adam):
    def new_m(self, m, gradient):
        return m + (1 - self.beta1) * gradient


@misconception(
    "adam_step",
    says="beta2 does not fade the old v: it is kept in full, and (1 − beta2) of the new square is added.",
    hint="The two weights of a mean add up to 1. What do yours add up to?",
)
class OldVInFull(_Adam):
    def new_v(self, v, gradient):
        return v + (1 - self.beta2) * gradient**2


@misconception(
    *ADAM,
    says="v is a mean of the gradients, not of their squares. Where that is negative, its root is NaN.",
    hint="v says how large the gradients are, whatever their sign. What makes a number positive, and fits a root?",
)
class NotSquared(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * gradient


@misconception(
    "adam_step",
    says="v is a mean of |gradient|, not of its square.",
    hint="Its root is taken later. In which unit is √v then, if v is in that of the gradient?",
)
class AbsoluteValues(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * np.abs(gradient)


@misconception(
    *ADAM,
    says="v doubles the gradient in place of squaring it: `* 2` for `** 2`. Where v is negative, its root is NaN.",
    hint="How many stars make a power?",
)
class Doubled(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * gradient * 2


@misconception(
    *ADAM,
    says="v is made of m squared, not of the gradient squared.",
    hint="The mean of the squares is not the square of the mean. Of what should v be the mean?",
)
class SquaresM(_Adam):
    def direction(self, index, gradient):
        self.newest = self.new_m(self.m[index], gradient)
        return super().direction(index, gradient)

    def new_v(self, v, gradient):
        return super().new_v(v, self.newest)


@misconception(
    "adam_step",
    says="(1 − beta2) is squared together with the gradient: the square covers too much.",
    hint="What does your `** 2` stand behind, and what do its brackets hold?",
)
class SquaresTheShareToo(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + ((1 - self.beta2) * gradient) ** 2


@misconception(
    *ADAM,
    says="v is one number for a whole array, the mean over its entries; all its weights go at the same pace.",
    hint="Each weight has a pace of its own. Which shape must v have?",
)
class OnePace(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * np.mean(gradient**2)


@misconception(
    *ADAM,
    says="v is one number for a whole array, the sum over its entries; all its weights go at the same pace.",
    hint="Each weight has a pace of its own. Which shape must v have?",
)
class OnePaceFromTheSum(_Adam):
    def new_v(self, v, gradient):
        return self.beta2 * v + (1 - self.beta2) * np.sum(gradient**2)


@misconception(
    "adam_step",
    says="The squares are added up and never fade, as in AdaGrad: v only grows, and the steps get shorter and shorter.",
    hint="A running mean forgets. What happens to the old v in each step?",
)
class AddsUpSquares(_Adam):
    def new_v(self, v, gradient):
        return v + gradient**2

    def v_factor(self, t):
        return np.float64(1)


@misconception(
    "adam_step",
    says="m and v begin at 0 again in every step; nothing is remembered.",
    hint="What has to be kept from one step to the next, and where does it stay meanwhile?",
)
class ForgetsItsMeans(_Adam):
    def direction(self, index, gradient):
        self.m[index] = self.v[index] = 0.0
        return super().direction(index, gradient)


@misconception(
    "adam_step",
    says="m and v are brought up to date only after the step: the newest gradient comes one step late.",
    hint="In the first step, m and v are 0 then. In which order do your lines stand?",
)
class MeansTooLate(_Adam):
    def direction(self, index, gradient):
        before = self.m[index], self.v[index]
        after = self.new_m(before[0], gradient), self.new_v(before[1], gradient)
        self.m[index], self.v[index] = np.zeros_like(gradient) + before[0], before[1]
        m = self.m[index] * self.m_factor(self.steps)
        v = self.v[index] * self.v_factor(self.steps)
        self.m[index], self.v[index] = after
        return self.quotient(m, v)


@misconception(
    *ADAM,
    says="v is brought up to date only after the step: you divide by the root of the old one, which is 0 at first.",
    hint="How long is your first step? In which order do your lines stand?",
)
class VTooLate(_Adam):
    def direction(self, index, gradient):
        self.late = self.v[index]
        return super().direction(index, gradient)

    def quotient(self, m, v):
        return super().quotient(m, self.late * self.v_factor(self.steps))


@misconception(
    *ADAM,
    says="One m and one v serve all arrays, so each array goes on with the means of the one before it.",
    hint="How many running means does the network need? Where do you keep each one, and under which index?",
)
class OneMeanForAll(_Adam):
    def direction(self, index, gradient):
        self.m[index], self.v[index] = getattr(self, "one", (0.0, 0.0))
        direction = super().direction(index, gradient)
        self.one = self.m[index], self.v[index]
        return direction


@misconception(
    *ADAM,
    says='All W share m and v, and so do all b: they are kept under the name, "W" or "b", which every layer has.',
    hint="Whose W is it? What tells one entry of self.parameters from all others?",
)
class OneMeanForEachName(_Adam):
    def direction(self, index, gradient):
        self.kept = getattr(self, "kept", {})
        name = self.parameters[index][1]
        self.m[index], self.v[index] = self.kept.get(name, (0.0, 0.0))
        direction = super().direction(index, gradient)
        self.kept[name] = self.m[index], self.v[index]
        return direction


@misconception(
    *ADAM,
    says="m and v are one and the same list: what you put into m[i], you find in v[i].",
    hint="`a = b = [...]` gives one list two names. How many lists are there?",
)
class OneListForBoth(_Adam):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.m = self.v


@misconception(
    "adam_step",
    says="All optimizers share their m and v, so a second one disturbs the first.",
    hint="What stands directly in the class, or in a default argument, is there once for all. Where does `self` come in?",
)
class SharesItsMeans(_Adam):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        SharesItsMeans.means = self.m, self.v

    def direction(self, index, gradient):
        self.m, self.v = SharesItsMeans.means
        return super().direction(index, gradient)


@misconception(
    "adam_step",
    says="All optimizers count their steps together, so a second one makes t too large for the first.",
    hint="What stands directly in the class is there once for all. Where does `self` come in?",
)
class SharesItsCount(_Adam):
    count = 0

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        SharesItsCount.count = 0

    def step(self):
        SharesItsCount.count += 1
        super().step()

    def time(self, index):
        return SharesItsCount.count


# ---------------------------------------------------------------------------- two at once


@cache
def pairs(check: str) -> list[type]:
    """Two mistakes at once: in the step and before it, or in different parts of Adam's formula."""
    found = []
    alone = [broken for broken in seen_by(check) if not _parts(broken) & {"__init__", "step"}]
    for one, two in combinations(alone, 2):
        parts = _parts(one), _parts(two)
        if issubclass(two, _STEPS):
            one, two = two, one
        if issubclass(one, _STEPS) or not (
            parts[0] & parts[1] or "direction" in parts[0] | parts[1]
        ):
            says = f"Your steps are those that two mistakes together would give. One: {one.says} The other: {two.says}"
            hint = f"{one.hint}\n{two.hint}"
            found.append(type("Both", (one, two), {"says": says, "hint": hint}))
    return found


_STEPS = (_Uphill, _NoRate, _RateTwice, _DividesByTheRate)


def _parts(broken: type) -> set[str]:
    """The methods that a misconception has of its own."""
    right = {*SGD.__mro__, *_Adam.__mro__}
    return {
        name
        for c in set(broken.__mro__) - right
        for name, part in vars(c).items()
        if callable(part) and not isinstance(part, type)
    }
