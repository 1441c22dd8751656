import type { Policy } from './policy.ts';
import type { ConnectionEntry } from './schema/connection-schema.ts';
import type { Entries } from './schema/entries.ts';
import type { PolicyEntry } from './schema/policy-schema.ts';

/** Makes each policy from its entry, once no problem was found: then everything is there. */
export function buildPolicies({ policies, connections }: Entries): ReadonlyMap<string, Policy> {
  return new Map(
    [...policies].map(([name, part]) => {
      const entry = part as PolicyEntry;
      return [name, buildPolicy(name, entry, connections.get(entry.connection))];
    }),
  );
}

function buildPolicy(
  name: string,
  { type, logins, owner, drain, schedule, ...entry }: PolicyEntry,
  connection: Partial<ConnectionEntry> | undefined,
): Policy {
  const shared = { name, ...entry, ...(schedule ? { schedule } : {}) };
  if (type === 'rotator' && connection?.user !== undefined) {
    return { ...shared, type, logins: [connection.user] };
  }
  if (logins === undefined) throw new Error(`Policy ${name} has no login, which no check found`);
  return { ...shared, type: 'logins', logins, ...(owner === undefined ? {} : { owner }), drain };
}
