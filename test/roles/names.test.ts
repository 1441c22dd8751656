import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { LoginsPolicy } from '../../src/config/policy.ts';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { intentOf } from '../../src/roles/intent-of.ts';
import { RequestError } from '../../src/roles/request-error.ts';
import { adminOf } from '../support/admin.ts';
import { openBarePolicy } from '../support/bare-policy.ts';
import { policyWith } from '../support/policy.ts';
import { uniqueName } from '../support/unique-name.ts';

const server = inject('postgres');
const suffix = uniqueName('');

describe('what keyturn makes', () => {
  let session: Session;
  beforeAll(async () => {
    session = await adminOf(server);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  const accepts = async (login: string) => {
    const policy: LoginsPolicy = {
      ...policyWith({ kind: 'interval', interval: 1, missed: 'run', timezone: 'UTC' }),
      logins: [login, `other${suffix}`],
    };
    try {
      const connection = { name: 'db', ...server, database: 'postgres', tls: { mode: 'disable' } } as const;
      const { client } = session;
      await intentOf({ policy, connection, client, creators: [], remembered: undefined, sharing: [] }, {});
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RequestError);
      expect((error as RequestError).faults).toEqual([
        {
          path: ['policies', 'p', 'logins', 0],
          message: expect.stringContaining(`${JSON.stringify(login)} does not exist`),
        },
      ]);
      return false;
    }
  };

  test('has letters, digits, - and _ in its name, up to 50', async () => {
    const plain = [...'abcxyzABCXYZ0189-_'];
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...plain), minLength: 1, maxLength: 50 }),
        async (name) => {
          expect(await accepts(name)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('has nothing else in it', async () => {
    const odd = fc
      .tuple(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
      )
      .map((parts) => parts.join(''))
      .filter((name) => !/^[A-Za-z0-9_-]{1,50}$/.test(name) && !name.includes('\0'));
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        expect(await accepts(name)).toBe(false);
      }),
      {
        numRuns: 50,
        examples: [['a'.repeat(51)], ['a b'], ['a\n'], ['é'], ['a"b'], ["a'b"], ['a.b'], ['a;']],
      },
    );
  });
});

test.each([
  ['we"ird', "quote'd"],
  ['with space', 'a\\b'],
  ['new\nline; DROP ROLE x', '$keyturn$'],
  ['Ünïcödé 🔑', 'SELECT'],
  ['%I %L', '--'],
])('the logins %j and %j, which exist, are granted, repaired, rotated, printed and dropped', async (a, b) => {
  const logins: [string, string] = [`${a}${suffix}`, `${b}${suffix}`];
  await using bare = await openBarePolicy(server, { logins });
  const { admin, scenario, rotator, owner } = bare;
  for (const login of logins.map(quoteIdentifier)) {
    await admin.query(`CREATE ROLE ${login}`);
    await admin.query(`GRANT ${login} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  }
  const { changes } = await bare.plan({ executor: 'administrator', access: 'owner' });
  await admin.query(['BEGIN', ...changes.map(({ sql }) => sql), 'COMMIT'].join(';\n'));
  expect((await bare.create({ access: 'owner' })).changes).toEqual([]);
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  await admin.query(`CREATE TABLE t (id int); ALTER TABLE t OWNER TO ${quoteIdentifier(logins[1])}`);
  expect((await bare.repair()).changes).toHaveLength(1);
  expect((await bare.repair()).changes).toEqual([]);
  expect(await bare.drop()).toMatchObject({ dropped: logins });
  await admin.query(`DROP TABLE t; DROP OWNED BY ${owner}`);
});

test('schemas and tables may have any name, too', async () => {
  await using bare = await openBarePolicy(server);
  const { admin, rotator } = bare;
  const [schema, table] = ['odd "schema"\n', "odd 'table'; --"].map(quoteIdentifier);
  await admin.query(
    `CREATE SCHEMA ${schema}; GRANT USAGE ON SCHEMA ${schema} TO ${rotator} WITH GRANT OPTION`,
  );
  await bare.create({ access: 'none' });
  await admin.query(
    `CREATE TABLE ${schema}.${table} (id int); ALTER TABLE ${schema}.${table} OWNER TO ${bare.owner}`,
  );
  await using other = await connect(bare.scenario.connection);
  expect(other.proven).toBe(true);
  expect(await bare.create({ access: 'read', schemas: ['odd "schema"\n'] })).toMatchObject({
    changes: [{ what: `grants USAGE on schema odd "schema"\n to ${bare.owner}` }],
    warnings: [expect.stringContaining(`${bare.owner} owns 1 table or sequence there`)],
  });
  await expect(bare.create({ access: 'read', schemas: ['nowhere'] })).rejects.toThrow(
    'run: CREATE SCHEMA "nowhere"',
  );
});
