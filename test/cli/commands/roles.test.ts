import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../../src/postgres/identifier.ts';
import { adminOf } from '../../support/admin.ts';
import { cli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

const server = inject('postgres');
const PASSWORD = 'the-password-of-the-rotator';
const ROTATOR_POLICY = `stores: { files: { type: file, path: secrets } }
policies:
  itself:
    type: rotator
    connection: db
    publish: [{ store: files, create: true, secrets: { username: own/username, password: own/password } }]
`;

describe('from an empty database', () => {
  let workspace: Workspace;
  let logins: [string, string];
  let owner: string;
  let rotator: string;
  beforeEach(async () => {
    workspace = await openWorkspace(server);
    logins = [uniqueName('app_a'), uniqueName('app_b')];
    owner = uniqueName('owner');
    rotator = uniqueName('rotator');
    await workspace.configure(filePolicy(logins, `    owner: ${owner}\n`), {
      connection: { user: rotator, password: PASSWORD },
    });
  });
  afterEach(async () => {
    await workspace[Symbol.asyncDispose]();
    await using admin = await adminOf(server);
    for (const role of [...logins, owner, rotator]) {
      await admin.client.query(`DROP ROLE IF EXISTS ${quoteIdentifier(role)}`);
    }
  });

  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const ok = (stdout: string) => ({ code: 0, stdout, stderr: '' });

  /** Runs a printed script as an administrator does. */
  async function apply(sql: string): Promise<void> {
    await using admin = await adminOf(server, workspace.target);
    await admin.client.query(sql);
  }

  test('the printed commands and scripts give a policy its rotator and roles, and rotate, list, repair and drop them', async () => {
    const printed = await run('roles', 'rotator', 'db', '--sql');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).not.toContain(PASSWORD);
    expect(printed.stdout).toContain("PASSWORD 'SCRAM-SHA-256$");
    // It may be run again.
    for (const sql of [printed.stdout, printed.stdout]) await apply(sql);

    const [a, b] = logins;
    expect(await run('roles', 'create', 'app')).toEqual(
      ok(
        [
          `creates the owner ${owner}`,
          `creates the login ${a}`,
          `creates the login ${b}`,
          `makes ${a} a member of ${owner}`,
          `makes what ${a} creates belong to ${owner}`,
          `makes ${b} a member of ${owner}`,
          `makes what ${b} creates belong to ${owner}`,
          `grants USAGE, CREATE on schema public to ${owner}`,
          'done',
        ]
          .map((line) => `app: ${line}\n`)
          .join(''),
      ),
    );
    expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
    const list = await run('roles', 'list', '--all', '--json');
    expect(list).toMatchObject({ code: 0, stderr: '' });
    const common = {
      policy: 'app',
      connection: 'db',
      made: true,
      sessions: 0,
      memberOf: [owner],
      error: null,
      faults: [],
    };
    const listed: { login: string }[] = JSON.parse(list.stdout);
    expect(listed.slice(0, 2)).toEqual([
      { login: a, state: 'active', lastRotatedAt: expect.any(String), ...common },
      { login: b, state: 'standby', lastRotatedAt: expect.any(String), ...common },
    ]);
    expect(listed.find(({ login }) => login === rotator)).toMatchObject({
      policy: null,
      state: null,
      made: false,
    });

    await apply(`ALTER ROLE ${b} LOGIN`);
    const drift = `app: disables the standby login ${b}\n`;
    expect(await run('roles', 'repair', 'app')).toEqual({
      code: 2,
      stdout: drift,
      stderr: expect.stringContaining('Nobody is here to be asked; add --yes'),
    });
    expect(await run('roles', 'repair', 'app', '--yes')).toEqual(ok(`${drift}app: done\n`));

    expect(await run('roles', 'drop', 'app', '--confirm', 'other')).toMatchObject({
      code: 2,
      stderr: 'keyturn: --confirm must be the name of the policy, app; nothing was done\n',
    });
    expect(await run('roles', 'drop', 'app', '--confirm', 'app')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`publishes ${a}`),
    });
    const file = join(workspace.folder, 'config', 'keyturn.yaml');
    const [x, y] = workspace.logins;
    await writeFile(
      file,
      (await readFile(file, 'utf8'))
        .replace('  app:', '  other:')
        .replace(a, x)
        .replace(b, y)
        .replace(owner, 'none_yet'),
    );
    expect(await run('roles', 'drop', 'app', '--confirm', 'app')).toEqual({
      code: 0,
      stdout: [`drops the login ${a}`, `drops the login ${b}`, `drops the owner ${owner}`]
        .map((line) => `app: ${line}\n`)
        .join(''),
      stderr: 'app: what is in the secret store stays; delete it there\n',
    });
  });

  test('JSON has a code and parameters beside each text', async () => {
    await apply((await run('roles', 'rotator')).stdout);
    const [a, b] = logins;
    const created = JSON.parse((await run('roles', 'create', 'app', '--access', 'read', '--json')).stdout);
    expect(created.changes[0]).toEqual({
      what: `creates the owner ${owner}`,
      sql: `CREATE ROLE "${owner}" NOLOGIN`,
      code: 'create-role',
      params: { kind: 'owner', role: owner },
    });
    await apply(`CREATE TABLE own (id int); ALTER TABLE own OWNER TO ${owner}`);
    const repaired = JSON.parse((await run('roles', 'repair', 'app', '--json', '--yes')).stdout);
    const warning = 'owns 1 table or sequence there, and may do everything with them whatever its level';
    expect(repaired).toMatchObject({ policy: 'app', changes: [], left: [], leftFacts: [] });
    expect(repaired.warnings).toEqual([expect.stringContaining(`${owner} ${warning}`)]);
    expect(repaired.warningFacts).toEqual([
      { code: 'level-without-effect', params: { grantee: owner, count: 1 } },
    ]);
    const dropped = await run('roles', 'drop', 'app', '--confirm', 'app', '--json');
    expect(JSON.parse(dropped.stdout)).toMatchObject({
      ...{ policy: 'app', dropped: [a, b], deactivated: [] },
      lines: [`drops the login ${a}`, `drops the login ${b}`, expect.stringContaining('which owns 1 object')],
      facts: [{ code: 'drop-role' }, { code: 'drop-role' }, { code: 'owner-kept-for-objects' }],
    });
    await apply('DROP TABLE own');
  });

  test('an administrator can run what create --sql prints, and then create has nothing to do', async () => {
    await apply((await run('roles', 'rotator')).stdout);
    const { stdout } = await run('roles', 'create', 'app', '--access', 'read', '--sql');
    expect(stdout).toContain(
      '\nBEGIN;\nSET LOCAL search_path TO pg_catalog;\nSET LOCAL ROLE NONE;\nSET LOCAL lock_timeout = 2000;\n',
    );
    await apply(stdout);
    expect(await run('roles', 'create', 'app', '--access', 'read')).toEqual(ok('app: nothing to do\n'));
  });

  test('printed statements, and the command that a refusal names, keep the schemas and the level chosen last', async () => {
    await apply(
      `CREATE SCHEMA "the app"; ${(await run('roles', 'rotator', 'db', '--schema', 'the app')).stdout}`,
    );
    await run('roles', 'create', 'app', '--access', 'read', '--schema', 'the app');
    await apply('CREATE TABLE "the app".of_superuser (id int)');
    const printed = await run('roles', 'create', 'app', '--sql');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toContain(`GRANT SELECT ON TABLE "the app"."of_superuser" TO "${owner}"`);
    const { code, stderr } = await run('roles', 'create', 'app');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        `; run: keyturn roles create app --access read --schema 'the app' --sql | psql -v ON_ERROR_STOP=1 -h ${server.host} -p ${server.port} -d ${workspace.target}\n`,
      ),
    });
    await apply(printed.stdout);
    expect(await run('roles', 'create', 'app')).toEqual(ok('app: nothing to do\n'));
    await workspace.configure(filePolicy(logins, `    owner: ${owner}\n`), {
      connection: { user: rotator, password: PASSWORD },
      state: 'postgresql://nobody@127.0.0.1:1/none',
    });
    expect(await run('roles', 'create', 'app', '--sql')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^keyturn: It is not known which .* was chosen last, so nothing was done: the state database nobody@/,
      ),
    });
  });

  test('a rotator is printed for one connection and its database, with login policies or without', async () => {
    await workspace.configure(ROTATOR_POLICY, { connection: { user: rotator, password: PASSWORD } });
    await apply((await run('roles', 'rotator')).stdout);
    const file = join(workspace.folder, 'config', 'keyturn.yaml');
    const more = 'connections: { other: { host: localhost, database: other, user: keyturn },';
    await writeFile(file, (await readFile(file, 'utf8')).replace('connections: {', more));
    expect(await run('roles', 'rotator')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('name one of other, db'),
    });
    expect(await run('roles', 'rotator', 'db')).toMatchObject({ code: 0 });
    for (const [args, message] of [
      [['nowhere'], 'There is no connection "nowhere"; there is other, db'],
      [['db', '--platform', 'neon'], 'see docs/managed-postgres.md'],
    ] as const) {
      expect(await run('roles', 'rotator', ...args)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(message),
      });
    }
    expect((await run('roles', 'rotator', 'db', '--platform', 'rds')).stdout).toMatch(
      /^-- The rotator of db: run this in the database \S+ as the master user, a member of rds_superuser\./,
    );
    expect(await run('roles', 'create', 'itself')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('; run: keyturn roles rotator db\n'),
    });
  });

  test('a server that cannot be asked hides no other server, and no name in the list moves the cursor (G6)', async () => {
    const file = join(workspace.folder, 'config', 'keyturn.yaml');
    await apply((await run('roles', 'rotator')).stdout);
    await run('roles', 'create', 'app');
    const more = 'connections: { away: { host: 127.0.0.1, port: 1, database: x, user: x, password: x },';
    await writeFile(file, (await readFile(file, 'utf8')).replace('connections: {', more));
    const odd = `${uniqueName('odd')}\x1b[2J\nb`;
    await using state = await adminOf(server, workspace.state);
    await state.client.query(`CREATE ROLE ${quoteIdentifier(odd)} LOGIN`);
    await state.client.query(`INSERT INTO keyturn.provision
        (policy, kind, connection, logins, owner, access, schemas, made, dropped, deactivated, requested_by, at)
      SELECT 'gone', kind, 'away', '{gone_a,gone_b}', owner, access, schemas, '{gone_a}', dropped, deactivated, requested_by, at
        FROM keyturn.provision`);
    const { code, stdout, stderr } = await run('roles', 'list', '--all');
    const json = await run('roles', 'list', '--all', '--json');
    await state.client.query(`DROP ROLE ${quoteIdentifier(odd)}`);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'keyturn: x@127.0.0.1:1/x: connect ECONNREFUSED 127.0.0.1:1; check host, port, firewall and that the server is up\n',
    );
    const line = (start: string) => stdout.split('\n').find((each) => each.startsWith(start));
    expect(line(logins[0])).toMatch(/ app +standby +keyturn +0 /);
    expect(line('gone_a')).toMatch(/ gone +unknown +keyturn +unknown /);
    expect(line(odd.slice(0, odd.indexOf('\x1b')))).toContain('\\u001b[2J\\u000ab ');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toContainEqual({
      ...{ login: null, policy: null, connection: 'away', state: null, made: false, sessions: null },
      ...{ memberOf: null, lastRotatedAt: null, error: expect.stringContaining('ECONNREFUSED') },
      faults: [expect.objectContaining({ code: 'server-unreachable' })],
    });
  });

  test('two policies with one owner have one level: the last choice counts for both, and create says so', async () => {
    const [c, d] = workspace.logins;
    await workspace.configure(
      `${filePolicy(logins, `    owner: ${owner}\n`)}  second: { connection: db, owner: ${owner}, logins: [${c}, ${d}],
    publish: [{ store: files, create: true, secrets: { username: second/username, password: second/password } }] }\n`,
      { connection: { user: rotator, password: PASSWORD } },
    );
    await apply((await run('roles', 'rotator')).stdout);
    await run('roles', 'create', 'app', '--access', 'read-write');
    expect(await run('roles', 'create', 'second', '--access', 'read')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        `is also that of the policy app, for which read-write was chosen in schema public`,
      ),
    });
    for (const verb of [['create'], ['repair', '--yes']]) {
      expect(await run('roles', ...verb, 'app')).toEqual(ok('app: nothing to do\n'));
    }
    await apply(`DROP OWNED BY ${owner}`);
  });

  test('nothing is created with unsuitable names, or with the level owner and no owner', async () => {
    await apply((await run('roles', 'rotator')).stdout);
    const odd = 'é'.repeat(26);
    await workspace.configure(filePolicy([logins[0], odd]), {
      connection: { user: rotator, password: PASSWORD },
    });
    expect(await run('roles', 'create', 'app')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        `^config/keyturn.yaml:\\d+:\\d+ policies.app.logins\\[1\\]: "${odd}" does not exist`,
      ),
    });
    await workspace.configure(filePolicy(logins), { connection: { user: rotator, password: PASSWORD } });
    expect(await run('roles', 'create', 'app', '--access', 'owner')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no owner'),
    });
    await using admin = await adminOf(server);
    const { rowCount } = await admin.client.query('SELECT FROM pg_roles WHERE rolname = ANY ($1)', [logins]);
    expect(rowCount).toBe(0);
  });
});

test('on the embedded PostgreSQL create needs no rotator, and none is printed', async () => {
  await using workspace = await openWorkspace(server);
  const file = join(workspace.folder, 'config', 'keyturn.yaml');
  const config = `connections: { db: { database: shop } }\n${filePolicy(['shop_a', 'shop_b'], '    owner: shop_owner\n')}`;
  await writeFile(file, config);
  const run = (...args: string[]) => cli(args, { cwd: workspace.folder });
  expect(await run('roles', 'rotator')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('needs no rotator'),
  });
  expect((await run('roles', 'create', 'app')).stdout).toContain('app: creates the login shop_a\n');
  expect((await run('roles', 'create', 'app')).stdout).toBe('app: nothing to do\n');
  // Logins that no command asked for are keyturn's there, too.
  await writeFile(file, config.replaceAll('shop_', 'late_'));
  expect((await run('roles', 'list')).stdout).toMatch(/^late_a +app +standby +keyturn +0 +late_owner /m);
  expect((await run('roles', 'drop', 'app', '--confirm', 'app')).stdout).toContain(
    'app: drops the owner late_owner\n',
  );
});
