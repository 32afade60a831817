"""Sentences with places to be filled, which are found again by a filled-in one to translate it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping


class SentenceForms:
    """Some sentences in English, each with `{names}` where particulars stand.

    A program that only has the filled-in sentence, from a file or from another process, finds the
    form that it was made of, and so its translation:

        >>> forms = SentenceForms("no line has the label {label}")
        >>> forms.translated("no line has the label can", {
        ...     "no line has the label {label}": "tidak ada baris dengan label {label}"}.get)
        'tidak ada baris dengan label can'
    """

    def __init__(self, *forms: str) -> None:
        """Has the `forms`; of several that a sentence fits, the one that stands first is meant."""
        self._patterns = {
            form: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(form)), re.DOTALL)
            for form in forms
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def translated(
        self,
        said: str,
        gettext: Callable[[str], str],
        words: Mapping[str, Callable[[str], str]] | None = None,
    ) -> str:
        """A filled-in sentence in another language; one that has no form here stays as it is.

        Args:
            gettext: translates a form.
            words: for names of places, what translates what stands there.
        """
        for form, pattern in self._patterns.items():
            if (found := pattern.fullmatch(said)) is not None:
                parts = found.groupdict()
                for name, translate in (words or {}).items():
                    if name in parts:
                        parts[name] = translate(parts[name])
                return gettext(form).format_map(parts)
        return said
