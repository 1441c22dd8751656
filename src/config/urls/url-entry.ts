import { type Fact, fact } from '../../facts/fact.ts';
import { isLoopback } from '../values/server.ts';
import { faultOfParameter, isStrange } from './url-parameters.ts';

/** One value of a connection's entry, and the parameter of the URL that said so. */
export interface UrlPart {
  readonly parameter: string;
  readonly value: string | boolean;
}

/** What is wrong with a parameter; what may be a piece of a password has no name. */
export interface UrlFault {
  readonly parameter?: string;
  readonly fact: Fact;
}

/** What a URL stands for: the values of a connection's entry by key, and those of its `tls`. */
export interface UrlEntry {
  readonly own: ReadonlyMap<string, UrlPart>;
  readonly tls: ReadonlyMap<string, UrlPart>;
  readonly faults: readonly UrlFault[];
}

/**
 * Translates a URL by the meaning that each parameter has in libpq. What keyturn cannot honour is
 * a fault.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
export function urlEntry(values: ReadonlyMap<string, string>): UrlEntry {
  const faults: UrlFault[] = [...values].flatMap(([parameter, value]) => {
    if (isStrange(parameter)) return [];
    const fault = faultOfParameter(parameter, value);
    return fault === undefined ? [] : [{ parameter, fact: fault }];
  });
  if ([...values.keys()].some(isStrange)) {
    faults.push({ fact: fact('url-parameter-unknown', {}) });
  }
  const fault = (parameter: string, found: Fact) => faults.push({ parameter, fact: found });
  const own = new Map<string, UrlPart>();
  const put = (to: Map<string, UrlPart>, key: string, parameter: string) => {
    const value = values.get(parameter);
    if (value !== undefined) to.set(key, { parameter, value });
  };
  put(own, 'host', 'host');
  put(own, 'host', 'hostaddr');
  put(own, 'port', 'port');
  put(own, 'user', 'user');
  put(own, 'database', 'user');
  put(own, 'database', 'dbname');
  put(own, 'password', 'password');
  for (const parameter of ['host', 'user'] as const) {
    if (!own.has(parameter)) fault(parameter, fact('url-parameter-missing', { parameter }));
  }
  return { own, tls: tlsParts(values, own, put, fault), faults };
}

function tlsParts(
  values: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, UrlPart>,
  put: (to: Map<string, UrlPart>, key: string, parameter: string) => void,
  fault: (parameter: string, found: Fact) => void,
): ReadonlyMap<string, UrlPart> {
  const tls = new Map<string, UrlPart>();
  // libpq ignores the TLS parameters over a Unix socket.
  const host = String(own.get('host')?.value);
  if (host.startsWith('/')) return tls;
  const [mode, root] = [values.get('sslmode'), values.get('sslrootcert')];
  put(tls, 'mode', 'sslmode');
  put(tls, 'cert', 'sslcert');
  put(tls, 'key', 'sslkey');
  for (const [there, missing] of [
    ['sslcert', 'sslkey'],
    ['sslkey', 'sslcert'],
  ] as const) {
    if (!values.has(there) || values.has(missing)) continue;
    fault(missing, fact('client-certificate-incomplete', { there }));
  }
  if (root === 'system') {
    if (mode !== undefined && mode !== 'verify-full') {
      fault('sslmode', fact('url-mode-weaker-than-system', {}));
    }
    tls.set('mode', { parameter: 'sslrootcert', value: 'verify-full' });
  } else {
    put(tls, 'ca', 'sslrootcert');
    if (mode === 'require' && root !== undefined) {
      tls.set('mode', { parameter: 'sslmode', value: 'verify-ca' });
    }
    if (mode === 'verify-ca' && root === undefined) {
      fault('sslrootcert', fact('url-parameter-missing', { parameter: 'sslrootcert' }));
    }
  }
  const encrypts = (tls.get('mode')?.value ?? (isLoopback(host) ? 'disable' : 'verify-full')) !== 'disable';
  if (encrypts && values.has('hostaddr')) put(tls, 'servername', 'host');
  if (encrypts && values.get('sslsni') === '0') tls.set('sni', { parameter: 'sslsni', value: false });
  return tls;
}
