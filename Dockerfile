# The image of connectors: one static binary, a shell for the platform's launch script, and
# certificates. docs/airbyte.md says how it is used.
#
#   docker build . -t airbyte/source-declarative-manifest:7.0.0
#       takes a manifest that is mounted into it, or that the platform puts into the config
#   docker build . -t airbyte/source-pokeapi:1.0.0 --build-arg MANIFEST=manifests/pokeapi \
#       --build-arg NAME=airbyte/source-pokeapi --build-arg VERSION=1.0.0
#       has the manifest of a folder baked in

# A Rust toolchain whose own target is musl, with `apk`.
ARG BUILDER_IMAGE=rust:1.95-alpine
# A static busybox as `/bin/sh` and all that the launch script calls.
ARG SHELL_IMAGE=busybox:1.37-musl
# Has the certificate authorities to trust, as /etc/ssl/certs/ca-certificates.crt.
ARG CERTIFICATES_IMAGE=alpine:3.22
# `compiled`, or `prebuilt` for the binary dist/ARCHITECTURE/source-declarative-manifest.
ARG BINARY=compiled
# The folder of a connector.
ARG MANIFEST=

FROM ${BUILDER_IMAGE} AS binary-compiled
# All that the C in the dependencies needs besides a compiler.
RUN apk add --no-cache gcc musl-dev
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY .cargo .cargo
COPY link link
COPY src src
COPY docs/lint docs/lint
COPY web/dist web/dist
# `ui` for an image that is a Connector Builder and its server too.
ARG FEATURES=
ARG TARGETARCH
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=target-${TARGETARCH},target=/build/target \
    cargo build --locked --profile dist --no-default-features --features "${FEATURES}" \
        --bin source-declarative-manifest \
    && cp target/dist/source-declarative-manifest /

FROM scratch AS binary-prebuilt
ARG TARGETARCH
COPY dist/${TARGETARCH}/source-declarative-manifest /

FROM binary-${BINARY} AS binary

FROM ${CERTIFICATES_IMAGE} AS certificates

FROM ${SHELL_IMAGE} AS connector
# Dockerfiles made for the Python image run as `airbyte`, add files below /airbyte, and start Python.
RUN echo 'airbyte:x:1000:1000::/airbyte:/bin/sh' >> /etc/passwd \
    && echo 'airbyte:x:1000:' >> /etc/group \
    && mkdir -p /airbyte/integration_code /config /custom_cache /local /secrets /source /staging \
        /usr/local/bin \
    && chown -R 1000:1000 /airbyte /config /custom_cache /local /secrets /source /staging \
    && for name in python python3 ddtrace-run; do \
        ln -s source-declarative-manifest /usr/local/bin/$name; \
    done
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=binary --chmod=755 /source-declarative-manifest /usr/local/bin/
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    AIRBYTE_ENTRYPOINT=/usr/local/bin/source-declarative-manifest
ENTRYPOINT ["/usr/local/bin/source-declarative-manifest"]
WORKDIR /airbyte/integration_code
# A number: clusters that forbid root look no name up.
USER 1000:1000

FROM connector AS connector-with-manifest
ARG MANIFEST=
COPY ${MANIFEST} /airbyte/integration_code/source_declarative_manifest/

FROM connector${MANIFEST:+-with-manifest}
ARG NAME=airbyte/source-declarative-manifest
ARG VERSION=dev
LABEL io.airbyte.name=${NAME} \
      io.airbyte.version=${VERSION} \
      org.opencontainers.image.licenses=MIT
