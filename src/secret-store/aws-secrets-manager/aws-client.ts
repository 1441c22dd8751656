import type * as Sdk from '@aws-sdk/client-secrets-manager';
import { refusePlaintext } from './aws-plaintext.ts';

export interface AwsSettings {
  readonly region?: string;
  readonly endpoint?: string;
  /** Says that secrets may go over the network in plaintext. */
  readonly tls?: { readonly mode: 'disable' };
}

/** A client of the SDK, and the SDK's commands. */
interface OpenClient {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.SecretsManagerClient;
}

/** The SDK, which is loaded at the first request: most commands ask AWS for nothing. */
export class AwsClient {
  readonly #settings: AwsSettings;
  #opened: Promise<OpenClient> | undefined;

  constructor(settings: AwsSettings) {
    this.#settings = settings;
  }

  open(): Promise<OpenClient> {
    this.#opened ??= openClient(this.#settings);
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = await this.#opened;
    opened?.client.destroy();
  }
}

async function openClient({ region, endpoint, tls }: AwsSettings): Promise<OpenClient> {
  const sdk = await import('@aws-sdk/client-secrets-manager');
  const client = new sdk.SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    retryMode: 'adaptive',
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
  if (tls?.mode !== 'disable') refusePlaintext(client);
  return { sdk, client };
}
