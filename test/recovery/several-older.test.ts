import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { row } from './rows.ts';
import { expectWhole, openWorld, stopOf, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld(inject('postgres'));
});
afterEach(() => world[Symbol.asyncDispose]());

const expectBroken = async () => {
  await expect(world.workspace.logIn()).rejects.toThrow();
  await world.probe();
  expect((await world.probe()).map(({ code }) => code)).toEqual(['credential-broken']);
};
const expectRestored = async (published: unknown) => {
  expect(await world.workspace.published()).toEqual(published);
  await expectWhole(world);
};

test('target database older than the last rotation: the published password works again, and no consumer changes anything (G7)', async () => {
  const older = row('target database older than the last rotation');
  await world.rotate();
  const roles = await world.backUpRoles();
  await world.rotate();
  const published = await world.workspace.published();
  await roles.restore();
  await expectBroken();
  await world.end(older);
  await expectRestored(published);
});

test('target database older, and ledger lost: the published password works again (G7)', async () => {
  const older = row('target database older, and ledger lost');
  await world.rotate();
  const roles = await world.backUpRoles();
  await world.rotate();
  const published = await world.workspace.published();
  await roles.restore();
  await world.loseLedger();
  await expectBroken();
  await world.end(older);
  await expectRestored(published);
});

test('target database older, and ledger older: no password is set that somebody else may have chosen, and one command ends it (G1, G7)', async () => {
  const older = row('target database older, and ledger older');
  await world.rotate();
  const [roles, ledger] = [await world.backUpRoles(), await world.backUpLedger()];
  await world.rotate();
  await roles.restore();
  await ledger.restore();
  await expectBroken();
  expect(await world.run('restore', 'app', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('keyturn rotate app --adopt'),
  });
  expect(await stopOf(world)).toContain('"primary-changed-and-refused"');
  await world.end(older);
  await expectWhole(world);
});

test('ledger and store older, the ledger newer: a rotation needs no --adopt, since the version is one of its own (G1)', async () => {
  const older = row('ledger and store older, the ledger newer');
  await world.rotate();
  const retired = await world.workspace.published();
  const store = await world.backUpStore();
  await world.rotate();
  const ledger = await world.backUpLedger();
  await world.rotate();
  await store.restore();
  await ledger.restore();
  await expectBroken();
  await world.end(older);
  await expect(world.workspace.logIn(retired)).rejects.toThrow();
  await expectWhole(world);
});

test('ledger and store older, the store newer: a version that nobody knows and that is refused needs --adopt (G1, G5)', async () => {
  const older = row('ledger and store older, the store newer');
  await world.rotate();
  const ledger = await world.backUpLedger();
  await world.rotate();
  const retired = await world.workspace.published();
  const store = await world.backUpStore();
  await world.rotate();
  await ledger.restore();
  await store.restore();
  await expectBroken();
  expect(await stopOf(world)).toContain('"primary-changed-and-refused"');
  await world.end(older);
  await expect(world.workspace.logIn(retired)).rejects.toThrow();
  await expectWhole(world);
});
