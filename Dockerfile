# Homeroom in a container: the environment is built in one stage, and only it and the code are in the other.
#
#   docker build -t homeroom .
#   docker run --rm -v homeroom:/data homeroom init /data
#   docker run --rm -v homeroom:/data -p 8000:8000 homeroom serve --host 0.0.0.0
#
# Put a proxy that speaks TLS before it: tokens travel over https.

FROM python:3.12-slim AS build
COPY requirements.lock /build/
RUN python -m venv /opt/homeroom/.venv \
    && /opt/homeroom/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement /build/requirements.lock

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin homeroom \
    && install -d -o homeroom -g homeroom -m 0700 /data
COPY --from=build /opt/homeroom/.venv /opt/homeroom/.venv
COPY app /opt/homeroom/app
COPY policies /opt/homeroom/policies
COPY LICENSE /opt/homeroom/
RUN /opt/homeroom/.venv/bin/python -m compileall -q /opt/homeroom/app
ENV PYTHONPATH=/opt/homeroom PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 HOMEROOM_SANDBOX=/data/sandbox
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s CMD ["/opt/homeroom/.venv/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["/opt/homeroom/.venv/bin/python", "-m", "app"]
CMD ["serve", "--host", "0.0.0.0"]
