# syntax=docker/dockerfile:1
# docker build --tag registry.example.org/globalroute:0.1.0 .
#
# The program and its Node come from this checkout's lockfile; the base brings a C library and certificates, and no shell. For builds that can
# be repeated give both images by digest: --build-arg BUILD_IMAGE=…@sha256:… --build-arg BASE_IMAGE=…@sha256:…
ARG BUILD_IMAGE=docker.io/library/node:24-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run image:root -- /image

FROM ${BASE_IMAGE}
COPY --from=build --chown=0:0 /image/ /
ENV PATH=/nodejs/bin:/usr/bin:/bin
WORKDIR /app
USER 65532:65532
# DNS, metrics and probes, peers. The admin API is on loopback.
EXPOSE 5353/udp 5353/tcp 9153/tcp 8054/tcp
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/globalroute.js"]
