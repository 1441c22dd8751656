import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import { isLoopback } from '../../config/values/server.ts';

export const PLAINTEXT_ERROR = 'PlaintextEndpointError';

type Client = SecretsManagerClient | SSMClient | STSClient;

/**
 * Has a client send nothing in plaintext beyond loopback, whoever chose its endpoint: besides the
 * configuration and the environment, which `validate` looks at, that is `endpoint_url` of an AWS
 * profile.
 */
export function refusePlaintext(client: Client): void {
  // They have one kind of stack; only their commands differ.
  const { middlewareStack } = client as SecretsManagerClient;
  middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname } = args.request as { readonly protocol: string; readonly hostname: string };
      if (protocol !== 'https:' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))) {
        throw Object.assign(new Error('plaintext'), { name: PLAINTEXT_ERROR });
      }
      return next(args);
    },
    { step: 'build', name: 'refusePlaintext' },
  );
}
