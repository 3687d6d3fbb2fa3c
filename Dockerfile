# One image with all programs: /app/operator.mjs (what runs without arguments; it loads /app/models.mjs
# where profiles of models are configured), /app/limiter.mjs and /app/fault-proxy.mjs. `npm run build` makes them
# first: plain JavaScript, so platforms differ only in their base. See docs/install.md.

# Any image whose entrypoint is Node 24; no shell is needed. The digest is that of the index of all platforms.
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot@sha256:14d42e2511532589a7c7e01a753667a74fcc96266e137e8125006b87b0c32d0a
FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="chaosdemo-operator" \
      org.opencontainers.image.description="Operator for ChaosDemo objects, the bundled rate limiter, and a fault proxy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
WORKDIR /app
COPY --chmod=0644 LICENSE dist/image/* ./
# What a program has needed once, for a list of thousands of objects say, does not stay resident: a
# small young generation, and blocks from 32 KiB on go back to the system as soon as they are free.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=1
ENV MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=65536
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
CMD ["/app/operator.mjs"]
