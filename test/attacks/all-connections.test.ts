import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/facts/fault.ts';
import type { Credential } from '../../src/formats/told-by.ts';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { openBarePolicy } from '../support/bare-policy.ts';
import { haveOlderVersions, startPostgres } from '../support/postgres-server.ts';
import type { Scenario } from '../support/scenario.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/**
 * Somebody with a leaked password, who holds every connection there is and comes back soon when one
 * is ended.
 */
async function takeAll(scenario: Scenario, leaked: Credential): Promise<{ held(): number }> {
  const held = new Set<pg.Client>();
  const attack = { on: true };
  async function hold(): Promise<void> {
    while (attack.on) {
      const { user: _, ...place } = scenario.connection;
      const client = new pg.Client(
        clientOptions({ ...place, user: leaked.username, password: leaked.password }),
      );
      const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
      client.on('error', () => {});
      try {
        await client.connect();
        held.add(client);
        if (!attack.on) await client.end();
        await gone;
      } catch {
        // Refused, since all are taken.
      }
      held.delete(client);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  const holders = Array.from({ length: 20 }, hold);
  closers.push(async () => {
    attack.on = false;
    for (const client of held) await client.end();
    await Promise.all(holders);
  });
  await expect.poll(() => held.size).toBeGreaterThan(10);
  await expect.poll(() => whyRefused(() => scenario.logIn(leaked))).toBe('connections-exhausted');
  return { held: () => held.size };
}

async function whyRefused(logIn: () => Promise<AsyncDisposable>): Promise<string> {
  try {
    await (await logIn())[Symbol.asyncDispose]();
    return 'let in';
  } catch (error) {
    return (error as Fault).fact.code;
  }
}

/**
 * A policy with a rotator that has just what keyturn prints, and its published login, on a server
 * with 20 connections.
 */
async function prepare(server: Awaited<ReturnType<typeof startPostgres>>) {
  closers.push(() => server[Symbol.asyncDispose]() as Promise<void>);
  const bare = await openBarePolicy(server);
  closers.push(() => bare[Symbol.asyncDispose]() as Promise<void>);
  await bare.create();
  const { scenario } = bare;
  expect(await scenario.finish(await scenario.request('first'))).toEqual({ status: 'done' });
  return { scenario, leaked: await scenario.published() };
}

describe('A leaked login takes all connections of the server:', () => {
  test('G2: an emergency gets in by those that are reserved, and shuts the login out', async () => {
    // 18 for everybody. The ledger of a test is on the same server, and a superuser's.
    const server = await startPostgres({
      settings: {
        max_connections: '30',
        superuser_reserved_connections: '6',
        reserved_connections: '6',
      },
    });
    const { scenario, leaked } = await prepare(server);
    const attack = await takeAll(scenario, leaked);
    expect(await scenario.finish(await scenario.request('emergency'))).toEqual({ status: 'done' });
    expect((await scenario.published()).username).not.toBe(leaked.username);
    await expect(scenario.logIn(leaked)).rejects.toMatchObject({
      fact: { code: 'login-refused' },
    });
    await expect.poll(attack.held).toBe(0);
    // Attempts of the leaked login still come in, each of which takes a connection for a moment.
    const published = await scenario.published();
    await expect.poll(() => whyRefused(() => scenario.logIn(published))).toBe('let in');
  });

  test.skipIf(!haveOlderVersions)(
    'where no connection is reserved, the rotation is tried again, and says what there is to do',
    async () => {
      const server = await startPostgres({ version: 14, settings: { max_connections: '20' } });
      const { scenario, leaked } = await prepare(server);
      await takeAll(scenario, leaked);
      // A session that was still closing may have given its place away.
      const refused = () => whyRefused(() => connect(scenario.connection));
      await expect.poll(refused).toBe('connections-exhausted');
      expect(await scenario.run(await scenario.request('emergency'))).toMatchObject({
        status: 'retrying',
        error: {
          fact: {
            code: 'connections-exhausted',
            params: { place: expect.stringContaining(`/${scenario.connection.database}`) },
          },
        },
      });
    },
  );
});
