import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { oneLineNames } from '../../src/postgres/one-line-names.ts';
import { isVisible, visible } from '../../src/visible.ts';
import { adminOf } from '../support/admin.ts';
import type { CliResult } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { uniqueName } from '../support/unique-name.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

const FORGED = 'ALTER ROLE mallory SUPERUSER';
const pieces = fc.oneof(
  fc.constantFrom(
    ...[`\n  run: ${FORGED}`, `";\nrun: ${FORGED}; --`, `'; ${FORGED}; --`, '\r', '\x1b[2J', '\x1b]0;x\x07'],
    ...[
      '\x9b2J',
      '\u202e',
      '\u2028',
      '\u200b',
      '\u{e0041}',
      '"',
      "'",
      '\\',
      '\\000a',
      ';',
      '--',
      '$$',
      '$keyturn$',
    ],
    ...['\t', '\x7f', '\x01', 'ä', '🔑', ' ', '%', '/*', '{', ',', '://', '\n'],
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
);

/** Text that PostgreSQL takes for a name of up to 63 bytes, with room for a suffix that makes it unique. */
const names = fc
  .array(pieces, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''))
  .filter(
    (text) => Buffer.byteLength(text) <= 50 && !/\0|[\p{Cs}\p{Cn}]/u.test(text) && !text.includes('${'),
  );

let server: PostgresServer;
let admin: pg.Client;
beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: '10' } });
  admin = (await adminOf(server)).client;
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

test('what is printed in place of a name or a constant is that name and that constant to PostgreSQL', async () => {
  for (const conforming of ['on', 'off']) {
    await admin.query(`SET standard_conforming_strings = ${conforming}`);
    await fc.assert(
      fc.asyncProperty(names, names, async (name, text) => {
        const [identifier, literal] = [quoteIdentifier(name), quoteLiteral(text)];
        expect(isVisible(identifier + literal)).toBe(true);
        const { rows } = await admin.query(`SELECT ${literal} AS ${identifier}`);
        expect(rows).toEqual([{ [name]: text }]);
      }),
      { numRuns: 200 },
    );
  }
  await admin.query('RESET standard_conforming_strings');
});

test('what PostgreSQL itself quoted is put on one line and stays the same name', async () => {
  await fc.assert(
    fc.asyncProperty(names, names, async (name, text) => {
      const { rows } = await admin.query(
        "SELECT format('SELECT %L::text AS %I', $1::text, $2::text) AS sql",
        [text, name],
      );
      const sql = oneLineNames(rows[0].sql);
      expect(isVisible(sql)).toBe(true);
      expect((await admin.query(sql)).rows).toEqual([{ [name]: text }]);
    }),
    { numRuns: 200 },
  );
});

/** What every command says of a policy whose surroundings have these names. */
const surroundings = fc.record({
  logins: fc.tuple(names, names),
  ...Object.fromEntries(
    ['database', 'schema', 'table', 'rowPolicy', 'creator', 'gid', 'raised', 'folder', 'argument'].map(
      (what) => [what, names],
    ),
  ),
} as {
  logins: fc.Arbitrary<[string, string]>;
} & Record<
  'database' | 'schema' | 'table' | 'rowPolicy' | 'creator' | 'gid' | 'raised' | 'folder' | 'argument',
  typeof names
>);
type Surroundings = typeof surroundings extends fc.Arbitrary<infer Value> ? Value : never;

const WORST = `x\n  run: ${FORGED}\x1b[2J\u202e"'`;
const worst: Surroundings = {
  logins: [WORST, WORST],
  database: WORST,
  schema: WORST,
  table: WORST,
  rowPolicy: WORST,
  creator: WORST,
  gid: WORST,
  raised: WORST,
  folder: WORST,
  argument: WORST,
};

test('attack: names and texts with anything in them, through the output of every command', async () => {
  await fc.assert(
    fc.asyncProperty(surroundings, async (given) => {
      const unique = (name: string) => `${name}${uniqueName('')}`;
      const [one, other] = given.logins.map(unique) as [string, string];
      await using workspace = await openWorkspace(server, {
        logins: [one, other],
        target: unique(given.database),
      });
      const planted = {
        ...given,
        logins: [one, other] as [string, string],
        creator: unique(given.creator),
      };
      await using target = await adminOf(server, workspace.target);
      try {
        await plant(target.client, planted);
        await seeEveryCommand(workspace, planted, target.client);
      } finally {
        // Else the database could not be dropped.
        await target.client.query(`ROLLBACK PREPARED ${quoteLiteral(given.gid)}`).catch(() => {});
      }
    }),
    // Each takes many seconds, so a failure is told as it is, with its seed.
    { numRuns: 2, examples: [[worst]], endOnFailure: true },
  );
}, 600_000);

/** Puts things with such names where keyturn looks, so that it has something to say of each. */
async function plant(client: pg.Client, given: Surroundings): Promise<void> {
  const [login, other] = given.logins.map(quoteIdentifier);
  const [schema, table] = [given.schema, given.table].map(quoteIdentifier);
  const creator = quoteIdentifier(given.creator);
  await client.query(`
    CREATE ROLE ${creator};
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.${table} (id int);
    GRANT USAGE ON SCHEMA ${schema} TO ${login};
    GRANT SELECT ON ${schema}.${table} TO ${login};
    CREATE POLICY ${quoteIdentifier(given.rowPolicy)} ON ${schema}.${table} TO ${login};
    CREATE FUNCTION ${schema}.${table} (${table} int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    GRANT EXECUTE ON FUNCTION ${schema}.${table} (int) TO ${login};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${creator} IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${login};
    ALTER ROLE ${login} SET statement_timeout = '9s';
    ALTER ROLE ${login} SET application_name = ${quoteLiteral(given.raised)};
    CREATE TABLE ${schema}.owned (id int);
    ALTER TABLE ${schema}.owned OWNER TO ${login};
    GRANT CREATE ON SCHEMA ${schema} TO ${login};`);
  await client.query(`BEGIN; SET LOCAL ROLE ${other}; SELECT pg_catalog.txid_current()`);
  await client.query(`PREPARE TRANSACTION ${quoteLiteral(given.gid)}`);
}

async function seeEveryCommand(
  workspace: Workspace,
  { logins, schema, creator, raised, folder, argument }: Surroundings,
  target: pg.Client,
): Promise<void> {
  const cwd = workspace.folder;
  let said = '';
  const see = async (...args: string[]) => {
    const result = await keyturn(args, { cwd });
    expectData(result);
    said += result.stdout + result.stderr;
    return result;
  };
  const configure = (extra: string, path = 'secrets', connection = {}) =>
    workspace.configure(
      `stores: { files: { type: file, path: ${yaml(path)} } }
policies:
  app:
    connection: db
    logins: [${logins.map(yaml).join(', ')}]
    description: ${yaml(raised)}
    drain: { grace: 0s, timeout: 1s }
${extra}    publish: [{ store: files, create: true, secrets: { username: app/username, password: app/password } }]
`,
      { connection },
    );

  await configure('');
  for (const args of [['validate'], ['plan'], ['status'], ['schedule', 'app'], ['history']])
    await see(...args);
  const doctor = await see('doctor');
  await expectRemedies(
    doctor.stdout,
    JSON.parse((await keyturn(['doctor', '--json'], { cwd })).stdout),
    target,
  );

  // The two logins differ in a setting, so the first rotation is refused, with the statement that ends that.
  await see('rotate', 'app', '--inline');
  await target.query(`ALTER ROLE ${quoteIdentifier(logins[0])} RESET ALL`);
  await see('rotate', 'app', '--inline');
  await configure(
    `    verify: [${yaml(`DO $x$ BEGIN RAISE EXCEPTION '%', ${quoteLiteral(raised)}; END $x$`)}]\n`,
  );
  await see('rotate', 'app', '--inline');
  for (const args of [['history'], ['status'], ['plan']]) await see(...args);

  const file = `f${folder.replaceAll('/', '_')}`;
  await writeFile(join(cwd, file), 'no folder');
  await configure('', file);
  for (const args of [['plan'], ['status'], ['doctor']]) await see(...args);
  await rm(join(cwd, file));

  await configure('');
  for (const args of [
    ['rotate', argument],
    ['roles', 'rotator', argument],
    ['validate', '--config', argument],
    ['roles', 'list', '--all'],
  ]) {
    await see(...args);
  }
  await seeRoles(see, schema, target);
  await seePrepared(said, target);
  await see('roles', 'drop', 'app', '--confirm', 'app');
  // What a superuser is told to run for a rotator of such a name.
  await configure('', 'secrets', { user: creator, password: 'secret' });
  const { stdout } = await see('roles', 'rotator', '--schema', schema);
  await runScript(stdout, target);
}

/** Scripts run as they are printed. */
async function seeRoles(
  see: (...args: string[]) => Promise<CliResult>,
  schema: string,
  target: pg.Client,
): Promise<void> {
  for (const args of [
    ['roles', 'create', 'app', '--access', 'write', '--schema', schema, '--sql'],
    ['roles', 'repair', 'app', '--access', 'write', '--schema', schema, '--sql'],
  ]) {
    const { stdout } = await see(...args);
    await runScript(stdout, target);
  }
  await see('roles', 'create', 'app', '--access', 'write', '--schema', schema);
  await see('roles', 'repair', 'app', '--yes');
}

async function runScript(script: string, target: pg.Client): Promise<void> {
  await target.query(script.replace(/^COMMIT;$/m, 'ROLLBACK;'));
}

/** The statement that ends a prepared transaction ends it, as it is printed. */
async function seePrepared(said: string, target: pg.Client): Promise<void> {
  const [, literal] = /ROLLBACK PREPARED ( ?E?'(?:''|\\.|[^'\\])*')/.exec(said) ?? [];
  expect(literal).toBeDefined();
  await target.query(`ROLLBACK PREPARED ${literal}`);
}

/** No byte below 0x20 but our line breaks, nothing invisible, and no remedy of somebody else's. */
function expectData({ stdout, stderr }: CliResult): void {
  for (const line of `${stdout}${stderr}`.split('\n')) {
    expect(isVisible(line), visible(line)).toBe(true);
    expect(line).not.toMatch(new RegExp(`^\\s*(run: )?${FORGED}`));
  }
}

/** Each line that begins with `run:` is one statement of ours, and one only, or a keyturn command. */
async function expectRemedies(
  text: string,
  report: readonly { readonly sql: readonly string[] }[],
  target: pg.Client,
): Promise<void> {
  const printed = [...text.matchAll(/^ *run: (.*)$/gm)]
    .map(([, statement = '']) => statement)
    .filter((statement) => statement !== 'keyturn start');
  expect(printed.toSorted()).toEqual(report.flatMap(({ sql }) => sql.map(oneLineNames)).toSorted());
  expect(printed.length).toBeGreaterThan(3);
  for (const statement of printed) {
    await target.query('BEGIN');
    // The extended protocol takes one statement at a time.
    const query = { text: statement, values: [], queryMode: 'extended' };
    const fault = await target.query<never>(query).then(
      () => undefined,
      (error: pg.DatabaseError) => error,
    );
    await target.query('ROLLBACK');
    expect(fault, `${statement}: ${fault?.message}`).toBeUndefined();
  }
}

/** YAML in double quotes, with escapes for what YAML would not take as it is. */
function yaml(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
