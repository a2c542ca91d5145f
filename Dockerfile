# One image with the three services; docker-compose.yml starts each with its own user and volumes.
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
# Group 10000 shares the sockets. Each service runs as a user of its own and owns its own folder.
RUN groupadd --gid 10000 blindprint \
    && useradd --uid 10001 --gid 10000 --no-create-home enclave \
    && useradd --uid 10002 --gid 10000 --no-create-home matcher \
    && useradd --uid 10003 --gid 10000 --no-create-home server \
    && install -d -o enclave -g blindprint -m 0750 /run/blindprint/enclave \
    && install -d -o matcher -g blindprint -m 0750 /run/blindprint/matcher \
    && install -d -o enclave -g blindprint -m 0750 /hardware \
    && install -d -o root -g blindprint -m 0770 /data
COPY --from=build /out/ /usr/local/bin/
COPY server/compose.toml /etc/blindprint/compose.toml
ENV LANG=C.UTF-8
CMD ["blindprint", "serve"]
