# The image: one binary, the parts of the C library that it names, and a folder of its own. No shell, no root.
#
#   docker build -t keystead .
#
# Why it is made so: docs/adr/0029-an-image-of-one-binary.md. How it is run: docs/operations.md.

FROM docker.io/library/rust:1.95-slim-bookworm AS builder
SHELL ["/bin/bash", "-o", "errexit", "-o", "pipefail", "-c"]
WORKDIR /build

# The dependencies alone, in a layer that stays until a manifest changes. Of our own packages cargo only wants to see that
# their files are there.
COPY scripts/build-release scripts/
COPY Cargo.toml Cargo.lock ./
COPY benches/Cargo.toml benches/
COPY client/Cargo.toml client/
COPY verifier/Cargo.toml verifier/
RUN mkdir -p src client/src verifier/src tests/{api,crashes,servers,store} \
    && touch {src,client/src,verifier/src}/lib.rs tests/{architecture,seeds}.rs tests/{api,crashes,servers,store}/main.rs \
    && for main in build.rs src/main.rs benches/main.rs; do echo 'fn main() {}' > "$main"; done \
    && scripts/build-release --package keystead --lib \
    && cargo clean --release --locked --package keystead --package keystead-verifier

COPY build.rs ./
COPY proto proto
COPY migrations migrations
COPY verifier/src verifier/src
COPY src src
RUN scripts/build-release --package keystead --bin keystead

COPY scripts/gather-image scripts/
RUN scripts/gather-image target/release/keystead /image && install -d -m 700 /data/keystead

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Keystead" \
      org.opencontainers.image.description="A self-hosted gRPC authentication service in one binary" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=builder /image /
COPY --from=builder --chown=65532:65532 /data/ /var/lib/
# Nothing here allows clear text: without a certificate the service refuses to start until somebody does.
ENV KEYSTEAD_DATA_DIRECTORY=/var/lib/keystead \
    KEYSTEAD_GRPC_LISTEN=0.0.0.0:50051 \
    KEYSTEAD_HTTP_LISTEN=0.0.0.0:8080
WORKDIR /var/lib/keystead
VOLUME ["/var/lib/keystead"]
USER 65532:65532
EXPOSE 50051 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/keystead", "healthcheck"]
ENTRYPOINT ["/keystead"]
CMD ["serve"]
