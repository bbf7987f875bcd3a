# One image per service, each with its own dependencies and its own code only:
#
#   docker build --build-arg SERVICE=gateway -t pyloto/gateway .
#
# SERVICE is one of context_service, fsm_service, response_service, msgtype_service, gateway, simulator.

FROM python:3.11-slim AS dependencies
ARG SERVICE
WORKDIR /build
RUN python -m venv /venv
COPY pyproject.toml requirements.lock ./
# The extras of pyproject.toml that the service needs. No code is here yet, so this layer lives until a version changes.
RUN case "$SERVICE" in \
      context_service) extras="" ;; \
      gateway) extras="[gateway]" ;; \
      fsm_service|response_service|msgtype_service) extras="[llm]" ;; \
      simulator) extras="[cli]" ;; \
      *) echo "SERVICE: expected the name of a service's package, got '$SERVICE'" >&2; exit 1 ;; \
    esac \
    && touch README.md \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -c requirements.lock ".$extras" \
    && /venv/bin/pip uninstall --yes pyloto pip setuptools

FROM python:3.11-slim
ARG SERVICE
# The OpenAI client trusts the certificates of the operating system.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pyloto
COPY --from=dependencies /venv /venv
WORKDIR /app
COPY protos ./protos
COPY common ./common
COPY guard ./guard
COPY ${SERVICE} ./${SERVICE}
# Compiled here, because the file system is read-only when it runs.
RUN /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYLOTO_PORT_FILE=/tmp/port \
    OPENBLAS_NUM_THREADS=1 \
    SERVICE=${SERVICE}
USER 10001
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "common.health_probe"]
# Python takes the shell's place, so that it gets SIGTERM and drains.
CMD ["sh", "-c", "exec python -m \"$SERVICE\""]
