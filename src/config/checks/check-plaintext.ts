import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import { isLoopback } from '../values/server.ts';
import { find } from '../yaml/located.ts';

/** The variables from which the AWS SDK takes an endpoint that no store names, the first first. */
const ENDPOINT_VARIABLES = ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL'];

/** Checks that the configuration allows plaintext to the queue and AWS where they need it. */
export function checkPlaintext(
  review: Review,
  { queue, stores }: Pick<Entries, 'queue' | 'stores'>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  // Several nodes have a `tls` of their own, which is verify-full beyond loopback.
  if (queue.redis && typeof queue.redis === 'string') {
    checkUrl(review, ['queue'], { key: 'redis', url: queue.redis, scheme: 'rediss' });
  }
  for (const [name, store] of stores) {
    if (store?.type !== 'aws-secrets-manager') continue;
    const variable = store.endpoint === undefined ? ENDPOINT_VARIABLES.find((each) => env[each]) : undefined;
    const url = store.endpoint ?? (variable === undefined ? undefined : env[variable]);
    if (url === undefined) continue;
    const named = variable === undefined ? {} : { variable };
    checkUrl(review, ['stores', name], { key: 'endpoint', url, scheme: 'https', ...named });
  }
}

interface Target {
  /** The key of the URL in its entry. */
  readonly key: string;
  readonly url: string;
  /** The scheme that is encrypted. */
  readonly scheme: string;
  readonly variable?: string;
}

function checkUrl(review: Review, owner: Path, { key, url, scheme, ...named }: Target): void {
  const isAllowed = allowsPlaintext(review, owner);
  if (url.startsWith(`${scheme}:`)) {
    if (isAllowed) {
      review.report([...owner, 'tls', 'mode'], fact('plaintext-useless', { key, scheme }));
    }
    return;
  }
  if (isLoopback(hostOf(url))) return;
  const path = [...owner, key];
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
