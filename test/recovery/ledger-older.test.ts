import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { row } from './rows.ts';
import { expectWhole, historyOf, openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld(inject('postgres'));
});
afterEach(() => world[Symbol.asyncDispose]());

test.each([1, 2, 3])(
  'ledger older by some rotations (%i): what is published is gone on from without --adopt, and the log says once what is lost (G1)',
  async (count) => {
    row('ledger older by some rotations');
    const known = await world.rotate();
    const backup = await world.backUpLedger();
    let id = '';
    for (let made = 0; made < count; made += 1) id = await world.rotate();
    await backup.restore();
    const params = { version: id, last: { rotation: known } };
    expect(await world.probe()).toMatchObject([{ code: 'publication-recovered', params }]);
    expect(await world.probe()).toEqual([]);
    expect(await historyOf(world)).toMatchObject([
      { rotation: id, status: 'done', requestedBy: 'recovery' },
      { rotation: known },
    ]);
    await expectWhole(world);
    const [next] = await historyOf(world);
    expect(next?.warnings).toEqual([]);
  },
);

test('ledger older by some rotations: a rotation that comes before any probe goes on, too, with a warning (G1)', async () => {
  row('ledger older by some rotations');
  await world.rotate();
  const backup = await world.backUpLedger();
  await world.rotate();
  await backup.restore();
  // There is nothing to restore, whatever the ledger knows.
  expect(await world.run('restore', 'app', '--yes')).toMatchObject({ code: 0 });
  await expectWhole(world);
  expect((await historyOf(world))[0]?.warnings).toMatchObject([
    { code: 'outside-change', params: { found: { code: 'primary-changed' }, adopted: false } },
  ]);
});

test('ledger older than a rotation that drains: that goes on, and revokes only when nobody is left (G1, G2, G4)', async () => {
  row('ledger older than a rotation that drains');
  const known = await world.rotate();
  const backup = await world.backUpLedger();
  const old = await world.workspace.published();
  const session = await world.connect(old);
  const id = await world.stopAfter('drain');
  const published = await world.workspace.published();
  await backup.restore();

  expect(await world.probe()).toMatchObject([
    {
      code: 'rotation-recovered',
      params: { version: id, outgoing: old.user, last: { rotation: known } },
    },
  ]);
  expect((await world.run('status', 'app')).stdout).toMatch(/rotating|draining/);
  expect(await world.canLogIn(old.user)).toBe(true);
  const running = world.run('rotate', 'app', '--inline');
  await expect.poll(async () => (await world.run('status', 'app', '--json')).stdout).toContain('"draining"');
  expect(await world.canLogIn(old.user)).toBe(true);
  expect(await world.workspace.published()).toEqual(published);
  await session[Symbol.asyncDispose]();
  // The one that was asked for follows it.
  expect(await running).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`goes on with rotation ${id}`),
  });
  const [, recovered] = await historyOf(world);
  expect(recovered).toMatchObject({
    rotation: id,
    status: 'done',
    outgoing: old.user,
    warnings: [{ code: 'rotation-recovered' }],
  });
  await expect(world.workspace.logIn(old)).rejects.toThrow();
  await expectWhole(world);
});

describe('ledger older, with a rotation open that has ended since:', () => {
  test.each(
    (['stage', 'set', 'publish', 'drain'] as const).flatMap((step) =>
      [0, 1, 2].map((later) => [step, later] as const),
    ),
  )(
    'from after %s, and %i rotations later, no older password comes back, and what is published logs in (G1)',
    async (step, later) => {
      row('ledger older, with a rotation open that has ended since');
      await world.rotate();
      const before = await world.workspace.published();
      const session = step === 'drain' ? await world.connect(before) : undefined;
      await world.stopAfter(step);
      const backup = await world.backUpLedger();
      await session?.[Symbol.asyncDispose]();
      // The first one waits for the one that is open, and goes on with it.
      const retired = [before];
      for (let made = 0; made <= later; made += 1) {
        await world.rotate();
        retired.push(await world.workspace.published());
      }
      const published = retired.pop();
      await backup.restore();
      await world.workspace.logIn(published);
      const { code } = await world.run('rotate', 'app', '--inline');
      expect(code).toBe(0);
      await world.workspace.logIn();
      for (const account of retired) await expect(world.workspace.logIn(account)).rejects.toThrow();
      const passwords = retired.map(({ password }) => password);
      expect(passwords).not.toContain((await world.workspace.published()).password);
      await expectWhole(world);
    },
  );

  test('a login that consumers may still use is not shut, though the ledger has it as that of a rotation that failed (G2)', async () => {
    row('ledger older, with a rotation open that has ended since');
    await world.rotate();
    const first = await world.workspace.published();
    const [one] = [await world.connect(first)];
    const lost = await world.stopAfter('drain');
    const backup = await world.backUpLedger();
    await one[Symbol.asyncDispose]();
    expect((await world.run('rotate', 'app', '--inline')).code).toBe(0);
    const inUse = await world.workspace.published();
    // The rotation after it drains: consumers still use what the lost one published.
    await using _session = await world.connect(inUse);
    await world.stopAfter('drain');
    await backup.restore();
    const { ledger } = world;
    await world.runOpen();
    expect(await ledger((of) => of.find(lost))).toMatchObject({
      status: 'failed',
      lastFault: { code: 'publication-replaced' },
    });
    expect(await world.canLogIn(inUse.user)).toBe(true);
    await world.workspace.logIn(inUse);
    await world.workspace.logIn();
  });

  test('a version that the store kept under its token is not staged again: another rotation takes its place (G1)', async () => {
    row('ledger older, with a rotation open that has ended since');
    await world.rotate();
    const lost = await world.stopAfter('stage', 'started');
    const backup = await world.backUpLedger();
    await world.runOpen();
    const retired = await world.workspace.published();
    const version = await world.backUpVersion(lost);
    for (let made = 0; made < 3; made += 1) await world.rotate();
    await backup.restore();
    // A store that was restored from a backup may have versions at no stage.
    await version.restore();
    await world.runOpen();
    const [next, open] = await historyOf(world);
    expect(open).toMatchObject({ status: 'failed', fault: { code: 'staged-version-retired' } });
    expect(next).toMatchObject({ status: 'open' });
    await expect(world.workspace.logIn(retired)).rejects.toThrow();
    await world.runOpen();
    await expect(world.workspace.logIn(retired)).rejects.toThrow();
    await expectWhole(world);
  });
});
