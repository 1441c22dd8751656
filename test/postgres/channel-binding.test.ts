import pg from 'pg';
import { afterAll, test as anyTest, beforeAll, describe, expect } from 'vitest';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { haveOpenssl, type Issued, selfSigned } from '../support/certificates.ts';
import { haveOlderVersions } from '../support/postgres-server.ts';
import { startTlsServer, type TlsServer } from '../support/tls-server.ts';

const test = anyTest.skipIf(!haveOpenssl);
const VERSIONS = haveOlderVersions ? ([14, undefined] as const) : [undefined];

/** What openssl needs to make each, and how SCRAM goes over a session that shows it. */
const CERTIFICATES: Readonly<Record<string, { key: readonly string[]; mechanism: string }>> = {
  ECDSA: {
    key: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    mechanism: 'SCRAM-SHA-256-PLUS p=',
  },
  'RSA with SHA-384': {
    key: ['-newkey', 'rsa:2048', '-sha384', '-nodes'],
    mechanism: 'SCRAM-SHA-256-PLUS p=',
  },
  'RSA-PSS': {
    key: ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss', '-nodes'],
    mechanism: 'SCRAM-SHA-256 n,,',
  },
  Ed25519: { key: ['-newkey', 'ed25519', '-nodes'], mechanism: 'SCRAM-SHA-256 n,,' },
};

describe.each(VERSIONS)('SCRAM over TLS to PostgreSQL %s', (version) => {
  const issued = new Map<string, Issued>();
  let tls: TlsServer;

  beforeAll(async () => {
    if (!haveOpenssl) return;
    for (const [name, { key }] of Object.entries(CERTIFICATES)) {
      // By its name `show` tells one from the next.
      issued.set(name, await selfSigned(name.replaceAll(' ', '-'), key));
    }
    const clientCa = issued.get('ECDSA')?.cert ?? '';
    tls = await startTlsServer({ clientCa, hba: '', ...(version === undefined ? {} : { version }) });
  });
  afterAll(() => tls?.[Symbol.asyncDispose]());

  /** The mechanism that pg chose, and how its first message begins. */
  async function mechanism(mode: 'require' | 'disable'): Promise<string> {
    const client = new pg.Client(clientOptions({ ...tls.server, database: 'postgres', tls: { mode } }));
    let chosen = '';
    const connection = client.connection as unknown as {
      sendSASLInitialResponseMessage(name: string, text: string): void;
    };
    const send = connection.sendSASLInitialResponseMessage;
    connection.sendSASLInitialResponseMessage = (name, text) => {
      chosen = `${name} ${/^(p=|.,,)/.exec(text)?.[0]}`;
      send.call(connection, name, text);
    };
    await client.connect();
    await client.end();
    return chosen;
  }

  test.each(Object.keys(CERTIFICATES))('is bound to a certificate by %s where it can be', async (name) => {
    await tls.show(issued.get(name));
    expect(await mechanism('require')).toBe(CERTIFICATES[name]?.mechanism);
  });

  test('is bound to nothing without TLS', async () => {
    expect(await mechanism('disable')).toBe('SCRAM-SHA-256 n,,');
  });
});
