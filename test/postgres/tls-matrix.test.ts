import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, test as anyTest, beforeAll, describe, expect } from 'vitest';
import type { Database, Tls } from '../../src/config/config.ts';
import { Fault } from '../../src/facts/fault.ts';
import { isTransientCode } from '../../src/facts/transient.ts';
import { tell } from '../../src/messages/tell.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { peerCertificate } from '../../src/postgres/tls/peer-certificate.ts';
import { adminOf } from '../support/admin.ts';
import {
  type Authority,
  haveOpenssl,
  type Issued,
  openAuthority,
  selfSigned,
} from '../support/certificates.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startTlsServer, type TlsServer } from '../support/tls-server.ts';
import { plaintextOf } from '../support/wire.ts';

const test = anyTest.skipIf(!haveOpenssl);
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const PASSWORD = 'hunter2-of-the-rotator';
const USER = 'rotator_on_the_wire';
const DATABASE = 'database_on_the_wire';

let authority: Authority;
let namesake: Authority;
let tls: TlsServer;
let proxy: TcpProxy;
const certificates = new Map<string, Issued | undefined>();

beforeAll(async () => {
  authority = await openAuthority('keyturn test CA');
  namesake = await openAuthority('keyturn test CA');
  const right = ['DNS:localhost', 'IP:127.0.0.1'];
  const past = { from: '20200101000000Z', to: '20210203040506Z' };
  const future = { from: '20990101000000Z', to: '21000101000000Z' };
  await using stranger = await openAuthority('another CA');
  const made = {
    'no TLS': undefined,
    'a self-signed certificate': selfSigned('localhost'),
    'the right CA': authority.issue({ commonName: 'right', names: right }),
    'another CA': stranger.issue({ commonName: 'stranger', names: right }),
    'another CA of the same name': namesake.issue({ commonName: 'namesake', names: right }),
    'another name': authority.issue({ commonName: 'other.internal', names: ['DNS:other.internal'] }),
    'another address': authority.issue({ commonName: 'elsewhere', names: ['IP:10.0.0.1'] }),
    'an expired certificate': authority.issue({ commonName: 'old', names: right, ...past }),
    'a certificate of the future': authority.issue({ commonName: 'new', names: right, ...future }),
  };
  await Promise.all(
    Object.entries(made).map(async ([state, certificate]) => certificates.set(state, await certificate)),
  );
  tls = await startTlsServer({ clientCa: authority.ca, hba: 'host all all 127.0.0.1/32 scram-sha-256\n' });
  await using admin = await adminOf(tls.server);
  await admin.client.query(`CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`);
  await admin.client.query(`CREATE DATABASE ${DATABASE}`);
  proxy = await startTcpProxy({ host: '127.0.0.1', port: tls.server.port, record: true });
});

afterAll(async () => {
  for (const opened of [proxy, tls, authority, namesake]) await opened?.[Symbol.asyncDispose]();
});

const through = (settings: Tls, host = 'localhost'): Database => ({
  host,
  port: proxy.port,
  database: DATABASE,
  user: USER,
  password: PASSWORD,
  tls: settings,
});

/** `encrypted` or `plaintext` where it works; else the code, and the message without its place. */
async function outcome(target: Database): Promise<string> {
  try {
    await using session = await connect(target);
    const { rows } = await session.client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return rows[0].ssl ? 'encrypted' : 'plaintext';
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const place = `${target.user}@${target.host}:${target.port}/${target.database}`;
    const message = tell(error.fact);
    expect(error.fact.params).toMatchObject({ place });
    expect(message.startsWith(`${place}: `)).toBe(true);
    expect(JSON.stringify([message, error.fact])).not.toContain(PASSWORD);
    const said = message.slice(`${place}: `.length).replaceAll(String(target.port), 'PORT');
    return `${error.fact.code}: ${said}`;
  }
}

const NO_TLS =
  'server-has-no-tls: the server has no TLS, and keyturn sends nothing in plaintext; turn it on there (ssl = on in postgresql.conf, client_tls_sslmode in pgbouncer.ini), or set the mode of tls (sslmode in a url) to disable if nobody else can listen';
const SELF_SIGNED =
  "server-certificate-self-signed: the server's certificate, CN=localhost, is self-signed; set tls.ca (sslrootcert in a url) to a copy of it, or have a CA issue one";
const WRONG_CA =
  "server-certificate-from-another-ca: the server's certificate was issued by CN=another CA, and tls.ca has CN=keyturn test CA; set tls.ca (sslrootcert in a url) to the certificate of the CA that issued it";
const SAME_NAME =
  "server-certificate-from-namesake-ca: another CA than the one in tls.ca issued the server's certificate, and both are named CN=keyturn test CA; set tls.ca (sslrootcert in a url) to the certificate of the CA that issued it";
const EXPIRED =
  "server-certificate-expired: the server's certificate expired on 2021-02-03T04:05:06Z; renew it there, and reload the server";
const EARLY =
  "server-certificate-not-yet-valid: the server's certificate is not valid before 2099-01-01T00:00:00Z; check the clock of this machine, or have one issued that is valid now";
const wrongName = (name: string, names: string) =>
  `server-certificate-for-another-name: the server's certificate is for ${names}, and not for ${name}; connect by a name that it has, set tls.servername (host, beside hostaddr, in a url) to one, or have it issued for ${name}`;
const PUBLIC =
  "server-certificate-issuer-unknown: the server's certificate was issued by CN=keyturn test CA, which Node.js does not know; set tls.ca (sslrootcert in a url) to the certificate of that CA";

const SAID = new Set<string>();

describe.each<readonly [state: string, host: string, verifyCa: string, verifyFull: string, require: string]>([
  ['no TLS', 'localhost', NO_TLS, NO_TLS, NO_TLS],
  ['a self-signed certificate', 'localhost', SELF_SIGNED, SELF_SIGNED, 'encrypted'],
  ['the right CA', 'localhost', 'encrypted', 'encrypted', 'encrypted'],
  ['the right CA', '127.0.0.1', 'encrypted', 'encrypted', 'encrypted'],
  ['another CA', 'localhost', WRONG_CA, WRONG_CA, 'encrypted'],
  ['another CA of the same name', 'localhost', SAME_NAME, SAME_NAME, 'encrypted'],
  ['another name', 'localhost', 'encrypted', wrongName('localhost', 'DNS:other.internal'), 'encrypted'],
  ['another address', '127.0.0.1', 'encrypted', wrongName('127.0.0.1', 'IP Address:10.0.0.1'), 'encrypted'],
  ['an expired certificate', 'localhost', EXPIRED, EXPIRED, 'encrypted'],
  ['a certificate of the future', 'localhost', EARLY, EARLY, 'encrypted'],
])('a server with %s, reached as %s', (state, host, verifyCa, verifyFull, require) => {
  const expected = { disable: 'plaintext', require, 'verify-ca': verifyCa, 'verify-full': verifyFull };

  test('answers each mode with what is wrong and what mends it, and nothing crosses in plaintext', async () => {
    await tls.show(certificates.get(state));
    for (const mode of MODES) {
      const before = proxy.recordings.length;
      const settings: Tls = /^verify/.test(mode) ? { mode, ca: authority.ca } : { mode };
      const said = await outcome(through(settings, host));
      expect([mode, said]).toEqual([mode, expected[mode]]);
      SAID.add(said);
      const crossed = proxy.recordings.slice(before).map(plaintextOf);
      expect(crossed.length).toBeGreaterThan(0);
      if (mode === 'disable') expect(crossed.join()).toContain(USER);
      else expect(crossed.join('')).toBe('');
    }
  });
});

test('each of these faults has a message of its own', () => {
  expect([...SAID].filter((said) => !/^(encrypted|plaintext)$/.test(said))).toHaveLength(8);
});

describe('a server with a certificate for its own name only', () => {
  let own: Issued;
  beforeAll(async () => {
    own = await authority.issue({ commonName: 'db.internal', names: ['DNS:db.internal'] });
    await tls.show(own);
  });

  /** Whether the first thing that a connection sends after the question names the server. */
  async function sends(name: string, settings: Partial<Tls>, host: string): Promise<[string, boolean]> {
    const before = proxy.recordings.length;
    const said = await outcome(through({ mode: 'verify-full', ca: authority.ca, ...settings }, host));
    const sent = proxy.recordings.slice(before).flatMap(({ fromClient }) => fromClient);
    return [said, Buffer.concat(sent).includes(name)];
  }

  test('is verified by servername instead of the host, which is then the name that is sent', async () => {
    expect(await sends('db.internal', { servername: 'db.internal' }, '127.0.0.1')).toEqual([
      'encrypted',
      true,
    ]);
    expect(await sends('db.internal', { servername: 'db.internal' }, 'localhost')).toEqual([
      'encrypted',
      true,
    ]);
    expect(await sends('localhost', { servername: 'db.internal' }, 'localhost')).toEqual([
      'encrypted',
      false,
    ]);
  });

  test('hears the host where no servername is set, and none with sni off, which is verified all the same', async () => {
    const refused = wrongName('localhost', 'DNS:db.internal');
    expect(await sends('localhost', {}, 'localhost')).toEqual([refused, true]);
    expect(await sends('localhost', { sni: false }, 'localhost')).toEqual([refused, false]);
    const named = { servername: 'db.internal', sni: false } as const;
    expect(await sends('db.internal', named, 'localhost')).toEqual(['encrypted', false]);
  });

  test('is not trusted without its CA: Node.js knows the public ones', async () => {
    expect(await outcome(through({ mode: 'verify-full', servername: 'db.internal' }))).toBe(PUBLIC);
  });

  test('can be looked at: its names, its days and the version of TLS', async () => {
    const seen = await peerCertificate({ ...through({ mode: 'verify-full' }), port: tls.server.port });
    expect(seen).toMatchObject({
      subject: 'CN=db.internal',
      issuer: 'CN=keyturn test CA',
      names: 'DNS:db.internal',
      protocol: 'TLSv1.3',
    });
    expect(Number(seen?.validTo) - Number(seen?.validFrom)).toBe(2 * 86_400_000);
  });
});

test('a certificate that is signed by itself is trusted by its copy, as the message says', async () => {
  const own = certificates.get('a self-signed certificate');
  await tls.show(own);
  expect(await outcome(through({ mode: 'verify-full', ca: String(own?.cert) }))).toBe('encrypted');
});

test('a server that knows no version of TLS that Node.js has is refused in so many words', async () => {
  await tls.show(certificates.get('the right CA'), {
    ssl_min_protocol_version: 'TLSv1.1',
    ssl_max_protocol_version: 'TLSv1.1',
  });
  const before = proxy.recordings.length;
  expect(await outcome(through({ mode: 'require' }))).toMatch(
    /^tls-version-mismatch: the server and Node\.js have no version or cipher of TLS in common \(tlsv1 alert protocol version\); set ssl_min_protocol_version there to TLSv1\.2, and see: openssl s_client -starttls postgres -connect localhost:PORT$/,
  );
  expect(proxy.recordings.slice(before).map(plaintextOf).join('')).toBe('');
});

test('a server without a line of pg_hba.conf for its Unix socket says so, and nothing of TLS', async () => {
  const target = { ...through({ mode: 'disable' }, tls.server.server.data), port: tls.server.port };
  await expect(connect(target)).rejects.toMatchObject({
    fact: {
      code: 'login-refused',
      params: {
        because: 'entry',
        detail: expect.stringMatching(/^no pg_hba\.conf entry for host "\[local\]", /),
      },
    },
  });
});

describe('what answers with something else than yes or no when it is asked for TLS', () => {
  /** What the connection says to a server that has this to say. */
  async function answered(answer: string): Promise<Fault> {
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    try {
      return await connect({ ...through({ mode: 'require' }), port }).then(
        () => expect.unreachable(),
        (error) => error,
      );
    } finally {
      server.close();
    }
  }

  test.each([
    ['of the old protocol', 'Ecould not fork new process for connection: hunter2\n\0'],
    ['of the new one', 'E\0\0\0\x21SFATAL\0C53300\0Mhunter2\0\0'],
  ])(
    'is a PostgreSQL that may answer later, where it is an error %s, of which nothing shows',
    async (_, said) => {
      const { fact, message } = await answered(said);
      const told = tell(fact);
      expect(fact.code).toBe('server-answers-with-error');
      expect(isTransientCode(fact.code)).toBe(true);
      expect(JSON.stringify(fact)).not.toContain('hunter2');
      expect(told).toMatch(/: the server answered the request for TLS with an error, .*; its log says why$/);
      expect([told, message].join()).not.toContain('hunter2');
    },
  );

  test.each(['HTTP/1.1 400 Bad Request\r\n\r\n', 'ERROR\r\n'])(
    'is no PostgreSQL where it says %j',
    async (said) => {
      const { fact } = await answered(said);
      const told = tell(fact);
      expect(fact.code).toBe('server-is-not-postgresql');
      expect(told).toMatch(/does not speak the protocol of PostgreSQL; check host and port$/);
    },
  );
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'an impostor learns neither user nor database over %s: the certificate is checked before they are said',
  async (version) => {
    const heard: Buffer[] = [];
    const sockets: Socket[] = [];
    const { cert, key } = certificates.get('another CA') as Issued;
    const impostor = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', () => {
        socket.write('S');
        const options = { isServer: true, cert, key, minVersion: version, maxVersion: version };
        const secure = new TLSSocket(socket, options);
        secure.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {});
      });
      socket.on('error', () => {});
    });
    await once(impostor.listen(0, '127.0.0.1'), 'listening');
    const { port } = impostor.address() as { port: number };
    const target = { ...through({ mode: 'verify-full', ca: authority.ca }), port };
    expect(await outcome(target)).toBe(WRONG_CA);
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
    // The same impostor hears them from whoever does not check.
    expect(Buffer.concat(heard).toString()).toBe('');
    const trusting = connect({ ...target, tls: { mode: 'require' } }).catch(() => {});
    await expect.poll(() => Buffer.concat(heard).toString()).toContain(USER);
    impostor.close();
    for (const socket of sockets) socket.destroy();
    await trusting;
  },
);
