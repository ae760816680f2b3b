# Builds linkgate, then a small image that runs it as an unprivileged user.
#
#   docker build -t linkgate .
#   docker run -p 9080:9080 -v "$PWD/linkgate:/etc/linkgate:ro" -v linkgate-data:/var/lib/linkgate linkgate
#
# /etc/linkgate holds linkgate.toml and the files that it names; /var/lib/linkgate the database and its key.
# In linkgate.toml: listen = "0.0.0.0:9080" and url = "sqlite:///var/lib/linkgate/linkgate.db".

FROM rust:1.95-bookworm AS build
WORKDIR /build

# The dependencies in a layer of their own, which lives as long as Cargo.lock: an empty program asks for the same.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --profile dist --locked --features ldap --bin linkgate \
    && rm -r src

COPY src src
COPY migrations migrations
COPY templates templates
COPY config config
# Cargo compares times: the empty program must not look newer than ours.
RUN touch src/main.rs src/lib.rs && cargo build --profile dist --locked --features ldap --bin linkgate


FROM debian:bookworm-slim
RUN groupadd --gid 10001 linkgate \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /var/lib/linkgate --shell /usr/sbin/nologin linkgate
COPY --from=build /build/target/dist/linkgate /usr/local/bin/linkgate
# Whom to believe when the application's URL is an https one.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt

USER 10001:10001
WORKDIR /var/lib/linkgate
VOLUME /var/lib/linkgate
ENV LINKGATE_CONFIG=/etc/linkgate/linkgate.toml
EXPOSE 9080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["linkgate", "health"]
ENTRYPOINT ["linkgate"]
CMD ["serve"]
