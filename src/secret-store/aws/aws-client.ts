import type { AwsRole } from '../../config/stores.ts';
import { type Reopenable, reopenable } from '../../reopenable.ts';
import { assumedRole } from './assumed-role.ts';
import { refusePlaintext } from './aws-plaintext.ts';
import { boundRequests } from './bounded-client.ts';

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
  readonly #part: Reopenable<OpenClient<Sdk, Client>>;

  constructor(open: () => Promise<OpenClient<Sdk, Client>>) {
    this.#part = reopenable(open);
  }

  open(): Promise<OpenClient<Sdk, Client>> {
    return this.#part.get();
  }

  async close(): Promise<void> {
    const opened = await this.#part.opened()?.catch(() => undefined);
    opened?.client.destroy();
  }
}

/** How long a request may take with all its tries, to the end of the answer; milliseconds. */
const PATIENCE_MS = 45_000;

/** What bounds the waits of one try: 10 s for the beginning of an answer. There are four tries. */
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

/**
 * Has a client wait for no request longer than `patience` milliseconds, and send nothing in
 * plaintext beyond loopback, unless the configuration says so.
 */
export function guarded<Client extends Parameters<typeof refusePlaintext>[0]>(
  client: Client,
  { tls }: Pick<AwsSettings, 'tls'>,
  patience = PATIENCE_MS,
): Client {
  boundRequests(client, patience);
  if (tls?.mode !== 'disable') refusePlaintext(client);
  return client;
}
