"""Statements that are spelled out once do what the ORM's own do, on both databases."""

import uuid

import pytest
from django.db import IntegrityError

from accounts.models import User
from api.changes import Insertion
from api.log.models import Event
from api.statements import Given, Rows
from tests.clients import Person
from tests.servers import World


def test_what_is_spelled_out_once_is_what_the_orm_says(world: World, alice: Person) -> None:
    assert world.scenario("statements_that_run_often", alice.id) == {
        "differ": [],
        "inserted": {
            "count": 50_000,
            "newest": True,
            "refused": True,
            "new": True,
            "no row": True,
            "null": 1,
        },
        "heads": True,
    }


@pytest.mark.django_db
def test_a_parameter_that_is_not_given_is_an_error_and_not_a_null() -> None:
    query = Rows(str, lambda: User.objects.filter(pk=Given("user_id")).values_list("username"))
    with pytest.raises(KeyError, match="user_id"):
        query.all(user=uuid.uuid4())


@pytest.mark.django_db
def test_what_is_given_is_never_part_of_the_statement() -> None:
    query = Rows(str, lambda: User.objects.filter(username=Given("name")).values_list("username"))
    for name in ("' OR 1 = 1 --", "%s", "%(name)s", "{}", "\\"):
        assert query.all(name=name) == []


@pytest.mark.django_db
def test_a_row_that_may_not_be_there_is_refused_with_all_its_statement() -> None:
    insertion = Insertion(Event, "stream_id", "seq", "type", "at", "subject_kind")
    with pytest.raises(IntegrityError):
        insertion.run([(uuid.uuid4(), 1, "kind", None, "")])
