# A manifest-only connector that starts Python under a tracer, as a user that it names.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
ARG CONNECTOR_NAME
WORKDIR /airbyte/integration_code
RUN mkdir -p ./source_declarative_manifest
COPY . ./
RUN cp manifest.yaml ./source_declarative_manifest/manifest.yaml
RUN if [ -f components.py ]; then cp components.py ./source_declarative_manifest/components.py; fi
USER airbyte
ENV DD_PROFILING_ENABLED="true"
ENV AIRBYTE_ENTRYPOINT="ddtrace-run python /airbyte/integration_code/main.py"
ENTRYPOINT ["ddtrace-run", "python", "/airbyte/integration_code/main.py"]
