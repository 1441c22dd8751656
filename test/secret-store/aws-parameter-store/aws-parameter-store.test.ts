import { randomUUID } from 'node:crypto';
import {
  GetParameterCommand,
  GetParameterHistoryCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Mapping } from '../../../src/config/policy.ts';
import { fact } from '../../../src/facts/fact.ts';
import { AwsClient } from '../../../src/secret-store/aws/aws-client.ts';
import { openAwsParameterStore } from '../../../src/secret-store/aws-parameter-store/aws-parameter-store.ts';
import { ParameterRequests } from '../../../src/secret-store/aws-parameter-store/parameter-requests.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { describeSecretStore, type Harness } from '../../contract/secret-store.ts';
import { uniqueName } from '../../support/unique-name.ts';

const endpoint = inject('aws');
const region = 'eu-central-1';

function open(): Harness & { readonly client: SSMClient } {
  const at = { region, ...(endpoint ? { endpoint } : {}) };
  const client = new SSMClient(at);
  const store = openAwsParameterStore({ name: 'parameters', staging: 'keyturn', ...at });
  const folder = uniqueName('app');
  return {
    client,
    store,
    name: (suffix) => `/${folder}/${suffix}`,
    apart: (suffix) => `/${folder}/apart/${suffix}`,
    async make(secret, content) {
      await client.send(new PutParameterCommand({ Name: secret, Value: content, Type: 'SecureString' }));
    },
    async current(secret) {
      try {
        const answer = await client.send(new GetParameterCommand({ Name: secret, WithDecryption: true }));
        return answer.Parameter?.Value;
      } catch (error) {
        if ((error as Error).name === 'ParameterNotFound') return undefined;
        throw error;
      }
    },
    async close() {
      client.destroy();
      await store.close();
    },
  };
}

describeSecretStore('AWS Parameter Store', async () => open(), { skip: endpoint === undefined });

describe.skipIf(endpoint === undefined)('AWS Parameter Store', () => {
  let harness: ReturnType<typeof open>;
  let store: SecretStore;
  beforeEach(() => {
    harness = open();
    store = harness.store;
  });
  afterEach(() => harness.close());
  const json = (): Mapping => ({
    username: { secret: harness.name('login'), key: 'username' },
    password: { secret: harness.name('login'), key: 'password' },
  });
  const fields = (number: number) => ({ username: `u${number}`, password: `p${number}` });
  const create = { create: true };

  test('the name that consumers read gets one version for each promotion, and none before it (G1)', async () => {
    const versions = async () => {
      const command = new GetParameterHistoryCommand({ Name: harness.name('login'), WithDecryption: true });
      const { Parameters = [] } = await harness.client.send(command);
      return Parameters.map(({ Value }) => JSON.parse(String(Value)));
    };
    for (const number of [1, 2]) {
      const token = randomUUID();
      await store.stage(json(), token, fields(number), create);
      if (number === 1) expect(await harness.current(harness.name('login'))).toBeUndefined();
      if (number === 2) await store.rehearse(json(), randomUUID(), fields(9));
      await store.promote(json(), token);
      await store.promote(json(), token);
    }
    await store.stage(json(), randomUUID(), fields(3), create);
    expect(await versions()).toEqual([fields(1), fields(2)]);
  });

  test('a parameter that is kept in plaintext is refused, and stays as it is', async () => {
    const secret = harness.name('login');
    await harness.client.send(new PutParameterCommand({ Name: secret, Value: '{}', Type: 'String' }));
    await expect(store.stage(json(), randomUUID(), fields(1), create)).rejects.toMatchObject({
      fact: fact('parameter-in-plaintext', { store: 'parameters', secret }),
    });
    expect(await harness.current(secret)).toBe('{}');
  });

  test('what another process wrote in between is put back, and nothing of it is lost (G1, G4)', async () => {
    const secret = harness.name('login');
    const client = new AwsClient(async () => ({
      sdk: await import('@aws-sdk/client-ssm'),
      client: harness.client,
    }));
    const requests = new ParameterRequests('parameters', client, {});
    expect(await requests.replace(secret, 'first', undefined)).toBe(true);
    expect(await requests.replace(secret, 'second', undefined)).toBe(false);
    const read = await requests.read(secret);
    expect(await requests.replace(secret, 'of another', read)).toBe(true);
    expect(await requests.replace(secret, 'late', read)).toBe(false);
    expect(await harness.current(secret)).toBe('of another');
    // A request that was sent again, because its answer was lost.
    const now = await requests.read(secret);
    await requests.replace(secret, 'once', now);
    expect(await requests.replace(secret, 'once', now)).toBe(true);
  });
});
