from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def free(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Let go of the keys that no answer was kept for: whoever held one has died."""
    apps.get_model("api", "IdempotencyKey").objects.filter(status__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [("api", "0019_final_sigma")]
    operations = [
        migrations.RunPython(free, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="idempotencykey",
            name="body",
            field=models.TextField(),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="status",
            field=models.PositiveSmallIntegerField(),
        ),
    ]
