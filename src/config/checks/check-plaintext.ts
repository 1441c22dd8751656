import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import { isLoopback } from '../values/server.ts';
import { find } from '../yaml/located.ts';

/** The variables from which the AWS SDK takes an endpoint that no store names, the first first. */
const ENDPOINT_VARIABLES = {
  'aws-secrets-manager': ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL'],
  'aws-parameter-store': ['AWS_ENDPOINT_URL_SSM', 'AWS_ENDPOINT_URL'],
  role: ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'],
} as const;

/** Checks that the configuration allows plaintext to the queue and AWS where they need it. */
export function checkPlaintext(
  review: Review,
  { queue, stores }: Pick<Entries, 'queue' | 'stores'>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  // Several nodes have a `tls` of their own, which is verify-full beyond loopback.
  if (queue.redis && typeof queue.redis === 'string') {
    checkUrl(review, ['queue'], { at: ['redis'], url: queue.redis, scheme: 'rediss' });
  }
  for (const [name, store] of stores) {
    if (store?.type === 'vault') {
      checkUrl(review, ['stores', name], { at: ['url'], url: store.url, scheme: 'https' });
    }
    if (store?.type !== 'aws-secrets-manager' && store?.type !== 'aws-parameter-store') continue;
    const path = ['stores', name];
    checkEndpoint(review, path, ['endpoint'], { url: store.endpoint, env, of: store.type });
    if (store.role === undefined) continue;
    checkEndpoint(review, path, ['role', 'endpoint'], { url: store.role.endpoint, env, of: 'role' });
  }
}

interface Endpoint {
  /** As configured. */
  readonly url: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly of: keyof typeof ENDPOINT_VARIABLES;
}

function checkEndpoint(review: Review, owner: Path, at: Path, { url, env, of }: Endpoint): void {
  const variable = url === undefined ? ENDPOINT_VARIABLES[of].find((each) => env[each]) : undefined;
  const used = url ?? (variable === undefined ? undefined : env[variable]);
  if (used === undefined) return;
  checkUrl(review, owner, {
    at,
    url: used,
    scheme: 'https',
    ...(variable === undefined ? {} : { variable }),
  });
}

interface Target {
  /** Where the URL is in its entry. */
  readonly at: Path;
  readonly url: string;
  /** The scheme that is encrypted. */
  readonly scheme: string;
  readonly variable?: string;
}

function checkUrl(review: Review, owner: Path, { at, url, scheme, ...named }: Target): void {
  const isAllowed = allowsPlaintext(review, owner);
  if (url.startsWith(`${scheme}:`)) {
    // A store may need it for one of two endpoints.
    if (isAllowed && at.length === 1) {
      review.report([...owner, 'tls', 'mode'], fact('plaintext-useless', { key: String(at.at(-1)), scheme }));
    }
    return;
  }
  if (isLoopback(hostOf(url))) return;
  const path = [...owner, ...at];
  if (isAllowed) review.warn(path, fact('plaintext-allowed', { scheme, ...named }));
  else review.report(path, fact('plaintext-refused', { scheme, ...named }));
}

/** As written: an unknown key beside it does not change what was meant. */
function allowsPlaintext(review: Review, owner: Path): boolean {
  const content = find(review.tree, [...owner, 'tls', 'mode'])?.content;
  return content?.kind === 'scalar' && content.value === 'disable';
}

/** What cannot be read as a URL is no loopback address. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
}
