# Two stages: wheels are built in the first, so that the second has no tools to build with.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.13-slim
RUN useradd --system --create-home --uid 10001 gapless \
    && install --directory --owner gapless /data
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py openapi.yaml asyncapi.yaml ./
COPY config config
COPY api api
COPY accounts accounts
COPY realtime realtime
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    DATA_DIR=/data \
    PORT=8000
USER gapless
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
# exec form: SIGTERM reaches the server itself. Migrate once per release, not per container:
#   docker run … gapless python manage.py migrate
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
