# A manifest-only connector that starts Python itself, by a path that holds in one folder only.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
WORKDIR /airbyte/integration_code
RUN mkdir -p ./source_declarative_manifest
COPY . ./
RUN cp manifest.yaml ./source_declarative_manifest/manifest.yaml
RUN if [ -f components.py ]; then cp components.py ./source_declarative_manifest/components.py; fi
ENV AIRBYTE_ENTRYPOINT="python ./main.py"
ENTRYPOINT ["python", "./main.py"]
