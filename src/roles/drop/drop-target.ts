import type { Config } from '../../config/config.ts';
import type { Provision } from '../../ledger/provisions.ts';
import { refuseRotator } from '../refuse-rotator.ts';

/** Whose roles are to be dropped: a policy as it is configured, or as it last was. */
export interface DropTarget {
  readonly policy: string;
  readonly isConfigured: boolean;
  readonly connection: string;
  readonly logins: readonly [string, string];
  readonly owner?: string;
  /** Whether it is on the embedded PostgreSQL, whose roles keyturn made, asked for or not. */
  readonly isEmbedded?: true;
}

/** Undefined where neither the configuration nor the ledger knows the policy. Throws a RequestError for a rotator's. */
export function dropTargetOf(
  name: string,
  { policies, connections }: Config,
  provisions: ReadonlyMap<string, Provision>,
): DropTarget | undefined {
  const policy = policies.get(name);
  if (policy) refuseRotator(policy);
  const source = policy ?? provisions.get(name);
  if (!source) return undefined;
  const { connection, logins, owner } = source;
  const settings = connections.get(connection);
  return {
    policy: name,
    isConfigured: policy !== undefined,
    connection,
    logins,
    ...(owner === undefined || owner === null ? {} : { owner }),
    ...(settings && 'embedded' in settings ? { isEmbedded: true } : {}),
  };
}
