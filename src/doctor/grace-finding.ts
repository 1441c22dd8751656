import type { LoginsPolicy } from '../config/policy.ts';
import type { Store } from '../config/stores.ts';
import { fact } from '../facts/fact.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

const MINUTE_MS = 60_000;

/**
 * Whether the grace is as long as consumers cache a credential. They decide that themselves, so
 * only the usual can be judged: of the clients of AWS Secrets Manager, the agent keeps a secret for
 * 5 minutes and the caching libraries for an hour.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_cache-java-ref_SecretCacheConfiguration.html
 */
export function graceFinding(policy: LoginsPolicy, stores: ReadonlyMap<string, Store>): Finding {
  const { grace } = policy.drain;
  const isOnAws = policy.publish.some(({ store }) => stores.get(store)?.type === 'aws-secrets-manager');
  if (isOnAws && grace < 5 * MINUTE_MS) {
    return finding('warn', 'grace', fact('grace-shorter-than-cache', { policy: policy.name, grace }));
  }
  if (grace === 0) return finding('warn', 'grace', fact('grace-zero', { policy: policy.name }));
  const aws = isOnAws && grace < 60 * MINUTE_MS;
  return finding('skip', 'grace', fact('grace-not-verifiable', { grace, aws }));
}
