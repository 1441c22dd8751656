import { resolve } from 'node:path';
import type { Path } from '../config-error.ts';
import type { Draft } from '../schema/draft.ts';
import { find, type Located } from '../yaml/located.ts';
import { isOpenToAll } from './open-to-all.ts';

const FILE_REFERENCE = /(?<!\$)\$\{file:([^}]*)\}/g;
const REFERENCE = /(?<!\$)\$\{[^}]*\}/g;

/**
 * Warns of files with passwords or keys that every user of this machine may read: the configuration where one is written
 * out, what `${file:…}` names, and key files. `written` is the configuration with its URLs as they are written.
 */
export function checkExposure(draft: Draft, written: Located, cwd: string): void {
  const told = new Set<string>();
  const check = (path: Path, file: string, has: string) => {
    if (told.has(file) || !isOpenToAll(resolve(cwd, file))) return;
    told.add(file);
    draft.warn(path, `every user of this machine may read ${file}, which has ${has}; run: chmod o-r ${file}`);
  };
  for (const path of passwordPaths(draft, written)) {
    const located = find(written, path);
    if (located?.content.kind !== 'scalar' || typeof located.content.value !== 'string') continue;
    const text = located.content.written ?? located.content.value;
    for (const [, file = ''] of text.matchAll(FILE_REFERENCE)) check(path, file, 'a password');
    // With nothing in place of what is filled in, a password that is left was written out.
    if (isPassword(path, text.replace(REFERENCE, ''))) check(path, located.place.file, 'a password in it');
  }
  for (const [path, tls] of encrypted(draft)) {
    if (tls?.key === undefined) continue;
    if (!tls.key.trimStart().startsWith('-----BEGIN'))
      check([...path, 'tls', 'key'], tls.key, 'a private key');
  }
}

function passwordPaths(draft: Draft, written: Located): Path[] {
  const ofConnections = [...draft.connections.keys()].flatMap((name): Path[] => {
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
  return [['state', 'database'], ['queue', 'redis'], ...ofConnections];
}

function isPassword(path: Path, text: string): boolean {
  if (path.at(-1) === 'password') return text !== '';
  return /^[a-z]+:\/\/[^@/?]*:[^@]+@/.test(text) || /[?&]password=[^&]/.test(text);
}

function encrypted(draft: Draft): (readonly [Path, { readonly key?: string } | undefined])[] {
  return [
    [['state', 'database'], draft.state.tls],
    ...[...draft.connections].flatMap(([name, { tls, pgbouncer = [] }]) => [
      [['connections', name], tls] as const,
      ...pgbouncer.map((one, index) => [['connections', name, 'pgbouncer', index], one.tls] as const),
    ]),
  ];
}
