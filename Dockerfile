# The image is the program, the libraries that it is linked with, and a folder for its data: no
# shell, no package manager. Run it with
#   docker run -p 8000:8000 -v parlor:/data -e PARLOR_PUBLIC_URL=https://chat.example.org parlor
# `cargo xtask image` replays these steps where there is no Docker; the last stage is therefore only
# made of copies, and the paths of the other stages' commands are relative.

FROM node:22-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=web /src/web/dist web/dist
RUN PARLOR_REQUIRE_WEB=1 cargo build --locked --release --package parlor-server --bin parlor
RUN mkdir -p empty image/etc image/usr/bin \
    && install --strip target/release/parlor image/usr/bin/parlor \
    && for library in $(ldd target/release/parlor | grep -o '/[^ ]*'); do \
           install -D "$library" "image$library" || exit 1; \
       done \
    && echo 'hosts: files dns' > image/etc/nsswitch.conf

FROM scratch
COPY --from=build /src/image /
# A new volume takes over who owns the folder.
COPY --from=build --chown=10001:10001 /src/empty /data
USER 10001:10001
WORKDIR /data
# Nothing but the volume can be written to, so what SQLite puts aside goes there, too.
ENV PARLOR_LISTEN=0.0.0.0:8000 PARLOR_DATA_DIR=/data TMPDIR=/data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/bin/parlor", "health"]
ENTRYPOINT ["/usr/bin/parlor"]
CMD ["serve"]
