import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { inject } from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import type { Scenario } from './scenario.ts';
import { uniqueName } from './unique-name.ts';

/** Where a policy publishes, and a way to its secrets past keyturn. */
export interface SecretPlace {
  readonly store: SecretStore;
  /** Two secrets, in a file store in folders of their own: they do not change at one instant. */
  readonly secrets: Required<Pick<Mapping, 'username' | 'password'>>;
  /** Deletes both for good. */
  erase(): Promise<void>;
  close(): Promise<void>;
}

const endpoint = inject('aws');
const region = 'eu-central-1';

/** Each store, with whether it is there to be tested against. */
export const SECRET_PLACES = [
  ['a file store', openFiles, true],
  ['AWS Secrets Manager', openAws, endpoint !== undefined],
] as const;

function namesIn(folder: string): SecretPlace['secrets'] {
  return { username: { secret: `${folder}-1/username` }, password: { secret: `${folder}-2/password` } };
}

function openFiles({ store, folder }: Scenario): SecretPlace {
  const secrets = namesIn(uniqueName('place'));
  return {
    store,
    secrets,
    async erase() {
      for (const { secret } of Object.values(secrets)) {
        await rm(join(folder, secret, '..'), { recursive: true, force: true });
      }
    },
    close: async () => {},
  };
}

function openAws(): SecretPlace {
  const client = new SecretsManagerClient({ region, ...(endpoint ? { endpoint } : {}) });
  const store = openAwsSecretsManagerStore({ name: 'aws', region, ...(endpoint ? { endpoint } : {}) });
  const secrets = namesIn(uniqueName('place'));
  return {
    store,
    secrets,
    async erase() {
      for (const { secret } of Object.values(secrets)) {
        await client.send(new DeleteSecretCommand({ SecretId: secret, ForceDeleteWithoutRecovery: true }));
      }
    },
    async close() {
      client.destroy();
      await store.close();
    },
  };
}
