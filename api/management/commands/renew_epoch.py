"""``manage.py renew_epoch``: to be run once after a backup has been restored."""

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from api.log.epoch import renew_epoch


class Command(BaseCommand):
    """Tell clients that heads may have gone back."""

    help = "Begin a new epoch, after a backup has been restored; then restart the servers."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"The epoch is now {renew_epoch()}. Restart the servers.")
