import type * as Sdk from '@aws-sdk/client-secrets-manager';
import { awsReadError, PLAINTEXT } from './aws-read-error.ts';
import { type Credential, credentialOf } from './credential.ts';
import { CredentialError } from './credential-error.ts';
import { type SecretReference, secretReference, valueIn } from './secret-reference.ts';
import type { AwsSource, Reader } from './source.ts';

const PACKAGE = '@aws-sdk/client-secrets-manager';
/** How often a read starts over because the version that it found is gone. */
const ATTEMPTS = 3;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

interface OpenClient {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.SecretsManagerClient;
}

type Which = { readonly VersionStage: string } | { readonly VersionId: string };

/**
 * Reads both secrets of one VersionId: the password's by the stage AWSCURRENT, the other by the
 * version that this gave. The labels of two secrets move one after the other, so a reader that asks
 * both for AWSCURRENT can mix two versions.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function awsReader({ secrets, ...settings }: AwsSource): Reader {
  const username = secretReference(secrets.username);
  const password = secretReference(secrets.password);
  let opened: Promise<OpenClient> | undefined;
  return {
    async read(signal) {
      opened ??= openClient(settings);
      const client = await opened.catch((error) => {
        opened = undefined;
        throw error;
      });
      return readPair(client, username, password, signal);
    },
    close() {
      void opened?.then(
        ({ client }) => client.destroy(),
        () => {},
      );
    },
  };
}

async function readPair(
  client: OpenClient,
  username: SecretReference,
  password: SecretReference,
  signal: AbortSignal,
): Promise<Credential> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await readSecret(client, password.secret, { VersionStage: 'AWSCURRENT' }, signal);
    if (!first) throw new CredentialError('secret-missing', { secret: password.secret });
    const { version } = first;
    const second =
      username.secret === password.secret
        ? first
        : await readSecret(client, username.secret, { VersionId: version }, signal);
    if (second) {
      return credentialOf({
        username: valueIn(second.content, username),
        password: valueIn(first.content, password),
        version,
      });
    }
    // Whoever slept between the two requests may have missed rotations.
    if (attempt === ATTEMPTS)
      throw new CredentialError('version-missing', { secret: username.secret, version });
  }
}

/** Undefined when there is no such secret or version. */
async function readSecret(
  { sdk, client }: OpenClient,
  secret: string,
  which: Which,
  abortSignal: AbortSignal,
): Promise<{ readonly version: string; readonly content: string } | undefined> {
  try {
    const command = new sdk.GetSecretValueCommand({ SecretId: secret, ...which });
    const { SecretString: content, VersionId: version = '' } = await client.send(command, { abortSignal });
    if (content === undefined) throw new CredentialError('secret-binary', { secret });
    return { version, content };
  } catch (error) {
    if (error instanceof sdk.ResourceNotFoundException) return undefined;
    throw error instanceof CredentialError ? error : awsReadError(error, secret);
  }
}

async function openClient({ region, endpoint }: Omit<AwsSource, 'secrets'>): Promise<OpenClient> {
  const sdk = await import('@aws-sdk/client-secrets-manager').catch((cause) => {
    throw new CredentialError('package-missing', { package: PACKAGE }, { cause });
  });
  const client = new sdk.SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  // An AWS profile or the environment may name another endpoint, so each request is looked at.
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname } = args.request as { readonly protocol: string; readonly hostname: string };
      if (protocol !== 'https:' && !LOOPBACK.test(hostname)) {
        throw Object.assign(new Error(PLAINTEXT), { name: PLAINTEXT });
      }
      return next(args);
    },
    { step: 'build', name: 'onlyTls' },
  );
  return { sdk, client };
}
