"""The words of pages and cards that a reader may not know, each with what it means.

Whoever writes a page puts `explained(text)` below it, and so explains just the words that it uses.
A plain word is better than an explained one: what is not listed here does not belong on a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NOVELTY_BY: Mapping[str, str] = {
    "energy": "how little any class speaks for it",
    "distance": "how far it looks from known things",
    "both": "how little any class speaks for it and how far it looks from known things",
}
"""What the novelty score is computed from, by the name that a bundle gives it."""

MEANINGS: Mapping[str, str] = {
    "95% interval": "where the true share very likely lies: of 100 such intervals 95 hold it. Few "
    "pictures make it wide.",
    "accepted": "the score reaches the label's threshold, so the item is sorted; everything else "
    "goes to the reject lane.",
    "accuracy": "of all pictures, the share that is told right, accepted or not.",
    "calibration": "choosing the integers of the int8 model by a few pictures.",
    "cross-fitted": "scored by a model that had not trained on the picture: the pictures are dealt "
    "into parts, and one model is trained for each part, without it.",
    "digest": "a checksum (SHA-256): the same digest, the same content.",
    "disturbed": "made worse on purpose, as a camera or lamp could do it.",
    "divergence": "how far two rows of scores for the same picture lie apart as a whole: 0 where "
    "they are the same.",
    "epoch": "one pass of the training over all its pictures.",
    "float": "the model with fractional numbers, as it was trained.",
    "group": "pictures that belong together, such as a series of one object. They tell less "
    "than as many of different things, so intervals are wider.",
    "int8": "the model in whole numbers of 8 bits, as the device computes it: small and fast.",
    "learning rate": "how large the steps of the training are.",
    "logits": "the raw numbers from which the scores are computed.",
    "loss": "the number that a training makes small: how far its scores lie from the truth.",
    "novelty score": "how little a picture looks like a thing of any class, 0 to 1.",
    "occlusion": "something lies over the item and hides a part of it.",
    "parameters": "the numbers that a network has learned.",
    "points": "difference of two shares: from 90% to 92% is 2 points.",
    "precision": "of what is taken for a class, the share that is it.",
    "promise": "at least the wanted share of what is accepted is right. It is given only where "
    "enough pictures show it, at the confidence that the "
    "recipe asks for (19 times in 20, unless it says otherwise).",
    "purity": "of what is accepted, the share that is right.",
    "recall": "of what is of a class, the share that is told as it.",
    "recovery": "of what belongs into a lane, the share that got there.",
    "score": "how much the model speaks for a label, 0 to 1.",
    "seed": "the number that all chance is drawn from: the same seed, the same training.",
    "sigma": "how wide a blur is, or how strong a noise.",
    "temperature": "what raw scores are divided by, so that of pictures with a score of 0.9 nine "
    "in ten are right.",
    "test part": "pictures that are used for nothing but to measure the finished model.",
    "threshold": "the score from which a label is accepted.",
    "validation part": "pictures that are not trained on, and by which the best moment to stop is "
    "chosen.",
}
"""By the word as pages use it, in the order of the alphabet."""

_OTHER_FORMS: Mapping[str, str] = {
    "95% interval": r"95\s?% intervals?",
    "calibration": r"calibrat(?:ion|ed)",
    "cross-fitted": r"cross-fit(?:ted|ting)",
    "disturbed": r"disturb(?:ed|ance|ances)",
    "novelty score": r"novelty(?: scores?)?",
    "validation part": r"validation(?: part)?",
}
"""Regular expressions of the words that have more forms than their plural."""


def explained(text: str) -> dict[str, str]:
    """The words of MEANINGS that stand in `text`, each with its meaning."""
    return {word: meaning for word, meaning in MEANINGS.items() if _pattern(word).search(text)}


def _pattern(word: str) -> re.Pattern[str]:
    form = _OTHER_FORMS.get(word, rf"{re.escape(word)}(?:s|es)?")
    return re.compile(rf"(?<![\w-]){form}(?![\w-])", re.IGNORECASE)
