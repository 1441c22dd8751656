import { describe, expect, test } from 'vitest';
import { rotatorPolicyOf } from '../../src/config/rotator-policy-of.ts';
import { changed, load, problemsOf, VALID } from './config-folder.ts';

const ROTATOR = `  self:
    type: rotator
    connection: db
    publish:
      - store: files
        secrets: { username: keyturn/username, password: keyturn/password }
`;
const WHOLE = VALID + ROTATOR;

/** The valid configuration with a rotator's policy that has one more entry, on line 15. */
const rotatorWith = (entry: string) => WHOLE.replace('type: rotator', `type: rotator\n    ${entry}`);

test("a rotator's policy has the connection's user as its one login", () => {
  const config = load(WHOLE);
  expect(config.policies.get('self')).toMatchObject({ type: 'rotator', logins: ['keyturn'] });
  expect(config.policies.get('orders')).toMatchObject({ type: 'logins', logins: ['orders_a', 'orders_b'] });
});

test('it may rotate more often than consumers of two logins would be given grace for', () => {
  expect(problemsOf(rotatorWith('schedule: { every: 1m }'))).toEqual([]);
});

describe('is refused', () => {
  test.each([
    ['logins: [a, b]', 'logins'],
    ['owner: somebody', 'owner'],
    ['drain: { grace: 1m }', 'drain'],
  ])('%s of a rotator', (entry, key) => {
    expect(problemsOf(rotatorWith(entry))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^k.yaml:15:\\d+ policies.self.${key}: has no use with type rotator, whose only login is the connection's user; leave it out$`,
        ),
      ),
    ]);
  });

  test('a policy without logins that is no rotator’s', () => {
    expect(problemsOf(changed(['    logins: [orders_a, orders_b]\n', '']))).toEqual([
      'k.yaml:7:3 policies.orders.logins: is missing; must be a list of two logins',
    ]);
  });

  test('a type that there is not', () => {
    expect(problemsOf(WHOLE.replace('type: rotator', 'type: rotators'))).toEqual([
      'k.yaml:14:11 policies.self.type: "rotators" is not valid; must be logins or rotator',
    ]);
  });

  test('the embedded PostgreSQL, whose rotator has no password to configure', () => {
    const yaml = WHOLE.replace(
      '{ host: db.internal, database: orders, user: keyturn }',
      '{ database: orders }',
    );
    expect(problemsOf(yaml)).toEqual([
      'k.yaml:15:17 policies.self.connection: "db" is the embedded PostgreSQL, whose rotator keyturn manages itself; must be a connection with host and user',
    ]);
  });

  test('a second policy of the same rotator, be it through another database', () => {
    const yaml = WHOLE.replace(
      'stores:',
      '  other: { host: DB.internal, database: invoices, user: keyturn }\nstores:',
    );
    const second = ROTATOR.replace('self', 'again')
      .replace(': db', ': other')
      .replaceAll('keyturn/', 'again/');
    expect(problemsOf(yaml + second)).toEqual([
      'k.yaml:22:17 policies.again.connection: "other" has the rotator that policy "self" rotates already; must be one policy for each rotator',
    ]);
  });

  test('a rotator that is the login of the state database too, and its password does not show (G3)', () => {
    const yaml = `state: { database: "postgresql://keyturn:hush@db.internal/state" }\n${WHOLE}`;
    expect(problemsOf(yaml)).toEqual([
      'k.yaml:16:17 policies.self.connection: the rotator of "db" is the login of state.database too, where its old password would stay; must be another login there',
    ]);
    const local = yaml.replaceAll('db.internal', 'localhost');
    for (const spelled of ['127.0.0.1', '[::1]', 'LOCALHOST']) {
      expect(problemsOf(local.replace('@localhost', `@${spelled}`))).toHaveLength(1);
    }
    for (const other of [
      'keyturn2:hush@db.internal',
      'keyturn:hush@db.internal:5433',
      'keyturn:hush@other',
    ]) {
      expect(problemsOf(yaml.replace('keyturn:hush@db.internal', other))).toEqual([]);
    }
  });
});

test('every connection to its server as that user is the rotator’s, and no other', () => {
  const config = load(
    WHOLE.replace(
      'stores:',
      `  same: { host: DB.internal, database: invoices, user: keyturn }
  local: { host: localhost, database: orders, user: local }
  spelled: { host: 127.0.0.1, database: invoices, user: local }
  tunnel: { host: 127.0.0.2, database: orders, user: local }
  user: { host: db.internal, database: orders, user: another }
  port: { host: db.internal, port: 5433, database: orders, user: keyturn }
stores:`,
    ) + ROTATOR.replace('self', 'here').replace(': db', ': local').replaceAll('keyturn/', 'here/'),
  );
  const found = [...config.connections].map(([name, connection]) => [
    name,
    'embedded' in connection ? undefined : rotatorPolicyOf(connection, config)?.name,
  ]);
  expect(found).toEqual([
    ['db', 'self'],
    ['same', 'self'],
    ['local', 'here'],
    ['spelled', 'here'],
    ['tunnel', undefined],
    ['user', undefined],
    ['port', undefined],
  ]);
});
