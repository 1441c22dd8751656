import { inject } from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import { type AwsProxy, startAwsProxy } from './aws-proxy.ts';
import { openScenario, type Scenario, type ServerAddress } from './scenario.ts';
import { uniqueName } from './unique-name.ts';

/** A scenario that publishes to AWS Secrets Manager, over a way that can be made bad, and then to files. */
export async function openAwsScenario(
  server: ServerAddress,
): Promise<Scenario & { readonly aws: AwsProxy; readonly awsSecrets: Mapping }> {
  const aws = await startAwsProxy(String(inject('aws')));
  const opened = await openScenario(server);
  const store = openAwsSecretsManagerStore({ name: 'aws', region: 'eu-central-1', endpoint: aws.url });
  const folder = uniqueName('app');
  const awsSecrets = {
    username: { secret: folder, key: 'username' },
    password: { secret: folder, key: 'password' },
  };
  const [files] = opened.destinations;
  const scenario = opened.with({
    destinations: [
      { name: 'aws (primary)', store, create: true, secrets: awsSecrets },
      { ...files, name: 'files (destination 2)' },
    ],
  });
  return {
    ...scenario,
    aws,
    awsSecrets,
    async [Symbol.asyncDispose]() {
      aws.mend();
      await store.close();
      await scenario[Symbol.asyncDispose]();
      await aws[Symbol.asyncDispose]();
    },
  };
}
