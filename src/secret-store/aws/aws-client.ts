import type { AwsRole } from '../../config/stores.ts';
import { assumedRole } from './assumed-role.ts';
import { refusePlaintext } from './aws-plaintext.ts';

/** What the stores of AWS have in common. */
export interface AwsSettings {
  readonly region?: string;
  readonly endpoint?: string;
  /** Says that secrets may go over the network in plaintext. */
  readonly tls?: { readonly mode: 'disable' };
  /** Left out: keyturn's own identity. */
  readonly role?: AwsRole;
}

/** A client of the SDK, and the SDK's commands. */
export interface OpenClient<Sdk, Client> {
  readonly sdk: Sdk;
  readonly client: Client;
}

interface Closable {
  destroy(): void;
}

/** The SDK, which is loaded at the first request: most commands ask AWS for nothing. */
export class AwsClient<Sdk, Client extends Closable> {
  readonly #open: () => Promise<OpenClient<Sdk, Client>>;
  #opened: Promise<OpenClient<Sdk, Client>> | undefined;

  constructor(open: () => Promise<OpenClient<Sdk, Client>>) {
    this.#open = open;
  }

  open(): Promise<OpenClient<Sdk, Client>> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = await this.#opened;
    opened?.client.destroy();
  }
}

/** What bounds the waits of a client: 10 s for an answer, and four tries. */
export const BOUNDS = {
  retryMode: 'adaptive',
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

/** The configuration of a client of any service. `store` is the name that faults give. */
export function clientConfig(store: string, { region, endpoint, role, tls }: AwsSettings) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(role === undefined ? {} : { credentials: assumedRole(store, role, { region, tls }) }),
    ...BOUNDS,
  };
}

/** Has a client send nothing in plaintext beyond loopback, unless the configuration says so. */
export function guarded<Client extends Parameters<typeof refusePlaintext>[0]>(
  client: Client,
  { tls }: Pick<AwsSettings, 'tls'>,
): Client {
  if (tls?.mode !== 'disable') refusePlaintext(client);
  return client;
}
