"""`epcis` and `inventree` under `publish` in a station file: systems that are told by HTTP."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from edge.core.yaml_file import FilePath, Section
from edge.core.yaml_messages import advised


def _url(received: str) -> str:
    try:
        found = urlsplit(received)
        right = found.scheme in ("http", "https") and found.hostname and found.port != 0
    except ValueError:
        right = False
    if not right or found.query or found.fragment:
        raise advised(f"must be an address such as https://host/path. Received: {received}")
    if found.username or found.password:
        raise advised("has a name or password in it: put these into a file that has a key here")
    return received.rstrip("/")


Url = Annotated[str, Field(max_length=500), AfterValidator(_url)]

_CA_FILE = Field(
    description="the certificates of those who may prove the server's name; without it, those "
    "that the system trusts"
)


class EpcisSettings(Section):
    """`epcis`: a repository of GS1's EPCIS 2.0 that is sent an ObjectEvent for each item, and an
    error declaration for each correction."""

    url: Annotated[
        Url, Field(description="the repository; events are sent to its `/capture` by HTTP POST")
    ]
    token_file: Annotated[
        FilePath | None,
        Field(description="a file whose first line is sent as the bearer token"),
    ] = None
    username: Annotated[str | None, Field(min_length=1, description="the name to log in with")] = (
        None
    )
    password_file: Annotated[
        FilePath | None,
        Field(description="a file whose first line is the password that belongs to `username`"),
    ] = None
    ca_file: Annotated[FilePath | None, _CA_FILE] = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise advised("username and password_file go together: give both, or neither")
        if self.username is not None and self.token_file is not None:
            raise advised("token_file and username are two ways to log in: give one")
        return self


class InvenTreeSettings(Section):
    """`inventree`: InvenTree, in which the goods of a delivery are received when it is closed. The
    delivery has the name of the purchase order: PO-0001."""

    url: Annotated[Url, Field(description="where InvenTree is, without `/api`")]
    token_file: Annotated[
        FilePath, Field(description="a file whose first line is the token of a user of InvenTree")
    ]
    location: Annotated[
        int | None,
        Field(
            ge=1,
            description="the number of the stock location that goods are received at; without it, "
            "the one that the order or the part names",
        ),
    ] = None
    ca_file: Annotated[FilePath | None, _CA_FILE] = None
