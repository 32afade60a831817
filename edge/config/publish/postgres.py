"""`postgres` under `publish` in a station file: a database that many stations write to."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from edge.core.yaml_file import FilePath, Section
from edge.core.yaml_messages import advised


class PostgresSettings(Section):
    """`postgres`: a PostgreSQL database, from 12 on, that has the rows of many stations."""

    host: Annotated[
        str, Field(min_length=1, max_length=253, description="the server's name or address")
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="its port")] = 5432
    database: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            description="the database, which must be there; its tables are made",
        ),
    ] = "pilah"
    user: Annotated[str, Field(min_length=1, max_length=63, description="the name to log in with")]
    password_file: Annotated[
        FilePath | None,
        Field(
            description="a file whose first line is the password; without it, the server must not "
            "ask for one"
        ),
    ] = None
    tls: Annotated[
        bool,
        Field(description="whether the connection is encrypted and the server's name is proved"),
    ] = True
    ca_file: Annotated[
        FilePath | None,
        Field(
            description="the certificates of those who may prove the server's name; without it, "
            "those that the system trusts"
        ),
    ] = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.ca_file is not None and not self.tls:
            raise advised("ca_file is for `tls: true`: remove it")
        return self
