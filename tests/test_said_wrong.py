"""What is said of a mistake: in words, and where it is."""

import pytest

from tests.clients import Person
from tests.servers import one_world

SOMEBODY = "019cebae-6a02-70c6-a6a3-a4506513270e"


@one_world
@pytest.mark.parametrize("also", ["q=bob", "cursor=AZzrrmoCcMamo6RQZRMnDg", "cursor=zzz"])
def test_ids_of_people_go_alone(alice: Person, also: str) -> None:
    assert alice.get(f"/users?ids={SOMEBODY}&limit=10")["items"] == []
    alice.refused(400, "invalid_request", "GET", f"/users?ids={SOMEBODY}&{also}")


@one_world
def test_one_id_is_spoken_of_as_one(alice: Person) -> None:
    for given in ("bob", f"{SOMEBODY},{SOMEBODY}"):
        problem = alice.refused(400, "invalid_request", "GET", f"/search?q=a&from={given}")
        assert problem["detail"] == "The parameter 'from' is no id."


@one_world
def test_a_reason_that_is_blank_is_told_in_words(alice: Person) -> None:
    message = alice.send(alice.create_room()["id"])["id"]
    path = f"/messages/{message}/report"
    problem = alice.refused(400, "invalid_request", "POST", path, json={"reason": " "})
    detail = "Expected more than white space."
    assert problem["errors"] == [{"pointer": "/reason", "detail": detail}]


@one_world
@pytest.mark.parametrize("body", [{}, {"ids": [SOMEBODY], "up_to": 1}])
def test_what_concerns_the_whole_body_points_at_it(alice: Person, body: dict[str, object]) -> None:
    problem = alice.refused(400, "invalid_request", "POST", "/notifications/read", json=body)
    assert problem["errors"] == [{"pointer": "", "detail": "Either ids or up_to."}]
