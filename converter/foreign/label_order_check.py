"""Refuses labels that do not fit a model's answers, and says which order of the labels does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from converter.errors import ForeignModelError
from converter.foreign.graph_surgery import Normalisation
from converter.foreign.label_order import (
    Indices,
    LabelOrder,
    exceeds_chance,
    find_label_order,
    find_label_swaps,
    undo_swaps,
)
from converter.foreign.normalisations import TriedNormalisation
from edge.core.model.metrics import Share
from edge.core.terminal.wording import in_a_list

_FOLDERS = (
    "If you are sure that the list is right, folders of pictures were swapped: look into some of "
    "them"
)


def check_better_than_chance(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation | None,
    truth: Indices,
    labels: Sequence[str],
    *,
    model: Path,
    source: str,
) -> None:
    """Checks that a model is better than an answer that is always the most frequent label.

    Args:
        tried: every normalisation, the best first.
        wanted: the normalisation that the user asked for; None for the best.
        truth: (pictures,) class indices.
        labels: the label of each class.
        model: the path of the model, for messages.
        source: where the labels were read, for messages.

    Raises:
        ForeignModelError: it is not better, or it is better in another order of the labels. The
            message has that order.
    """
    comparisons = len(tried)
    commonest, most = Counter(truth.tolist()).most_common(1)[0]
    share = Share(most, len(truth))

    def passes(row: TriedNormalisation) -> bool:
        right = int(row.right.sum())
        return exceeds_chance(right, len(truth), most / len(truth), comparisons=comparisons)

    judged = next((t for t in tried if t.normalisation == wanted), tried[0])
    orders = [
        (order, t)
        for t in tried
        if (order := find_label_order(truth, t.best, labels, comparisons=comparisons))
    ]
    if passes(tried[0]):
        # With a wrong normalisation, a wrong order can also be right a little more than by chance.
        orders = [
            (order, t) for order, t in orders if _outdoes(order, tried[0], comparisons=comparisons)
        ]
    if passes(judged) and not orders:
        return
    if orders:
        # Among equal ones RGB is preferred: where classes differ in colour, swapped channels can
        # look like swapped labels.
        order, way = max(orders, key=lambda pair: (pair[0].right, not pair[1].normalisation.bgr))
        others = [t for o, t in orders if o.right == order.right and o.labels != order.labels]
        doubt = others and (
            f"With the normalisation {others[0].normalisation}, another order fits as well. "
        )
        raise ForeignModelError(
            f"the labels of {source} are in another order than the outputs of {model}: "
            f"{way.accuracy} of the pictures are right in their present order (with the "
            f"normalisation {way.normalisation}), and {Share(order.right, len(truth))} if the "
            f"list is {order.kind or 'put in the order that the answers show'}. The right "
            "order:\n\n"
            f"{_lines(order.labels)}\n\n{_guessed(order.guessed, by_rule=bool(order.kind))}"
            f"{doubt or ''}Write this list to a file and give it with --labels. {_FOLDERS}"
        )
    said = f'if every answer were "{labels[commonest]}", {share} would be right'
    if passes(tried[0]):
        raise ForeignModelError(
            f"{model}: with --normalisation {wanted}, {judged.accuracy} of the pictures are right, "
            f"which is no better than chance ({said}). With {tried[0].normalisation}, "
            f"{tried[0].accuracy} are right: leave out --normalisation"
        )
    shown = "".join(f"\n  {t.normalisation!s:16} {t.accuracy}" for t in tried)
    raise ForeignModelError(
        f"{model}: the model is no better than chance with any normalisation ({said}):{shown}\n"
        f"No other order of the labels fits either. Check that the labels of {source} and the "
        "pictures belong to this model; if they do, give more pictures"
    )


def _outdoes(order: LabelOrder, row: TriedNormalisation, *, comparisons: int) -> bool:
    """Whether a general order is right more often than the list in its present order.

    It is compared with the best normalisation of the present order, by McNemar's exact test.
    """
    won, lost = int((order.hits & ~row.right).sum()), int((row.right & ~order.hits).sum())
    return order.general and exceeds_chance(won, won + lost, 0.5, comparisons=comparisons)


def check_label_swaps(
    truth: Indices, best: Indices, labels: Sequence[str], *, source: str
) -> tuple[str, ...]:
    """A warning for each group of labels that may be swapped; empty if there is none.

    Args:
        truth: (pictures,) class indices.
        best: (pictures,) indices of the outputs with the highest score.
        labels: the label of each class.
        source: where the labels were read, for messages.

    Raises:
        ForeignModelError: some labels are certainly swapped. The message has the right order.
    """
    found = find_label_swaps(truth, best, labels)
    said = [
        f"{' and '.join(swap.labels)} ({swap.swapped} of their pictures are answered with "
        f"{'the other' if len(swap.labels) == 2 else 'the next'} of these labels, {swap.kept} with "
        "their own)"
        for swap in found
    ]
    if any(swap.certain for swap in found):
        raise ForeignModelError(
            f"the labels of {source} are in another order than the outputs of the model. Swapped: "
            f"{'; '.join(said)}. The right order:\n\n{_lines(undo_swaps(labels, found))}\n\n"
            f"Write this list to a file and give it with --labels. {_FOLDERS}"
        )
    return tuple(
        f"labels of {source} may be swapped: {line}. It may also be that the model is weak; more "
        "pictures of these classes show which"
        for line in said
    )


def background_hint(rows: Sequence[Indices], truth: Indices, labels: Sequence[str]) -> str:
    """What pictures show about a list whose length is not the number of a model's outputs.

    Args:
        rows: for each normalisation, (pictures,) the indices of the outputs with the highest score.
        truth: (pictures,) class indices into `labels`.

    Returns:
        A clause for the error message; empty if the pictures do not show it.
    """
    total = len(truth)
    shifts = {shift: max(int((row == truth + shift).sum()) for row in rows) for shift in (0, 1, -1)}
    shift, right = max(shifts.items(), key=lambda pair: pair[1])
    largest = max(Counter(truth.tolist()).values()) / total
    if not exceeds_chance(right, total, largest, comparisons=3 * len(rows)):
        return ""
    meant = {
        0: "the outputs that have no label, or the labels that have no output, are the last ones",
        1: f"with a line `background` before {labels[0]!r} the labels fit",
        -1: f"without the first line, {labels[0]!r}, the labels fit",
    }[shift]
    return f". Your pictures show it: {meant} ({Share(right, total)} right)"


def _lines(labels: Sequence[str]) -> str:
    return "\n".join(labels)


def _guessed(labels: Sequence[str], *, by_rule: bool) -> str:
    if not labels:
        return ""
    where = "follow the same rule" if by_rule else "are in the places that were left"
    return f"There is no picture of {in_a_list(labels)}: these {where}, which is not tested. "
