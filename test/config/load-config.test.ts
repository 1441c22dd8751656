import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { haveOpenssl, type Issued, openAuthority } from '../support/certificates.ts';
import { changed, folderOf, load, problems, problemsOf, VALID, warningsOf } from './config-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE = `state:
  database: \${KEYTURN_DATABASE_URL}
queue:
  redis: \${KEYTURN_REDIS_URL}
connections:
  orders-db:
    host: db.internal
    port: 5432
    database: orders
    user: keyturn
    password: \${file:run/secrets/keyturn-db}
    tls: { mode: verify-full, ca: ./ca.pem, cert: ./client.crt, key: ./client.key }
stores:
  aws: { type: aws-secrets-manager, region: eu-central-1 }
  files: { type: file, path: .keyturn/secrets }
policies:
  orders-api:
    description: Login of the orders API
    connection: orders-db
    logins: [orders_api_a, orders_api_b]
    owner: orders_owner
    schedule:
      every: 30d
      at: "02:30"
      timezone: Europe/Berlin
      window: 2h
      jitter: 10m
      missed: run
    autoRotate: true
    password: { length: 32 }
    verify: ["SELECT 1 FROM orders LIMIT 1"]
    drain:
      grace: 5m
      timeout: 30m
      onTimeout: terminate
    publish:
      - store: aws
        secrets:
          username: prod/orders/db-username
          password: prod/orders/db-password
      - store: aws
        create: true
        secrets:
          engine: prod/orders/db#engine
          host: prod/orders/db#host
          port: prod/orders/db#port
          database: prod/orders/db#dbname
          username: prod/orders/db#username
          password: prod/orders/db#password
          url: prod/orders/db#url
`;

let ca: string;
let client: Issued;

beforeAll(async () => {
  if (!haveOpenssl) return;
  await using authority = await openAuthority('keyturn test');
  ca = authority.ca;
  client = await authority.issue({ commonName: 'keyturn' });
});

test.skipIf(!haveOpenssl)(
  'the example of the design loads as it says, and warns once about two separate secrets',
  () => {
    const cwd = folderOf({
      'keyturn.yaml': EXAMPLE,
      'run/secrets/keyturn-db': 'hunter2\n',
      'ca.pem': ca,
      'client.crt': client.cert,
      'client.key': client.key,
    });
    const env = { KEYTURN_DATABASE_URL: 'postgresql://keyturn@state/', KEYTURN_REDIS_URL: 'rediss://redis' };
    expect(loadConfig({ path: 'keyturn.yaml', env, cwd })).toEqual({
      stateDatabase: {
        host: 'state',
        port: 5432,
        database: 'keyturn',
        user: 'keyturn',
        tls: { mode: 'verify-full' },
      },
      queueRedis: 'rediss://redis',
      history: { keep: 400 * 24 * 3_600_000 },
      sinks: new Map(),
      connections: new Map([
        [
          'orders-db',
          {
            name: 'orders-db',
            host: 'db.internal',
            port: 5432,
            database: 'orders',
            user: 'keyturn',
            password: 'hunter2',
            tls: { mode: 'verify-full', ca, ...client },
            maxSessions: 4,
          },
        ],
      ]),
      stores: new Map([
        ['aws', { name: 'aws', type: 'aws-secrets-manager', region: 'eu-central-1' }],
        ['files', { name: 'files', type: 'file', path: join(cwd, '.keyturn/secrets') }],
      ]),
      policies: new Map([
        [
          'orders-api',
          {
            name: 'orders-api',
            type: 'logins',
            description: 'Login of the orders API',
            connection: 'orders-db',
            logins: ['orders_api_a', 'orders_api_b'],
            owner: 'orders_owner',
            schedule: {
              kind: 'days',
              days: 30,
              at: { hour: 2, minute: 30 },
              timezone: 'Europe/Berlin',
              window: 7_200_000,
              jitter: 600_000,
              missed: 'run',
            },
            autoRotate: true,
            retryFor: 86_400_000,
            probe: { every: 900_000 },
            heal: 'alert',
            password: { length: 32, symbols: '' },
            verify: ['SELECT 1 FROM orders LIMIT 1'],
            drain: { grace: 300_000, timeout: 1_800_000, onTimeout: 'terminate' },
            publish: [
              {
                store: 'aws',
                create: false,
                secrets: {
                  username: { secret: 'prod/orders/db-username' },
                  password: { secret: 'prod/orders/db-password' },
                },
              },
              {
                store: 'aws',
                create: true,
                secrets: {
                  engine: { secret: 'prod/orders/db', key: 'engine' },
                  host: { secret: 'prod/orders/db', key: 'host' },
                  port: { secret: 'prod/orders/db', key: 'port' },
                  database: { secret: 'prod/orders/db', key: 'dbname' },
                  username: { secret: 'prod/orders/db', key: 'username' },
                  password: { secret: 'prod/orders/db', key: 'password' },
                  url: { secret: 'prod/orders/db', key: 'url' },
                },
              },
            ],
          },
        ],
      ]),
      files: ['keyturn.yaml', 'run/secrets/keyturn-db', 'ca.pem', 'client.crt', 'client.key'].map((name) =>
        join(cwd, name),
      ),
      warnings: [
        {
          file: 'keyturn.yaml',
          line: 39,
          column: 11,
          path: 'policies.orders-api.publish[0].secrets',
          fact: { code: 'credential-in-two-secrets', params: { store: 'aws-secrets-manager' } },
        },
      ],
    });
  },
);

test.each([
  ['group: orders', { group: 'orders' }],
  ['group: 1500', { group: '1500' }],
  ['group: "1500", mode: "0440"', { group: '1500', mode: 0o440 }],
  ['mode: "0640"', { mode: 0o640 }],
  ['mode: 0640', { mode: 0o640 }],
  ['mode: 0o640', { mode: 0o640 }],
  ['mode: 0400', { mode: 0o400 }],
])('a file store with %s has these rights', (rights, expected) => {
  const cwd = folderOf({ 'k.yaml': changed(['path: secrets', `path: secrets, ${rights}`]) });
  const { stores } = loadConfig({ path: 'k.yaml', env: {}, cwd });
  expect(stores.get('files')).toEqual({
    name: 'files',
    type: 'file',
    path: join(cwd, 'secrets'),
    ...expected,
  });
});

test('the configuration that is shipped runs on what is embedded', () => {
  const config = loadConfig({ path: 'config/', env: {}, cwd: ROOT });
  expect(config.warnings).toEqual([]);
  expect([config.stateDatabase, config.queueRedis]).toEqual([undefined, undefined]);
  expect([...config.connections.values()]).toEqual([
    { name: 'sample', embedded: true, database: 'keyturn_sample' },
  ]);
  expect([...config.stores.values()]).toEqual([
    { name: 'files', type: 'file', path: join(ROOT, '.keyturn/secrets') },
  ]);
  expect([...config.policies.values()]).toMatchObject([
    {
      name: 'sample',
      logins: ['sample_a', 'sample_b'],
      owner: 'sample_owner',
      schedule: { kind: 'days', days: 1, at: { hour: 2, minute: 30 }, timezone: 'UTC' },
      drain: { grace: 5_000, timeout: 60_000 },
      publish: [{ store: 'files', create: true, secrets: { url: { secret: 'sample/url' } } }],
    },
  ]);
});

test('what is left out takes its default', () => {
  const config = load(VALID);
  expect(config.connections.get('db')).toMatchObject({ port: 5432, tls: { mode: 'verify-full' } });
  const { schedule: _, ...policy } = { schedule: undefined, ...config.policies.get('orders') };
  expect(policy).toEqual({
    name: 'orders',
    type: 'logins',
    connection: 'db',
    logins: ['orders_a', 'orders_b'],
    autoRotate: true,
    retryFor: 86_400_000,
    probe: { every: 900_000 },
    heal: 'alert',
    password: { length: 32, symbols: '' },
    verify: [],
    drain: { grace: 300_000, timeout: 1_800_000, onTimeout: 'terminate' },
    publish: [
      {
        store: 'files',
        create: false,
        secrets: { username: { secret: 'orders/username' }, password: { secret: 'orders/password' } },
      },
    ],
  });
});

test.each(['url', 'service', 'pgpass', 'env'])('%s alone is enough for the primary', (field) => {
  const secrets = `secrets: { ${field}: orders/login }`;
  const config = load(changed([/secrets: .*/.exec(VALID)?.[0] ?? '', secrets]));
  expect(config.policies.get('orders')?.publish[0].secrets).toEqual({ [field]: { secret: 'orders/login' } });
});

test('a destination says what its formats leave open', () => {
  const secrets = 'secrets: { service: orders/service, userlist: orders/userlist }';
  const format = 'format: { service: Orders.db, sslrootcert: system, userlist: plain }';
  const config = load(changed([/secrets: .*/.exec(VALID)?.[0] ?? '', `${secrets}\n        ${format}`]));
  expect(config.policies.get('orders')?.publish[0].format).toEqual({
    service: 'Orders.db',
    sslrootcert: 'system',
    userlist: 'plain',
  });
});

test.each([
  ['{ every: 2w }', { kind: 'days', days: 14, at: { hour: 0, minute: 0 }, timezone: 'UTC', missed: 'run' }],
  [
    '{ every: 36h, missed: skip }',
    { kind: 'interval', interval: 129_600_000, timezone: 'UTC', missed: 'skip' },
  ],
  ['{ cron: "30 2 1 * *" }', { kind: 'cron', cron: '30 2 1 * *', timezone: 'UTC', missed: 'run' }],
  ['{ cron: "0 */15 * * * *" }', { kind: 'cron', cron: '0 */15 * * * *', timezone: 'UTC', missed: 'run' }],
])('schedule %s is read as it says', (written, schedule) => {
  const config = load(changed(['connection: db', `connection: db\n    schedule: ${written}`]));
  expect(config.policies.get('orders')?.schedule).toEqual(schedule);
});

test.each(['localhost', '127.0.0.1', '127.1.2.3', '"::1"', '/var/run/postgresql'])(
  'TLS is off by default for %s, which never leaves the machine',
  (host) => {
    const config = load(changed(['db.internal', host]));
    expect(config.connections.get('db')).toMatchObject({ tls: { mode: 'disable' } });
  },
);

test.each(['db.internal', '10.0.0.1', '"2001:db8::1"', 'localhost.example.com', '128.0.0.1'])(
  'TLS is verify-full by default for %s',
  (host) => {
    const config = load(changed(['db.internal', host]));
    expect(config.connections.get('db')).toMatchObject({ tls: { mode: 'verify-full' } });
  },
);

test.skipIf(!haveOpenssl)(
  'each PgBouncer of a connection has a console of its own, with the defaults of PgBouncer',
  () => {
    const yaml = changed([
      'user: keyturn }',
      `user: keyturn, tls: { ca: ca.pem }, pgbouncer: [{ host: localhost, user: console, password: hunter2 }, { host: pool, port: 6433, user: keyturn, tls: { mode: require } }] }`,
    ]);
    const config = load(yaml, { files: { 'ca.pem': ca } });
    expect(config.connections.get('db')).toMatchObject({
      tls: { mode: 'verify-full', ca },
      pgbouncer: [
        { host: 'localhost', port: 6432, user: 'console', password: 'hunter2', tls: { mode: 'disable' } },
        { host: 'pool', port: 6433, user: 'keyturn', tls: { mode: 'require' } },
      ],
    });
    expect(config.warnings).toMatchObject([
      {
        path: 'connections.db.pgbouncer[1].tls.mode',
        fact: { code: 'tls-unverified', params: { host: { kind: 'written', text: 'pool' } } },
      },
    ]);
  },
);

test('a replica has the port and the TLS of its connection, unless its own host says otherwise', () => {
  const replicas = 'replicas: [{ host: db-2.internal }, { host: "::1", port: 6432 }]';
  const config = load(changed(['user: keyturn', `user: keyturn, port: 5433, ${replicas}`]));
  expect(config.connections.get('db')).toMatchObject({
    port: 5433,
    replicas: [
      { host: 'db-2.internal', port: 5433, tls: { mode: 'verify-full' } },
      { host: '::1', port: 6432, tls: { mode: 'disable' } },
    ],
  });
  const tunnelled = load(changed(['db.internal', `localhost, ${replicas}`]));
  expect(tunnelled.connections.get('db')).toMatchObject({
    tls: { mode: 'disable' },
    replicas: [{ tls: { mode: 'verify-full' } }, { tls: { mode: 'disable' } }],
  });
});

test('everything in a configuration is frozen', () => {
  const policy = load(VALID).policies.get('orders');
  const drain = policy?.type === 'logins' ? policy.drain : undefined;
  expect(drain).toBeDefined();
  for (const part of [policy, policy?.logins, drain, policy?.publish[0].secrets.username]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test('an alias repeats what its anchor names', () => {
  const config = load(
    `${changed(['connection: db', 'connection: db\n    drain: &patient { timeout: 2h }'])}  invoices:
    connection: db
    logins: [invoices_a, invoices_b]
    drain: *patient
    publish: [{ store: files, secrets: { username: invoices/username, password: invoices/password } }]
`,
  );
  expect(config.policies.get('invoices')).toMatchObject({ drain: { timeout: 7_200_000 } });
});

test.each([
  [
    'TLS off for a host that is not loopback',
    changed(['user: keyturn', 'user: keyturn, tls: { mode: disable }']),
    'k.yaml:2:74 connections.db.tls.mode: the connection to "db.internal" is not encrypted; better is verify-full',
  ],
  [
    'TLS off for a replica whose primary is loopback',
    changed([
      'host: db.internal',
      'host: localhost, tls: { mode: disable }, replicas: [{ host: db-2.internal }]',
    ]),
    'k.yaml:2:69 connections.db.replicas[0].host: the connection to "db-2.internal" is not encrypted; better is verify-full',
  ],
  [
    'TLS that does not check the server',
    changed(['user: keyturn', 'user: keyturn, tls: { mode: require }']),
    'k.yaml:2:74 connections.db.tls.mode: the connection to "db.internal" is encrypted, but anyone could answer it; better is verify-full',
  ],
  [
    'versions on AWS faster than it removes them',
    changed(
      ['connection: db', 'connection: db\n    schedule: { every: 5m }'],
      ['store: files', 'store: aws'],
      ['orders/username', 'orders#username'],
      ['orders/password', 'orders#password'],
    ),
    'k.yaml:12:16 policies.orders.publish[0].store: this secret is rotated more often than every 10 minutes, so it gets versions faster than AWS removes them (it keeps 100, each for a day), and in the end AWS refuses new ones; better is an interval of 10m or longer',
  ],
  [
    'the password of the rotator where a group reads',
    `${changed(['path: secrets', 'path: secrets, group: orders'])}  keyturn-itself:
    type: rotator
    connection: db
    publish: [{ store: files, secrets: { username: keyturn/username, password: keyturn/password } }]
`,
    'k.yaml:16:24 policies.keyturn-itself.publish[0].store: the group orders may read this store, and with it the password of the rotator, who may alter every login of the policies; better is a store of its own, without group and mode',
  ],
  [
    'a login in two folders',
    changed(['orders/password', 'secret/password']),
    'k.yaml:12:18 policies.orders.publish[0].secrets: username and password lie in two folders, which do not change at one instant: a reader can see a new username with an old password; better is one folder for both',
  ],
])('a warning tells of %s', (_, yaml, warning) => {
  expect(warningsOf(yaml)).toEqual([warning]);
});

test('a folder is merged from its *.yaml files, whatever section stands where', () => {
  const [connections, policies] = VALID.split('policies:');
  const cwd = folderOf({
    'conf/a.yaml': `${connections}`,
    'conf/b.yaml': `policies:${policies}`,
    'conf/c.yaml': '# nothing yet\n',
    'conf/d.yaml': 'stores:\n  more: { type: file, path: more }\n',
    'conf/notes.txt': 'not: [yaml',
    'conf/.#b.yaml': 'not: [yaml',
  });
  mkdirSync(join(cwd, 'conf/folder'));
  symlinkSync(join(cwd, 'conf/d.yaml'), join(cwd, 'conf/folder/link.yaml'));
  const config = loadConfig({ path: 'conf/', env: {}, cwd });
  expect([...config.stores.keys()]).toEqual(['files', 'aws', 'more']);
  expect([...config.policies.keys()]).toEqual(['orders']);
});

test('a name that two files define is refused with both places, as are state and queue', () => {
  const cwd = folderOf({
    'conf/a.yaml': `state: {}\n${VALID}`,
    'conf/b.yaml': 'stores:\n  files: { type: file, path: other }\nstate: {}\n',
  });
  expect(problems(() => loadConfig({ path: 'conf', env: {}, cwd }))).toEqual([
    'conf/b.yaml:2:3 stores.files: "files" is defined already at conf/a.yaml:5:3; define it once',
    'conf/b.yaml:3:1 state: "state" is defined already at conf/a.yaml:1:1; define it once',
  ]);
});

test('what no file of a folder has is missing from the folder', () => {
  const cwd = folderOf({ 'conf/a.yaml': 'connections: {}\n', 'conf/b.yaml': 'stores: {}\n' });
  expect(problems(() => loadConfig({ path: 'conf', env: {}, cwd }))).toEqual([
    'conf policies: is missing; must be a mapping of names to policies',
  ]);
});

test('every file of a folder that is no YAML is reported', () => {
  const cwd = folderOf({ 'conf/a.yaml': 'a: @', 'conf/b.yaml': VALID, 'conf/c.yaml': '"' });
  mkdirSync(join(cwd, 'conf/d.yaml'));
  expect(problems(() => loadConfig({ path: 'conf', env: {}, cwd }))).toEqual([
    'conf/a.yaml:1:4: a value cannot begin with this character; quote it',
    'conf/c.yaml:1:2: a quote, bracket or comma is missing before this; add it',
    'conf/d.yaml: is a folder, not a file; must be a readable YAML file',
  ]);
});

test.each([
  ['nowhere', 'nowhere: does not exist; must be a YAML file or a folder of *.yaml files'],
  ['empty', 'empty: holds no *.yaml file; must be a YAML file or a folder of *.yaml files'],
  ['a.yaml/b', 'a.yaml/b: does not exist; must be a YAML file or a folder of *.yaml files'],
])('path %s, where no configuration is, is refused', (path, problem) => {
  const cwd = folderOf({ 'a.yaml': VALID, 'empty/keyturn.yml': VALID });
  expect(problems(() => loadConfig({ path, env: {}, cwd }))).toEqual([problem]);
});

test('a file in another encoding than UTF-8 is refused', () => {
  const cwd = folderOf({});
  writeFileSync(join(cwd, 'k.yaml'), Buffer.from('password: ä', 'latin1'));
  expect(problems(() => loadConfig({ path: 'k.yaml', env: {}, cwd }))).toEqual([
    'k.yaml: is not UTF-8 text; must be a readable YAML file',
  ]);
});

test.each([
  ['forever', null],
  ['7d', 7 * 24 * 3_600_000],
  ['60w', 60 * 7 * 24 * 3_600_000],
])('history.keep: %s', (keep, expected) => {
  expect(load(`history: { keep: ${keep} }\n${VALID}`).history).toEqual({ keep: expected });
});

test.each(['6d', '1h', '0', 'off', '400', '"400 days"', 'null', '[1d]'])(
  'history.keep: %s is refused',
  (keep) => {
    expect(problemsOf(`history: { keep: ${keep} }\n${VALID}`)).toEqual([
      expect.stringMatching(/^k\.yaml:1:18 history\.keep: .*; must be forever, or at least 7d/),
    ]);
  },
);

test('a sink has what its entry says, and defaults', () => {
  const secret = `whsec_${Buffer.alloc(24, 'k').toString('base64')}`;
  const sink = (more: string) =>
    load(`events: { sinks: { ops: { type: webhook, secrets: [${secret}], ${more} } } }\n${VALID}`).sinks.get(
      'ops',
    );
  expect(sink('url: https://hooks.example.com/')).toEqual({
    name: 'ops',
    type: 'webhook',
    url: 'https://hooks.example.com/',
    secrets: [secret],
    format: 'standard',
    allowPrivate: false,
    timeout: 10_000,
  });
  expect(
    sink(
      'url: http://10.0.0.1/, allowPrivate: true, policies: [orders], types: [rotation.failed], timeout: 1m',
    ),
  ).toMatchObject({
    allowPrivate: true,
    policies: ['orders'],
    types: ['rotation.failed'],
    timeout: 60_000,
  });
  expect(load(VALID).sinks).toEqual(new Map());
});
