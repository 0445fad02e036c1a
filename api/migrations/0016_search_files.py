"""Messages with files, and with images, are found by that in PostgreSQL, too."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# PostgreSQL before 17 cannot change what a generated column is made of.
FORGOTTEN = "ALTER TABLE api_message DROP COLUMN words"
SPELLED_WORDS = r"""
ALTER TABLE api_message ADD COLUMN words tsvector GENERATED ALWAYS AS (
  CASE WHEN text IS NOT NULL THEN
    to_tsvector('pg_catalog.simple', api_search_words(text)) || array_to_tsvector(
      ARRAY['@room ' || room_id::text, '@from ' || sender_id::text]
      || CASE WHEN text ~* 'https?://[^ \t\n\r]'
         THEN ARRAY['@has link'] ELSE ARRAY[]::text[] END
      {files}
    )
  END
) STORED
"""
FILES = """
      || CASE WHEN attachments IS NOT NULL THEN ARRAY['@has file'] ELSE ARRAY[]::text[] END
      || CASE WHEN attachments @? '$[*].content_type ? (@ starts with "image/")'
         THEN ARRAY['@has image'] ELSE ARRAY[]::text[] END
"""
INDEXED = "CREATE INDEX message_words ON api_message USING gin (words)"


def spell(editor: BaseDatabaseSchemaEditor, files: str) -> None:
    """Make the column anew, which fills itself."""
    if editor.connection.vendor == "postgresql":
        with editor.connection.cursor() as cursor:
            for sql in (FORGOTTEN, SPELLED_WORDS.format(files=files), INDEXED):
                cursor.execute(sql)


def begin(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Know of files."""
    spell(editor, FILES)


def end(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Know of links only."""
    spell(editor, "")


class Migration(migrations.Migration):
    dependencies = [("api", "0015_attachments_and_avatars")]
    operations = [migrations.RunPython(begin, end)]
