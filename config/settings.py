"""Django's settings: one file for every stage; what differs comes from the environment."""

from typing import Any

from config import env

# --- what the operator decided ------------------------------------------------------
try:
    ENV = env.load()
except env.EnvironmentRefused as refused:
    raise SystemExit(f"gapless: {refused}") from None

PRODUCTION = ENV.production
DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = ENV.allowed_hosts
LIMITS = ENV.limits
REGISTRATION_OPEN = ENV.registration_open
TRUSTED_PROXY_COUNT = ENV.trusted_proxy_count
HTTP_HANDLER = ENV.http_handler
GROUP_SENDS = ENV.group_sends
DATA_DIR = ENV.data_dir
PORT = ENV.port

# --- what the project is made of ----------------------------------------------------
INSTALLED_APPS = [
    "config",  # before staticfiles: its runserver is Daphne's
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "api",
    "realtime",
]
MIDDLEWARE = [
    "config.hosts.known_hosts",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # a handful of files: nothing to collect, nothing to forget
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
DATA_UPLOAD_MAX_MEMORY_SIZE = LIMITS.body_bytes  # of a form without its files; the door counts all

# --- where things are recorded ------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE = {
    "timeout": 20,  # seconds that a writer of another process is waited for
    "transaction_mode": "IMMEDIATE",  # a deferred one cannot wait when it starts to write
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
DATABASE: dict[str, Any] = ENV.database | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
if DATABASE["ENGINE"].endswith("sqlite3"):
    DATABASE["OPTIONS"] = SQLITE
    DATABASE["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # threads share a file
else:
    POSTGRES = {"connect_timeout": 5, "prepare_threshold": 5}  # what runs often is planned once
    DATABASE["OPTIONS"] = POSTGRES | DATABASE.get("OPTIONS", {})
DATABASES = {"default": DATABASE}

STORAGES = {
    "default": ENV.attachments,
    "attachments": ENV.attachments,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- how news travels between processes ---------------------------------------------
LOG_GROUPS = 256  # streams are hashed to so many groups of the channel layer
if ENV.redis_url:
    LAYER: dict[str, Any] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "prefix": ENV.redis_prefix,  # pub/sub knows no database numbers
            "hosts": [
                {
                    "address": ENV.redis_url,
                    "socket_timeout": 5,
                    "socket_connect_timeout": 2,
                    "health_check_interval": 15,
                }
            ],
        },
    }
else:
    LAYER = {"BACKEND": "realtime.local_layer.LocalChannelLayer"}
CHANNEL_LAYERS = {"default": LAYER}

# --- who is let in ------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["accounts.passwords.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
JWT_SIGNING_KEY = ENV.jwt_signing_key
CORS_ALLOWED_ORIGINS = ENV.allowed_origins
CORS_ALLOW_CREDENTIALS = False
CORS_PREFLIGHT_MAX_AGE = 2 * 3600
CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotent-Replayed",
    "ETag",
]
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "x-request-id"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_HSTS_SECONDS = 365 * 86_400  # said over https alone, which only a proxy can tell
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # X-Frame-Options: the policy of every answer says frame-ancestors 'none'
    "security.W003",  # CSRF: no cookie authenticates anything
    "security.W005",  # HSTS of sub-domains: they are not this service's to decide about
    "security.W008",  # redirects to https: they would come after the token has been sent
    "security.W021",  # HSTS preloading: the owner of the domain asks for it, not a service on it
]

# --- the REST door ------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasSession"],
    "DEFAULT_PARSER_CLASSES": ["api.media.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.media.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gapless",
    "DESCRIPTION": "A headless chat API that never loses a message: REST and WebSocket.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": ["api.document.complete"],
    "SORT_OPERATIONS": True,
}

# --- what is told to the operator ---------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_query": {"()": "config.logs.NoQuery"}},
    "formatters": {
        "json": {"()": "config.logs.JsonLines"},
        "text": {"()": "config.logs.TextLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": ENV.log_format,
            "filters": ["no_query"],
        }
    },
    "root": {"handlers": ["console"], "level": ENV.log_level},
    "loggers": {
        "uvicorn.error": {"level": "WARNING"},  # else a line or two for every socket
        "uvicorn.access": {"propagate": False},
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.channels.server": {"handlers": [], "propagate": True},
    },
}
