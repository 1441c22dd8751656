import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test, vi } from 'vitest';
import { assumedRole } from '../../../src/secret-store/aws/assumed-role.ts';
import { AwsClient, clientConfig, guarded } from '../../../src/secret-store/aws/aws-client.ts';
import { awsError } from '../../../src/secret-store/aws/aws-error.ts';
import { startTricklingServer } from '../../support/trickling-server.ts';

const region = 'eu-central-1';
const credentials = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };
const REFUSED = { store: 'aws', service: 'ssm', action: 'GetParameter', secret: 's' } as const;

describe.each(['nothing', 'bytes'] as const)('a server of AWS that sends headers, then %s,', (body) => {
  const clients = {
    'Secrets Manager': (endpoint: string) => {
      const client = guarded(
        new SecretsManagerClient({ ...clientConfig('aws', { region, endpoint }), credentials }),
        {},
        300,
      );
      return { client, send: () => client.send(new GetSecretValueCommand({ SecretId: 's' })) };
    },
    'Parameter Store': (endpoint: string) => {
      const client = guarded(
        new SSMClient({ ...clientConfig('aws', { region, endpoint }), credentials }),
        {},
        300,
      );
      return { client, send: () => client.send(new GetParameterCommand({ Name: 's' })) };
    },
  };

  test.each(Object.entries(clients))(
    'is waited for no longer than one request of %s may take (G5)',
    async (_, open) => {
      await using server = await startTricklingServer(body);
      const { client, send } = open(server.url);
      try {
        const error: unknown = await send().catch((thrown: unknown) => thrown);
        const { code, params } = awsError(error, REFUSED).fact;
        expect({ code, params }).toMatchObject({
          code: 'store-unreachable',
          params: { detail: 'ETIMEDOUT' },
        });
        // The connection is not left to itself.
        await vi.waitFor(async () => expect(await server.connections()).toBe(0));
      } finally {
        client.destroy();
      }
    },
  );

  test('is waited for no longer where a role is assumed (G5)', async () => {
    await using server = await startTricklingServer(body);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'emulator').stubEnv('AWS_SECRET_ACCESS_KEY', 'emulator');
    try {
      const arn = 'arn:aws:iam::123456789012:role/keyturn';
      const assume = assumedRole('aws', { arn, endpoint: server.url }, { region, tls: undefined }, 300);
      await expect(assume()).rejects.toMatchObject({ fact: { code: 'store-unreachable' } });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

test('a client that could not be opened is opened at the next request, and closed without a fault (G5)', async () => {
  let fails = true;
  const client = new AwsClient(async () => {
    if (fails) throw new Error('no module');
    return { sdk: {}, client: { destroy: () => {} } };
  });
  await expect(client.open()).rejects.toThrow('no module');
  await client.close();
  fails = false;
  expect(await client.open()).toMatchObject({ sdk: {} });
  await client.close();
});
