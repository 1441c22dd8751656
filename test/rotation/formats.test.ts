import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { proofFindings } from '../../src/doctor/proof-findings.ts';
import { storeFindings } from '../../src/doctor/store-findings.ts';
import { READABLE_FORMATS } from '../../src/formats/formats.ts';
import { credentialIn } from '../../src/formats/told-by.ts';
import { probePublished } from '../../src/rotation/proof/probe.ts';
import { policyStatus } from '../../src/rotation/status.ts';
import { draining } from '../support/draining.ts';
import { havePgBouncer } from '../support/pgbouncer.ts';
import { logInByPsql, PSQL } from '../support/programs.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';
import { eventually, openUserlistPgBouncer, type UserlistPgBouncer } from '../support/userlist-pgbouncer.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

async function rotate(of: Scenario): Promise<string> {
  const rotation = await of.request();
  expect(await of.finish(rotation)).toEqual({ status: 'done' });
  return rotation.id;
}

describe.each(READABLE_FORMATS)('A primary that maps nothing but %s', (field) => {
  beforeEach(() => {
    const secrets = { [field]: { secret: `app/${field}` } };
    const [primary] = scenario.destinations;
    scenario = scenario.with({ destinations: [{ ...primary, secrets }] });
  });

  test('is rotated again and again, and what it publishes logs in (G1)', async () => {
    const seen: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await rotate(scenario);
      const published = await scenario.published();
      await (await scenario.logIn(published))[Symbol.asyncDispose]();
      seen.push(published.username);
    }
    const [one, two] = scenario.policy.logins;
    expect(new Set(seen)).toEqual(new Set([one, two]));
    expect(seen[0]).toBe(seen[2]);
    await using view = scenario.preview();
    expect(await probePublished(view)).toEqual({ state: 'works' });
    expect((await proofFindings(view)).map(({ level }) => level)).toEqual(['ok']);
    expect((await storeFindings(view)).map(({ level }) => level)).toEqual(['ok']);
  });

  test('gives a staged password back after a crash, so there is one password only (G4)', async () => {
    const [primary] = scenario.destinations;
    const { secrets, store: real } = primary;
    let stops = true;
    const store = storeWith(real, {
      async promote(...given) {
        if (stops) throw new Error('killed');
        await real.promote(...given);
      },
    });
    scenario = scenario.with({ destinations: [{ ...primary, store }] });
    const rotation = await scenario.request();
    await scenario.run(rotation);
    const staged = credentialIn((await store.read(secrets, 'pending'))?.fields ?? {});
    expect(staged?.username).toBeDefined();
    stops = false;
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    expect(await scenario.published()).toEqual(staged);
  });
});

test('a destination with every field is read back whole, and status tells who is published', async () => {
  const fields = ['url', 'service', 'pgpass', 'env', 'userlist', 'username', 'password'];
  const secrets = Object.fromEntries(fields.map((field) => [field, { secret: 'other/all', key: field }]));
  const [primary] = scenario.destinations;
  const both = scenario.with({ destinations: [primary, { ...primary, name: 'files (2)', secrets }] });
  await rotate(both);
  await using view = both.preview();
  const status = await policyStatus(both.policy, undefined, {
    timing: { pausedAt: null } as Parameters<typeof policyStatus>[2]['timing'],
    context: view,
  });
  expect(status.active).toBe((await both.published()).username);
});

describe('A userlist', () => {
  let pooled: UserlistPgBouncer;
  beforeEach(async () => {
    pooled = await openUserlistPgBouncer(scenario);
    const [primary] = scenario.destinations;
    const secrets = { userlist: { secret: 'pool/userlist.txt' } };
    const pool = { name: 'pool (2)', store: pooled.store, create: true, secrets };
    scenario = scenario.with({ destinations: [primary, pool] });
  });
  afterEach(() => pooled[Symbol.asyncDispose]());

  const list = async () =>
    (await pooled.store.read({ userlist: { secret: 'pool/userlist.txt' } }, 'current'))?.fields.userlist ??
    '';
  const verifierOf = async (login: string) =>
    (await scenario.admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [login])).rows[0]
      .rolpassword;

  test('has the very verifier that PostgreSQL has, however often it is set (G4)', async () => {
    await rotate(scenario);
    const { username } = await scenario.published();
    const verifier = await verifierOf(username);
    expect(await list()).toBe(`"${username}" "${verifier}"\n`);
    const rotation = await rotate(scenario);
    const next = await scenario.published();
    expect(await list()).toBe(
      `"${next.username}" "${await verifierOf(next.username)}"\n"${username}" "${verifier}"\n`,
    );
    expect((await scenario.ledger.find(rotation))?.status).toBe('done');
  });

  test('is judged by the doctor against the primary, since nobody logs in with a verifier', async () => {
    await rotate(scenario);
    {
      await using view = scenario.preview();
      expect((await proofFindings(view)).map(({ fact: { code } }) => code)).toEqual([
        'published-logs-in',
        'published-verifier-fits',
      ]);
    }
    const [primary, pool] = scenario.destinations;
    const alone = scenario.with({ destinations: [primary] });
    await rotate(alone);
    await using view = scenario.with({ destinations: [primary, pool as typeof primary] }).preview();
    expect((await proofFindings(view)).map(({ level, fact: { code } }) => [level, code])).toEqual([
      ['ok', 'published-logs-in'],
      ['fail', 'published-verifier-differs'],
    ]);
    // The remedy.
    await rotate(scenario);
    await using rotated = scenario.preview();
    expect((await proofFindings(rotated)).map(({ level }) => level)).toEqual(['ok', 'ok']);
  });

  test('of an emergency has no line for the leaked login', async () => {
    await rotate(scenario);
    const rotation = await scenario.request('emergency');
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    const { username } = await scenario.published();
    expect(await list()).toBe(`"${username}" "${await verifierOf(username)}"\n`);
  });

  test.skipIf(!havePgBouncer)(
    'lets consumers through a PgBouncer that reloads it, and the old login during the grace (G1)',
    async () => {
      await rotate(scenario);
      const logIn = async (credential: { username: string; password: string }) => {
        const at = { host: '127.0.0.1', port: pooled.port, database: scenario.connection.database };
        const user = { user: credential.username, password: credential.password };
        const client = new pg.Client({ ...at, ...user });
        try {
          await client.connect();
          return (await client.query('SELECT session_user AS name')).rows[0].name;
        } finally {
          await client.end();
        }
      };
      await pooled.start();
      const old = await scenario.published();
      expect(await logIn(old)).toBe(old.username);
      const slow = draining(scenario, { grace: 60_000 });
      const rotation = await slow.request();
      expect(await slow.run(rotation)).toHaveProperty('until');
      const fresh = await scenario.published();
      expect(fresh.username).not.toBe(old.username);
      expect(await logIn(old)).toBe(old.username);
      pooled.reload();
      expect(await eventually(() => logIn(fresh))).toBe(fresh.username);
      expect(await logIn(old)).toBe(old.username);
    },
  );
});

describe.skipIf(PSQL === undefined)('With the name of its service alone', () => {
  const file = 'app/pg_service.conf';

  test.each([undefined, 'Orders.db'])('psql follows rotations (G1), service %s', async (service) => {
    const [primary] = scenario.destinations;
    const secrets = { service: { secret: file } };
    const format = service === undefined ? {} : { format: { service } };
    scenario = scenario.with({ destinations: [{ ...primary, secrets, ...format }] });
    const env = {
      PGSERVICEFILE: `${scenario.folder}/${file}`,
      PGSERVICE: service ?? scenario.policy.name,
    };
    for (let count = 0; count < 2; count += 1) {
      await rotate(scenario);
      expect(await logInByPsql(env)).toEqual([
        (await scenario.published()).username,
        scenario.connection.database,
      ]);
    }
  });
});
