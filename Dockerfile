# Two stages: wheels are built in the first, the second carries no compiler, no package manager cache and no root.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY keeper keeper
COPY contracts_abi contracts_abi
RUN python -m venv /opt/keeper \
 && /opt/keeper/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/keeper/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/keeper --create-home keeper
COPY --from=build /opt/keeper /opt/keeper
ENV PATH=/opt/keeper/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER keeper
# Everything else may be read-only (docker run --read-only --tmpfs /tmp): only the journal is written.
VOLUME /var/lib/keeper
WORKDIR /var/lib/keeper
HEALTHCHECK --interval=1m --timeout=10s --start-period=2m CMD ["keeper", "health", "/etc/keeper/keeper.yaml"]
ENTRYPOINT ["keeper", "run"]
CMD ["/etc/keeper/keeper.yaml"]
