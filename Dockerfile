# One image for both sides: what they are is their command (docker-compose.yml). Installed and compiled, as in
# any checkout, in a first stage; the second has the compiled files and the packages that they need at run time.

FROM node:22-slim AS build
WORKDIR /app
COPY . .
RUN node setup.mjs && npm prune --omit=dev && rm -rf dist/test dist/bench

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A new named volume takes the owner of the folder that it is mounted on.
RUN mkdir -p /var/lib/colo && chown node:node /var/lib/colo
USER node
VOLUME /var/lib/colo
ENTRYPOINT ["node", "dist/bin/colo.cjs"]
CMD ["--help"]
