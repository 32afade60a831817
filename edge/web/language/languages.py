"""The languages that pages are written in, and how each writes numbers and times."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.localedata import load
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

FOLDER = Path(__file__).parent
SOURCE = "en"
"""The language that the pages' own texts are in."""
_NOT_SHOWN = (
    "currency_names", "currency_names_plural", "languages", "meta_zones", "scripts", "territories",
    "time_zones", "unit_display_names", "unit_patterns",
)  # fmt: skip
"""What Babel has of a locale and no page shows, by Babel's names: half of the 4 MB that it takes
for two."""
_ACCEPTED = re.compile(r"\s*([A-Za-z]{2,3})(?:-[\w-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


class Language:
    """One language of the pages.

    Attributes:
        code: as in the name of its file and in `<html lang>`: `id`.
        name: what it calls itself: `Bahasa Indonesia`.
        gettext, ngettext: the translation of a text of the pages.
    """

    def __init__(self, code: str, translations: gettext.NullTranslations) -> None:
        """Has the texts of `translations`."""
        self._locale = Locale.parse(code)
        for kept in (load("root"), load(code)):  # now, so that nobody's first page waits for it
            for names in _NOT_SHOWN:
                kept.pop(names, None)
        self.code = code
        self.gettext, self.ngettext = translations.gettext, translations.ngettext
        _ = translations.gettext
        self.name = _("English")  # translated by what the language calls itself

    def number(self, value: float, digits: int = 0) -> str:
        """A number with its groups of thousands and so many decimals."""
        form = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, form, self._locale)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share as per cent; a dash for None."""
        if share is None:
            return "–"
        form = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return format_percent(share, form, self._locale)

    def clock(self, time: str) -> str:
        """The time of day of a time of the ledger, on this machine's clock: 14:03:07."""
        moment = local(time)
        return time if moment is None else format_time(moment, "HH:mm:ss", locale=self._locale)

    def moment(self, time: str | None) -> str:
        """The day and the time of day of a time of the ledger; a dash for None."""
        moment = None if time is None else local(time)
        if moment is None:
            return time or "–"
        return format_datetime(moment, "d MMM y HH:mm:ss", locale=self._locale)

    def day(self, day: date) -> str:
        """A day with its name: Mon, 30 Nov 2026."""
        return format_date(day, "EEE, d MMM y", locale=self._locale)

    def short_day(self, day: date) -> str:
        """A day without its year: 30 Nov."""
        return format_date(day, "d MMM", locale=self._locale)

    def hour(self, moment: datetime) -> str:
        """The time at which an hour begins: 14:00."""
        return format_time(moment, "HH:mm", locale=self._locale)


def local(time: str) -> datetime | None:
    """A time as the ledger writes it, on this machine's clock; None: somebody wrote it by hand."""
    try:
        return datetime.fromisoformat(time).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


@cache
def read_languages(folder: Path = FOLDER) -> Mapping[str, Language]:
    """The languages by their codes, English first: those that have a file in `folder`."""
    found = {SOURCE: Language(SOURCE, gettext.NullTranslations())}
    for file in sorted(folder.glob("*.po")):
        with file.open("rb") as text:
            catalogue = read_po(text, locale=file.stem)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        found[file.stem] = Language(file.stem, gettext.GNUTranslations(compiled))
    return found


def chosen_language(
    languages: Mapping[str, Language], wanted: str | None, accepted: str
) -> Language:
    """The language that a person chose; else the first that the browser asks for and there is.

    Args:
        wanted: the code of the chosen one; None, or one that there is not: nothing was chosen.
        accepted: the header Accept-Language.
    """
    for code in (wanted or "", *_accepted(accepted)):
        if code in languages:
            return languages[code]
    return languages[SOURCE]


def _accepted(header: str) -> Sequence[str]:
    """The languages of Accept-Language, the most wanted first."""
    found = [
        (float(match[2] or 1), match[1].lower())
        for part in header[:1000].split(",")
        if (match := _ACCEPTED.fullmatch(part))
    ]
    return [code for weight, code in sorted(found, key=lambda one: -one[0]) if weight]
