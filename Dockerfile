# The image of Socle: one virtual environment, no compiler, no secret, no root.
#
# BASE is a moving tag, because a digest written here would age unseen. A release is built on the
# digest its builder has checked, which the registry prints when the tag is pulled:
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:… --tag registry…/socle:0.1.0 .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all:
WORKDIR /build
RUN python -m venv /opt/build && python -m venv /opt/socle
COPY requirements/build.txt requirements/prod.txt requirements/
RUN /opt/build/bin/pip install --require-hashes --requirement requirements/build.txt \
 && /opt/socle/bin/pip install --require-hashes --requirement requirements/prod.txt
COPY pyproject.toml README.md ./
COPY platform platform
COPY tenants tenants
COPY registration_authority registration_authority
COPY training training
COPY billing billing
RUN /opt/build/bin/hatchling build --target wheel --directory dist \
 && /opt/socle/bin/pip install --no-deps --no-index dist/*.whl \
 && /opt/socle/bin/pip uninstall --yes pip setuptools

FROM ${BASE}
# HOME: the user has no entry in /etc/passwd and the root file system is read-only.
# PYTHONSAFEPATH: where a process is started from must not decide which code runs.
ENV PATH=/opt/socle/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    DJANGO_SETTINGS_MODULE=socle.config.settings
COPY --from=build /opt/socle /opt/socle
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
CMD ["gunicorn", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", \
     "--limit-request-field_size=16380", "--worker-tmp-dir=/dev/shm", "--no-control-socket", \
     "--access-logfile=-", "socle.config.wsgi:application"]
