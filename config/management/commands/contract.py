"""``manage.py contract``: write ``openapi.yaml`` and ``asyncapi.yaml``, or check them."""

from argparse import ArgumentParser
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from typing_extensions import override

from config import env
from realtime.asyncapi import document


class _Dumper(yaml.Dumper):
    """Writes texts of several lines as they are read."""


def _text(dumper: yaml.Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class Command(BaseCommand):
    """Keep the contract's files as the code has them."""

    help = "Write openapi.yaml and asyncapi.yaml; with --check only compare them."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        openapi = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        stale = []
        for name, content in (("openapi.yaml", openapi), ("asyncapi.yaml", document())):
            text = yaml.dump(
                content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
            )
            path = env.PROJECT / name
            if path.exists() and path.read_text() == text:
                continue
            stale.append(name)
            if not options["check"]:
                path.write_text(text)
        if stale and options["check"]:
            raise CommandError(f"{' and '.join(stale)}: not what the code says; make contract.")
