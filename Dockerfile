# Homeroom in a container. compose.yaml runs two of them; docs/operator.md ("Docker") says how.
#
# GraphiQL's page and the environment are built in stages of their own: neither Node.js nor pip's cache is in the image.
# It runs as user 10001 with a read-only root: everything that it keeps is in /data, and what is passing in /tmp.

FROM node:22.17.0-bookworm-slim AS graphiql
WORKDIR /build
COPY app/web/graphiql/package.json app/web/graphiql/package-lock.json app/web/graphiql/.npmrc ./
RUN ["npm", "ci"]
COPY app/web/graphiql ./
RUN ["npm", "run", "build"]

FROM python:3.12.11-slim-bookworm AS environment
COPY requirements.lock /build/
RUN ["python", "-m", "venv", "/opt/homeroom/.venv"]
RUN ["/opt/homeroom/.venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", \
     "--require-hashes", "--requirement", "/build/requirements.lock"]
COPY app /opt/homeroom/app
COPY --from=graphiql /build/dist /opt/homeroom/app/web/graphiql/dist
RUN ["/opt/homeroom/.venv/bin/python", "-m", "compileall", "-q", "/opt/homeroom/app"]

FROM python:3.12.11-slim-bookworm
# pg_dump and pg_restore, for `homeroom backup` and `restore`: no older than the server that they copy.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin homeroom \
    && install -d -o homeroom -g homeroom -m 0700 /data
COPY --from=environment /opt/homeroom /opt/homeroom
COPY policies /opt/homeroom/policies
COPY LICENSE /opt/homeroom/
ENV PYTHONPATH=/opt/homeroom PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 HOMEROOM_SANDBOX=/data/sandbox
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/opt/homeroom/.venv/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["/opt/homeroom/.venv/bin/python", "-m", "app"]
CMD ["serve", "--host", "0.0.0.0"]
