import type { Fact } from '../../facts/fact.ts';
import type { Place, Problem, Shown } from '../../facts/problem.ts';
import { isCredentialLike } from '../checks/credential-like.ts';
import { type Path, renderPath } from '../config-error.ts';

/** A value of the configuration that knows where it was written. */
export interface Located {
  readonly place: Place;
  /** Where its key stands, for an entry of a mapping. */
  readonly keyPlace?: Place;
  /** What messages call its path where it was not written there: `connections.db.url (sslmode)`. */
  readonly origin?: string;
  readonly content: Mapping | List | Scalar;
}

export interface Mapping {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, Located>;
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly Located[];
}

export interface Scalar {
  readonly kind: 'scalar';
  readonly value: unknown;
  /** The text with its `${…}`, if it had any. */
  readonly written?: string;
  /** The parameter of a URL that says it, which messages name in place of the value. */
  readonly parameter?: string;
  /** Reported already; nothing can be said about the value. */
  readonly broken?: true;
}

/** The entries of a mapping; none of anything else. */
export function entriesOf(located: Located | undefined): ReadonlyMap<string, Located> {
  return located?.content.kind === 'mapping' ? located.content.entries : new Map();
}

/** What stands at a path; undefined if nothing does. */
export function find(root: Located, path: Path): Located | undefined {
  let found: Located | undefined = root;
  for (const part of path) {
    if (found?.content.kind === 'list' && typeof part === 'number') found = found.content.items[part];
    else found = entriesOf(found).get(String(part));
  }
  return found;
}

/** The value without its places. */
export function plain({ content }: Located): unknown {
  switch (content.kind) {
    case 'scalar':
      return content.value;
    case 'list':
      return content.items.map(plain);
    case 'mapping':
      return Object.fromEntries([...content.entries].map(([key, entry]) => [key, plain(entry)]));
  }
}

/** Whether it was reported already, or anything in it. */
export function isBroken({ content }: Located): boolean {
  switch (content.kind) {
    case 'scalar':
      return content.broken === true;
    case 'list':
      return content.items.some(isBroken);
    case 'mapping':
      return [...content.entries.values()].some(isBroken);
  }
}

/** Whether the value at a path was filled in from elsewhere. */
export function isInterpolated(root: Located, path: Path): boolean {
  const content = find(root, path)?.content;
  return content?.kind === 'scalar' && content.written !== undefined;
}

/** A problem with what stands at a path, or, where nothing stands there, with what lacks it. */
export function problemAt(root: Located, path: Path, fact: Fact): Problem {
  const found = find(root, path);
  const place = found?.place ?? ownerPlace(root, path);
  return { ...place, path: found?.origin ?? renderPath(path), fact };
}

/** The key of the nearest enclosing entry that exists: the missing one belongs under it. */
function ownerPlace(root: Located, path: Path): Place {
  for (let length = path.length - 1; length > 0; length--) {
    const owner = find(root, path.slice(0, length));
    if (owner !== undefined) return owner.keyPlace ?? owner.place;
  }
  return root.place;
}

const HIDDEN: Shown = { kind: 'hidden' };

/** A value as messages may show it: never a credential, and a variable by its name. */
export function shownAt(root: Located, path: Path): Shown {
  const content = find(root, path)?.content;
  if (content?.kind !== 'scalar') return HIDDEN;
  if (content.parameter !== undefined) return { kind: 'parameter', name: content.parameter };
  if (holdsCredential(path) || isPem(content.value)) return HIDDEN;
  const written = content.written ?? content.value;
  if (isCredentialLike(String(written))) return HIDDEN;
  const isPlain = typeof written === 'number' || typeof written === 'boolean' || written === null;
  return { kind: 'written', text: isPlain ? written : String(written) };
}

/** Keys of a sink. A URL of a chat is a password. */
const HOLD_CREDENTIALS: ReadonlySet<unknown> = new Set(['url', 'secrets', 'password', 'env']);

/** Whether what stands at a path is a credential, or contains one, however it was written. */
function holdsCredential([section, ...rest]: Path): boolean {
  const key = rest.at(-1);
  return (
    section === 'state' ||
    (section === 'queue' && !isRedisNode(rest)) ||
    (section === 'events' && HOLD_CREDENTIALS.has(rest[2])) ||
    (section === 'connections' && (key === 'password' || key === 'url'))
  );
}

/** Whether it is a sentinel or a node of a cluster, or a part of one. */
function isRedisNode([redis, list, index]: Path): boolean {
  return redis === 'redis' && (list === 'sentinels' || list === 'cluster') && typeof index === 'number';
}

/** Whether it is the text of a certificate or key, or a piece of one, rather than a path. */
function isPem(value: unknown): boolean {
  return typeof value === 'string' && (/-----BEGIN|\n/.test(value) || value.length > 255);
}
