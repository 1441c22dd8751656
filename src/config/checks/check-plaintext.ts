import type { Path } from '../config-error.ts';
import type { Draft } from '../schema/draft.ts';
import { isRedisUrl } from '../urls/redis-url.ts';
import { isLoopback } from '../values/server.ts';
import { find } from '../yaml/located.ts';

const DISABLE = 'tls: { mode: disable }';

/** The variables from which the AWS SDK takes an endpoint that no store names, the first first. */
const ENDPOINT_VARIABLES = ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL'];

/** Checks that nothing goes over a network in plaintext that does not say so: the queue on Redis, and stores on AWS. */
export function checkPlaintext(draft: Draft, env: Readonly<Record<string, string | undefined>>): void {
  checkRedis(draft);
  for (const [name, store] of draft.stores) {
    if (store?.type !== 'aws-secrets-manager') continue;
    const variable = ENDPOINT_VARIABLES.find((one) => env[one]);
    const endpoint = store.endpoint ?? (variable === undefined ? undefined : env[variable]);
    if (endpoint === undefined) continue;
    const what = store.endpoint === undefined ? `${variable} goes` : 'goes';
    checkUrl(draft, ['stores', name], { key: 'endpoint', url: endpoint, what, encrypted: 'https' });
  }
}

function checkRedis(draft: Draft): void {
  const content = find(draft.tree, ['queue', 'redis'])?.content;
  if (content?.kind !== 'scalar' || typeof content.value !== 'string' || !isRedisUrl(content.value)) return;
  checkUrl(draft, ['queue'], { key: 'redis', url: content.value, what: 'goes', encrypted: 'rediss' });
}

function checkUrl(
  draft: Draft,
  owner: Path,
  { key, url, what, encrypted }: Readonly<Record<'key' | 'url' | 'what' | 'encrypted', string>>,
): void {
  const disabled = isDisabled(draft, owner);
  if (url.startsWith(`${encrypted}:`)) {
    if (!disabled) return;
    const message = `is disable, but ${key} is ${encrypted}://, which is encrypted; leave tls out`;
    draft.report([...owner, 'tls', 'mode'], message);
  } else if (!isLoopback(hostOf(url))) {
    const path = [...owner, key];
    const message = `${what} over the network in plaintext, secrets and passwords too`;
    if (disabled) draft.warn(path, `${message}; better is ${encrypted}://`);
    else
      draft.report(path, `${message}; must be ${encrypted}://, or have ${DISABLE} beside it to allow that`);
  }
}

function isDisabled(draft: Draft, owner: Path): boolean {
  const content = find(draft.tree, [...owner, 'tls', 'mode'])?.content;
  return content?.kind === 'scalar' && content.value === 'disable';
}

/** What cannot be read as a URL is no loopback address. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
}
