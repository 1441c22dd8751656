import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type FlakyProxy, startFlakyProxy, startStallingProxy } from '../support/flaky-proxy.ts';
import { keyturn } from '../support/keyturn.ts';
import { freePort } from '../support/postgres-server.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

// The table "How long a command waits" in docs/waiting.md, in milliseconds, and what a busy machine adds.
const PATIENCE_MS = 90_000;
const SLACK_MS = 30_000;

const redis = inject('redis');

/** Commands that end by themselves. */
const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['history'],
  ['plan', 'app'],
  ['schedule', 'app'],
  ['url', 'app'],
  ['pause', 'app'],
  ['rotate', 'app'],
  ['rotate', 'app', '--wait', '--timeout', '5s'],
  ['rotate', 'app', '--inline', '--timeout', '5s'],
  ['cancel', 'app'],
  ['doctor'],
];

interface State {
  /** What stands in for the server, and the configuration that points there. */
  break(workspace: Workspace): Promise<FlakyProxy | undefined>;
  readonly needs?: 'redis';
  /** What somebody is told. */
  readonly tells: RegExp;
}

const at = (url: string, port: number) => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};
const placeOf = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port || 6379) });
const NOWHERE = { host: '127.0.0.1', port: 1 };

const STATES: Readonly<Record<string, State>> = {
  'the state database is away': {
    async break(workspace) {
      await workspace.configure(scheduled(workspace), { state: at(workspace.stateUrl, await freePort()) });
      return undefined;
    },
    tells: /ECONNREFUSED/,
  },
  'the state database accepts and never answers': {
    async break(workspace) {
      const hole = await startStallingProxy(NOWHERE, 0);
      await workspace.configure(scheduled(workspace), { state: at(workspace.stateUrl, hole.port) });
      return hole;
    },
    tells: /timeout/,
  },
  'the state database falls silent in the middle': {
    async break(workspace) {
      const hole = await startStallingProxy(placeOf(workspace.stateUrl), 2 * COMMANDS.length);
      await workspace.configure(scheduled(workspace), { state: at(workspace.stateUrl, hole.port) });
      return hole;
    },
    tells: /timeout|does not answer/,
  },
  'the state database cuts connections': {
    async break(workspace) {
      const proxy = await startFlakyProxy(placeOf(workspace.stateUrl), 12);
      await workspace.configure(scheduled(workspace), { state: at(workspace.stateUrl, proxy.port) });
      return proxy;
    },
    tells: /terminated|ECONNRESET/,
  },
  'Redis is away': {
    needs: 'redis',
    async break(workspace) {
      await workspace.configure(scheduled(workspace), { redis: at(String(redis), await freePort()) });
      return undefined;
    },
    tells: /The queue on .*ECONNREFUSED/,
  },
  'Redis accepts and never answers': {
    needs: 'redis',
    async break(workspace) {
      const hole = await startStallingProxy(NOWHERE, 0);
      await workspace.configure(scheduled(workspace), { redis: at(String(redis), hole.port) });
      return hole;
    },
    tells: /The queue on .*does not answer/,
  },
  'the target accepts and never answers': {
    async break(workspace) {
      const hole = await startStallingProxy(NOWHERE, 0);
      await workspace.configure(scheduled(workspace), { connection: { port: hole.port } });
      return hole;
    },
    tells: /timeout/,
  },
  'the store accepts and never answers': {
    async break(workspace) {
      const hole = await startStallingProxy(NOWHERE, 0);
      const endpoint = `http://127.0.0.1:${hole.port}`;
      await workspace.configure(
        scheduled(workspace)
          .replace(
            '{ type: file, path: secrets }',
            `{ type: aws-secrets-manager, region: eu-central-1, endpoint: "${endpoint}" }`,
          )
          .replace('create: true, ', ''),
      );
      return hole;
    },
    tells: /timed? ?out/i,
  },
};

const scheduled = ({ logins }: Workspace) => filePolicy(logins, '    schedule: { every: 30d }\n');

describe.each(Object.entries(STATES))('While %s', (_name, state) => {
  const it = test.skipIf(state.needs === 'redis' && redis === undefined);
  let workspace: Workspace;
  let broken: FlakyProxy | undefined;
  beforeAll(async () => {
    workspace = await openWorkspace(inject('postgres'));
    await workspace.configure(scheduled(workspace));
    await keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder });
    broken = await state.break(workspace);
  });
  afterAll(async () => {
    await broken?.[Symbol.asyncDispose]();
    await workspace[Symbol.asyncDispose]();
  });

  it('no command waits longer than its patience, and somebody is told why (G5, G6)', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const ended = await Promise.all(
      COMMANDS.map(async (args) => {
        const began = performance.now();
        const { stdout, stderr } = await keyturn(args, { cwd: workspace.folder, env });
        return { args: args.join(' '), took: performance.now() - began, told: stdout + stderr };
      }),
    );
    for (const { args, took } of ended) {
      expect(took, args).toBeLessThan(PATIENCE_MS + SLACK_MS);
    }
    expect(ended.map(({ told }) => told).join('\n')).toMatch(state.tells);
  }, 300_000);
});
