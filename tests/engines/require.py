"""What real-engine tests do where their engine cannot run: skip with the way to enable them, or fail when told to."""

from __future__ import annotations

import os

import pytest

REQUIRE = "BOXTOP_TEST_REQUIRE_ENGINES"


def need(condition: bool, reason: str) -> None:
    """Skip the test unless `condition`, saying `reason`; fail instead where BOXTOP_TEST_REQUIRE_ENGINES=1."""
    if condition:
        return
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason} ({REQUIRE}=1 is set)", pytrace=False)
    pytest.skip(reason)
