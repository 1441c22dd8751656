import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteSecretCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { command } from '../../src/facts/remedy.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import { canLogIn, warningsOf } from '../support/draining.ts';
import { adoptionNeeded, checkRefused } from '../support/expected-facts.ts';
import {
  expectAdoption,
  expectRefusal,
  publishOutside,
  requestAdoption,
  stageOutside,
} from '../support/outside.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';
import { SECRET_PLACES } from '../support/secret-places.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

const rotateOnce = async (from: Scenario = scenario) => {
  expect(await from.finish(await from.request())).toEqual({ status: 'done' });
};

describe('a file that was written to through its link, so that the version has its token still,', () => {
  const edit = (content: string) => writeFile(join(scenario.folder, 'app', 'password'), content);

  test('stops a rotation where what it says does not log in (G5), and is adopted (G1)', async () => {
    await rotateOnce();
    const { username } = await scenario.published();
    await edit('mistyped-0815\n');
    const refused = await expectRefusal(scenario, await scenario.request());
    expect(refused).toMatchObject(
      adoptionNeeded(scenario.policy.name, {
        found: {
          code: 'primary-changed-and-refused',
          params: {
            destination: 'files (primary)',
            login: username,
            refusal: { code: 'password-refused', params: { login: username } },
          },
        },
        effect: { code: 'effect-other-login', params: { outgoing: username } },
      }),
    );
    expect(JSON.stringify(refused)).not.toContain('mistyped');
    await expectAdoption(scenario);
  });

  test('is gone on from where an editor only ended the line', async () => {
    await rotateOnce();
    await edit(`${await readFile(join(scenario.folder, 'app', 'password'), 'utf8')}\n`);
    const rotation = await scenario.request();
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      {
        step: 'check',
        code: 'outside-change',
        params: {
          found: { code: 'primary-changed', params: { destination: 'files (primary)' } },
          effect: { code: 'effect-counts' },
          adopted: false,
        },
      },
    ]);
  });

  test('while the old login drains keeps that one from being revoked, until it logs in again (G2)', async () => {
    await rotateOnce();
    const old = await scenario.published();
    const session = await scenario.logIn(old);
    const rotation = await scenario.request();
    expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
    const { password } = await scenario.published();
    await edit('mistyped');
    await session[Symbol.asyncDispose]();
    const stuck = { status: 'retrying', error: { step: 'revoke' } };
    await expect.poll(() => scenario.run(rotation)).toMatchObject(stuck);
    expect(await canLogIn(scenario, old.username)).toBe(true);
    await edit(password);
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    await expect(scenario.logIn(old)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });
});

test('a pending version that was adopted leaves nothing on the disk (G3)', async () => {
  await rotateOnce();
  const token = await stageOutside(scenario, { username: 'theirs', password: 'of theirs' });
  const versions = async () => (await readdir(join(scenario.folder, 'app'))).join(' ');
  expect(await versions()).toContain(token);
  expect(await scenario.finish(await requestAdoption(scenario))).toEqual({ status: 'done' });
  expect(await versions()).not.toContain(token);
});

test.skipIf(inject('aws') === undefined)(
  'an AWS secret that is marked for deletion stops a rotation, adopt or not, and goes on once restored as told (G5)',
  async () => {
    const place = SECRET_PLACES[1][1]();
    const { store, secrets } = place;
    const aws = scenario.with({ destinations: [{ name: 'primary', store, create: true, secrets }] });
    await rotateOnce(aws);
    const before = await aws.published();
    const endpoint = String(inject('aws'));
    const client = new SecretsManagerClient({ region: 'eu-central-1', endpoint });
    const SecretId = secrets.password.secret;
    await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    for (const request of [() => aws.request(), () => requestAdoption(aws)]) {
      const outcome = await aws.finish(await request());
      expect(outcome).toMatchObject({
        status: 'failed',
        error: {
          step: 'check',
          fact: { code: 'secret-deleted', params: { store: 'aws', secret: SecretId } },
        },
      });
    }
    await client.send(new RestoreSecretCommand({ SecretId }));
    expect(await aws.published()).toEqual(before);
    await rotateOnce(aws);
    client.destroy();
    await place.close();
  },
);

test('a primary that was changed while the old login drains ends the rotation, also where a second destination was not (G2)', async () => {
  const mirror = { username: { secret: 'mirror/username' }, password: { secret: 'mirror/password' } };
  const { store } = scenario;
  const both = scenario.with({
    destinations: [
      { name: 'primary', store, create: true, secrets: MAPPING },
      { name: 'mirror', store, create: true, secrets: mirror },
    ],
  });
  await rotateOnce(both);
  const old = await both.published();
  const session = await both.logIn(old);
  const rotation = await both.request();
  expect(await both.run(rotation)).toMatchObject({ status: 'waiting' });
  const ahead = (await store.read(mirror, 'current'))?.fields;
  await publishOutside(both, old);
  await session[Symbol.asyncDispose]();
  expect(await both.finish(rotation)).toMatchObject({
    status: 'failed',
    error: {
      fact: {
        code: 'publication-replaced',
        params: { destination: 'primary', outgoing: old.username },
        remedies: [command('rotate', both.policy.name)],
      },
    },
  });
  // What either destination says logs in.
  await (await both.logIn(old))[Symbol.asyncDispose]();
  await (await both.logIn({ username: String(ahead?.username), password: String(ahead?.password) }))[
    Symbol.asyncDispose
  ]();
  // And neither login may be given a new password under those who read the one or the other.
  expect(await expectRefusal(both, await requestAdoption(both))).toMatchObject(
    checkRefused({
      code: 'incoming-is-published',
      params: { login: ahead?.username, destination: 'mirror' },
    }),
  );
});

test('a rotation that was rolled back is no outside change to the next', async () => {
  await rotateOnce();
  const session = await scenario.logIn(await scenario.published());
  const rotation = await scenario.request();
  expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
  {
    await using context = scenario.context((await scenario.ledger.find(rotation.id)) ?? rotation);
    await rollBack(context, { requestedBy: 'margaret' });
  }
  expect(await scenario.finish(rotation)).toEqual({ status: 'rolled back' });
  await session[Symbol.asyncDispose]();
  const next = await scenario.request();
  expect(await scenario.finish(next)).toEqual({ status: 'done' });
  expect(await warningsOf(scenario, next)).toEqual([]);
});

test('a token that is no UUID, which another tool may have staged, is unknown to the ledger and no fault of it', async () => {
  expect(await scenario.ledger.find('a-token-of-another-tool-0123456789')).toBeUndefined();
});
