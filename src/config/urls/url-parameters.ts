import { isIP } from 'node:net';
import type { UselessParameter } from '../../facts/config/config-url-facts.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { nearest } from '../schema/nearest.ts';

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
/** keyturn sets these itself. Ignoring them makes nothing less safe. */
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
/** The values that say what keyturn does anyway. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  sslnegotiation: ['postgres'],
  sslcertmode: ['allow'],
  channel_binding: ['disable', 'prefer'],
  target_session_attrs: ['any', 'primary', 'read-write'],
  gssencmode: ['disable', 'prefer'],
  load_balance_hosts: ['disable'],
};
/** keyturn has another way to the same end. */
const USELESS: readonly UselessParameter[] = [
  'passfile',
  'service',
  'options',
  'sslpassword',
  'sslcrl',
  'sslcrldir',
];

/** Other parameters of libpq. A message may show their names. */
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

/** Nothing like a parameter of libpq: it may follow an unescaped & in a password. */
export function isStrange(parameter: string): boolean {
  // Known first: looking for what a word is near takes milliseconds.
  return !KNOWN.includes(parameter) && nearest(parameter, KNOWN) === undefined;
}

/** Why keyturn cannot honour a parameter; undefined if it can. */
export function faultOfParameter(parameter: string, value: string): Fact | undefined {
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
  const useless = USELESS.find((each) => each === parameter);
  if (useless !== undefined) return fact('url-parameter-useless', { parameter: useless });
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
