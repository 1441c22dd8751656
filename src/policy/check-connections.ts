import { checkReplicas } from './check-replicas.ts';
import type { Tls } from './config.ts';
import { type Path, renderPath } from './config-error.ts';
import { type ConnectionEntry, connectionSchema } from './config-schema.ts';
import type { Draft } from './draft.ts';
import { entriesOf, find } from './located.ts';
import type { ReadText } from './read-text.ts';
import { isLoopback } from './server.ts';
import { tlsMode } from './tls-mode.ts';

/** What a connection and a PgBouncer have in common. */
type Encrypted = Pick<ConnectionEntry, 'tls'> & { readonly host: string };

/**
 * Checks what the entries of each connection mean together, and reads its TLS material: the result has, by their
 * paths, what every connection with a host and every PgBouncer needs, unless something was reported.
 */
export function checkConnections(draft: Draft, readText: ReadText): ReadonlyMap<string, Tls> {
  const all = new Map<string, Tls>();
  for (const [name, connection] of draft.connections) {
    const keys = [...entriesOf(find(draft.tree, ['connections', name])).keys()];
    if (!keys.includes('host')) {
      checkEmbedded(draft, name, keys);
      continue;
    }
    if (!keys.includes('user')) {
      draft.report(['connections', name, 'user'], 'is missing; must be the name of the rotator, a role');
    }
    checkReplicas(draft, name);
    const { host, tls, pgbouncer = [] } = connection;
    const add = (path: Path, of: Encrypted) => all.set(renderPath(path), readTls(draft, path, of, readText));
    if (host !== undefined && tls !== undefined) add(['connections', name], { host, tls });
    for (const [index, entry] of pgbouncer.entries()) add(['connections', name, 'pgbouncer', index], entry);
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

function readTls(draft: Draft, owner: Path, { host, tls }: Encrypted, readText: ReadText): Tls {
  const path = [...owner, 'tls'];
  const mode = tlsMode(tls, host);
  checkMode(draft, owner, mode, { host, tls });
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [there, missing] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    draft.report([...path, missing], `is missing; must be there with ${there}, or leave both out`);
  }
  const material: { ca?: string; cert?: string; key?: string } = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const file = tls[part];
    if (file === undefined) continue;
    const read = readText(file);
    if ('text' in read && read.text.trim() !== '') material[part] = read.text;
    else {
      const fault = 'fault' in read ? read.fault : 'is empty';
      draft.report(
        [...path, part],
        `file ${draft.quote([...path, part])} ${fault}; must be a readable PEM file`,
      );
    }
  }
  return { mode, ...material };
}

/** libpq lets `require` verify when it finds a root certificate; here only what says verify does. */
function checkMode(draft: Draft, owner: Path, mode: Tls['mode'], { host, tls }: Encrypted): void {
  const path = [...owner, 'tls'];
  const overSocket = host.startsWith('/');
  if (overSocket && mode !== 'disable') {
    draft.report(
      [...path, 'mode'],
      `${mode} over a Unix socket, which has no TLS; must be disable or left out`,
    );
  } else if (mode === 'disable') {
    for (const part of ['ca', 'cert', 'key'] as const) {
      if (tls[part] === undefined) continue;
      draft.report([...path, part], 'has no use with mode disable; leave it out, or set mode to verify-full');
    }
  } else if (mode === 'require' && tls.ca !== undefined) {
    draft.report([...path, 'ca'], 'has no use with mode require; set mode to verify-ca or verify-full');
  }
  if (isLoopback(host)) return;
  const where = draft.quote([...owner, 'host']);
  if (mode === 'disable') {
    draft.warn([...path, 'mode'], `the connection to ${where} is not encrypted; better is verify-full`);
  } else if (mode === 'require') {
    draft.warn(
      [...path, 'mode'],
      `the connection to ${where} is encrypted, but anyone could answer it; better is verify-full`,
    );
  }
}
