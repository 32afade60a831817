"""Refuses labels that do not fit the answers of a model, and says which order would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from converter.errors import ForeignModelError
from converter.foreign.normalisations import TriedNormalisation
from converter.foreign.order import Indices, Order, beats, exchanged, find_order, find_swaps
from converter.foreign.surgery import Normalisation
from edge.core.model.metrics import Share

_FOLDERS = (
    "If the list is surely right, folders of pictures have been exchanged: look into some of them"
)


def check_chance(
    tried: Sequence[TriedNormalisation],
    wanted: Normalisation | None,
    truth: Indices,
    labels: Sequence[str],
    *,
    model: Path,
    source: str,
) -> None:
    """Passes a model that, with its pictures normalised as wanted or in the best way, does better
    than to call all pictures by the name that most of them have.

    Args:
        tried: every normalisation, the best first.
        truth: (pictures,) class indices.
        source: of the labels, for messages.

    Raises:
        ForeignModelError: it does not; with the order of the labels in which it would.
    """
    looks = len(tried)
    commonest, most = Counter(truth.tolist()).most_common(1)[0]
    share = Share(most, len(truth))

    def passes(row: TriedNormalisation) -> bool:
        right = int(row.right.sum())
        return beats(right, len(truth), most / len(truth), looks=looks)

    judged = next((t for t in tried if t.normalisation == wanted), tried[0])
    orders = [
        (order, t) for t in tried if (order := find_order(truth, t.best, labels, looks=looks))
    ]
    if passes(tried[0]):
        # Pictures taken the wrong way can be right a little more often than by chance.
        orders = [(order, t) for order, t in orders if _outdoes(order, tried[0], looks=looks)]
    if passes(judged) and not orders:
        return
    if orders:
        # Of those that fit alike, the usual one: where colours tell classes apart, another order of
        # the channels can look like another order of the labels.
        order, way = max(orders, key=lambda pair: (pair[0].right, not pair[1].normalisation.bgr))
        others = [t for o, t in orders if o.right == order.right and o.labels != order.labels]
        doubt = others and f"Normalised {others[0].normalisation}, another order fits as well. "
        raise ForeignModelError(
            f"{source} is in another order than the outputs of {model}: as it stands "
            f"{way.accuracy} of the pictures are right (normalised {way.normalisation}), and "
            f"{Share(order.right, len(truth))} once it is "
            f"{order.kind or 'put in the order that the answers show'}. The right order:\n\n"
            f"{_listed(order.labels)}\n\n{_guessed(order.guessed, by_rule=bool(order.kind))}"
            f"{doubt or ''}Write this list to a file and give it with --labels. {_FOLDERS}"
        )
    said = f'call every picture "{labels[commonest]}" and {share} are right'
    if passes(tried[0]):
        raise ForeignModelError(
            f"{model}: normalised {wanted}, as --normalisation wants it, {judged.accuracy} of the "
            f"pictures are right, no more than chance explains ({said}). Normalised "
            f"{tried[0].normalisation} {tried[0].accuracy} are: leave --normalisation out"
        )
    shown = "".join(f"\n  {t.normalisation!s:16} {t.accuracy}" for t in tried)
    raise ForeignModelError(
        f"{model}: whichever way its pictures are normalised, it does no better than chance "
        f"({said}):{shown}\nNo other order of the labels shows either. Are {source} and the "
        "pictures those of this model? If they are, give more pictures"
    )


def _outdoes(order: Order, row: TriedNormalisation, *, looks: int) -> bool:
    """Whether a general order is right more often than the list as it stands in the best way, by
    McNemar's exact test."""
    won, lost = int((order.hits & ~row.right).sum()), int((row.right & ~order.hits).sum())
    return order.general and beats(won, won + lost, 0.5, looks=looks)


def check_swaps(
    truth: Indices, best: Indices, labels: Sequence[str], *, source: str
) -> tuple[str, ...]:
    """What makes one doubt that a list of labels is in the right order; empty: nothing does.

    Args:
        truth: (pictures,) class indices.
        best: (pictures,) outputs with the highest score.
        source: of the labels, for messages.

    Raises:
        ForeignModelError: some labels are certainly exchanged; with the right order.
    """
    found = find_swaps(truth, best, labels)
    said = [
        f"{' and '.join(found_one.labels)} (of their pictures {found_one.swapped} are answered "
        f"with {'the other' if len(found_one.labels) == 2 else 'the next'} of these labels, "
        f"{found_one.kept} with their own)"
        for found_one in found
    ]
    if any(exchange.certain for exchange in found):
        raise ForeignModelError(
            f"{source} is in another order than the outputs of the model: exchanged are "
            f"{'; '.join(said)}. The right order:\n\n{_listed(exchanged(labels, found))}\n\n"
            f"Write this list to a file and give it with --labels. {_FOLDERS}"
        )
    return tuple(
        f"labels that may be exchanged in {source}: {line}. It may also be a weak model; more "
        "pictures of these classes show which"
        for line in said
    )


def background_hint(rows: Sequence[Indices], truth: Indices, labels: Sequence[str]) -> str:
    """What pictures say of a list that has one label less or more than a model has outputs.

    Args:
        rows: for each normalisation, (pictures,) the output with the highest score.
    """
    total = len(truth)
    shifts = {shift: max(int((row == truth + shift).sum()) for row in rows) for shift in (0, 1, -1)}
    shift, right = max(shifts.items(), key=lambda pair: pair[1])
    largest = max(Counter(truth.tolist()).values()) / total
    if not beats(right, total, largest, looks=3 * len(rows)):
        return ""
    meant = {
        0: "the outputs that have no label, or the labels that have no output, are the last ones",
        1: f"with a line `background` before {labels[0]!r} they fit",
        -1: f"without its first line, {labels[0]!r}, they fit",
    }[shift]
    return f". Your pictures say so: {meant} ({Share(right, total)} right)"


def _listed(labels: Sequence[str]) -> str:
    return "\n".join(labels)


def _guessed(labels: Sequence[str], *, by_rule: bool) -> str:
    if not labels:
        return ""
    shown = ", ".join(labels[:5]) + (f" and {len(labels) - 5:,} more" if len(labels) > 5 else "")
    where = "stand where that rule puts them" if by_rule else "stand where a place was left"
    return f"There is no picture of {shown}: these {where}, unproven. "
