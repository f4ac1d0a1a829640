# Image of the operator. Each RUN calls a script of scripts/image/, which the tests run without a container engine.
#
#   docker build -t inference-cost-operator:0.1.0 .
#
# Pin the base: take the digest that the tag stands for today, and build with it.
#   docker buildx imagetools inspect python:3.11-slim-bookworm --format '{{.Manifest.Digest}}'
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... -t inference-cost-operator:0.1.0 .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE requirements-operator.lock ./
COPY scripts/image scripts/image
COPY operator operator
RUN ["scripts/image/build_venv.sh", "/source", "/opt/inference-cost-operator"]

FROM ${PYTHON_IMAGE}
RUN --mount=type=bind,source=scripts/image,target=/image ["/image/remove_build_tools.sh", "/usr/local"]
COPY --from=build /opt/inference-cost-operator /opt/inference-cost-operator
ENV PATH=/opt/inference-cost-operator/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# Nothing is written: run it with a read-only root file system.
WORKDIR /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python", "-m", "inference_cost.control.main"]
LABEL org.opencontainers.image.title="inference-cost-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
