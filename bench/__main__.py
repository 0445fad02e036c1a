"""``python -m bench``: start the real servers, measure, print the table.

The measuring is done by ``bench.run``, in a process that is started here with the
environment of the servers, so that it makes users and tokens through ``accounts`` itself.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import servers

LIMITS = (
    '{"access_token_seconds": 7200, "commands_per_second": null, "drain_seconds": 0.1, '
    '"invalid_per_second": null, "login_failures_per_minute": null, '
    '"registrations_per_hour": null, "requests_per_second": null, "sends_per_second": null, '
    '"sockets": null, "subscriptions": 2000}'
)


def main() -> int:
    """Run the bench in a world of its own; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder, servers.postgres() as url:
        valkey = servers.Valkey(Path(folder))
        env = servers.environment(
            DATABASE_URL=servers.fresh_database(url),
            REDIS_URL=valkey.url,
            DATA_DIR=folder,
            LIMITS=LIMITS,
            LOG_LEVEL="WARNING",
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        try:
            migrated = servers.manage(env, "migrate")
            if migrated.returncode:
                sys.stderr.write(migrated.stderr)
                return migrated.returncode
            command = [sys.executable, "-m", "bench.run", *sys.argv[1:]]
            return subprocess.run(command, env=env, cwd=os.getcwd(), check=False).returncode
        finally:
            valkey.stop()


if __name__ == "__main__":
    sys.exit(main())
