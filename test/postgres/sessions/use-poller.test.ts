import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Session } from '../../../src/postgres/connection/connect.ts';
import { usesOf } from '../../../src/postgres/sessions/sessions.ts';
import { openUsePoller, type UseSource } from '../../../src/postgres/sessions/use-poller.ts';
import { adminOf } from '../../support/admin.ts';
import { setClock } from '../../support/ledger.ts';
import { uniqueName } from '../../support/unique-name.ts';

const server = inject('postgres');

let admin: Session;
let logins: string[];
let queries: number;
let sessions: Session[];
beforeEach(async () => {
  admin = await adminOf(server);
  logins = Array.from({ length: 8 }, () => uniqueName('waited'));
  for (const login of logins) await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'waited'`);
  sessions = await Promise.all(logins.map((user) => adminOf({ ...server, user, password: 'waited' })));
  queries = 0;
});
afterEach(async () => {
  for (const session of sessions) await session[Symbol.asyncDispose]();
  for (const login of logins) await admin.client.query(`DROP ROLE ${login}`);
  await admin[Symbol.asyncDispose]();
});

/** The server, counting what it is asked. */
const source: UseSource = {
  place: 'the server',
  uses(asked) {
    queries += 1;
    return usesOf(admin.client, asked);
  },
};

async function lookAtAll(poller: ReturnType<typeof openUsePoller>): Promise<number[]> {
  const uses = await Promise.all(logins.map((login) => poller.poll([source], login, 1_000)));
  return uses.map((use) => use.sessions.length);
}

test('policies that drain on one connection are looked at by one query a poll', async () => {
  const clock = setClock(0);
  const poller = openUsePoller(clock);
  await lookAtAll(poller);
  for (let poll = 1; poll <= 3; poll += 1) {
    clock.set(poll * 2_000);
    queries = 0;
    expect(await lookAtAll(poller)).toEqual(logins.map(() => 1));
    expect(queries).toBe(1);
  }
});

test('that nobody uses a login is never taken from an earlier look (G2, G6)', async () => {
  const poller = openUsePoller(setClock(0));
  const [login = ''] = logins;
  await lookAtAll(poller);
  await sessions.shift()?.[Symbol.asyncDispose]();
  const look = (maxAge: number) => poller.poll([source], login, maxAge);
  await expect.poll(async () => (await look(-1)).sessions.length).toBe(0);
  sessions.push(await adminOf({ ...server, user: login, password: 'waited' }));
  // The clock stands still, so the zero above is as new as can be, and yet it is asked again.
  expect((await look(1_000)).sessions).toHaveLength(1);
});

test('a look that failed for one is asked again for the next', async () => {
  const poller = openUsePoller(setClock(0));
  const [login = '', other = ''] = logins;
  const failing = { ...source, uses: async () => Promise.reject(new Error('the session is gone')) };
  const first = poller.poll([failing], login, 1_000);
  const second = poller.poll([source], other, 1_000);
  await expect(first).rejects.toThrow('the session is gone');
  expect((await second).sessions).toHaveLength(1);
});

describe('a login that is waited for on two servers', () => {
  let asked: string[];
  /** A server where these logins have a session each, as the poller sees it. */
  const place = (name: string, used: () => readonly string[]): UseSource => ({
    place: name,
    async uses(waited) {
      asked.push(name);
      const sessions = (await usesOf(admin.client, waited)).entries();
      return new Map(
        [...sessions].map(([login, use]) => [
          login,
          used().includes(login) ? use : { sessions: [], prepared: [] },
        ]),
      );
    },
  });
  beforeEach(() => {
    asked = [];
  });

  test('is one query to each of them a poll, for all who wait, though on one nobody is', async () => {
    const clock = setClock(0);
    const poller = openUsePoller(clock);
    const sources = [place('primary', () => logins), place('replica', () => [])];
    const lookAround = () => Promise.all(logins.map((login) => poller.poll(sources, login, 1_000)));
    await lookAround();
    for (let poll = 1; poll <= 3; poll += 1) {
      clock.set(poll * 2_000);
      asked = [];
      expect((await lookAround()).map((use) => use.sessions.length)).toEqual(logins.map(() => 1));
      expect(asked).toEqual(['primary', 'replica']);
    }
  });

  test('is used by nobody only when both say so now (G2, G6)', async () => {
    const [login = ''] = logins;
    const poller = openUsePoller(setClock(0));
    let here: string[] = [login];
    let there: string[] = [];
    const sources = [place('primary', () => here), place('replica', () => there)];
    const look = async () => (await poller.poll(sources, login, 1_000)).sessions.length;
    expect(await look()).toBe(1);
    [here, there] = [[], [login]];
    await poller.poll(sources.slice(0, 1), login, -1);
    // The clock stands still: of both servers nobody was seen last, and neither is taken at its
    // word.
    expect(await look()).toBe(1);
    there = [];
    await poller.poll(sources.slice(1), login, -1);
    expect(await look()).toBe(0);
    const failing = { ...sources[1], uses: () => Promise.reject(new Error('gone')) } as UseSource;
    await expect(poller.poll([...sources.slice(0, 1), failing], login, 1_000)).rejects.toThrow('gone');
  });
});
