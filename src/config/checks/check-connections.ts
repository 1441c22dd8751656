import type { Tls } from '../config.ts';
import { type Path, renderPath } from '../config-error.ts';
import { connectionSchema, DATABASE_RULE } from '../schema/config-schema.ts';
import type { Draft } from '../schema/draft.ts';
import { entriesOf, find } from '../yaml/located.ts';
import type { ReadText } from '../yaml/read-text.ts';
import { checkReplicas } from './check-replicas.ts';
import { checkTls, type Encrypted } from './check-tls.ts';

/**
 * Checks what the entries of each connection mean together, and reads its TLS material: the result has, by their
 * paths, what every connection with a host, every PgBouncer and the state database need, unless something was reported.
 */
export function checkConnections(draft: Draft, readText: ReadText): ReadonlyMap<string, Tls> {
  const all = new Map<string, Tls>();
  const add = (path: Path, of: Encrypted) => all.set(renderPath(path), checkTls(draft, path, of, readText));
  const { host: stateHost, tls: stateTls } = draft.state;
  if (stateHost !== undefined && stateTls !== undefined) {
    add(['state', 'database'], { host: stateHost, tls: stateTls });
  }
  for (const [name, connection] of draft.connections) {
    const path = ['connections', name];
    const keys = [...entriesOf(find(draft.tree, path)).keys()];
    if (!keys.includes('database')) {
      draft.report([...path, 'database'], `is missing; must be ${DATABASE_RULE}`);
    }
    if (!keys.includes('host')) {
      checkEmbedded(draft, name, keys);
      continue;
    }
    if (!keys.includes('user')) {
      draft.report([...path, 'user'], 'is missing; must be the name of the rotator, a role');
    }
    checkReplicas(draft, name);
    const { host, tls, pgbouncer = [] } = connection;
    if (host !== undefined && tls !== undefined) add(path, { host, tls });
    for (const [index, entry] of pgbouncer.entries()) add([...path, 'pgbouncer', index], entry);
  }
  return all;
}

function checkEmbedded(draft: Draft, name: string, keys: readonly string[]): void {
  const known = Object.keys(connectionSchema.shape);
  const surplus = keys.filter((key) => key !== 'database' && known.includes(key));
  if (surplus.length === 0) return;
  draft.report(
    ['connections', name, 'host'],
    `is missing, but ${surplus.join(', ')} is there; add host, or leave only database for the embedded PostgreSQL`,
  );
}
