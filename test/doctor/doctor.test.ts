import { randomUUID } from 'node:crypto';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/config/config.ts';
import { passwordPromptFindings } from '../../src/doctor/password-prompt-findings.ts';
import { proofFindings } from '../../src/doctor/proof-findings.ts';
import { fact } from '../../src/facts/fact.ts';
import { command } from '../../src/facts/remedy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { openView } from '../../src/rotation/context/open-view.ts';
import type { OpenDestination } from '../../src/rotation/context/policy-view.ts';
import type { Finding } from '../../src/rotation/findings/finding.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { keyturn } from '../support/keyturn.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { MAPPING } from '../support/scenario.ts';
import { BREAKS } from './breaks.ts';
import { openPatient, type Patient } from './patient.ts';
import { type Expected, expected, like, seen } from './seen.ts';

let server: PostgresServer;
let patient: Patient;
beforeAll(async () => {
  server = await startPostgres();
  patient = await openPatient(server);
});
afterAll(async () => {
  await patient[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/**
 * What is amiss. That pg_hba.conf is a superuser's to read, and consumers' caches nobody's to see,
 * is as it should be.
 */
async function troubles(): Promise<Finding[]> {
  const unseen = ({ about, level }: Finding) => level === 'skip' && ['pg_hba', 'grace'].includes(about);
  return (await patient.examine()).filter((finding) => !unseen(finding));
}

/** The server takes a moment to take over its files. */
const PATIENCE = { timeout: 20_000 };
const codes = async () => (await troubles()).map(({ fact }) => fact.code);
const all = async () => (await troubles()).map(seen);

/**
 * Applies what mends each finding until there is none: a remedy may bring to light what the fault
 * had hidden.
 */
async function mend(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    const found = (await troubles()).filter(({ level }) => level !== 'skip');
    if (found.length === 0) break;
    for (const finding of found) await patient.apply(finding);
  }
  await expect.poll(codes, PATIENCE).toEqual([]);
}

async function expectFound(...findings: readonly Expected[]): Promise<void> {
  await expect.poll(all, PATIENCE).toEqual(expect.arrayContaining(findings.map(like)));
  expect((await troubles()).some(({ level }) => level === 'fail' || level === 'warn')).toBe(true);
}

/** The policy as doctor looks at it, with replicas or further destinations. */
async function viewWith(parts: { replicas?: Connection['replicas']; more?: OpenDestination[] }) {
  const { app } = patient;
  const policy = app.config.policies.get('app');
  if (!policy) throw new Error('there is no policy app');
  const { replicas = [], more = [] } = parts;
  return openView({
    policy,
    connection: { ...(await app.connection(policy)), replicas },
    destinations: [...app.destinations(policy), ...more],
    clock: app.clock,
  });
}

test('a policy in good health has no finding, and what was not seen is said (G6)', async () => {
  const found = await patient.examine();
  expect(found.map(({ about, level }) => `${level} ${about}`)).toEqual(['skip pg_hba', 'skip grace']);
});

describe('It finds, and what it prints mends', () => {
  test.each(BREAKS)('%s', async (_what, statements, findings) => {
    const names = {
      s: await patient.standby(),
      a: await patient.active(),
      r: patient.rotator,
      o: patient.owner,
      d: patient.workspace.target,
    };
    const quoted = Object.entries(names).map(([key, name]) => [key, quoteIdentifier(name)] as const);
    const sql = statements(Object.fromEntries(quoted) as typeof names);
    for (const statement of sql.split('; ')) await patient.admin.query(statement);
    await expectFound(...findings(names));
    await mend();
  });

  test('what only one login was granted, where there is no owner', async () => {
    const [a, b] = patient.workspace.logins;
    await patient.configure((yaml) => yaml.replace(/ +owner: .*\n/, ''));
    for (const statement of [
      'CREATE TABLE "Orders" (id serial); CREATE TABLE items (id int)',
      `CREATE FUNCTION total(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `GRANT SELECT ON "Orders", items TO ${a}, ${b}`,
      `GRANT INSERT ON "Orders", items TO ${a}`,
      `GRANT USAGE ON SEQUENCE "Orders_id_seq" TO ${a}`,
      `GRANT EXECUTE ON FUNCTION total TO ${b}`,
      `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${a}, ${b}`,
      `ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO ${b}`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO ${a}`,
      `CREATE POLICY "Own" ON items FOR SELECT TO ${a}, pg_monitor`,
      `CREATE POLICY everybody ON items FOR SELECT`,
    ]) {
      await patient.admin.query(statement);
    }
    const { target: database } = patient.workspace;
    await expectFound(
      expected('grants-differ', {
        database,
        grants: expect.arrayContaining([
          {
            kind: 'grant',
            login: a,
            privileges: 'INSERT',
            objects: 'TABLE',
            names: 'public."Orders", public.items',
          },
          {
            kind: 'default-grant',
            login: b,
            privileges: 'INSERT',
            objects: 'TABLES',
            creator: expect.any(String),
            schema: null,
          },
          {
            kind: 'default-grant',
            login: a,
            privileges: 'EXECUTE',
            objects: 'ROUTINES',
            creator: expect.any(String),
            schema: 'public',
          },
          { kind: 'row-policy', login: a, policy: '"Own" ON public.items' },
        ]),
      }),
    );
    await mend();
    const { rows } = await patient.admin.query(
      `SELECT polroles::regrole[]::text[] AS roles FROM pg_policy WHERE polname = 'Own'`,
    );
    expect(rows[0].roles).toEqual(expect.arrayContaining([a, b, 'pg_monitor']));
    await patient.configure((yaml) => yaml);
  });

  test('a pending version of somebody else', async () => {
    const store = openFileStore({ name: 'files', path: join(patient.workspace.folder, 'secrets') });
    const token = randomUUID();
    await store.stage(MAPPING, token, { username: 'x', password: 'y' }, { create: false });
    const found = fact('pending-version-unknown', { destination: 'files (primary)', tokens: [token] });
    const changes = [{ found, effect: fact('effect-discards-pending', {}) }];
    await expectFound(expected('outside-changes-stop', { changes }));
    await mend();
  });

  test('a folder of a store that others may look into, or a group write to', async () => {
    const path = join(patient.workspace.folder, 'secrets');
    await chmod(path, 0o755);
    await chmod(join(path, 'app'), 0o770);
    await expectFound(
      expected('folder-exposed', { path, mode: '0755', to: 'others', may: 'read' }),
      expected('folder-exposed', { path: join(path, 'app'), mode: '0770', to: 'group', may: 'write' }),
    );
    for (const folder of [path, join(path, 'app')]) await chmod(folder, 0o700);
  });

  test('a group that cannot reach what a store has for it, and one that does not exist', async () => {
    const { workspace } = patient;
    const path = join(workspace.folder, 'secrets');
    const group = String(process.getegid?.());
    const withGroup = (name: string) => (yaml: string) =>
      yaml.replace('path: secrets', `path: secrets, group: "${name}"`);
    await patient.configure(withGroup(group));
    const closed = (folder: string) =>
      expected('folder-closed-to-group', { store: 'files', path: folder, mode: '0700', group });
    const differs = expected('path-rights-differ', { store: 'files', mode: '0700', wanted: '0750', group });
    await expectFound(closed(workspace.folder), closed(path), closed(join(path, 'app')), differs);
    await patient.configure(withGroup('no-such-group'));
    await expectFound(expected('group-unknown', { store: 'files', group: 'no-such-group' }));
    await patient.configure((yaml) => yaml);
  });

  test('a folder of a store that every user may write to, which stops a rotation', async () => {
    const path = join(patient.workspace.folder, 'secrets', 'app');
    await chmod(path, 0o777);
    await expectFound(expected('folder-open-to-all', { path, mode: '0777' }));
    await chmod(path, 0o700);
  });

  test('a published username that is neither login', async () => {
    const path = join(patient.workspace.folder, 'secrets', 'app', 'username');
    await rm(path);
    await writeFile(path, 'somebody');
    const { logins } = patient.workspace;
    const found = fact('published-username-unknown', { username: 'somebody', logins });
    const changes = [{ found, effect: fact('effect-as-first-rotation', { unrevoked: 'somebody' }) }];
    await expectFound(expected('outside-changes-stop', { changes }));
    await mend();
  });

  test('a policy that is paused', async () => {
    await keyturn(['pause', 'app'], { cwd: patient.workspace.folder });
    await expectFound(expected('policy-paused', { since: expect.stringMatching(/Z$/) }));
    await mend();
  });

  test('a rotation that failed, and why', async () => {
    const login = await patient.standby();
    await patient.admin.query(`ALTER ROLE ${quoteIdentifier(login)} VALID UNTIL '2020-01-01'`);
    expect(await keyturn(['rotate', 'app', '--wait'], { cwd: patient.workspace.folder })).toMatchObject({
      code: 1,
    });
    await expectFound(
      expected('login-expired', { login }),
      expected('rotation-failed', {
        adopt: false,
        cause: expect.objectContaining({
          code: 'check-refused',
          params: { findings: [expect.objectContaining({ code: 'login-expired', params: { login } })] },
        }),
      }),
    );
    await mend();
  });

  describe('in pg_hba.conf, where the rotator may read it,', () => {
    let path: string;
    let before: string;
    const prepend = async (line: string) => {
      before = await readFile(path, 'utf8');
      await writeFile(path, `${line}\n${before}`);
      await patient.admin.query('SELECT pg_reload_conf()');
    };
    beforeAll(async () => {
      path = join(server.server.data, 'pg_hba.conf');
      await patient.admin.query(
        `GRANT SELECT ON pg_hba_file_rules TO ${patient.rotator}; GRANT EXECUTE ON FUNCTION pg_hba_file_rules TO ${patient.rotator}`,
      );
    });

    test('a line that lets a login in without a password', async () => {
      await prepend(`host all +${patient.owner} 10.9.8.0/24 trust`);
      await expectFound(
        expected('hba-method-unsafe', {
          file: path,
          line: 1,
          method: 'trust',
          logins: [...patient.workspace.logins].sort(),
          from: expect.stringContaining('host 10.9.8.0'),
        }),
      );
      await mend();
    });

    test('a line that goes by something else, and names the logins by an expression', async () => {
      await prepend('host all /^. 10.9.8.0/24 ident');
      await expectFound(
        expected('hba-method-unsafe', {
          file: path,
          line: 1,
          method: 'ident',
          logins: [...patient.workspace.logins].sort(),
          from: expect.stringContaining('host 10.9.8.0'),
        }),
      );
      await mend();
    });

    test('no line that one before leaves nobody to, and that accounts of the machine itself get in by peer', async () => {
      await prepend(
        [
          'host all all 10.0.0.0/8 scram-sha-256',
          'host all all 10.9.8.0/24 trust',
          'local all all peer',
        ].join('\n'),
      );
      const { stdout } = await keyturn(['doctor', 'app'], { cwd: patient.workspace.folder });
      expect(stdout).toMatch(
        /ok {4}pg_hba .* than by SCRAM, but for accounts of the server's own machine \(peer\)/,
      );
      await writeFile(path, before);
    });

    test('a line by which the published login gets in with any password', async () => {
      await prepend(`host all ${await patient.active()} 127.0.0.1/32 trust`);
      await expectFound(
        expected('published-not-proven', { login: await patient.active() }),
        expected('hba-method-unsafe', {
          line: 1,
          method: 'trust',
          logins: [await patient.active()],
          from: expect.stringContaining('host 127.0.0.1'),
        }),
      );
      await mend();
    });

    test('no line for the login that would come in', async () => {
      await prepend(`host all ${await patient.standby()} 127.0.0.1/32 reject`);
      const missing = expected('hba-lets-nobody-in', {
        server: `127.0.0.1:${server.port}`,
        login: await patient.standby(),
        database: patient.workspace.target,
      });
      await expectFound(missing);
      const replica = { host: '127.0.0.1', port: 1, tls: { mode: 'disable' } } as const;
      await using view = await viewWith({ replicas: [replica] });
      // That one is away hides nothing of the others.
      expect((await passwordPromptFindings(view)).map(seen)).toMatchObject([
        like(missing),
        {
          level: 'fail',
          about: 'pg_hba',
          code: 'server-unreachable',
          params: { detail: expect.stringContaining('ECONNREFUSED') },
        },
      ]);
      await writeFile(path, before);
      await mend();
    });

    test('a line by which the login that would come in is not asked for a password', async () => {
      await prepend(`host all ${await patient.standby()} 127.0.0.1/32 trust`);
      await expectFound(
        expected('hba-asks-no-password', {
          server: `127.0.0.1:${server.port}`,
          login: await patient.standby(),
        }),
      );
      await mend();
    });

    test('a line that the server cannot read', async () => {
      await prepend('host all nobody');
      await expectFound(
        expected('hba-line-broken', {
          file: path,
          line: 1,
          detail: expect.stringContaining('end-of-line'),
        }),
      );
      await writeFile(path, before);
      await mend();
    });
  });
});

describe('It finds what somebody has to see to, and says what:', () => {
  async function findings(about: string) {
    return (await all()).filter((finding) => finding.about === about);
  }

  test('sessions of the login that would come in', async () => {
    const standby = await patient.standby();
    await patient.admin.query(`ALTER ROLE ${quoteIdentifier(standby)} LOGIN PASSWORD 'by-hand'`);
    const session = await patient.workspace.connect({ user: standby, password: 'by-hand' });
    expect(await findings('sessions')).toMatchObject([
      {
        level: 'fail',
        code: 'incoming-has-sessions',
        params: { login: standby, sessions: [{ application: '', state: 'idle', elsewhere: false }] },
      },
    ]);
    await session.end();
    await expect.poll(codes, PATIENCE).toEqual([]);
  });

  test('sessions of the published login up to the CONNECTION LIMIT', async () => {
    for (const login of patient.workspace.logins) {
      await patient.admin.query(`ALTER ROLE ${quoteIdentifier(login)} CONNECTION LIMIT 2`);
    }
    const account = await patient.workspace.published();
    const sessions = await Promise.all([1, 2].map(() => patient.workspace.connect(account)));
    await expectFound(
      expected('published-finds-no-connection', {
        cause: expect.objectContaining({ code: 'login-connection-limit-reached' }),
      }),
      expected('connection-limit-in-use', {
        incoming: await patient.standby(),
        outgoing: account.user,
        limit: 2,
      }),
    );
    const inUse = (await troubles()).filter(({ about }) => about === 'sessions');
    for (const finding of inUse) await patient.apply(finding);
    expect(await codes()).toEqual([]);
    for (const session of sessions) await session.end();
  });

  test('a folder of secrets that is none', async () => {
    const folder = join(patient.workspace.folder, 'secrets');
    await rename(folder, `${folder}-away`);
    await writeFile(folder, '');
    expect(await findings('store')).toMatchObject([
      {
        level: 'fail',
        code: 'folder-invalid',
        params: { store: 'files', detail: expect.stringContaining('ENOTDIR') },
      },
    ]);
    await rm(folder);
    await rename(`${folder}-away`, folder);
    expect(await codes()).toEqual([]);
  });

  test('a destination that cannot be read, which hides nothing of the others', async () => {
    const path = join(patient.workspace.folder, 'none');
    await writeFile(path, '');
    const store = openFileStore({ name: 'mirror', path });
    const mirror = { name: 'mirror', store, create: true, secrets: MAPPING };
    await using view = await viewWith({ more: [mirror] });
    expect((await proofFindings(view)).map(seen)).toMatchObject([
      { level: 'ok', code: 'published-logs-in', params: { destination: 'files (primary)' } },
      {
        level: 'fail',
        code: 'folder-invalid',
        params: { store: 'mirror', detail: expect.stringContaining('ENOTDIR') },
      },
    ]);
  });

  test('a user mapping of one login, where there is no owner, but not its options (G3)', async () => {
    const [a, b] = patient.workspace.logins;
    await patient.configure((yaml) => yaml.replace(/ +owner: .*\n/, ''));
    await patient.admin.query(
      `CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far;
       CREATE USER MAPPING FOR ${a} SERVER far OPTIONS (password 'hush')`,
    );
    expect(await findings('grants')).toEqual([
      {
        level: 'warn',
        about: 'grants',
        code: 'user-mappings-differ',
        params: {
          database: patient.workspace.target,
          mappings: [
            {
              login: a,
              server: 'far',
              statement: `CREATE USER MAPPING FOR "${b}" SERVER "far" OPTIONS (…)`,
            },
          ],
        },
      },
    ]);
    await patient.admin.query(`CREATE USER MAPPING FOR ${b} SERVER far`);
    expect(await findings('grants')).toEqual([]);
    await patient.admin.query('DROP FOREIGN DATA WRAPPER far CASCADE');
    await patient.configure((yaml) => yaml);
    await expect.poll(codes, PATIENCE).toEqual([]);
  });

  test('a grace of 0', async () => {
    await patient.configure((yaml) => yaml.replace('grace: 1s', 'grace: 0s'));
    expect(await findings('grace')).toMatchObject([
      { level: 'warn', code: 'grace-zero', params: { policy: 'app' } },
    ]);
    await patient.configure((yaml) => yaml.replace('grace: 1s', 'grace: 10s'));
    expect(await codes()).toEqual([]);
  });

  test('a clock that is ahead, and by it a slot that nobody acted on', async () => {
    const ahead = { now: () => Date.now() + 40 * 24 * 60 * 60_000 };
    const found = (await patient.examine({ clock: ahead })).filter(({ level }) => level !== 'skip');
    expect(found.map(seen)).toMatchObject([
      {
        about: 'clock',
        level: 'warn',
        code: 'server-clock-differs',
        params: { aheadSeconds: expect.closeTo(40 * 24 * 60 * 60, -3) },
      },
      {
        about: 'schedule',
        level: 'fail',
        code: 'slot-overdue',
        remedies: [command('start')],
      },
    ]);
  });
});
