// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Connection } from '../../src/config/config.ts';
import { changed, load, problemFactsOf, problemsOf, VALID } from './config-folder.ts';

/** The connection as a block: between brackets YAML wants references quoted. */
const BLOCK = `
    host: db.internal
    database: orders
    user: keyturn`;
const connected = (entry: string) =>
  changed([' { host: db.internal, database: orders, user: keyturn }', `${BLOCK}\n    ${entry}`]);

function connectionOf(yaml: string, surroundings: Parameters<typeof load>[1]): Connection {
  return load(yaml, surroundings).connections.get('db') as Connection;
}

test('a variable is filled in, also within text', () => {
  const yaml = changed(['db.internal', '"${NAME}.${ZONE}"']);
  expect(connectionOf(yaml, { env: { NAME: 'db', ZONE: 'internal' } }).host).toBe('db.internal');
});

test('a default stands for a variable that is unset or empty', () => {
  const yaml = changed(['db.internal', '"${HOST:-fallback.internal}"']);
  expect(connectionOf(yaml, {}).host).toBe('fallback.internal');
  expect(connectionOf(yaml, { env: { HOST: '' } }).host).toBe('fallback.internal');
  expect(connectionOf(yaml, { env: { HOST: 'db.internal' } }).host).toBe('db.internal');
});

test('a file is filled in without its last line break, and only that one', () => {
  const yaml = connected('password: "${file:run/password}"');
  expect(connectionOf(yaml, { files: { 'run/password': 'hunter2\n' } }).password).toBe('hunter2');
  expect(connectionOf(yaml, { files: { 'run/password': 'hunter2\r\n' } }).password).toBe('hunter2');
  expect(connectionOf(yaml, { files: { 'run/password': ' hunter2\n\n' } }).password).toBe(' hunter2\n');
});

test('$${ stands for the characters themselves', () => {
  expect(connectionOf(connected('password: "a$${B}$c"'), {}).password).toBe('a${B}$c');
});

test('a variable serves as a number or a boolean where one belongs, and as text where text does', () => {
  const yaml = connected('port: ${PORT}\n    password: ${PASSWORD}').replace(
    'connection: db',
    'connection: db\n    autoRotate: ${AUTO}',
  );
  const config = load(yaml, { env: { PORT: '6432', PASSWORD: '0123', AUTO: 'false' } });
  expect(config.connections.get('db')).toMatchObject({ port: 6432, password: '0123' });
  expect(config.policies.get('orders')?.autoRotate).toBe(false);
});

test('whatever a variable holds, it is one value and never YAML', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (value) => {
      for (const reference of ['${VALUE}', '"${VALUE}"', "'${VALUE}'"]) {
        const connection = connectionOf(connected(`password: ${reference}`), { env: { VALUE: value } });
        expect(connection.password).toBe(value);
        expect(connection.user).toBe('keyturn');
      }
    }),
    { numRuns: 20 },
  );
  const hostile = 'x", user: root\n- a: ${PATH} *b !c # d';
  expect(connectionOf(connected('password: ${VALUE}'), { env: { VALUE: hostile } }).password).toBe(hostile);
});

test('what is missing is named, all at once', () => {
  const yaml = changed(
    ['db.internal', '"${HOST}.${ZONE}"'],
    ['user: keyturn', 'user: keyturn, password: "${file:run/password}"'],
  );
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:2:15 connections.db.host: environment variable HOST is not set; set it, or write ${HOST:-default}',
    'k.yaml:2:15 connections.db.host: environment variable ZONE is not set; set it, or write ${ZONE:-default}',
    'k.yaml:2:77 connections.db.password: file "run/password" does not exist; ${file:PATH} must name a readable file',
  ]);
});

test.each(['${}', '${1X}', '${A B}', '${A', '${A:-${B}}', '${A-b}'])(
  '%s is refused without quoting it',
  (text) => {
    expect(problemsOf(connected(`password: 'hunter2${text}'`))).toEqual([
      'k.yaml:6:15 connections.db.password: "${" that begins no reference; write ${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for the characters themselves',
    ]);
  },
);

test('a variable that is set to nothing leaves out the state database and the queue', () => {
  const yaml = `state: { database: "\${STATE}" }\nqueue: { redis: "\${QUEUE:-}" }\n${VALID}`;
  const config = load(yaml, { env: { STATE: '' } });
  expect(config.stateDatabase).toBeUndefined();
  expect(config.queueRedis).toBeUndefined();
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:1:20 state.database: environment variable STATE is not set; set it, or write ${STATE:-default}',
  ]);
});

test('G3: no message quotes what was filled in; it names the variable', () => {
  const yaml = `state: { database: "\${S}" }
queue: { redis: "\${S}" }
connections:
  db: { host: "\${S}", port: "\${S}", database: "\${S}\${S}\${S}\${S}", user: "\${S}", password: "\${S}", tls: { mode: "\${S}", ca: "\${S}" }, pgbouncer: [{ host: "\${S}", port: "\${S}", user: "\${S}", password: "\${S}", tls: { ca: "\${S}" } }] }
stores:
  files: { type: file, path: "\${S}" }
  aws: { type: aws-secrets-manager, region: "\${S}", endpoint: "\${S}" }
policies:
  orders:
    connection: "\${S}"
    logins: ["\${S}", "\${S}"]
    owner: "\${S}"
    schedule: { every: "\${S}", at: "\${S}", cron: "\${S}", timezone: "\${S}", window: "\${S}", missed: "\${S}" }
    password: { length: "\${S}", symbols: "\${S}" }
    drain: { grace: "\${S}", onTimeout: "\${S}" }
    publish:
      - { store: "\${S}", create: "\${S}", secrets: { username: "\${S}", password: "\${S}" } }
      - { store: files, secrets: { username: "\${S}", password: "\${S}" } }
      - { store: aws, secrets: { username: "\${S}", password: "\${S}" } }
`;
  const secret = 'hunter2 @/hunter2 hunter2';
  const problems = problemsOf(yaml, { env: { S: secret } });
  expect(problems.length).toBeGreaterThan(20);
  expect(problems.filter((problem) => problem.includes('hunter2'))).toEqual([]);
  expect(JSON.stringify(problemFactsOf(yaml, { env: { S: secret } }))).not.toContain('hunter2');
  expect(problems).toContain(
    'k.yaml:4:15 connections.db.host: "${S}" is not valid; must be one host name, IP address or absolute folder of a socket, without the port',
  );
});

test('G3: no message quotes a credential that was written out', () => {
  const yaml = `state: { database: "mysql://root:hunter2@db" }\nqueue: { redis: "http://:hunter2@redis" }\n${VALID}`;
  expect(JSON.stringify(problemFactsOf(yaml))).not.toContain('hunter2');
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:1:20 state.database: the value is not valid; must be a URL that begins with postgresql:// or postgres://',
    'k.yaml:2:17 queue.redis: the value is not valid; must be a URL such as redis://user:password@host:6379/0 or rediss://…, and in it @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25 and a space as %20; or a mapping with sentinels and name, or with cluster',
  ]);
});

test('an interval from a variable is not spelt out either', () => {
  const yaml = changed(['connection: db', 'connection: db\n    schedule: { every: "${EVERY}" }']);
  expect(problemsOf(yaml, { env: { EVERY: '61s' } })).toEqual([
    'k.yaml:7:3 policies.orders.drain.grace: the default of 5m is longer than the time between two slots; must be no longer',
  ]);
});
