# One image with the three services; docker-compose.yml starts each with its own volumes.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin blindprint --bin blindprint-matcher --bin blindprint-enclave \
    && mkdir -p /out \
    && cp target/release/blindprint target/release/blindprint-matcher target/release/blindprint-enclave /out/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
# Each service runs in a container of its own; none of them as root.
RUN useradd --uid 10001 --no-create-home blindprint \
    && install -d -o blindprint -g blindprint -m 0700 \
        /run/blindprint /run/blindprint/enclave /run/blindprint/matcher /hardware /attestation /data
COPY --from=build /out/ /usr/local/bin/
COPY server/compose.toml /etc/blindprint/compose.toml
ENV LANG=C.UTF-8
CMD ["blindprint", "serve"]
