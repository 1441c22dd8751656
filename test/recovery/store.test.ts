import {
  DeleteSecretCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { openScenario } from '../support/scenario.ts';
import { SECRET_PLACES } from '../support/secret-places.ts';
import { row } from './rows.ts';
import { expectWhole, historyOf, openWorld, stopOf, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld(inject('postgres'));
});
afterEach(() => world[Symbol.asyncDispose]());

test('store lost: status says so and exits with 1, and one command publishes again without cutting a session (G1, G6)', async () => {
  const lost = row('store lost');
  await world.rotate();
  const { user } = await world.workspace.published();
  await world.loseStore();
  const status = await world.run('status', 'app', '--json');
  expect(status.code).toBe(1);
  expect(JSON.parse(status.stdout)).toMatchObject([
    { state: 'broken', active: null, fault: { code: 'publication-gone' } },
  ]);
  expect((await world.run('restore', 'app')).stderr).toContain('keyturn rotate app --adopt');
  expect(await stopOf(world)).toContain('"primary-emptied"');
  expect(await world.canLogIn(user)).toBe(true);
  await world.end(lost);
  await expectWhole(world);
});

test.skipIf(inject('aws') === undefined)(
  'AWS secret marked for deletion: nothing is done until it is there again, with the same password (G1, G5)',
  async () => {
    row('AWS secret marked for deletion');
    const [, open] = SECRET_PLACES[1];
    const place = open();
    const opened = await openScenario(inject('postgres'));
    const destination = { name: 'primary', store: place.store, create: true, secrets: place.secrets };
    const scenario = opened.with({ destinations: [destination] });
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    const published = await scenario.published();
    const client = new SecretsManagerClient({ region: 'eu-central-1', endpoint: String(inject('aws')) });
    const SecretId = place.secrets.password.secret;
    await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    expect(await scenario.finish(await scenario.request())).toMatchObject({
      status: 'failed',
      error: { fact: { code: 'secret-deleted', params: { secret: SecretId } } },
    });
    await client.send(new RestoreSecretCommand({ SecretId }));
    expect(await scenario.published()).toEqual(published);
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    client.destroy();
    await place.close();
    await scenario[Symbol.asyncDispose]();
  },
);

test('store and ledger lost: a rotation begins as the first one, and a login in use drains (G1, G2)', async () => {
  const both = row('store and ledger lost');
  await world.rotate();
  const old = await world.workspace.published();
  const session = await world.connect(old);
  await world.loseStore();
  await world.loseLedger();
  const ended = world.end(both);
  await expect.poll(async () => (await world.run('status', 'app', '--json')).stdout).toContain('"draining"');
  await world.workspace.logIn();
  expect((await world.workspace.published()).user).not.toBe(old.user);
  expect(await world.canLogIn(old.user)).toBe(true);
  await session[Symbol.asyncDispose]();
  await ended;
  await expectWhole(world);
});

test.each([1, 2])(
  'store older than the last rotation (%i): the older password is never set again, and a rotation needs no --adopt (G1, G7)',
  async (count) => {
    const older = row('store older than the last rotation');
    const id = await world.rotate();
    const backup = await world.backUpStore();
    const retired = await world.workspace.published();
    for (let made = 0; made < count; made += 1) await world.rotate();
    await backup.restore();
    await expect(world.workspace.logIn()).rejects.toThrow();
    await world.probe();
    expect((await world.probe()).map(({ code }) => code)).toEqual(['credential-broken']);
    expect(await world.run('status', 'app')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('broken'),
    });
    expect(await world.run('restore', 'app', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`publishes the version of rotation ${id} again`),
    });
    await expect(world.workspace.logIn(retired)).rejects.toThrow();
    await world.end(older);
    expect((await historyOf(world))[0]?.warnings).toMatchObject([
      {
        code: 'outside-change',
        params: { found: { code: 'primary-older-and-refused', params: { rotation: id } } },
      },
    ]);
    await expect(world.workspace.logIn(retired)).rejects.toThrow();
    await expectWhole(world);
  },
);

test('store older, while consumers use the login that was published last: that login drains, and is not cut (G1, G2)', async () => {
  const older = row('store older, while consumers use the login that was published last');
  await world.rotate();
  const backup = await world.backUpStore();
  const retired = await world.workspace.published();
  await world.rotate();
  const inUse = await world.workspace.published();
  const session = await world.connect(inUse);
  await backup.restore();
  const ended = world.end(older);
  await expect.poll(async () => (await world.run('status', 'app', '--json')).stdout).toContain('"draining"');
  const published = await world.workspace.published();
  expect(published.user).toBe(retired.user);
  expect(published.password).not.toBe(retired.password);
  await world.workspace.logIn();
  await world.workspace.logIn(inUse);
  await session[Symbol.asyncDispose]();
  await ended;
  await expect(world.workspace.logIn(inUse)).rejects.toThrow();
  await expectWhole(world);
});

test('store older, with a version pending of a rotation that has ended: no older password is published (G1)', async () => {
  const pending = row('store older, with a version pending of a rotation that has ended');
  await world.rotate();
  const retired = [await world.workspace.published()];
  await world.stopAfter('set');
  const backup = await world.backUpStore();
  await world.runOpen();
  retired.push(await world.workspace.published());
  await world.rotate();
  await backup.restore();
  await world.end(pending);
  await world.workspace.logIn();
  for (const account of retired) await expect(world.workspace.logIn(account)).rejects.toThrow();
  await expectWhole(world);
});
