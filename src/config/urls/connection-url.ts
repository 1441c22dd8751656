import type { UrlFault } from '../../facts/config/config-url-facts.ts';

/** What a connection URL says, by libpq's names and percent-decoded; or what is wrong with it. */
export type ConnectionUrl = { readonly values: ReadonlyMap<string, string> } | { readonly fault: UrlFault };

// The user name ends at the first : and the password at the first @. An unescaped / is in neither.
const URL = /^postgres(?:ql)?:\/\/(?:([^@/:]*)(?::([^@/]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;
const AUTHORITY = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/;

/**
 * Reads a URL as libpq does: the last of two values counts, and only %XX is an escape.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 * Stricter in one point: text where no password belongs may be a piece of one, so it is refused.
 */
export function parseConnectionUrl(url: string): ConnectionUrl {
  const [whole, user, password, authority = '', database, query = ''] = URL.exec(url) ?? [];
  if (whole === undefined || /\s/.test(url)) {
    return { fault: 'no-url' };
  }
  if (`${authority}${database}${query}`.includes('@')) {
    return { fault: 'stray-at' };
  }
  if (authority.includes(',')) return { fault: 'several-hosts' };
  const [match, address, name, port] = AUTHORITY.exec(authority) ?? [];
  if (match === undefined) return { fault: 'host' };

  const pairs: [string, string | undefined][] = [
    ['user', user],
    ['password', password],
    ['host', address ?? name],
    ['port', port],
    ['dbname', database],
  ];
  // libpq ignores an & at the end.
  for (const pair of query === '' ? [] : query.replace(/&$/, '').split('&')) {
    const [key, value, ...more] = pair.split('=');
    if (!key || value === undefined || more.length > 0) {
      return { fault: 'parameter' };
    }
    pairs.push([key, value]);
  }
  return decoded(pairs);
}

function decoded(pairs: readonly (readonly [string, string | undefined])[]): ConnectionUrl {
  const values = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (value === undefined) continue;
    const [name, text] = [decode(key), decode(value)];
    if (name === undefined || text === undefined) return { fault: faultOfEscapes(`${key}${value}`) };
    // An empty value means the default of libpq, whatever came before it. A mode cannot be empty.
    if (text === '' && name !== 'sslmode') values.delete(name);
    // libpq takes this form of JDBC, too.
    else if (name === 'ssl' && text === 'true') values.set('sslmode', 'require');
    else values.set(name, text);
  }
  const several = ['host', 'hostaddr', 'port'].some((name) => values.get(name)?.includes(','));
  return several ? { fault: 'several-hosts' } : { values };
}

function faultOfEscapes(text: string): UrlFault {
  return /%(?![\da-f]{2})/i.test(text) ? 'escape' : 'encoding';
}

function decode(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return value.includes('\0') ? undefined : value;
  } catch {
    return undefined;
  }
}
