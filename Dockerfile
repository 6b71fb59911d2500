# SPDX-License-Identifier: AGPL-3.0-or-later
# docker build --build-arg REVISION=$(git rev-parse HEAD) --tag network-anomaly-monitor .
# How to run it, and which capability it needs: docs/deployment.md.

# Both are the same Debian release, so what Node.js links to is there. Pin by digest where builds must repeat exactly.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package's own script runs: koffi brings its binary as a package, and cap, the source for other systems, stays out.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts/bundle.mjs ./scripts/
COPY config/nam.schema.json ./config/
COPY src ./src
# The build replays it, and keeps what was compiled.
COPY demo ./demo
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf node_modules/cap node_modules/.package-lock.json
# The capability is on this copy of Node.js, so the process that has it need not be root.
RUN cp /usr/local/bin/node /build/node \
  && setcap cap_net_raw+ep /build/node
ARG REVISION=unknown
RUN echo "${REVISION}" >REVISION

FROM ${BASE_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="network-anomaly-monitor" \
  org.opencontainers.image.description="Watches network traffic, learns what is normal and says what is not, as Prometheus metrics and messages" \
  org.opencontainers.image.licenses="AGPL-3.0-or-later" \
  org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10977 nam \
  && useradd --uid 10977 --gid nam --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --no-log-init nam \
  && install --directory --owner nam --group nam --mode 0700 /var/lib/network-anomaly-monitor
COPY --from=build /build/node /usr/local/bin/node
# Whatever Node.js links to is in this image, or the build ends here. (To start it, a container needs the capability.)
RUN ! ldd /usr/local/bin/node | grep 'not found'
WORKDIR /opt/network-anomaly-monitor
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/package.json /build/REVISION ./
COPY LICENSE NOTICE ./
COPY demo ./demo
COPY deploy/healthcheck.mjs ./

ENV NODE_ENV=production \
  STATE_DIRECTORY=/var/lib/network-anomaly-monitor
USER nam
VOLUME /var/lib/network-anomaly-monitor
EXPOSE 9977
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["/usr/local/bin/node", "healthcheck.mjs"]
ENTRYPOINT ["/usr/local/bin/node", "/opt/network-anomaly-monitor/dist/main.js"]
CMD ["run"]
