import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openCredentials } from '../../src/consumer/credentials.ts';
import type { SecretNames } from '../../src/consumer/source.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import { uniqueName } from '../support/unique-name.ts';

const region = 'eu-central-1';
const endpoint = inject('aws') ?? '';

function open(secrets: SecretNames, at = endpoint) {
  const credentials = openCredentials({ type: 'aws-secrets-manager', region, endpoint: at, secrets });
  onTestFinished(() => credentials.close());
  return credentials;
}

async function publish(
  { username, password }: SecretNames,
  value: { username: string; password: string },
): Promise<string> {
  const [name, key] = username.split('#') as [string, string | undefined];
  const [passwordName, passwordKey] = password.split('#') as [string, string | undefined];
  const mapping = {
    username: { secret: name, ...(key ? { key } : {}) },
    password: { secret: passwordName, ...(passwordKey ? { key: passwordKey } : {}) },
  };
  const store = openAwsSecretsManagerStore({ name: 'aws', region, endpoint });
  const token = randomUUID();
  await store.stage(mapping, token, value, { create: true });
  await store.promote(mapping, token);
  await store.close();
  return token;
}

describe.skipIf(endpoint === '')('On AWS Secrets Manager', () => {
  test.each([
    ['two secrets', () => ({ username: uniqueName('user'), password: uniqueName('password') })],
    ['one JSON secret', () => one(uniqueName('db'))],
  ])('the credential of %s is read, with the rotation that published it', async (_, name) => {
    const secrets = name();
    await publish(secrets, { username: 'app_a', password: 'one' });
    const credentials = open(secrets);
    expect(await credentials.current()).toMatchObject({ username: 'app_a', password: 'one' });
    const version = await publish(secrets, { username: 'app_b', password: 'two' });
    expect(await credentials.refresh()).toEqual({ username: 'app_b', password: 'two', version });
  });

  test('a reader that asks two secrets for their current version can mix two versions, the library cannot (G1)', async () => {
    const secrets = { username: uniqueName('user'), password: uniqueName('password') };
    await publish(secrets, { username: 'pair 1', password: 'pair 1' });
    const client = new SecretsManagerClient({ region, endpoint });
    onTestFinished(() => client.destroy());
    const naive = (SecretId: string) =>
      client.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }));
    const first = await naive(secrets.username);
    await publish(secrets, { username: 'pair 2', password: 'pair 2' });
    expect([first.SecretString, (await naive(secrets.password)).SecretString]).toEqual(['pair 1', 'pair 2']);

    const credentials = open(secrets);
    let isOver = false;
    const reading = (async () => {
      const read = new Set<string>();
      while (!isOver) {
        const { username, password } = await credentials.refresh();
        read.add(`${username} ${password}`);
      }
      return read;
    })();
    for (const pair of ['pair 3', 'pair 4', 'pair 5'])
      await publish(secrets, { username: pair, password: pair });
    isOver = true;
    const read = [...(await reading)];
    expect(read.length).toBeGreaterThan(1);
    for (const pair of read) expect(pair).toMatch(/^(pair \d) \1$/);
  });

  test('secrets that were published apart are refused, because no version has both', async () => {
    const [one, other] = [uniqueName('one'), uniqueName('other')];
    await publish(
      { username: `${one}#username`, password: `${one}#password` },
      { username: 'a', password: 'b' },
    );
    await publish(
      { username: `${other}#username`, password: `${other}#password` },
      { username: 'a', password: 'b' },
    );
    const reading = open({ username: `${one}#username`, password: `${other}#password` }).current();
    await expect(reading).rejects.toMatchObject({ code: 'version-missing', params: { secret: one } });
  });

  test('what is not there is named', async () => {
    const name = uniqueName('absent');
    await expect(open(one(name)).current()).rejects.toMatchObject({ code: 'secret-missing' });
    await publish({ username: `${name}#a`, password: `${name}#b` }, { username: 'a', password: 'b' });
    await expect(open(one(name)).current()).rejects.toMatchObject({
      code: 'key-missing',
      params: { secret: name, key: 'username' },
    });
  });
});

test.each([
  [400, 'AccessDeniedException', 'source-denied'],
  [400, 'DecryptionFailure', 'source-denied'],
  [500, 'InternalServiceError', 'source-unreachable'],
])('an answer %i %s has a code, and no text of the service is repeated (G3)', async (status, name, code) => {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: name, message: 'a password' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => new Promise((closed) => server.close(() => closed())));
  const { port } = server.address() as AddressInfo;
  const error = await open(one('app'), `http://127.0.0.1:${port}`)
    .current()
    .catch((error) => error);
  expect(error).toMatchObject({ code, params: { secret: 'app' } });
  expect(String(error)).toContain(`${name} (HTTP ${status})`);
  expect(JSON.stringify(error) + String(error)).not.toContain('a password');
});

test('no secret is asked for in plaintext beyond this machine', async () => {
  const reading = open(one('app'), 'http://secrets.example.com').current();
  await expect(reading).rejects.toMatchObject({ code: 'source-plaintext' });
});

/** Both fields in one JSON secret. */
function one(name: string): SecretNames {
  return { username: `${name}#username`, password: `${name}#password` };
}
