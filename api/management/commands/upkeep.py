"""``manage.py upkeep``: do the timed work once, now; for a cron job, or to see it done."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from api.upkeep import JOBS, run_all


class Command(BaseCommand):
    """Run every job of the upkeep."""

    help = "Do the timed work now. A server does it by itself, in one of its processes."

    @override
    def handle(self, *_: Any, **__: Any) -> None:
        failed = run_all()
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}.")
        self.stdout.write(f"{len(JOBS)} jobs done.")
