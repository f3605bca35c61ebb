# The driver of the cases. It needs Python and the socket of the engine.
ARG BASE=python:3.13-slim
FROM ${BASE}
ENV PYTHONDONTWRITEBYTECODE=1
COPY cases /driver/cases
WORKDIR /driver
CMD ["python3", "-m", "cases", "--docker"]
