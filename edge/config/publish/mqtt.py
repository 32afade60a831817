"""`mqtt` under `publish` in a station file: a broker that is told of what happens."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from edge.core.yaml_file import FilePath, Section
from edge.core.yaml_messages import advised

TLS_PORT = 8883
PLAIN_PORT = 1883


def _topic(received: str) -> str:
    if any(sign in received for sign in "+#\0") or not received.strip("/"):
        raise advised("must be a topic without + and #. Received: " + received)
    return received.strip("/")


Topic = Annotated[str, Field(max_length=200), AfterValidator(_topic)]


class MqttSettings(Section):
    """`mqtt`: a broker that is told of what happens, by MQTT 5."""

    host: Annotated[
        str, Field(min_length=1, max_length=253, description="the broker's name or address")
    ]
    port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65535,
            description=f"its port; without it, {TLS_PORT}, or {PLAIN_PORT} without TLS",
        ),
    ] = None
    tls: Annotated[
        bool,
        Field(description="whether the connection is encrypted and the broker's name is proved"),
    ] = True
    ca_file: Annotated[
        FilePath | None,
        Field(
            description="the certificates of those who may prove the broker's name; without it, "
            "those that the system trusts"
        ),
    ] = None
    certificate_file: Annotated[
        FilePath | None, Field(description="the station's own certificate, for the broker")
    ] = None
    key_file: Annotated[
        FilePath | None, Field(description="the private key of `certificate_file`")
    ] = None
    username: Annotated[str | None, Field(min_length=1, description="the name to log in with")] = (
        None
    )
    password_file: Annotated[
        FilePath | None,
        Field(description="a file whose first line is the password that belongs to `username`"),
    ] = None
    prefix: Annotated[Topic, Field(description="what the topics begin with")] = "pilah"
    keep_alive_seconds: Annotated[
        int,
        Field(
            ge=2,
            le=3600,
            description="a connection is closed that was silent for one and a half times so long",
        ),
    ] = 15
    home_assistant: Annotated[
        Topic | None,
        Field(
            description="the topic under which Home Assistant looks for devices, such as "
            "`homeassistant`; without it, the station is not announced"
        ),
    ] = None

    commands: Annotated[
        bool,
        Field(
            description="whether the station takes `pause`, and `resume` after a pause from afar, "
            "from the topics `command/...` of the broker, which decides who may write them; "
            "`reset` and `clear` are given at the machine alone"
        ),
    ] = False

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise advised("certificate_file and key_file go together: give both, or neither")
        if self.password_file is not None and self.username is None:
            raise advised("password_file needs the username that the password belongs to")
        if not self.tls and (self.ca_file or self.certificate_file):
            raise advised("ca_file and certificate_file are for `tls: true`: remove them")
        return self

    @property
    def port_used(self) -> int:
        """The port, where the file names none too."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)
