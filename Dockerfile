# docker build -t stripegym . && docker run --rm -p 12111:12111 stripegym
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /src
COPY . .
RUN cargo build --release --locked
FROM alpine:3.22
COPY --from=build /src/target/release/stripegym /usr/local/bin/
WORKDIR /data
ENTRYPOINT ["stripegym"]
CMD ["sandbox", "--bind", "0.0.0.0", "--port", "12111"]
