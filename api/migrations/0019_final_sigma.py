"""The last sigma of a Greek word is a sigma, in PostgreSQL; SQLite's index is made anew itself."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = "SELECT pg_get_functiondef('api_search_words(text)'::regprocedure)"
COLUMN = (
    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute"
    " ON attrelid = adrelid AND attnum = adnum"
    " WHERE adrelid = 'api_message'::regclass AND attname = 'words'"
)
BEFORE = "|}~', repeat(' ', 32)"
AFTER = "|}~\u03c2', repeat(' ', 32) || '\u03c3'"


def begin(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Have both sigmas found by either, in what has been said, too."""
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        (function,) = cursor.fetchone()
        cursor.execute(COLUMN)
        (column,) = cursor.fetchone()
        cursor.execute("ALTER TABLE api_message DROP COLUMN words")
        cursor.execute(function.replace(BEFORE, AFTER))
        cursor.execute(
            f"ALTER TABLE api_message ADD COLUMN words tsvector GENERATED ALWAYS AS ({column}) STORED"
        )
        cursor.execute("CREATE INDEX message_words ON api_message USING gin (words)")


class Migration(migrations.Migration):
    dependencies = [("api", "0018_cheaper_messages")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
