import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { filePolicy } from '../support/workspace.ts';
import { row } from './rows.ts';
import { expectWhole, historyOf, openWorld, stopOf, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld(inject('postgres'));
});
afterEach(() => world[Symbol.asyncDispose]());

test('ledger lost: what is published is gone on from, and the log says once what is lost (G1)', async () => {
  row('ledger lost');
  await world.rotate();
  const id = await world.rotate();
  await world.run('pause', 'app');
  const published = await world.workspace.published();
  await world.loseLedger();

  const said = await world.probe();
  expect(said).toMatchObject([
    { level: 40, policy: 'app', code: 'publication-recovered', params: { version: id, last: null } },
  ]);
  expect(await world.probe()).toEqual([]);
  const [recovered, ...others] = await historyOf(world);
  expect(others).toEqual([]);
  expect(recovered).toMatchObject({
    rotation: id,
    status: 'done',
    requestedBy: 'recovery',
    warnings: [{ code: 'publication-recovered' }],
  });
  expect(await world.workspace.published()).toEqual(published);
  expect(JSON.stringify([said, recovered])).not.toContain(published.password);
  // The store says when it was published, so the schedule counts from there.
  const { lastAskedAt, pausedAt } = await world.ledger((ledger) => ledger.timing('app'));
  expect(Date.now() - Number(lastAskedAt)).toBeLessThan(600_000);
  expect(pausedAt).toBeNull();
  await expectWhole(world);
});

test('ledger lost: nobody can have restore set a password of their own afterwards (G3, G7)', async () => {
  row('ledger lost');
  await world.rotate();
  await world.loseLedger();
  await world.probe();
  // Whoever may write the store publishes what they like.
  const { user } = await world.workspace.published();
  await world.publishByHand({ user, password: 'chosen-by-somebody' });
  const { code, stderr } = await world.run('restore', 'app', '--yes');
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('keyturn did not write') });
  await expect(world.workspace.logIn({ user, password: 'chosen-by-somebody' })).rejects.toThrow();
});

test.each([
  ['stage', () => row('ledger lost while a rotation was staged')],
  ['set', () => row('ledger lost after the new password was set')],
] as const)(
  'ledger lost after %s: the pending version is left alone until somebody says that it is no other installation (G1, G5)',
  async (step, rowOf) => {
    const { command } = rowOf();
    await world.rotate();
    const published = await world.workspace.published();
    await world.stopAfter(step);
    await world.loseLedger();
    expect((await world.probe()).map(({ code }) => code)).toEqual(
      step === 'stage' ? ['publication-recovered'] : [],
    );
    expect(await stopOf(world)).toContain('"pending-version-unknown"');
    expect(await world.workspace.published()).toEqual(published);
    await world.workspace.logIn();
    await world.end({ name: '', command });
    await expectWhole(world);
  },
);

test('ledger lost while one of two destinations was published: what either publishes logs in until the end (G1)', async () => {
  const half = row('ledger lost while one of two destinations was published');
  await using two = await openWorld(
    inject('postgres'),
    (logins) =>
      `${filePolicy(logins)}      - { store: files, create: true, secrets: { username: mirror/username, password: mirror/password } }\n`,
  );
  await two.rotate();
  const before = await two.workspace.published();
  const id = await two.stopAfter('verify');
  // The mirror is promoted first, and there the process dies.
  await two.promoteMirror(id);
  const after = await two.publishedIn('mirror');
  await two.loseLedger();
  expect(await two.workspace.published()).toEqual(before);
  await two.workspace.logIn(before);
  await two.workspace.logIn(after);
  await two.probe();
  expect(await stopOf(two)).toContain('"effect-goes-on"');
  await two.workspace.logIn(before);
  await two.workspace.logIn(after);
  await two.end(half);
  expect(await two.workspace.published()).toEqual(after);
  await expectWhole(two);
});

test('ledger lost while the old login drained: it is not revoked before somebody says so, and then drained (G1, G2)', async () => {
  const draining = row('ledger lost while the old login drained');
  await world.rotate();
  const old = await world.workspace.published();
  const session = await world.connect(old);
  const id = await world.stopAfter('drain');
  const published = await world.workspace.published();
  await world.loseLedger();
  expect(await world.probe()).toEqual([]);
  expect(await stopOf(world)).toContain('"publication-unfinished"');
  await world.workspace.logIn(old);
  await world.workspace.logIn();

  const ended = world.end(draining);
  // It waits for the session, as any drain does.
  await expect.poll(async () => (await world.run('status', 'app', '--json')).stdout).toContain('"draining"');
  expect(await world.canLogIn(old.user)).toBe(true);
  await session[Symbol.asyncDispose]();
  expect((await ended).stderr).toContain(`goes on with rotation ${id}`);
  expect(await world.workspace.published()).toEqual(published);
  expect(await world.canLogIn(old.user)).toBe(false);
  expect((await historyOf(world))[0]).toMatchObject({ rotation: id, status: 'done', outgoing: old.user });
  await expectWhole(world);
});

test('ledger lost before the old login was revoked: the next rotation puts its old password out of use (G1)', async () => {
  const idle = row('ledger lost before the old login was revoked, which nobody uses');
  await world.rotate();
  const old = await world.workspace.published();
  await world.stopAfter('publish');
  await world.loseLedger();
  expect(await world.probe()).toEqual([]);
  await world.workspace.logIn();
  await world.end(idle);
  await expect(world.workspace.logIn(old)).rejects.toThrow();
  await expectWhole(world);
});
