from typing import Any, cast

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Take what scheduled messages say out of the log: they say it themselves."""
    told = apps.get_model("api", "Event").objects.filter(subject_kind="scheduled")
    for event in told.filter(data__scheduled__isnull=False).iterator():
        told.filter(stream_id=event.stream_id, seq=event.seq).update(
            data={**cast(Any, event.data), "scheduled": None}
        )


class Migration(migrations.Migration):
    dependencies = [("api", "0021_former_members")]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop, elidable=True)]
