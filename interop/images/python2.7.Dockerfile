# zerorpc for Python 2.7 with the peer programs. If interop/fetch was run before, everything comes
# from packages/, and nothing is downloaded.
ARG BASE=python:2.7-slim
FROM ${BASE}
COPY requirements-2.7.txt images/install-python /requirements/
COPY packages/python2.7 /packages
ENV PYTHONPATH=/installed PYTHONDONTWRITEBYTECODE=1
# What is built from source needs setuptools to be there.
RUN cd /requirements && \
    sed -n '/^setuptools/,/sha256/p' requirements-2.7.txt > first.txt && \
    sed '/^setuptools/,/sha256/d' requirements-2.7.txt > then.txt && \
    sh install-python python2.7 first.txt && \
    sh install-python python2.7 then.txt --no-build-isolation && \
    python2.7 -c 'import zerorpc'
COPY peers /peers
CMD ["sleep", "infinity"]
