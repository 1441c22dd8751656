import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import type { HttpTls } from '../../config/stores.ts';
import { isLoopback } from '../../config/values/server.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import type { StoreFacts } from '../../facts/store-facts.ts';
import type { ClusterAccess } from './cluster-access.ts';

type Why = StoreFacts['kubernetes-config-unusable']['why'];

const clusterEntry = z.object({
  server: z.url(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
});
const userEntry = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
});
const contextEntry = z.object({ cluster: z.string(), user: z.string(), namespace: z.string().optional() });
const kubeconfig = z.object({
  'current-context': z.string().optional(),
  clusters: z.array(z.object({ name: z.string(), cluster: clusterEntry })),
  users: z.array(z.object({ name: z.string(), user: userEntry })),
  contexts: z.array(z.object({ name: z.string(), context: contextEntry })),
});

/**
 * The access of a context of a kubeconfig; the current one unless told. Of the ways to log in there
 * are tokens and client certificates: plugins that run a command are not run.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export async function readKubeconfig(
  store: string,
  file: string,
  named: string | undefined,
): Promise<ClusterAccess> {
  const reader = new Reader(store, file);
  const config = await reader.parse();
  const wanted = named ?? config['current-context'];
  const { context } = reader.need(
    config.contexts.find(({ name }) => name === wanted),
    'context',
  );
  const { cluster } = reader.need(
    config.clusters.find(({ name }) => name === context.cluster),
    'cluster',
  );
  const { user } = reader.need(
    config.users.find(({ name }) => name === context.user),
    'user',
  );
  const { hostname, protocol } = new URL(cluster.server);
  if (cluster['insecure-skip-tls-verify'] === true) throw reader.unusable('unverified');
  if (protocol !== 'https:' && !isLoopback(hostname)) throw reader.unusable('plaintext');
  const token = user.token ?? (user.tokenFile && (await reader.read(user.tokenFile)).trim());
  const tls = await tlsOf(reader, cluster, user);
  if (token === undefined && tls.cert === undefined) throw reader.unusable('no-credential');
  return {
    url: cluster.server,
    tls,
    ...(token === undefined ? {} : { token }),
    namespace: context.namespace ?? 'default',
  };
}

async function tlsOf(
  reader: Reader,
  cluster: z.output<typeof clusterEntry>,
  user: z.output<typeof userEntry>,
): Promise<HttpTls> {
  const ca = await reader.material(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await reader.material(user['client-certificate-data'], user['client-certificate']);
  const key = await reader.material(user['client-key-data'], user['client-key']);
  const servername = cluster['tls-server-name'];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
}

class Reader {
  readonly #store: string;
  readonly #file: string;

  constructor(store: string, file: string) {
    this.#store = store;
    this.#file = file;
  }

  async parse(): Promise<z.output<typeof kubeconfig>> {
    const text = await this.read(this.#file);
    let value: unknown;
    try {
      value = parse(text);
    } catch {
      // The parser's own message would quote the content.
    }
    return this.need(kubeconfig.safeParse(value).data, 'no-kubeconfig');
  }

  need<Value>(value: Value | undefined, why: Why): Value {
    if (value === undefined) throw this.unusable(why);
    return value;
  }

  /** PEM that is in the file itself, or in another one. A relative path starts at the file. */
  async material(data: string | undefined, path: string | undefined): Promise<string | undefined> {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return path === undefined ? undefined : this.read(path);
  }

  async read(path: string): Promise<string> {
    const whole = resolve(dirname(this.#file), path);
    return readFile(whole, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
      throw this.unusable('unreadable', String(code), whole);
    });
  }

  unusable(why: Why, detail?: string, file = this.#file): Fault {
    const more = detail === undefined ? {} : { detail };
    return fault('kubernetes-config-unusable', { store: this.#store, file, why, ...more });
  }
}
