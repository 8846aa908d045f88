# One image for both sides: what they are is their command (docker-compose.yml). Installed and compiled, as in
# any checkout, in a first stage; the second has the bundle, which needs no packages, and the guests.

FROM node:22-slim AS build
WORKDIR /app
COPY . .
RUN node setup.mjs

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/dist/bin ./dist/bin
COPY --from=build /app/dist/guests ./dist/guests
# A new named volume takes the owner of the folder that it is mounted on.
RUN mkdir -p /var/lib/colo && chown node:node /var/lib/colo
USER node
VOLUME /var/lib/colo
ENTRYPOINT ["node", "dist/bin/colo.cjs"]
CMD ["--help"]
