# Two stages: the first has the compiler, the second only what runs. Tag and digest name the same
# image: change both together.
FROM node:22.23.3-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json rolldown.config.js ./
COPY src src
COPY jobs jobs
# Without optional packages: the image has no PostgreSQL of its own, and runs no install script but ours.
RUN npm ci --ignore-scripts && npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:22.23.3-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/bundle dist/bundle
COPY package.json ./
# A file store that is configured by a relative path keeps its secrets here.
RUN mkdir .keyturn && chown node:node .keyturn
VOLUME /app/.keyturn
USER node
ENTRYPOINT ["node", "dist/bundle/main.js"]
CMD ["start", "--config", "/etc/keyturn"]
