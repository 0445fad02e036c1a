"""Settings of the baseline."""

import os

SECRET_KEY = "bench"  # noqa: S105  nothing is signed with it
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.textbook.urls"
INSTALLED_APPS = ["daphne", "channels"]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # its blocking read takes 5 s, which newer redis clients take for a dead socket
            "hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 30}],
            "capacity": 10_000,
        },
    }
}
