import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { LoginsPolicy } from '../../src/config/policy.ts';
import type { Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';
import { draining } from '../support/draining.ts';
import { openTestLedger, shiftedClock } from '../support/ledger.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type Probing, probing } from '../support/probing.ts';
import { startReplica } from '../support/replica.ts';
import type { Scenario, ServerAddress } from '../support/scenario.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

// Each way to break what is published, on the oldest and the newest server, at rest and while a rotation drains: it is
// noticed within two looks, and the same password works again, for consumers that do nothing but try again.

const run = promisify(execFile);

const PROBE_MS = 900_000;
const LOOK_MS = 60_000;

type Credential = Awaited<ReturnType<Scenario['published']>>;
type Depth = 'look' | 'probe';

/** A way to break a login, by an administrator's statements, and which depth can see it. */
const BY_HAND: readonly [string, Depth, (login: string, bare: BarePolicy) => string][] = [
  ['DROP ROLE', 'look', (login) => `DROP OWNED BY ${login}; DROP ROLE ${login}`],
  ['RENAME', 'look', (login) => `ALTER ROLE ${login} RENAME TO ${login.slice(0, -1)}_old"`],
  ['another password', 'probe', (login) => `ALTER ROLE ${login} PASSWORD 'another'`],
  ['NOLOGIN', 'look', (login) => `ALTER ROLE ${login} NOLOGIN`],
  ['VALID UNTIL', 'look', (login) => `ALTER ROLE ${login} VALID UNTIL '2020-01-01'`],
  ['CONNECTION LIMIT 0', 'look', (login) => `ALTER ROLE ${login} CONNECTION LIMIT 0`],
  [
    'REVOKE CONNECT',
    'look',
    (login, { owner, scenario, rotator }) => {
      const database = quoteIdentifier(scenario.connection.database);
      return `REVOKE CONNECT ON DATABASE ${database} FROM ${rotator} CASCADE;
        GRANT CONNECT ON DATABASE ${database} TO ${rotator} WITH GRANT OPTION;
        REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC, ${login}, ${owner}`;
    },
  ],
];

/** What each case took, for the last line of the file. */
const measured: string[] = [];
afterAll(() => {
  if (measured.length > 0) process.stdout.write(`consumers were in again after:\n${measured.join('\n')}\n`);
});

/** A policy whose first rotation is done, and the probes of a worker. */
interface Watched extends AsyncDisposable {
  readonly bare: BarePolicy;
  readonly scenario: Scenario;
  readonly worker: Probing;
  heal(how: LoginsPolicy['heal']): void;
  isBroken(): Promise<boolean>;
  /** The events that say whether its credential works, oldest first. */
  told(): Promise<readonly string[]>;
}

async function openWatched(server: ServerAddress): Promise<Watched> {
  const clock = shiftedClock();
  const kept = await openTestLedger(inject('postgres'), clock);
  const bare = await openBarePolicy(server, { ledger: kept.ledger });
  await bare.create();
  const scenario = draining(bare.scenario.with({ clock }), { timeout: 6 * 3_600_000 });
  await rotated(scenario);
  const policy = { ...scenario.policy, probe: { every: PROBE_MS } };
  let configured = new Map([[policy.name, policy]]);
  const worker = probing(scenario, { ledger: kept.ledger, clock, policies: () => configured });
  await worker.later(0);
  await worker.later(PROBE_MS);
  return {
    bare,
    scenario,
    worker,
    heal(how) {
      configured = new Map([[policy.name, { ...policy, heal: how }]]);
    },
    isBroken: async () => (await kept.ledger.probes.broken([policy.name])).size > 0,
    async told() {
      const events = await kept.ledger.outbox.latest({ policy: policy.name, limit: 1_000 });
      const types = events.map(({ type }) => type);
      return types.filter((type) => /^credential\.(broken|restored)$/.test(type)).toReversed();
    },
    async [Symbol.asyncDispose]() {
      await bare[Symbol.asyncDispose]();
      await kept[Symbol.asyncDispose]();
    },
  };
}

async function rotated(scenario: Scenario): Promise<void> {
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
}

/** A rotation that has published, and waits for a session of the outgoing login. */
async function openDrain(scenario: Scenario): Promise<{ finish(): Promise<void> }> {
  const session: Session = await scenario.logIn(await scenario.published());
  const rotation = await scenario.request();
  expect(await scenario.run(rotation)).toMatchObject({ fact: { code: 'drain-waiting-for-sessions' } });
  return {
    async finish() {
      await session[Symbol.asyncDispose]();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    },
  };
}

/** Who makes it work again: somebody, by the command, or the worker itself. */
const BY = ['restore', 'heal'] as const;

/** A consumer that only tries again, with what it has. */
function retrying(scenario: Scenario, credential: Credential): Promise<void> {
  return (async () => {
    for (;;) {
      try {
        return await (await scenario.logIn(credential))[Symbol.asyncDispose]();
      } catch {
        await sleep(20);
      }
    }
  })();
}

/** What is broken becomes `broken` within two looks of a depth, and works again. */
async function expectRestored(
  { bare, scenario, worker, heal, isBroken, told }: Watched,
  { name, depth, by }: { readonly name: string; readonly depth: Depth; readonly by: (typeof BY)[number] },
): Promise<void> {
  const credential = await scenario.published();
  await expect(scenario.logIn(credential)).rejects.toThrow();
  const before = worker.codes().length;
  const toldBefore = (await told()).length;
  heal(by === 'heal' ? 'restore' : 'alert');
  const broken = performance.now();
  const consumer = retrying(scenario, credential);
  const every = depth === 'look' ? LOOK_MS : PROBE_MS;
  await worker.later(every);
  expect(worker.codes().slice(before)).toEqual([]);
  await worker.later(every);
  if (by === 'restore') {
    expect(await isBroken()).toBe(true);
    await bare.restore();
  }
  await consumer;
  const ms = Math.round(performance.now() - broken);
  measured.push(`${name}, ${by}: two looks of ${every / 1_000} s, and ${ms} ms`);
  await worker.later(LOOK_MS);
  expect(await isBroken()).toBe(false);
  expect(await scenario.published()).toEqual(credential);
  expect(worker.codes().slice(before, before + 2)).toEqual(
    by === 'heal' ? ['credential-broken', 'credential-healed'] : ['credential-broken'],
  );
  expect((await told()).slice(toldBefore)).toEqual(['credential.broken', 'credential.restored']);
  expect(JSON.stringify(worker.said)).not.toContain(credential.password);
}

const VERSIONS = [...(haveOlderVersions ? ([14] as const) : []), 18] as const;
const SITUATIONS = ['at rest', 'while draining'] as const;

describe.each(VERSIONS)('on PostgreSQL %i', (version) => {
  const start = () => startPostgres(version === 18 ? {} : { version });
  const name = (way: string, when: string) => `PostgreSQL ${version}, ${way}, ${when}`;

  let server: PostgresServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  describe.each(SITUATIONS)('%s', (when) => {
    let watched: Watched;
    beforeAll(async () => {
      watched = await openWatched(server);
    });
    afterAll(() => watched?.[Symbol.asyncDispose]());

    test.each(BY_HAND)(
      '%s is noticed, and the same password works again (G7)',
      async (way, depth, statements) => {
        const { bare, scenario } = watched;
        const drain = when === 'at rest' ? undefined : await openDrain(scenario);
        const { username } = await scenario.published();
        for (const by of BY) {
          await bare.admin.query(statements(quoteIdentifier(username), bare));
          await expectRestored(watched, { name: name(way, when), depth, by });
          await bare.admin.query(
            `DROP ROLE IF EXISTS "${username}_old";
           GRANT CONNECT ON DATABASE ${quoteIdentifier(scenario.connection.database)} TO PUBLIC`,
          );
        }
        await drain?.finish();
        if (!drain) await rotated(scenario);
      },
    );
  });

  const cases = SITUATIONS.flatMap((when) => BY.map((by) => [when, by] as const));

  describe.each(cases)('%s, by %s', (when, by) => {
    test('a failover to a replica that lacks the last change is noticed, and the same password works again (G7)', async () => {
      await using primary = await start();
      await using replica = await startReplica(primary);
      const target = { host: primary.host, port: primary.port };
      await using proxy = await startTcpProxy(target);
      await using watched = await openWatched({ ...primary, port: proxy.port });
      const { scenario } = watched;
      await replica.catchUp();
      await replica.stop('fast');
      const drain = when === 'at rest' ? await rotated(scenario) : await openDrain(scenario);
      await primary.stop('immediate');
      await replica.start();
      await replica.promote();
      target.port = replica.port;
      await expectRestored(watched, { name: name('failover', when), depth: 'look', by });
      await drain?.finish();
      await rotated(scenario);
    });

    test('a restored base backup is noticed, and the same password works again (G7)', async () => {
      await using server = await start();
      await using watched = await openWatched(server);
      const { scenario } = watched;
      const { data } = server.server;
      // A copy of a server that is shut down is a base backup.
      await server.stop('fast');
      await run('cp', ['-a', data, `${data}-backup`]);
      await server.start();
      const drain = when === 'at rest' ? await rotated(scenario) : await openDrain(scenario);
      await server.stop('immediate');
      await rm(data, { recursive: true });
      await run('cp', ['-a', `${data}-backup`, data]);
      await server.start();
      await expectRestored(watched, { name: name('base backup', when), depth: 'look', by });
      await drain?.finish();
      await rotated(scenario);
    });
  });
});
