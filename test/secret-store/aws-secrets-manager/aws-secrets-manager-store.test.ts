import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../../src/facts/fact.ts';
import { openAwsSecretsManagerStore } from '../../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { describeSecretStore } from '../../contract/secret-store.ts';
import { uniqueName } from '../../support/unique-name.ts';

const endpoint = inject('aws');
const region = 'eu-central-1';
const skip = endpoint === undefined;

async function open() {
  const client = new SecretsManagerClient({ region, ...(endpoint ? { endpoint } : {}) });
  const folder = uniqueName('test');
  return {
    client,
    store: openAwsSecretsManagerStore({ name: 'aws', region, ...(endpoint ? { endpoint } : {}) }),
    name: (suffix: string) => `${folder}/${suffix}`,
    apart: (suffix: string) => `${folder}-${suffix}`,
    async make(secret: string, content: string) {
      await client.send(new CreateSecretCommand({ Name: secret, SecretString: content }));
    },
    async current(secret: string) {
      const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: 'AWSCURRENT' });
      return (await client.send(command).catch(() => undefined))?.SecretString;
    },
    async close() {
      client.destroy();
    },
  };
}

describeSecretStore('AWS Secrets Manager', open, { skip });

describe.skipIf(skip)('AWS Secrets Manager, beyond the contract,', () => {
  let harness: Awaited<ReturnType<typeof open>>;
  let store: SecretStore;
  beforeEach(async () => {
    harness = await open();
    store = harness.store;
  });
  afterEach(async () => {
    await store.close();
    await harness.close();
  });
  const pair = () => ({
    username: { secret: harness.name('username') },
    password: { secret: harness.name('password') },
  });

  test('gives the secrets of one mapping the same VersionId, by which a reader is never torn (G1)', async () => {
    let going = true;
    let reads = 0;
    const publish = async (number: number) => {
      const token = randomUUID();
      await store.stage(pair(), token, { username: `u${number}`, password: `p${number}` }, { create: true });
      await store.promote(pair(), token);
    };
    await publish(0);
    const get = (secret: string, version: { VersionStage: string } | { VersionId: string }) =>
      harness.client.send(new GetSecretValueCommand({ SecretId: secret, ...version }));
    const reader = (async () => {
      while (going) {
        const username = await get(pair().username.secret, { VersionStage: 'AWSCURRENT' });
        const password = await get(pair().password.secret, { VersionId: String(username.VersionId) });
        expect(password.SecretString?.slice(1)).toBe(username.SecretString?.slice(1));
        reads += 1;
      }
    })();
    for (let number = 1; number <= 20; number += 1) await publish(number);
    going = false;
    await reader;
    expect(reads).toBeGreaterThan(0);
  });

  test('of closed rotations only the last two versions have a label, and labels of others stay', async () => {
    const mapping = pair();
    const secret = mapping.password.secret;
    const labels = async () => {
      const told = await harness.client.send(new DescribeSecretCommand({ SecretId: secret }));
      return Object.fromEntries(
        Object.entries(told.VersionIdsToStages ?? {}).filter(([, stages]) => stages.length > 0),
      );
    };
    const label = (VersionStage: string, MoveToVersionId: string) =>
      harness.client.send(
        new UpdateSecretVersionStageCommand({ SecretId: secret, VersionStage, MoveToVersionId }),
      );
    const tokens: string[] = [];
    for (let number = 0; number < 4; number += 1) {
      const token = randomUUID();
      const fields = { username: `u${number}`, password: `p${number}` };
      await store.stage(mapping, token, fields, { create: true });
      // A rehearsal that stopped halfway, and an operator who keeps a version.
      if (number === 1) await label('KEYTURNREHEARSAL', token);
      if (number === 1) await label('KEEP', token);
      if (number === 2) {
        await store.discard(mapping, token);
        continue;
      }
      await store.promote(mapping, token);
      tokens.push(token);
    }
    const [, kept = '', last = ''] = tokens;
    expect(await labels()).toEqual({
      [last]: ['AWSCURRENT'],
      [kept]: expect.toSatisfy((stages: string[]) => stages.toSorted().join() === 'AWSPREVIOUS,KEEP'),
    });
  });

  test('a secret that it makes has what is configured, and one that exists keeps what it has', async () => {
    const made = openAwsSecretsManagerStore({
      name: 'aws',
      region,
      ...(endpoint ? { endpoint } : {}),
      kmsKey: 'alias/orders',
      description: 'of the orders API',
      tags: { team: 'orders' },
      replicaRegions: [{ region: 'eu-west-1' }],
    });
    const [fresh, there] = [harness.name('fresh'), harness.name('there')];
    await harness.make(there, 'by hand');
    const policy = '{"Version":"2012-10-17","Statement":[]}';
    await harness.client.send(new PutResourcePolicyCommand({ SecretId: there, ResourcePolicy: policy }));
    for (const secret of [fresh, there]) {
      const token = randomUUID();
      await made.stage({ password: { secret } }, token, { password: 'p' }, { create: true });
      await made.promote({ password: { secret } }, token);
    }
    await made.close();
    const described = (SecretId: string) => harness.client.send(new DescribeSecretCommand({ SecretId }));
    const found = await described(fresh);
    expect(found).toMatchObject({
      KmsKeyId: 'alias/orders',
      Description: 'of the orders API',
      Tags: [{ Key: 'team', Value: 'orders' }],
    });
    expect(found.ReplicationStatus?.map(({ Region }) => Region)).toEqual(['eu-west-1']);
    const kept = await described(there);
    expect([kept.Description, kept.Tags ?? [], kept.ReplicationStatus ?? []]).toEqual([undefined, [], []]);
    const { ResourcePolicy } = await harness.client.send(new GetResourcePolicyCommand({ SecretId: there }));
    expect(ResourcePolicy).toBe(policy);
  });

  test('a role is assumed, with the external id and the name of the session that are configured', async () => {
    const asked: URLSearchParams[] = [];
    const sts = createServer(async (incoming, response) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      asked.push(new URLSearchParams(text));
      const credentials = `<AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`;
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`,
        );
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => sts.once('listening', listening));
    const { port } = sts.address() as AddressInfo;
    const arn = 'arn:aws:iam::123456789012:role/keyturn';
    const role = { arn, externalId: 'orders', sessionName: 'turn', endpoint: `http://127.0.0.1:${port}` };
    const assumed = openAwsSecretsManagerStore({
      name: 'aws',
      region,
      ...(endpoint ? { endpoint } : {}),
      role,
    });
    try {
      for (let time = 0; time < 2; time += 1) {
        expect(await assumed.read({ password: { secret: harness.name('none') } }, 'current')).toBeUndefined();
      }
      expect(asked.map((each) => Object.fromEntries(each))).toMatchObject([
        { Action: 'AssumeRole', RoleArn: arn, ExternalId: 'orders', RoleSessionName: 'turn' },
      ]);
    } finally {
      await assumed.close();
      sts.closeAllConnections();
      await new Promise((closed) => sts.close(closed));
    }
    const denied = openAwsSecretsManagerStore({
      name: 'aws',
      region,
      role: { arn, endpoint: 'http://127.0.0.1:1' },
    });
    await expect(denied.read({ password: { secret: 'x' } }, 'current')).rejects.toMatchObject({
      fact: { code: 'store-unreachable', params: { service: 'sts', action: 'AssumeRole', secret: arn } },
    });
    await denied.close();
  });

  test('an empty secret, as Terraform makes them, does not publish what is staged into it (G1)', async () => {
    const secret = harness.name('empty');
    await harness.client.send(new CreateSecretCommand({ Name: secret }));
    const mapping = { password: { secret } };
    const token = randomUUID();
    await store.stage(mapping, token, { password: 'not yet' }, { create: false });
    expect(await harness.current(secret)).not.toBe('not yet');
    expect(await store.read(mapping, 'current')).toBeUndefined();
    expect(await store.read(mapping, 'pending')).toEqual({ token, fields: { password: 'not yet' } });
    await store.promote(mapping, token);
    expect(await harness.current(secret)).toBe('not yet');
    expect(await store.read(mapping, 'previous')).toBeUndefined();
  });

  test('a secret that is marked for deletion is told, with how to restore it', async () => {
    const secret = harness.name('deleted');
    await harness.make(secret, 'x');
    await harness.client.send(new DeleteSecretCommand({ SecretId: secret, RecoveryWindowInDays: 7 }));
    const mapping = { password: { secret } };
    const told = { fact: fact('secret-deleted', { store: 'aws', secret }) };
    await expect(
      store.stage(mapping, randomUUID(), { password: 'p' }, { create: true }),
    ).rejects.toMatchObject(told);
    await expect(store.read(mapping, 'current')).rejects.toMatchObject(told);
  });

  test('binary content is told, and not taken for absent, in which case a first rotation would begin', async () => {
    const secret = harness.name('binary');
    await harness.client.send(new CreateSecretCommand({ Name: secret, SecretBinary: Buffer.from('x') }));
    await expect(store.read({ password: { secret } }, 'current')).rejects.toMatchObject({
      fact: fact('secret-binary', { store: 'aws', secret }),
    });
    const mapping = { password: { secret, key: 'password' } };
    await expect(
      store.stage(mapping, randomUUID(), { password: 'p' }, { create: false }),
    ).rejects.toMatchObject({ fact: { code: 'secret-binary', params: { secret } } });
  });

  test('a label that another process took off a staged version is put back by staging it again (G4)', async () => {
    const token = randomUUID();
    const fields = { username: 'u', password: 'p' };
    await store.stage(pair(), token, fields, { create: true });
    await store.stage({ password: pair().password }, randomUUID(), { password: 'q' }, { create: true });
    await store.stage(pair(), token, fields, { create: true });
    expect(await store.read(pair(), 'pending')).toEqual({ token, fields });
  });

  test('a promotion whose pending labels are half gone is over, and the next takes the rest off (G4)', async () => {
    const token = randomUUID();
    const fields = { username: 'u', password: 'p' };
    await store.stage(pair(), token, fields, { create: true });
    await store.promote(pair(), token);
    const label = { VersionStage: 'AWSPENDING', MoveToVersionId: token };
    const { secret } = pair().username;
    await harness.client.send(new UpdateSecretVersionStageCommand({ SecretId: secret, ...label }));
    expect(await store.read(pair(), 'pending')).toBeUndefined();
    expect(await store.read(pair(), 'current')).toEqual({ token, fields });
    await store.promote(pair(), token);
    const { VersionIdsToStages } = await harness.client.send(new DescribeSecretCommand({ SecretId: secret }));
    expect(VersionIdsToStages?.[token]).toEqual(['AWSCURRENT']);
  });
});

describe('a fault of AWS Secrets Manager', () => {
  const OLD = '11111111-1111-4111-8111-111111111111';
  const PASSWORD = 'Hunter2Hunter2Hunter2Hunter2';
  interface Request {
    readonly action: string;
    readonly body: Record<string, string>;
  }
  interface Answer {
    readonly status?: number;
    readonly body: object;
  }
  let server: Server;
  let requests: Request[];
  let answer: (request: Request) => Answer | undefined;
  let store: SecretStore;
  beforeEach(async () => {
    requests = [];
    server = createServer(async (incoming, response) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      const action = String(incoming.headers['x-amz-target']).replace('secretsmanager.', '');
      const request = { action, body: JSON.parse(text) };
      requests.push(request);
      const { status = 200, body } = answer(request) ?? {
        body: { VersionIdsToStages: { [OLD]: ['AWSCURRENT'] } },
      };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as AddressInfo;
    store = openAwsSecretsManagerStore({ name: 'aws', region, endpoint: `http://127.0.0.1:${port}` });
  });
  afterEach(async () => {
    await store.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const password = { password: { secret: 'prod/password' } };
  const pair = { username: { secret: 'prod/username' }, ...password };
  const made = { create: false };
  const thrown = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

  test.each([
    [400, 'AccessDeniedException', 'store-denied', 'AccessDeniedException (HTTP 400)'],
    [400, 'ExpiredTokenException', 'store-denied', 'ExpiredTokenException (HTTP 400)'],
    [400, 'ThrottlingException', 'store-throttled', 'ThrottlingException (HTTP 400)'],
    [500, 'InternalServiceError', 'store-unreachable', 'InternalServiceError (HTTP 500)'],
    [400, 'DecryptionFailure', 'store-denied', 'DecryptionFailure (HTTP 400)'],
    [400, 'InvalidRequestException', 'store-refused', 'InvalidRequestException (HTTP 400)'],
    [400, PASSWORD, 'store-refused', 'HTTP 400'],
  ])(
    '%i %s is %s and tells which request it was, without the value that it repeats (G3)',
    async (status, type, code, detail) => {
      answer = ({ action, body }) =>
        action === 'PutSecretValue'
          ? { status, body: { __type: type, message: `cannot take ${JSON.stringify(body)}` } }
          : undefined;
      const error = await thrown(store.stage(password, randomUUID(), { password: PASSWORD }, made));
      const params = { store: 'aws', action: 'PutSecretValue', secret: 'prod/password' };
      expect(error).toMatchObject({
        fact: { code, params: { ...params, detail: expect.stringContaining(detail) } },
      });
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(PASSWORD);
    },
  );

  test('stages the secret of the password first, and no other when that is refused (G4)', async () => {
    answer = ({ action }) =>
      action === 'PutSecretValue'
        ? { status: 400, body: { __type: 'AccessDeniedException', message: '' } }
        : undefined;
    await thrown(store.stage(pair, randomUUID(), { username: 'u', password: 'p' }, made));
    const put = requests.filter(({ action }) => action === 'PutSecretValue');
    expect(put.map(({ body }) => body.SecretId)).toEqual(['prod/password']);
  });

  test('ResourceExistsException leaves what was staged first, which is read and not assumed (G4)', async () => {
    const token = randomUUID();
    answer = ({ action, body }) => {
      if (action === 'PutSecretValue') {
        return { status: 400, body: { __type: 'ResourceExistsException', message: body.SecretString } };
      }
      if (action === 'GetSecretValue') return { body: { VersionId: token, SecretString: 'the first' } };
      return undefined;
    };
    const error = await thrown(store.stage(pair, token, { username: 'u', password: PASSWORD }, made));
    expect(error).toMatchObject({
      fact: { code: 'version-conflict', params: { store: 'aws', token, field: 'password' } },
    });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/Hunter2|the first/);
    const put = requests.filter(({ action }) => action === 'PutSecretValue');
    expect(put.map(({ body }) => body.SecretId)).toEqual(['prod/password']);
  });

  test('a version without a label, which the service does not list, is made pending and not assumed to be (G4)', async () => {
    const token = randomUUID();
    answer = ({ action }) => {
      if (action === 'PutSecretValue') {
        return { status: 400, body: { __type: 'ResourceExistsException', message: '' } };
      }
      if (action === 'GetSecretValue') return { body: { VersionId: token, SecretString: PASSWORD } };
      return undefined;
    };
    await store.stage(password, token, { password: PASSWORD }, made);
    const moves = requests.filter(({ action }) => action === 'UpdateSecretVersionStage');
    expect(moves.map(({ body }) => body)).toEqual([
      { SecretId: 'prod/password', VersionStage: 'AWSPENDING', MoveToVersionId: token },
    ]);
  });

  test('a promotion makes every secret current before it takes a pending label off (G4)', async () => {
    const token = randomUUID();
    const labels = new Map(
      Object.values(pair).map(({ secret }) => [secret, new Map([[token, ['AWSPENDING']]])] as const),
    );
    answer = ({ action, body }) => {
      const own = labels.get(String(body.SecretId)) ?? new Map();
      if (action === 'DescribeSecret')
        return { body: { VersionIdsToStages: { [OLD]: ['AWSCURRENT'], ...Object.fromEntries(own) } } };
      if (body.SecretId === 'prod/password') {
        return { status: 400, body: { __type: 'AccessDeniedException', message: '' } };
      }
      return { body: {} };
    };
    await expect(store.promote(pair, token)).rejects.toMatchObject({ fact: { code: 'store-denied' } });
    const moves = requests.filter(({ action }) => action === 'UpdateSecretVersionStage');
    expect(moves.map(({ body }) => [body.SecretId, body.VersionStage]).sort()).toEqual([
      ['prod/password', 'AWSCURRENT'],
      ['prod/username', 'AWSCURRENT'],
    ]);
  });

  test('a promotion does not end before its last request, even when another is refused (G1)', async () => {
    const token = randomUUID();
    let late = false;
    server.removeAllListeners('request');
    server.on('request', async (incoming, response) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      const moves = String(incoming.headers['x-amz-target']).endsWith('UpdateSecretVersionStage');
      const refused = moves && text.includes('prod/password');
      if (moves && !refused) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        late = true;
      }
      const stages = { VersionIdsToStages: { [OLD]: ['AWSCURRENT'], [token]: ['AWSPENDING'] } };
      const body = refused ? { __type: 'AccessDeniedException', message: '' } : stages;
      response.writeHead(refused ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
    await expect(store.promote(pair, token)).rejects.toMatchObject({ fact: { code: 'store-denied' } });
    expect(late).toBe(true);
  });

  test('a label that another promoter moved meanwhile is looked for again', async () => {
    const token = randomUUID();
    let holder = OLD;
    answer = ({ action, body }) => {
      if (action === 'DescribeSecret') {
        return {
          body: {
            VersionIdsToStages:
              holder === token
                ? { [token]: ['AWSCURRENT'] }
                : { [OLD]: ['AWSCURRENT'], [token]: ['AWSPENDING'] },
          },
        };
      }
      if (body.VersionStage === 'AWSCURRENT' || body.RemoveFromVersionId === token) {
        holder = token;
        return { status: 400, body: { __type: 'InvalidParameterException', message: '' } };
      }
      return undefined;
    };
    await store.promote(password, token);
    expect(holder).toBe(token);
  });

  test('nobody listening is unreachable', async () => {
    const dead = openAwsSecretsManagerStore({ name: 'aws', region, endpoint: 'http://127.0.0.1:1' });
    await expect(dead.read({ password: { secret: 'x' } }, 'current')).rejects.toMatchObject({
      fact: {
        code: 'store-unreachable',
        params: {
          store: 'aws',
          action: 'GetSecretValue',
          secret: 'x',
          detail: expect.stringContaining('ECONNREFUSED'),
        },
      },
    });
    await dead.close();
  });
});
