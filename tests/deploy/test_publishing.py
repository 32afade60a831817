"""The page about publishing says what is published."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from edge import events
from edge.publish.mqtt.topics import TOPICS
from edge.receiving import events as delivery_events
from tests.deploy.scripts import DEPLOY

PAGE = (DEPLOY / "publishing.md").read_text("utf-8")
KINDS = {**events.KINDS, **delivery_events.KINDS}
OF_ALL = {"id", "time", "station"}
OF_DELIVERIES = {"delivery", "by"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_line_with_its_topics_and_its_values(kind: str) -> None:
    found = re.search(rf"^\| `{kind}` \| (.*?) \| (.*)\|$", PAGE, re.MULTILINE)
    assert found is not None
    assert tuple(found[1].split(", ")) == TOPICS[kind]
    known = {field.name for field in fields(KINDS[kind])} - OF_ALL
    if kind in delivery_events.KINDS:
        known -= OF_DELIVERIES
    assert set(re.findall(r"`(\w+)`", found[2])) == known
