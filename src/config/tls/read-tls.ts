import { fact } from '../../facts/fact.ts';
import type { Tls } from '../config.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';
import { isLoopback } from '../values/server.ts';
import type { ReadText } from '../yaml/read-text.ts';
import { MATERIAL, readMaterial } from './tls-material.ts';
import { tlsMode } from './tls-mode.ts';

/** What a connection, a PgBouncer, the state database and the nodes of a Redis have in common. */
export interface Encrypted {
  readonly host: string;
  readonly tls: ConnectionEntry['tls'];
  /** Where the host is written; left out: beside `tls`. */
  readonly hostAt?: Path;
}

/** Reads an entry `tls`, with its certificates and key, and reports what does not fit together. */
export function readTls(review: Review, owner: Path, encrypted: Encrypted, readText: ReadText): Tls {
  const { host, tls } = encrypted;
  const path = [...owner, 'tls'];
  const mode = tlsMode(tls, host);
  checkMode(review, owner, mode, encrypted);
  warnOfMode(review, owner, mode, encrypted);
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [there, missing] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    review.report([...path, missing], fact('client-certificate-incomplete', { there }));
  }
  const material = readMaterial(review, path, mode, tls, readText);
  return {
    mode,
    ...material,
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.sni === false ? { sni: false } : {}),
  };
}

/** libpq verifies with `require`, too, if it finds a root certificate. keyturn does not. */
function checkMode(review: Review, owner: Path, mode: Tls['mode'], { host, tls }: Encrypted): void {
  const path = [...owner, 'tls'];
  if (host.startsWith('/') && mode !== 'disable') {
    review.report([...path, 'mode'], fact('tls-over-socket', { mode }));
  } else if (mode === 'disable') {
    for (const part of [...MATERIAL, 'servername', 'sni'] as const) {
      if (tls[part] !== undefined) review.report([...path, part], fact('tls-part-useless', { mode }));
    }
  } else if (mode === 'require' && tls.ca !== undefined) {
    review.report([...path, 'ca'], fact('tls-part-useless', { mode }));
  }
}

function warnOfMode(
  review: Review,
  owner: Path,
  mode: Tls['mode'],
  { host, tls, hostAt = [...owner, 'host'] }: Encrypted,
): void {
  const path = [...owner, 'tls', 'mode'];
  const shown = { host: review.shown(hostAt) };
  if (mode === 'verify-ca' && tls.ca === undefined) {
    review.warn(path, fact('tls-any-public-ca', shown));
  }
  if (isLoopback(host)) return;
  if (mode === 'disable') review.warn(path, fact('tls-off', shown));
  else if (mode === 'require') review.warn(path, fact('tls-unverified', shown));
}
