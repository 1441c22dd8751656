# Two stages: the first has the compiler, the second only what runs.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY src src
COPY jobs jobs
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY config config
# The embedded PostgreSQL and the file store, where they are used, keep their data here.
RUN mkdir .keyturn && chown node:node .keyturn
VOLUME /app/.keyturn
USER node
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["start"]
