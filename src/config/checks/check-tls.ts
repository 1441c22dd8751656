import type { Tls } from '../config.ts';
import type { Path } from '../config-error.ts';
import type { ConnectionEntry } from '../schema/config-schema.ts';
import type { Draft } from '../schema/draft.ts';
import { MATERIAL, readMaterial } from '../tls/tls-material.ts';
import { tlsMode } from '../tls/tls-mode.ts';
import { isLoopback } from '../values/server.ts';
import type { ReadText } from '../yaml/read-text.ts';

/** What a connection, a PgBouncer and the state database have in common. */
export type Encrypted = Pick<ConnectionEntry, 'tls'> & { readonly host: string };

/** Checks the entry `tls` of an owner, and reads its certificates and key. */
export function checkTls(draft: Draft, owner: Path, { host, tls }: Encrypted, readText: ReadText): Tls {
  const path = [...owner, 'tls'];
  const mode = tlsMode(tls, host);
  checkMode(draft, owner, mode, { host, tls });
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [there, missing] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    draft.report([...path, missing], `is missing; must be there with ${there}, or leave both out`);
  }
  const material = readMaterial(draft, path, mode, tls, readText);
  return {
    mode,
    ...material,
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.sni === false ? { sni: false } : {}),
  };
}

/** libpq lets `require` verify when it finds a root certificate; here only what says verify does. */
function checkMode(draft: Draft, owner: Path, mode: Tls['mode'], { host, tls }: Encrypted): void {
  const path = [...owner, 'tls'];
  if (host.startsWith('/') && mode !== 'disable') {
    draft.report(
      [...path, 'mode'],
      `${mode} over a Unix socket, which has no TLS; must be disable or left out`,
    );
  } else if (mode === 'disable') {
    for (const part of [...MATERIAL, 'servername', 'sni'] as const) {
      if (tls[part] === undefined) continue;
      draft.report([...path, part], 'has no use with mode disable; leave it out, or set mode to verify-full');
    }
  } else if (mode === 'require' && tls.ca !== undefined) {
    draft.report([...path, 'ca'], 'has no use with mode require; set mode to verify-ca or verify-full');
  }
  const where = draft.quote([...owner, 'host']);
  if (mode === 'verify-ca' && tls.ca === undefined) {
    draft.warn(
      [...path, 'mode'],
      `whoever has any certificate of a public CA could answer for ${where}; better is verify-full, or a ca of your own`,
    );
  }
  if (isLoopback(host)) return;
  if (mode === 'disable') {
    draft.warn([...path, 'mode'], `the connection to ${where} is not encrypted; better is verify-full`);
  } else if (mode === 'require') {
    draft.warn(
      [...path, 'mode'],
      `the connection to ${where} is encrypted, but anyone could answer it; better is verify-full`,
    );
  }
}
