import { type Fact, fact } from '../../facts/fact.ts';
import type { Problem } from '../../facts/problem.ts';
import { type Path, renderPath } from '../config-error.ts';
import { entriesOf, find, type Located } from '../yaml/located.ts';
import { parseConnectionUrl } from './connection-url.ts';
import { type UrlPart, urlEntry } from './url-entry.ts';

const SPELT_OUT = ['host', 'port', 'database', 'user', 'password', 'tls'];
/**
 * What may be shown of a URL that stands in the file. With a slip in escaping the rest could be a
 * piece of the password.
 */
const SHOWN = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

const SCHEME = /^postgres(ql)?:\/\//;

type Report = (problem: Problem) => void;

/**
 * Replaces each connection's `url`, and `state.database`, by what the URL stands for, so that it is
 * checked as if it were spelt out.
 */
export function expandUrls(tree: Located, report: Report): Located {
  const connections = find(tree, ['connections']);
  const expanded = expandState(tree, report);
  if (connections?.content.kind !== 'mapping') return expanded;
  const entries = new Map(
    [...entriesOf(connections)].map(([name, connection]) => [
      name,
      expandConnection(connection, ['connections', name], report),
    ]),
  );
  return withEntry(expanded, 'connections', {
    ...connections,
    content: { kind: 'mapping', entries },
  });
}

/** Whether an entry stands in the place of a URL, so that nobody wrote the mapping itself. */
export function isExpanded({ content, origin }: Located): boolean {
  return content.kind === 'mapping' && origin !== undefined;
}

/** That the state database is a URL at all, or left out, is for the schema to say. */
function expandState(tree: Located, report: Report): Located {
  const path = ['state', 'database'];
  const [state, url] = [find(tree, ['state']), find(tree, path)];
  if (state === undefined || !isUrl(url) || !SCHEME.test(url.content.value)) return tree;
  const content = { kind: 'mapping', entries: partsOf(url, path, report) } as const;
  const database = { ...url, origin: renderPath(path), content };
  return withEntry(tree, 'state', withEntry(state, 'database', database));
}

function expandConnection(connection: Located, path: Path, report: Report): Located {
  const written = entriesOf(connection);
  const url = written.get('url');
  if (url === undefined) return connection;
  // A url that is no text, or was not filled in, stays: the schema or the reference reports it.
  const others = [...written].filter(([key]) => key !== 'url' || !isUrl(url));
  for (const [key, { keyPlace, place }] of others) {
    if (!SPELT_OUT.includes(key)) continue;
    const repeated = fact('url-repeated', { key });
    report({ ...(keyPlace ?? place), path: renderPath([...path, key]), fact: repeated });
  }
  const parts = isUrl(url) ? partsOf(url, [...path, 'url'], report) : broken(url);
  return { ...connection, content: { kind: 'mapping', entries: new Map([...parts, ...others]) } };
}

type UrlScalar = Located & { readonly content: { readonly kind: 'scalar'; readonly value: string } };

function isUrl(located: Located | undefined): located is UrlScalar {
  return (
    located?.content.kind === 'scalar' &&
    located.content.broken === undefined &&
    typeof located.content.value === 'string'
  );
}

function partsOf(url: UrlScalar, path: Path, report: Report): ReadonlyMap<string, Located> {
  const origin = renderPath(path);
  const at = (found: Fact, parameter?: string) => {
    const place = parameter === undefined ? origin : `${origin} (${parameter})`;
    report({ ...url.place, path: place, fact: found });
  };
  const parsed = parseConnectionUrl(url.content.value);
  if ('fault' in parsed) {
    at(fact('url-malformed', { why: parsed.fault }));
    return broken(url);
  }
  const { own, tls, faults } = urlEntry(parsed.values);
  for (const { parameter, fact: found } of faults) at(found, parameter);
  if (faults.length > 0) return broken(url);
  const literal = !('written' in url.content);
  const locate = ([key, { parameter, value }]: readonly [string, UrlPart]) => {
    const named = literal && SHOWN.includes(parameter) ? {} : { parameter };
    const content = { kind: 'scalar', value, ...named } as const;
    return [key, { place: url.place, origin: `${origin} (${parameter})`, content }] as const;
  };
  const entries: Located = {
    place: url.place,
    content: { kind: 'mapping', entries: new Map([...tls].map(locate)) },
  };
  return new Map<string, Located>([...[...own].map(locate), ['tls', entries]]);
}

/** What stands for a URL that was reported: nothing in it is reported again. */
function broken({ place }: Located): ReadonlyMap<string, Located> {
  const content = { kind: 'scalar', value: null, broken: true } as const;
  return new Map(['host', 'database', 'user'].map((key) => [key, { place, content }]));
}

function withEntry(mapping: Located, key: string, entry: Located): Located {
  const entries = new Map([...entriesOf(mapping), [key, entry]]);
  return { ...mapping, content: { kind: 'mapping', entries } };
}
