"""``python -m bench``: start the real servers, measure, print the table.

The measuring is done by ``bench.run``, in a process that is started here with the
environment of the servers, so that it makes users and tokens through ``accounts`` itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import backends, servers

LIMITS = {"access_token_seconds": 7200, "drain_seconds": 0.1, "subscriptions": 2000}
COUNTED = [  # what costs something to keep count of
    *("commands_per_second", "invalid_per_second", "requests_per_second", "sends_per_second"),
    *("login_failures_per_minute", "registrations_per_hour", "sockets"),
]
HIGH = 1_000_000  # nobody is refused


def limits(*, counted: bool) -> str:
    """Return limits that refuse nobody: switched off, or all counted."""
    return json.dumps(LIMITS | dict.fromkeys(COUNTED, HIGH if counted else None), sort_keys=True)


def main() -> int:
    """Run the bench in a world of its own; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder, backends.postgres() as url:
        valkey = backends.Valkey(Path(folder))
        env = servers.environment(
            DATABASE_URL=backends.fresh_database(url),
            REDIS_URL=valkey.url,
            DATA_DIR=folder,
            LIMITS=limits(counted="--limited" in sys.argv),
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
