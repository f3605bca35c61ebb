# The zrpc command in an image of one file.
#
#   docker build -t zrpc .
#   docker run --rm zrpc --help
#   docker run --rm --network host zrpc tcp://127.0.0.1:4242 hello RPC
#
# It needs nothing of a system: names are resolved with the /etc/resolv.conf and /etc/hosts that the
# engine mounts, and there are no certificates, time zones or locales to be had.
ARG RUST=rust:1.95-slim
FROM ${RUST} AS build
WORKDIR /src
COPY . .
RUN .ci/static -p zrpc-cli && cp target/*-linux-*/release/zrpc /zrpc

FROM scratch
COPY --from=build /zrpc /zrpc
USER 65532:65532
ENTRYPOINT ["/zrpc"]
