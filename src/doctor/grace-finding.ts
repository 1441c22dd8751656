import type { Store } from '../config/config.ts';
import type { LoginsPolicy } from '../config/policy.ts';
import type { Finding } from '../rotation/findings/finding.ts';

const MINUTE_MS = 60_000;

/**
 * Whether the grace is as long as consumers cache a credential. That they decide themselves, so only what is usual can be
 * said: of AWS Secrets Manager's own clients the agent keeps a secret for 5 minutes and the caching libraries for an hour.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_cache-java-ref_SecretCacheConfiguration.html
 */
export function graceFinding(policy: LoginsPolicy, stores: ReadonlyMap<string, Store>): Finding {
  const about = 'grace';
  const { grace } = policy.drain;
  const onAws = policy.publish.some(({ store }) => stores.get(store)?.type === 'aws-secrets-manager');
  const usual = onAws ? 5 * MINUTE_MS : 1;
  const told = grace < MINUTE_MS ? `${grace / 1000} s` : `${Math.floor(grace / MINUTE_MS)} min`;
  if (grace < usual) {
    return {
      level: 'warn',
      about,
      text: onAws
        ? `drain.grace is ${told}, but consumers of AWS Secrets Manager usually cache: its agent for 5 min, its libraries for 1 h. Who logs in with a cached credential after the drain is refused`
        : 'drain.grace is 0, so who read the old credential right before it was replaced may be refused',
      remedy: `set drain.grace of ${policy.name} to as long as its consumers cache, for instance ${onAws ? '5m' : '10s'}`,
    };
  }
  const cached =
    onAws && grace < 60 * MINUTE_MS
      ? '; the caching libraries of AWS keep one for 1 h unless told otherwise'
      : '';
  return {
    level: 'skip',
    about,
    text: `grace is ${told}; how long consumers cache cannot be seen from here${cached}`,
  };
}
