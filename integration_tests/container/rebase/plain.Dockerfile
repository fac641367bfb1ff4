# A manifest-only connector that starts what its base starts.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
WORKDIR /airbyte/integration_code
RUN mkdir -p ./source_declarative_manifest
COPY . ./
RUN cp manifest.yaml ./source_declarative_manifest/manifest.yaml
