"""Words of messages in PostgreSQL; SQLite's index is made after each migration."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Knows the small letters of all scripts, first of all where that is the same on every machine.
COLLATIONS = ["pg_c_utf8", "und-x-icu", "C.utf8", "en_US.utf8", "default"]

# As ``api.search.words``, which has the reasons. What is not ASCII and no letter goes here,
# because under the locale C PostgreSQL takes all of it for letters.
SEARCH_WORDS = r"""
CREATE FUNCTION api_search_words(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT translate(
  CASE WHEN octet_length($1) = length($1) THEN lower(left($1, 50000) COLLATE "{collation}")
  ELSE regexp_replace(
    regexp_replace(
      lower(normalize(
        regexp_replace(normalize(left($1, 50000), NFKD), '[\u0300-\u036f]', '', 'g'), NFKC
      ) COLLATE "{collation}"),
      '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff'
      '\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g'
    ),
    '[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20ff'
    '\u2190-\u245f\u2500-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f'
    '\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65'
    '\U0001f000-\U0001fbef\U000e0000-\U000e0fff]', ' ', 'g'
  ) END,
  '!"#$%&''()*+,-./:;<=>?@[\]^_`{{|}}~', repeat(' ', 32)
)
$$
"""
SPELLED_WORDS = r"""
ALTER TABLE api_message ADD COLUMN words tsvector GENERATED ALWAYS AS (
  CASE WHEN text IS NOT NULL THEN
    to_tsvector('pg_catalog.simple', api_search_words(text)) || array_to_tsvector(
      ARRAY['@room ' || room_id::text, '@from ' || sender_id::text]
      || CASE WHEN text ~* 'https?://[^ \t\n\r]'
         THEN ARRAY['@has link'] ELSE ARRAY[]::text[] END
    )
  END
) STORED
"""


def begin(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Add the column, which fills itself, and its indexes."""
    connection = editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collname FROM pg_collation WHERE collname = ANY(%s) AND"
            " collencoding IN (-1, pg_char_to_encoding('UTF8'))"
            " ORDER BY array_position(%s, collname::text)",
            [COLLATIONS, COLLATIONS],
        )
        collation = cursor.fetchone()[0]
        cursor.execute(SEARCH_WORDS.format(collation=collation))
        cursor.execute(SPELLED_WORDS)
        cursor.execute("CREATE INDEX message_words ON api_message USING gin (words)")
        cursor.execute("CREATE INDEX message_newest ON api_message (created_at, seq, room_id)")


def end(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Take it all away."""
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP INDEX message_newest")
        editor.execute("ALTER TABLE api_message DROP COLUMN words")
        editor.execute("DROP FUNCTION api_search_words(text)")


class Migration(migrations.Migration):
    dependencies = [("api", "0008_uploads")]
    operations = [migrations.RunPython(begin, end)]
