import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellError } from '../../src/messages/tell.ts';
import { peerCertificate } from '../../src/postgres/tls/peer-certificate.ts';
import { adminOf } from './admin.ts';
import type { Issued } from './certificates.ts';
import { type OlderVersion, type PostgresServer, startPostgres } from './postgres-server.ts';

/** A PostgreSQL whose certificate can be changed, and which knows the client certificates of one CA. */
export interface TlsServer extends AsyncDisposable {
  readonly server: PostgresServer;
  /** Writes a file that only the server's user may read, and returns its path. */
  put(name: string, content: string): Promise<string>;
  /** Shows this certificate from now on; left out: has no TLS. Settings go with it. */
  show(certificate?: Issued, settings?: Readonly<Record<string, string>>): Promise<void>;
}

/** `hba` and `ident` are lines for pg_hba.conf, before which only the superuser's stands, and pg_ident.conf. */
export async function startTlsServer({
  clientCa,
  hba,
  ident = '',
  version,
}: {
  readonly clientCa: string;
  readonly hba: string;
  readonly ident?: string;
  readonly version?: OlderVersion;
}): Promise<TlsServer> {
  // A Unix socket in its own folder.
  const settings = { unix_socket_directories: '.' };
  const server = await startPostgres({ settings, ...(version === undefined ? {} : { version }) });
  const { data, user } = server.server;
  async function put(name: string, content: string): Promise<string> {
    const file = join(data, name);
    await writeFile(file, content, { mode: 0o600 });
    if (user) await chown(file, user.uid, user.gid);
    return file;
  }
  await put('pg_hba.conf', `host all ${server.user} 127.0.0.1/32 scram-sha-256\n${hba}`);
  await put('pg_ident.conf', ident);
  await put('client-ca.pem', clientCa);
  const target = { ...server, database: 'postgres', tls: { mode: 'require' } } as const;
  let now = JSON.stringify([undefined, {}]);
  return {
    server,
    put,
    async show(certificate, settings = {}) {
      const wanted = JSON.stringify([certificate, settings]);
      if (wanted === now) return;
      now = wanted;
      const before = await shown(target);
      if (certificate) {
        await put('server.crt', certificate.cert);
        await put('server.key', certificate.key);
      }
      await using admin = await adminOf(server);
      const all = { ssl: certificate ? 'on' : 'off', ssl_ca_file: 'client-ca.pem', ...settings };
      await admin.client.query('ALTER SYSTEM RESET ALL');
      for (const [name, value] of Object.entries(all)) {
        await admin.client.query(`ALTER SYSTEM SET ${name} = '${value}'`);
      }
      await admin.client.query('SELECT pg_reload_conf()');
      // The server reads its settings a moment later.
      while ((await shown(target)) === before) await sleep(10);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What tells one certificate from the next; what keeps one from being seen is one, too. */
async function shown(target: Parameters<typeof peerCertificate>[0]): Promise<string> {
  const seen = await peerCertificate(target).catch((error: Error) => tellError(error));
  return typeof seen === 'object'
    ? `${seen.subject} ${seen.names} ${seen.validTo.toISOString()}`
    : String(seen);
}
