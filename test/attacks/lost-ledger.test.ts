import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { historyOf, openWorld, type World } from '../recovery/world.ts';
import { adminOf } from '../support/admin.ts';

// Whoever may write the store, at a time when the ledger was lost or is older than the store.
let world: World;
beforeEach(async () => {
  world = await openWorld(inject('postgres'));
});
afterEach(() => world[Symbol.asyncDispose]());

async function alter(login: string, clauses: string): Promise<void> {
  await using admin = await adminOf(inject('postgres'));
  await admin.client.query(`ALTER ROLE ${quoteIdentifier(login)} ${clauses}`);
}

const standby = async () => {
  const { user } = await world.workspace.published();
  return world.workspace.logins.find((login) => login !== user) ?? '';
};

test('cannot have a lost ledger revoke a login that somebody uses: a version with any token is no rotation of ours (G2)', async () => {
  await world.rotate();
  const published = await world.workspace.published();
  const other = await standby();
  await alter(other, "LOGIN PASSWORD 'by hand'");
  await world.loseLedger();
  await world.publishByHand(published);
  expect(await world.probe()).toEqual([]);
  expect(await historyOf(world)).toEqual([]);
  expect(await world.canLogIn(other)).toBe(true);
  await world.workspace.logIn({ user: other, password: 'by hand' });
});

test('cannot put off the next slot by writing what works again and again', async () => {
  await world.rotate();
  const published = await world.workspace.published();
  const { lastAskedAt } = await world.ledger((ledger) => ledger.timing('app'));
  for (let written = 0; written < 2; written += 1) {
    await world.publishByHand(published);
    expect(await world.probe()).toMatchObject([{ code: 'publication-recovered' }]);
  }
  const after = await world.ledger((ledger) => ledger.timing('app'));
  const [, , first] = await historyOf(world);
  expect(first?.status).toBe('done');
  // By when the one that the ledger knows was done, not by what was written since.
  expect(Number(after.lastAskedAt) - Number(lastAskedAt)).toBeLessThan(60_000);
  expect(Number(after.lastAskedAt)).toBe(Date.parse(String(first?.finishedAt)));
});

test('cannot have restore set a password of theirs by making our version the one before (G3, G7)', async () => {
  await world.rotate();
  const { user } = await world.workspace.published();
  const theirs = { user, password: 'chosen-by-somebody' };
  await world.publishByHand(theirs);
  await world.probe();
  await world.probe();
  expect(await world.run('restore', 'app', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('keyturn did not write'),
  });
  await expect(world.workspace.logIn(theirs)).rejects.toThrow();
  expect((await historyOf(world)).map(({ requestedBy }) => requestedBy)).not.toContain('recovery');
});
