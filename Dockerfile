# All programs of kafka-connector in one image. The mode is the first argument:
#   docker run kafka-connector invoke        docker run --entrypoint producer kafka-connector --help
# The same image again comes of the same base and the same time of the files:
#   docker build --build-arg BASE=debian@sha256:... --build-arg SOURCE_DATE_EPOCH=... .
ARG BASE=debian:bookworm-slim

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /src
COPY build.sh .
RUN ./build.sh install build
COPY . .
ARG VERSION=unknown
ARG SOURCE_DATE_EPOCH
RUN make -s -j"$(nproc)" VERSION="$VERSION" \
    && install -D -s -t /out/usr/local/bin build/kafka-connector* build/producer build/sandbox \
    && install -D setup/image/healthcheck /out/usr/local/bin/healthcheck \
    && install -D -m 644 setup/image/functions /out/usr/local/share/kafka-connector/functions \
    && find /out -exec touch -h -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" {} +

# hadolint ignore=DL3006
FROM ${BASE}
ARG SOURCE_DATE_EPOCH
# What apt leaves of its work, and the times of its files, would make each image another one.
RUN --mount=type=bind,from=build,source=/src/build.sh,target=/tmp/build.sh \
    start=$(($(date +%s) - 1)) \
    && /tmp/build.sh install run \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* \
        /var/lib/dpkg/*-old /var/log/* \
    && find /etc /usr /var -newermt "@$start" ! -path '/etc/host*' ! -path /etc/resolv.conf \
        -exec touch -h -d "@${SOURCE_DATE_EPOCH:-$start}" {} +
COPY --from=build /out/ /
ARG VERSION=unknown
LABEL org.opencontainers.image.title="kafka-connector" \
    org.opencontainers.image.description="Joins Kafka topics to functions behind an HTTP gateway" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.licenses="MIT"
WORKDIR /usr/local/share/kafka-connector
USER 65534:65534
EXPOSE 8081 50051
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["healthcheck"]
ENTRYPOINT ["kafka-connector"]
