# Our programs and nothing else. If interop/fetch was run before, they come from packages/; otherwise
# they are built here. The context is the repository.
ARG BASE=rust:1.95-slim
FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN mkdir -p /programs && \
    if [ -x interop/packages/ours/interop-peer ]; then \
        cp interop/packages/ours/* /programs/; \
    else \
        .ci/static -p zrpc-cli -p interop-peer && \
        cp target/*-linux-*/release/zrpc target/*-linux-*/release/interop-peer /programs/; \
    fi

FROM scratch
COPY --from=build /programs/ /
USER 65532:65532
CMD ["/interop-peer", "idle"]
