# zerorpc and libzmq for a current Python with the peer programs. If interop/fetch was run before,
# everything comes from packages/, and nothing is downloaded.
ARG BASE=python:3.13-slim
FROM ${BASE}
# For links that lose what they carry.
RUN if ! command -v iptables > /dev/null; then \
        apt-get update -q && apt-get install -q -y --no-install-recommends iproute2 iptables; \
    fi
COPY requirements.txt images/install-python /requirements/
COPY packages/python3 /packages
ENV PYTHONPATH=/installed PYTHONDONTWRITEBYTECODE=1
RUN cd /requirements && sh install-python python3 requirements.txt && python3 -c 'import zerorpc'
COPY peers /peers
CMD ["sleep", "infinity"]
