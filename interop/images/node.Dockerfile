# zerorpc for Node with the peer program. If interop/fetch was run before, node_modules comes from
# packages/, and nothing is downloaded. The context is the repository.
ARG BASE=node:22-slim
FROM ${BASE}
# For links that lose what they carry.
RUN if ! command -v iptables > /dev/null; then \
        apt-get update -q && apt-get install -q -y --no-install-recommends iproute2 iptables; \
    fi
WORKDIR /installed
COPY bench/node /installed
COPY interop/packages/node /installed
RUN [ -d node_modules ] || npm ci --no-audit --no-fund --ignore-scripts
ENV NODE_PATH=/installed/node_modules
COPY interop/peers /peers
CMD ["sleep", "infinity"]
