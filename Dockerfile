FROM debian:bookworm-slim AS build
WORKDIR /src
COPY build.sh .
RUN ./build.sh install build
COPY . .
ARG VERSION=unknown
RUN make -j"$(nproc)" VERSION="$VERSION" && make install DESTDIR=/out VERSION="$VERSION"

FROM debian:bookworm-slim
COPY build.sh /tmp/
RUN /tmp/build.sh install run && rm -rf /var/lib/apt/lists/* /tmp/build.sh
COPY --from=build /out/usr/local/bin/ /usr/local/bin/
USER 65534:65534
EXPOSE 8081
ENTRYPOINT ["kafka-connector"]
