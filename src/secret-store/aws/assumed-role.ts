import type { AwsRole } from '../../config/stores.ts';
import { fault } from '../../facts/fault.ts';
import { awsError } from './aws-error.ts';
import { refusePlaintext } from './aws-plaintext.ts';
import { boundRequests } from './bounded-client.ts';

/** How long it may take with both tries; milliseconds. */
const PATIENCE_MS = 15_000;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

interface Surroundings {
  readonly region: string | undefined;
  readonly tls: { readonly mode: 'disable' } | undefined;
}

/**
 * A provider of the credentials of a role, which keyturn's own identity assumes. The client of the
 * SDK asks again before they expire.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumedRole(
  store: string,
  { arn, externalId, sessionName = 'keyturn', endpoint }: AwsRole,
  { region, tls }: Surroundings,
  patience = PATIENCE_MS,
): () => Promise<Credentials> {
  return async () => {
    const sdk = await import('@aws-sdk/client-sts');
    const client = new sdk.STSClient({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
    });
    boundRequests(client, patience);
    if (tls?.mode !== 'disable') refusePlaintext(client);
    const command = new sdk.AssumeRoleCommand({
      RoleArn: arn,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    });
    const of = { store, service: 'sts', action: 'AssumeRole', secret: arn } as const;
    try {
      const { Credentials: given } = await client.send(command);
      if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
        throw fault('store-refused', { ...of, detail: 'no credentials' });
      }
      return {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        sessionToken: given.SessionToken,
        expiration: given.Expiration,
      };
    } catch (error) {
      throw awsError(error, of);
    } finally {
      client.destroy();
    }
  };
}
