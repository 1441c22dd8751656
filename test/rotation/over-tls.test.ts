import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, test as anyTest, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { Tls } from '../../src/config/config.ts';
import { fact } from '../../src/facts/fact.ts';
import { loginUrl } from '../../src/rotation/context/login-fields.ts';
import { proveLogin } from '../../src/rotation/proof/prove-login.ts';
import { adminOf } from '../support/admin.ts';
import { type Authority, haveOpenssl, type Issued, openAuthority } from '../support/certificates.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { openScenario } from '../support/scenario.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startTlsServer, type TlsServer } from '../support/tls-server.ts';
import { plaintextOf } from '../support/wire.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const test = anyTest.skipIf(!haveOpenssl);

const PASSWORD = 'hunter2-of-the-role';
const HBA = `hostssl all own_cert 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all +rotators 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
`;

let authority: Authority;
let stranger: Authority;
let shown: Issued;
let tls: TlsServer;
let proxy: TcpProxy;

beforeAll(async () => {
  authority = await openAuthority('keyturn test CA');
  stranger = await openAuthority('another CA');
  shown = await authority.issue({ commonName: 'server', names: ['DNS:localhost', 'IP:127.0.0.1'] });
  tls = await startTlsServer({ clientCa: authority.ca, hba: HBA });
  await using admin = await adminOf(tls.server);
  await admin.client.query('CREATE ROLE rotators NOLOGIN');
  await admin.client.query(`CREATE ROLE own_cert LOGIN PASSWORD '${PASSWORD}'`);
  await tls.show(shown);
  proxy = await startTcpProxy({ host: '127.0.0.1', port: tls.server.port, record: true });
});

afterAll(async () => {
  for (const opened of [proxy, tls, authority, stranger]) await opened?.[Symbol.asyncDispose]();
});

describe('with a rotator that has a client certificate and no password, as on Heroku', () => {
  async function open() {
    const scenario = await openScenario(tls.server);
    const rights = await withLimitedRotator(scenario);
    await scenario.admin.query(`GRANT rotators TO ${rights.rotator}`);
    const certificate = await authority.issue({ commonName: rights.rotator });
    const { password: _, ...connection } = rights.limited.connection;
    const settings: Tls = { mode: 'verify-ca', ca: authority.ca, ...certificate };
    const encrypted = rights.limited.with({
      connection: { ...connection, host: 'localhost', port: proxy.port, tls: settings },
    });
    return {
      encrypted,
      scenario,
      certificate,
      async [Symbol.asyncDispose]() {
        await rights[Symbol.asyncDispose]();
        await scenario[Symbol.asyncDispose]();
      },
    };
  }

  test('G1: rotations run to their end, their logins prove their passwords, and nothing crosses in plaintext', async () => {
    await using opened = await open();
    const { encrypted } = opened;
    const before = proxy.recordings.length;
    for (const reason of ['first', 'manual'] as const) {
      expect(await encrypted.finish(await encrypted.request(reason))).toEqual({ status: 'done' });
      await using session = await encrypted.logIn(await encrypted.published());
      expect(session.proven).toBe(true);
    }
    const crossed = proxy.recordings.slice(before);
    expect(crossed.length).toBeGreaterThan(4);
    expect(crossed.map(plaintextOf).join('')).toBe('');
  });

  test('a login whose certificate is asked for by name is not taken for one with a wrong password', async () => {
    await using opened = await open();
    const { encrypted } = opened;
    await using context = encrypted.context(await encrypted.request());
    const credential = { username: 'own_cert', password: PASSWORD };
    await expect(proveLogin(context, { credential })).rejects.toMatchObject({
      fact: { code: 'client-certificate-must-name-role', params: { user: 'own_cert' } },
    });
    const wrong = { username: 'own_cert', password: 'wrong' };
    await expect(proveLogin(context, { credential: wrong })).rejects.toMatchObject({
      fact: {
        code: 'password-refused',
        params: { login: 'own_cert', cause: { code: 'login-refused', params: { because: 'password' } } },
      },
    });
  });

  test('the url that consumers get logs in through libpq once they name their certificates', async () => {
    await using opened = await open();
    const { encrypted, certificate, scenario } = opened;
    await encrypted.finish(await encrypted.request());
    const credential = await encrypted.published();
    const [ca, cert, key] = await Promise.all([
      tls.put('consumer-ca.pem', authority.ca),
      tls.put('consumer.crt', certificate.cert),
      tls.put('consumer.key', certificate.key),
    ]);
    // The libpq at hand is that of the server itself.
    await scenario.admin.query('CREATE EXTENSION dblink');
    const who = async (url: string) => {
      const files = `&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`;
      const { rows } = await scenario.admin.query(
        `SELECT * FROM dblink($1, 'SELECT current_user::text, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()') AS (login text, ssl boolean)`,
        [url + files],
      );
      return rows[0];
    };
    const expected = { login: credential.username, ssl: true };
    const url = (change: Partial<Tls>, host = 'localhost') =>
      loginUrl(
        { ...encrypted.connection, host, tls: { ...encrypted.connection.tls, ...change } },
        credential,
      );
    expect(url({})).toMatch(/\?sslmode=verify-ca$/);
    expect(url({}, 'fe80::1%eth0')).toContain('@[fe80::1%25eth0]:');
    expect(await who(url({}))).toEqual(expected);
    expect(await who(url({ mode: 'verify-full' }))).toEqual(expected);
    // An address whose certificate is for a name, which libpq verifies without asking DNS for it.
    await tls.show(await authority.issue({ commonName: 'own', names: ['DNS:db.internal'] }));
    onTestFinished(() => tls.show(shown));
    await expect(who(url({ mode: 'verify-full' }))).rejects.toThrow('could not establish connection');
    expect(await who(url({ mode: 'verify-full', servername: 'db.internal' }, '127.0.0.1'))).toEqual(expected);
  });
});

describe('the state database', () => {
  test('is reached with its url’s TLS by ledger and queue alike, and not at all with a CA that did not issue its certificate', async () => {
    await using workspace = await openWorkspace(tls.server);
    await writeFile(join(workspace.folder, 'ca.pem'), authority.ca);
    await writeFile(join(workspace.folder, 'other.pem'), stranger.ca);
    const configPath = join(workspace.folder, 'config', 'keyturn.yaml');
    const url = new URL(workspace.stateUrl);
    url.hostname = 'localhost';
    url.port = String(proxy.port);
    const open = async (ca: string) => {
      url.search = `?sslmode=verify-full&sslrootcert=${ca}`;
      await workspace.configure(filePolicy(workspace.logins), { state: url.href });
      return openApp({ configPath, env: {}, cwd: workspace.folder });
    };
    const before = proxy.recordings.length;
    {
      await using app = await open('other.pem');
      await expect(app.ledger()).rejects.toMatchObject({
        fact: fact('server-certificate-from-another-ca', {
          place: `${tls.server.user}@localhost:${proxy.port}/${workspace.state}`,
          issuer: 'CN=keyturn test CA',
          ca: 'CN=another CA',
        }),
      });
    }
    {
      await using app = await open('ca.pem');
      const [ledger, queue] = await Promise.all([app.ledger(), app.queue()]);
      expect(await ledger.open()).toEqual([]);
      await queue.enqueue({ id: 'a', policy: 'app' });
      await using admin = await adminOf(tls.server);
      const { rows } = await admin.client.query(
        'SELECT DISTINCT application_name AS name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = $1 ORDER BY 1',
        [workspace.state],
      );
      expect(rows).toEqual([
        { name: 'keyturn ledger', ssl: true },
        { name: 'keyturn queue', ssl: true },
      ]);
    }
    expect(proxy.recordings.slice(before).map(plaintextOf).join('')).toBe('');
  });
});
