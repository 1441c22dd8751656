import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import * as dotenv from 'dotenv';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { FORMATS } from '../../src/formats/formats.ts';
import type { Login } from '../../src/formats/login.ts';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import { logInByPsql, PSQL } from '../support/programs.ts';

/** Each logs in by every format. */
const RUNS = 12;

let folder: string;
let session: Session;
let admin: pg.Client;
/** The database and the role, which are renamed for each run. */
let names: [database: string, role: string];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-formats-'));
  session = await connect({ ...inject('postgres'), database: 'postgres', tls: { mode: 'disable' } });
  admin = session.client;
  names = [`formats ${randomUUID()}`, `formats ${randomUUID()}`];
  await admin.query(`CREATE DATABASE ${quoteIdentifier(names[0])}`);
  await admin.query(`CREATE ROLE ${quoteIdentifier(names[1])} LOGIN`);
});

afterAll(async () => {
  await admin.query(`DROP DATABASE ${quoteIdentifier(names[0])} WITH (FORCE)`);
  await admin.query(`DROP ROLE ${quoteIdentifier(names[1])}`);
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const AWKWARD = [...' :\\\'"$`#*[]=;%&?{}@/.,!~|<>()^+-_', 'a', 'Z', '0'];
const password = fc.string({ unit: fc.constantFrom(...AWKWARD), minLength: 1, maxLength: 20 });
const name = fc
  .string({ unit: fc.constantFrom(...AWKWARD, 'é', '\u00a0', '日', '\t', '\n'), minLength: 1, maxLength: 15 })
  // Other tests share the server, and PostgreSQL keeps the names that begin with pg_.
  .map((text) => `${text}${randomUUID().slice(0, 8)}${text}`.slice(0, 40))
  .filter((text) => Buffer.byteLength(text) <= 63 && !text.startsWith('pg_'));

async function rename([database, username]: [string, string], secret: string): Promise<Login> {
  const from = quoteIdentifier(names[0]);
  if (database !== names[0]) {
    await admin.query(`ALTER DATABASE ${from} RENAME TO ${quoteIdentifier(database)}`);
  }
  names = [database, names[1]];
  const role = quoteIdentifier(names[1]);
  if (username !== names[1]) await admin.query(`ALTER ROLE ${role} RENAME TO ${quoteIdentifier(username)}`);
  names = [database, username];
  await admin.query(
    `ALTER ROLE ${quoteIdentifier(username)} PASSWORD ${quoteLiteral(scramVerifier(secret))}`,
  );
  const { host, port } = inject('postgres');
  return {
    username,
    password: secret,
    host,
    port,
    database,
    sslmode: 'disable',
    service: 'orders',
    verifier: '',
    plain: false,
  };
}

describe.skipIf(PSQL === undefined)('psql', () => {
  /** What psql is told, besides the file. */
  const told = {
    service: (_: Login, file: string) => logInByPsql({ PGSERVICEFILE: file, PGSERVICE: 'orders' }),
    pgpass: ({ host, port, database, username }: Login, file: string) =>
      logInByPsql({
        PGPASSFILE: file,
        PGHOST: host,
        PGPORT: String(port),
        PGDATABASE: database,
        PGUSER: username,
      }),
    env: (_: Login, file: string) => logInByPsql({ FILE: file }, { before: 'set -a; . "$FILE"; set +a; ' }),
    url: (_: Login, file: string) =>
      logInByPsql({ FILE: file }, { before: 'set -- "$@" -d "$(cat "$FILE")"; ' }),
  } as const;

  test('logs in with whatever a format does not refuse', async () => {
    const used = { service: 0, pgpass: 0, env: 0, url: 0 };
    await fc.assert(
      fc.asyncProperty(name, name, password, async (database, username, secret) => {
        fc.pre(database.trim() !== '' && username.trim() !== '');
        const login = await rename([database, username], secret);
        await Promise.all(
          (['service', 'pgpass', 'env', 'url'] as const).map(async (field) => {
            if (FORMATS[field].refuse(login)) return;
            const file = join(folder, field);
            await writeFile(file, FORMATS[field].write(login), { mode: 0o600 });
            expect(await told[field](login, file)).toEqual([username, database]);
            used[field] += 1;
          }),
        );
      }),
      { numRuns: RUNS },
    );
    for (const count of Object.values(used)) expect(count).toBeGreaterThan(0);
  }, 60_000);

  test('cannot log in by a service file with a password that ends with a blank, so that is refused', async () => {
    const plain = `formats ${randomUUID()}`;
    const login = await rename([plain, plain], 'ends with a blank ');
    const file = join(folder, 'refused');
    await writeFile(file, FORMATS.service.write(login));
    await expect(told.service(login, file)).rejects.toThrow(/password authentication failed/);
  });
});

test('a shell, dotenv and Node.js read the same variables', async () => {
  const file = join(folder, 'env');
  const print = `set -a; . "$1"; exec "${process.execPath}" -p 'JSON.stringify(process.env)'`;
  await fc.assert(
    fc.asyncProperty(name, name, password, async (database, username, secret) => {
      const login: Login = {
        username,
        password: secret,
        host: 'db.internal',
        port: 5432,
        database,
        sslmode: 'disable',
        service: '',
        verifier: '',
        plain: false,
      };
      if (FORMATS.env.refuse(login)) return;
      const text = FORMATS.env.write(login);
      await writeFile(file, text);
      const { stdout } = await promisify(execFile)('sh', ['-c', print, 'sh', file], { env: {} });
      const wanted = {
        PGUSER: username,
        PGPASSWORD: secret,
        PGDATABASE: database,
        DATABASE_URL: FORMATS.url.write(login),
      };
      expect(JSON.parse(stdout)).toMatchObject(wanted);
      expect(dotenv.parse(text)).toMatchObject(wanted);
      expect(parseEnv(text)).toMatchObject(wanted);
    }),
    { numRuns: 60 },
  );
}, 60_000);
