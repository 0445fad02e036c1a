"""Begin the database's first life."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def begin(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Make the first epoch."""
    apps.get_model("api", "Epoch").objects.create()


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
