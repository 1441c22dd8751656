import { resolve } from 'node:path';
import { type FactParams, fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import type { SinkEntry } from '../schema/sink-schema.ts';
import { find, type Located } from '../yaml/located.ts';
import { isOpenToAll } from './open-to-all.ts';

const FILE_REFERENCE = /(?<!\$)\$\{file:([^}]*)\}/g;
const REFERENCE = /(?<!\$)\$\{[^}]*\}/g;

type Holds = FactParams['secret-file-exposed']['holds'];

/**
 * Warns of files with passwords or keys that every user of this machine may read: the configuration
 * itself, what `${file:…}` names, and key files. `written` has its URLs as they are written.
 */
export function checkExposure(review: Review, entries: Entries, written: Located, cwd: string): void {
  const told = new Set<string>();
  const check = (path: Path, file: string, holds: Holds) => {
    if (told.has(file) || !isOpenToAll(resolve(cwd, file))) return;
    told.add(file);
    review.warn(path, fact('secret-file-exposed', { file, holds }));
  };
  for (const path of passwordPaths(entries, written)) {
    const located = find(written, path);
    if (located?.content.kind !== 'scalar' || typeof located.content.value !== 'string') continue;
    const text = located.content.written ?? located.content.value;
    for (const [, file = ''] of text.matchAll(FILE_REFERENCE)) check(path, file, 'password');
    // A password that remains without the references was written out.
    if (isPassword(path, text.replace(REFERENCE, ''))) check(path, located.place.file, 'literal');
  }
  for (const [path, key] of keyFiles(entries)) check(path, key, 'private-key');
}

function passwordPaths({ connections, stores, sinks }: Entries, written: Located): Path[] {
  const ofConnections = [...connections.keys()].flatMap((name): Path[] => {
    const path = ['connections', name];
    const consoles = find(written, [...path, 'pgbouncer'])?.content;
    return [
      [...path, 'password'],
      [...path, 'url'],
      ...(consoles?.kind === 'list'
        ? consoles.items.map((_, index) => [...path, 'pgbouncer', index, 'password'])
        : []),
    ];
  });
  const ofStores = [...stores.keys()].flatMap((name): Path[] => {
    const auth = ['stores', name, 'auth'];
    return [
      [...auth, 'token'],
      [...auth, 'appRole', 'secretId'],
    ];
  });
  const ofQueue = ['password', 'sentinelPassword'].map((key) => ['queue', 'redis', key]);
  return [
    ['state', 'database'],
    ['queue', 'redis'],
    ...ofQueue,
    ...ofConnections,
    ...ofStores,
    ...[...sinks].flatMap(([name, sink]) => secretsOfSink(['events', 'sinks', name], sink)),
  ];
}

/** The URL of a chat is a password. */
function secretsOfSink(path: Path, sink: SinkEntry | undefined): Path[] {
  if (sink?.type === 'webhook') return sink.secrets.map((_, index) => [...path, 'secrets', index]);
  return sink?.type === 'command' ? [] : [[...path, sink?.type === 'mail' ? 'password' : 'url']];
}

function isPassword(path: Path, text: string): boolean {
  if (path[0] === 'events' || /(password|token|secretId)$/i.test(String(path.at(-1)))) return text !== '';
  return /^[a-z]+:\/\/[^@/?]*:[^@]+@/.test(text) || /[?&]password=[^&]/.test(text);
}

/** The private keys that stand in files of their own. */
function keyFiles({ state, queue, connections, stores }: Entries): (readonly [Path, string])[] {
  const all = [
    [['state', 'database'], state.tls] as const,
    [['queue', 'redis'], typeof queue.redis === 'object' ? queue.redis.tls : undefined] as const,
    ...[...connections].flatMap(([name, { tls, pgbouncer = [] }]) => [
      [['connections', name], tls] as const,
      ...pgbouncer.map((one, index) => [['connections', name, 'pgbouncer', index], one.tls] as const),
    ]),
    ...[...stores].map(
      ([name, store]) => [['stores', name], store?.type === 'vault' ? store.tls : undefined] as const,
    ),
  ];
  const kubeconfigs = [...stores].flatMap(([name, store]): (readonly [Path, string])[] => {
    const path = store?.type === 'kubernetes' ? store.kubeconfig : undefined;
    return path === undefined ? [] : [[['stores', name, 'kubeconfig'], path]];
  });
  const keys = all.flatMap(([path, tls]): (readonly [Path, string])[] => {
    const key = tls?.key;
    if (key === undefined || key.trimStart().startsWith('-----BEGIN')) return [];
    return [[[...path, 'tls', 'key'], key]];
  });
  return [...keys, ...kubeconfigs];
}
