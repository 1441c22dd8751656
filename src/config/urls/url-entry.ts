import { isIP } from 'node:net';
import { type Fact, fact } from '../../facts/fact.ts';
import { nearest } from '../schema/nearest.ts';
import { isLoopback } from '../values/server.ts';

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

/** What a URL stands for: the parts of a connection's entry by their keys, those of `tls` apart, and what is wrong with it. */
export interface UrlEntry {
  readonly own: ReadonlyMap<string, UrlPart>;
  readonly tls: ReadonlyMap<string, UrlPart>;
  readonly faults: readonly UrlFault[];
}

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
const USED = [
  'host',
  'hostaddr',
  'port',
  'dbname',
  'user',
  'password',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslsni',
];
/** keyturn has its own ways in these; nothing is less safe or goes elsewhere for it. */
const IGNORED = [
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'connect_timeout',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
];
/** The values that mean what keyturn does anyway. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  sslnegotiation: ['postgres'],
  sslcertmode: ['allow'],
  channel_binding: ['disable', 'prefer'],
  target_session_attrs: ['any', 'primary', 'read-write'],
  gssencmode: ['disable', 'prefer'],
  load_balance_hosts: ['disable'],
};
/** keyturn has another way to the same end. */
const USELESS = ['passfile', 'service', 'options', 'sslpassword', 'sslcrl', 'sslcrldir'];

/** What else libpq knows, so that it may be named. */
const UNSUPPORTED = [
  'ssl',
  'requiressl',
  'require_auth',
  'requirepeer',
  'replication',
  'krbsrvname',
  'gsslib',
  'gssdelegation',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'min_protocol_version',
  'max_protocol_version',
  'sslkeylogfile',
  'servicefile',
  'scram_client_key',
  'scram_server_key',
  'oauth_issuer',
  'oauth_client_id',
  'oauth_client_secret',
  'oauth_scope',
];
const ALLOWED = [...USED, ...Object.keys(ONLY), ...IGNORED];
const KNOWN = [...ALLOWED, ...USELESS, ...UNSUPPORTED];

/**
 * Translates what a URL says by the meaning that each parameter has in libpq; what keyturn could not honour is a fault.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
export function urlEntry(values: ReadonlyMap<string, string>): UrlEntry {
  const faults: UrlFault[] = [...values].flatMap(([parameter, value]) => {
    if (isStrange(parameter)) return [];
    const fault = faultOf(parameter, value);
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
  // Over a Unix socket libpq passes over all that says how to encrypt.
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

/** Whether a parameter is none of libpq's, nor like one of them: what follows an & in a password that was not escaped. */
function isStrange(parameter: string): boolean {
  return nearest(parameter, KNOWN) === undefined;
}

function faultOf(parameter: string, value: string): Fact | undefined {
  if (parameter === 'sslmode') return faultOfMode(value);
  if (parameter === 'hostaddr' && isIP(value) === 0) {
    return fact('url-parameter-invalid', { parameter });
  }
  if (parameter === 'sslsni' && !/^[01]$/.test(value)) {
    return fact('url-parameter-invalid', { parameter });
  }
  if (USED.includes(parameter) || IGNORED.includes(parameter)) return undefined;
  const allowed = ONLY[parameter];
  if (allowed !== undefined) {
    if (parameter === 'channel_binding' && value === 'require') {
      return fact('url-requires-channel-binding', {});
    }
    return allowed.includes(value) ? undefined : fact('url-parameter-differs', { allowed });
  }
  if (USELESS.includes(parameter)) return fact('url-parameter-useless', { parameter });
  const near = UNSUPPORTED.includes(parameter) ? undefined : nearest(parameter, KNOWN);
  return fact('url-parameter-unsupported', {
    ...(near === undefined ? {} : { near }),
    allowed: ALLOWED,
  });
}

function faultOfMode(mode: string): Fact | undefined {
  if (MODES.includes(mode)) return undefined;
  if (mode === 'allow' || mode === 'prefer') return fact('url-mode-falls-back', { mode });
  return fact('url-parameter-invalid', { parameter: 'sslmode' });
}
