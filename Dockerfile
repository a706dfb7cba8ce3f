FROM debian:12 AS build
WORKDIR /src
COPY scripts/packages.txt scripts/
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      $(awk '$1 == "build" { print $2 }' scripts/packages.txt) \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DPGWEIR_TESTS=OFF -DPGWEIR_BENCH=OFF \
 && cmake --build build/release --target pgweir \
 && strip build/release/pgweir

FROM debian:12-slim
COPY scripts/packages.txt /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      $(awk '$1 == "run" { print $2 }' /tmp/packages.txt) \
 && rm -rf /var/lib/apt/lists/* /tmp/packages.txt \
 && useradd --system --user-group --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin pgweir
COPY --from=build /src/build/release/pgweir /usr/bin/pgweir
COPY deploy/container.toml /etc/pgweir/pgweir.toml
COPY config/users.txt /etc/pgweir/users.txt
USER pgweir
EXPOSE 6432
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/6432"]
STOPSIGNAL SIGINT
ENTRYPOINT ["pgweir"]
CMD ["run", "--config", "/etc/pgweir/pgweir.toml"]
