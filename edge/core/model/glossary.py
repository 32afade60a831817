"""The technical terms on pages and cards, each with its meaning.

A page ends with `explained(text)`, which explains just the terms that the page uses. A plain word
is better than an explained term: a term that is not listed here does not belong on a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NOVELTY_BY: Mapping[str, str] = {
    "energy": "how little any class speaks for it",
    "distance": "how far it looks from known things",
    "both": "how little any class speaks for it and how far it looks from known things",
}
"""What the novelty score is computed from, by the name of the method in a bundle."""

MEANINGS: Mapping[str, str] = {
    "95% interval": "the range in which the true share very likely lies: 95 of 100 such intervals "
    "contain it. Few pictures make it wide.",
    "accepted": "the score reaches the label's threshold, so the item is sorted; everything else "
    "goes to the reject lane.",
    "accuracy": "of all pictures, the share that is classified correctly, accepted or not.",
    "calibration": "choosing the integers of the int8 model by a few pictures.",
    "cross-fitted": "scored by a model that was not trained on the picture: the pictures are "
    "divided into folds, and for each fold one model is trained on the other folds.",
    "digest": "a checksum (SHA-256): the same digest, the same content.",
    "disturbed": "made worse on purpose, as a camera or lamp could make it.",
    "divergence": "how much two rows of scores for the same picture differ as a whole: 0 if they "
    "are the same.",
    "epoch": "one pass of the training over all its pictures.",
    "float": "the model with fractional numbers, as it was trained.",
    "group": "pictures that belong together, such as a series of one object. They give less "
    "information than pictures of different objects, so intervals are wider.",
    "int8": "the model in whole numbers of 8 bits, as the device computes it: small and fast.",
    "learning rate": "how large the steps of the training are.",
    "logits": "the raw numbers from which the scores are computed.",
    "loss": "the number that a training makes small: how far its scores lie from the truth.",
    "novelty score": "how little a picture looks like a thing of any class, 0 to 1.",
    "occlusion": "something lies over the item and hides a part of it.",
    "parameters": "the numbers that a network has learned.",
    "points": "difference of two shares: from 90% to 92% is 2 points.",
    "precision": "of the pictures that are classified as a class, the share that is of this class.",
    "promise": "at least the wanted share of what is accepted is right. It is given only if "
    "enough pictures show it, at the confidence that the "
    "recipe asks for (19 times in 20, unless it says otherwise).",
    "purity": "of what is accepted, the share that is right.",
    "recall": "of the pictures of a class, the share that is classified as this class.",
    "recovery": "of the items that belong in a lane, the share that got there.",
    "score": "how sure the model is of a label, 0 to 1.",
    "seed": "the number that starts the random generator: the same seed, the same training.",
    "sigma": "how wide a blur is, or how strong a noise.",
    "temperature": "the number that raw scores are divided by, so that of pictures with a score of "
    "0.9 nine in ten are right.",
    "test split": "pictures that are used for nothing but to measure the finished model.",
    "threshold": "the score from which a label is accepted.",
    "validation split": "pictures that are not trained on, and by which the best moment to stop is "
    "chosen.",
}
"""The meaning of each term, in alphabetical order."""

_OTHER_FORMS: Mapping[str, str] = {
    "95% interval": r"95\s?% intervals?",
    "calibration": r"calibrat(?:ion|ed)",
    "cross-fitted": r"cross-fit(?:ted|ting)",
    "disturbed": r"disturb(?:ed|ance|ances)",
    "novelty score": r"novelty(?: scores?)?",
    "test split": r"test (?:split|part)s?",
    "validation split": r"validation(?: split| part)?s?",
}
"""Regular expressions for terms that have other forms besides the plural."""


def explained(text: str) -> dict[str, str]:
    """The terms of MEANINGS that occur in `text`, each with its meaning."""
    return {word: meaning for word, meaning in MEANINGS.items() if _pattern(word).search(text)}


def _pattern(word: str) -> re.Pattern[str]:
    form = _OTHER_FORMS.get(word, rf"{re.escape(word)}(?:s|es)?")
    return re.compile(rf"(?<![\w-]){form}(?![\w-])", re.IGNORECASE)
