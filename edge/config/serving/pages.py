"""`web` in a station file: where the operator's pages are, and what is called how on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from edge.config.serving.address import Address, address_reader
from edge.core.yaml_file import FilePath, Section, folder_or_nothing
from edge.core.yaml_messages import advised

PORT = 8040
"""Where the pages are, unless the station file says otherwise."""

_CODE = re.compile(r"[a-z]{2,3}")
_Text = Annotated[str, Field(min_length=1, max_length=60)]


class WebSettings(Section):
    """`web`: the operator's pages, which `pilah-edge web` serves. Without this section, they are
    for browsers on this machine alone. Needs the extra `web`."""

    listen: Annotated[
        Address,
        BeforeValidator(address_reader(PORT), json_schema_input_type=str),
        Field(
            description="the address and port of the pages. Whoever comes from another machine "
            "must sign in: without an account (`pilah-edge web --set-password`) they are not served"
        ),
    ] = Address("127.0.0.1", PORT)
    accounts_file: Annotated[
        FilePath | None,
        Field(
            description="the file of those who may sign in, which `--set-password` makes; without "
            "it, `accounts.json` in a folder beside the ledger whose name ends in `-accounts`"
        ),
    ] = None
    certificate_file: Annotated[
        FilePath | None,
        Field(
            description="the certificate, with those that lead to its root; the pages are at "
            "https:// then. Without it, passwords cross the network as they are"
        ),
    ] = None
    key_file: Annotated[
        FilePath | None, Field(description="the private key of the certificate, without a password")
    ] = None
    live_picture: Annotated[
        bool,
        Field(
            description="whether the pages show what the camera sees, to who may open them; the "
            "station makes a picture for them only while somebody looks"
        ),
    ] = True
    taught_path: Annotated[
        FilePath | None,
        AfterValidator(lambda path: None if path is None else folder_or_nothing(path)),
        Field(
            description="the folder of the labelled pictures that are taken on the page Teach, to "
            "train with; without it, one beside the ledger, whose name ends in `-taught`. They "
            "stay until somebody deletes them"
        ),
    ] = None
    names: Annotated[
        dict[str, dict[str, _Text]],
        Field(
            description="what labels and lanes are called on the pages, by language: "
            "`{id: {glass: kaca}}`. Those that are not here are shown as they are"
        ),
    ] = {}  # noqa: RUF012 - pydantic copies it

    @field_validator("names")
    @classmethod
    def _by_language(cls, names: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for code in names:
            if not _CODE.fullmatch(code):
                raise advised(
                    f"a language is two or three small letters, such as id. Received: {code}"
                )
        return names

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise advised("certificate_file and key_file go together: give both, or neither")
        return self


def taught_folder(settings: WebSettings | None, ledger: Path) -> Path:
    """The folder of the labelled pictures that are taken on the page Teach.

    Args:
        settings: None: the station file has no section `web`.
        ledger: the path of the station's ledger.
    """
    if settings is not None and settings.taught_path is not None:
        return settings.taught_path
    return ledger.with_name(f"{ledger.stem}-taught")
