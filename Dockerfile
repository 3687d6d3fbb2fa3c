# One image with all programs: /app/operator.mjs (what runs without arguments; it loads /app/models.mjs
# where profiles of models are configured), /app/limiter.mjs and /app/fault-proxy.mjs. docs/install.md says how to build it, also for several platforms.

# Any Debian or Alpine with Node 24 and npm.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
# Any image whose entrypoint is Node 24; no shell is needed.
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# The bundles are plain JavaScript: made once, on the platform of the builder.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
# Another registry for npm, where there is one.
ARG NPM_CONFIG_REGISTRY
WORKDIR /src
COPY package.json package-lock.json ./
COPY packages/kube-runtime/package.json packages/kube-runtime/
COPY packages/limiter/package.json packages/limiter/
COPY packages/settings/package.json packages/settings/
COPY packages/testbed/package.json packages/testbed/
COPY packages/redis-faults/package.json packages/redis-faults/
# Without install scripts: esbuild needs none, and Node is there already.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.mjs scripts/slim-dependencies.mjs scripts/stack-lines.mjs scripts/
COPY packages packages
COPY src src
RUN node scripts/build.mjs

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chaosdemo-operator" \
      org.opencontainers.image.description="Operator for ChaosDemo objects, the bundled rate limiter, and a fault proxy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY LICENSE ./
COPY --from=build /src/dist/ ./
# What a program has needed once, for a list of thousands of objects say, does not stay resident: a
# small young generation, and blocks from 32 KiB on go back to the system as soon as they are free.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=1
ENV MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=65536
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
CMD ["/app/operator.mjs"]
