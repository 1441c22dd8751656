// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Fact, FactCode, FactParams } from '../../src/facts/fact.ts';
import type { Problem } from '../../src/facts/problem.ts';
import { configMessages } from '../../src/messages/config-messages.ts';
import { changed, folderOf, load, problemFactsOf, VALID } from './config-folder.ts';

const SPELT = '{ host: db.internal, database: orders, user: keyturn }';
const SECRETS = '{ username: orders/username, password: orders/password }';
const connected = (entry: string) => changed(['user: keyturn', `user: keyturn, ${entry}`]);
const policyWith = (entry: string) => changed(['    logins:', `    ${entry}\n    logins:`]);
const url = (text: string) => changed([SPELT, `{ url: ${JSON.stringify(text)} }`]);
const mapped = (secrets: string) => changed([SECRETS, secrets]);
const onAws = (secrets: string) => changed(['store: files', 'store: aws'], [SECRETS, secrets]);
const also = (secrets: string) =>
  changed([SECRETS, `${SECRETS}\n      - store: files\n        secrets: ${secrets}`]);
const rotator = (entry: string, connection = 'db') => `${VALID}  self:
    type: rotator
    connection: ${connection}
    ${entry}
    publish: [{ store: files, secrets: { username: keyturn/username, password: keyturn/password } }]
`;
const written = (text: string) => ({ kind: 'written', text }) as const;
const PRIMARY = 'policies.orders.publish[0].secrets';
const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf';

/** One case of a code: what is written, at which path it is found out, and what is known of it. */
type Case = {
  readonly [Code in FactCode]: readonly [code: Code, yaml: string, path: string, params: FactParams[Code]];
}[FactCode];

/** A webhook with an entry of its own. */
const sinkWith = (url: string, secret: string) =>
  `events: { sinks: { ops: { type: webhook, url: "${url}", secrets: ["${secret}"] } } }\n${VALID}`;
const mailWith = (more: string) =>
  `events: { sinks: { ops: { type: mail, host: a.example, from: a@b.example, to: [a@b.example], ${more} } } }\n${VALID}`;
const SIGNING = `whsec_${Buffer.alloc(32, 'k').toString('base64')}`;

const PROBLEMS: readonly Case[] = [
  ['sink-mail-plaintext', mailWith('tls: { mode: disable }'), 'events.sinks.ops.tls.mode', {}],
  ['sink-mail-login-incomplete', mailWith('user: keyturn'), 'events.sinks.ops.password', { there: 'user' }],
  ['sink-secret-invalid', sinkWith('https://example.com/', 'hunter2'), 'events.sinks.ops.secrets[0]', {}],
  ['sink-url-has-credentials', sinkWith('https://a:b@example.com/', SIGNING), 'events.sinks.ops.url', {}],
  ['sink-url-plaintext', sinkWith('http://example.com/', SIGNING), 'events.sinks.ops.url', {}],
  ['sink-url-private', sinkWith('https://[::1]/', SIGNING), 'events.sinks.ops.url', {}],
  ['yaml-invalid', 'a:\n\tb: 1', '', { why: 'tab' }],
  ['yaml-key-unusable', policyWith('? [a]\n    : b'), 'policies.orders', {}],
  ['yaml-alias-unresolved', connected('password: *hunter2'), 'connections.db.password', {}],
  ['config-file-no-mapping', '- a\n', '', { found: 'list' }],
  [
    'defined-twice',
    changed(['connection: db', 'connection: db\n    connection: db']),
    'policies.orders.connection',
    { name: 'connection', first: { file: 'k.yaml', line: 8, column: 5 } },
  ],
  [
    'store-module-unsafe',
    changed(['type: file, path: secrets', 'type: module, module: ./no.mjs']),
    'stores.files.module',
    { module: './no.mjs', why: 'absent' },
  ],
  ['variable-unset', connected('password: "${P}"'), 'connections.db.password', { name: 'P' }],
  ['reference-malformed', connected('password: "${"'), 'connections.db.password', {}],
  [
    'reference-unreadable',
    connected('password: "${file:no}"'),
    'connections.db.password',
    { path: 'no', reason: 'absent' },
  ],
  [
    'config-key-unknown',
    policyWith('drain: { grce: 1m }'),
    'policies.orders.drain.grce',
    { key: 'grce', near: 'grace', known: ['grace', 'timeout', 'onTimeout'] },
  ],
  [
    'config-key-unknown',
    changed(['region: eu-central-1', 'colour: red']),
    'stores.aws.colour',
    {
      key: 'colour',
      known: ['type', 'region', 'endpoint', 'tls', 'role', 'kmsKey', 'description', 'tags', 'replicaRegions'],
    },
  ],
  [
    'config-key-unknown',
    connected('pgbouncer: [{ host: h, user: u, tls: { mod: disable } }]'),
    'connections.db.pgbouncer[0].tls.mod',
    { key: 'mod', near: 'mode', known: ['mode', 'ca', 'cert', 'key', 'servername', 'sni'] },
  ],
  ['config-entry-missing', changed([', user: keyturn', '']), 'connections.db.user', { rule: 'rotator' }],
  [
    'config-entry-invalid',
    connected('tls: { mode: prefer }'),
    'connections.db.tls.mode',
    {
      found: { kind: 'value', value: written('prefer') },
      rule: 'one-of',
      allowed: ['disable', 'require', 'verify-ca', 'verify-full'],
    },
  ],
  [
    'config-entry-invalid',
    policyWith('schedule: { every: 1d, timezone: Europe/Berln }'),
    'policies.orders.schedule.timezone',
    {
      found: { kind: 'value', value: written('Europe/Berln') },
      rule: 'time-zone',
      near: 'Europe/Berlin',
    },
  ],
  [
    'config-entry-invalid',
    changed(['[orders_a, orders_b]', '[orders_a]']),
    'policies.orders.logins',
    { found: { kind: 'entries', count: 1 }, rule: 'two-logins' },
  ],
  [
    'config-entry-invalid',
    connected('password: 0123'),
    'connections.db.password',
    { found: { kind: 'not-text', type: 'number' }, rule: 'rotator-password' },
  ],
  [
    'config-entry-invalid',
    `queue: { redis: "http://:hunter2@redis" }\n${VALID}`,
    'queue.redis',
    { found: { kind: 'value', value: { kind: 'hidden' } }, rule: 'redis-url' },
  ],
  ['config-name-invalid', changed(['  orders:', '  Orders:']), 'policies.Orders', { name: 'Orders' }],
  [
    'config-reference-unknown',
    changed(['- store: files', '- store: file']),
    'policies.orders.publish[0].store',
    { kind: 'store', value: written('file'), near: 'files', known: ['files', 'aws'] },
  ],
  ['url-malformed', url('postgresql://u:hunter2@x@h/d'), 'connections.db.url', { why: 'stray-at' }],
  [
    'url-repeated',
    changed([SPELT, '{ url: "postgresql://u@h/d", host: h }']),
    'connections.db.host',
    { key: 'host' },
  ],
  ['url-parameter-missing', url('postgresql://h/d'), 'connections.db.url (user)', { parameter: 'user' }],
  [
    'url-parameter-invalid',
    url('postgresql://u@h/d?sslsni=2'),
    'connections.db.url (sslsni)',
    { parameter: 'sslsni' },
  ],
  ['url-parameter-unknown', url('postgresql://u@h/d?ter2xyz=9'), 'connections.db.url', {}],
  [
    'url-parameter-unsupported',
    url('postgresql://u@h/d?sslmod=require'),
    'connections.db.url (sslmod)',
    { near: 'sslmode', allowed: expect.arrayContaining(['sslmode']) },
  ],
  [
    'url-parameter-useless',
    url('postgresql://u@h/d?passfile=x'),
    'connections.db.url (passfile)',
    { parameter: 'passfile' },
  ],
  [
    'url-parameter-differs',
    url('postgresql://u@h/d?sslnegotiation=direct'),
    'connections.db.url (sslnegotiation)',
    { allowed: ['postgres'] },
  ],
  [
    'url-requires-channel-binding',
    url('postgresql://u@h/d?channel_binding=require'),
    'connections.db.url (channel_binding)',
    {},
  ],
  [
    'url-mode-falls-back',
    url('postgresql://u@h/d?sslmode=prefer'),
    'connections.db.url (sslmode)',
    { mode: 'prefer' },
  ],
  [
    'url-mode-weaker-than-system',
    url('postgresql://u@h/d?sslrootcert=system&sslmode=require'),
    'connections.db.url (sslmode)',
    {},
  ],
  [
    'connection-host-missing',
    changed(['host: db.internal, ', 'port: 5433, ']),
    'connections.db.host',
    { keys: ['port', 'user'] },
  ],
  [
    'replica-repeated',
    connected('replicas: [{ host: DB.internal }]'),
    'connections.db.replicas[0].host',
    { host: written('DB.internal'), of: 'primary' },
  ],
  [
    'replica-servername-useless',
    connected('replicas: [{ host: localhost, servername: db }]'),
    'connections.db.replicas[0].servername',
    {},
  ],
  [
    'tls-over-socket',
    changed(['host: db.internal', 'host: /run/pg, tls: { mode: verify-full }']),
    'connections.db.tls.mode',
    { mode: 'verify-full' },
  ],
  [
    'tls-part-useless',
    connected('tls: { mode: require, ca: k.yaml }'),
    'connections.db.tls.ca',
    { mode: 'require' },
  ],
  [
    'pem-unreadable',
    connected('tls: { ca: no.pem }'),
    'connections.db.tls.ca',
    { file: written('no.pem'), reason: 'absent' },
  ],
  ['certificate-unreadable', connected('tls: { ca: k.yaml }'), 'connections.db.tls.ca', {}],
  [
    'plaintext-useless',
    `queue: { redis: "rediss://redis", tls: { mode: disable } }\n${VALID}`,
    'queue.tls.mode',
    { key: 'redis', scheme: 'rediss' },
  ],
  ['plaintext-refused', `queue: { redis: "redis://redis" }\n${VALID}`, 'queue.redis', { scheme: 'rediss' }],
  [
    'queue-plaintext-misplaced',
    `queue: { redis: { cluster: [redis] }, tls: { mode: disable } }\n${VALID}`,
    'queue.tls',
    {},
  ],
  [
    'login-repeated',
    changed(['orders_b', 'orders_a']),
    'policies.orders.logins[1]',
    { login: written('orders_a') },
  ],
  [
    'login-in-two-policies',
    `${VALID}  invoices:
    connection: db
    logins: [invoices_a, orders_a]
    publish: [{ store: files, secrets: { username: i/username, password: i/password } }]
`,
    'policies.invoices.logins[1]',
    {
      login: written('orders_a'),
      policy: 'orders',
      other: { path: 'policies.orders.logins[0]', place: { file: 'k.yaml', line: 9, column: 14 } },
    },
  ],
  [
    'login-is-rotator',
    changed(['orders_b', 'keyturn']),
    'policies.orders.logins[1]',
    { login: written('keyturn'), connection: 'db' },
  ],
  [
    'owner-is-login',
    policyWith('owner: orders_b'),
    'policies.orders.owner',
    { owner: written('orders_b'), policy: 'orders' },
  ],
  ['rotator-key-useless', rotator('owner: x'), 'policies.self.owner', { key: 'owner' }],
  [
    'rotator-embedded',
    rotator('', 'local').replace('stores:', '  local: { database: shop }\nstores:'),
    'policies.self.connection',
    { connection: written('local') },
  ],
  [
    'rotator-rotated-twice',
    `${rotator('')}  again:
    type: rotator
    connection: db
    publish: [{ store: files, secrets: { username: again/username, password: again/password } }]
`,
    'policies.again.connection',
    { connection: written('db'), policy: 'self' },
  ],
  [
    'rotator-holds-state',
    `state: { database: "postgresql://keyturn:hush@db.internal/state" }\n${rotator('')}`,
    'policies.self.connection',
    { connection: written('db') },
  ],
  [
    'schedule-ambiguous',
    policyWith('schedule: { every: 1d, cron: "0 0 * * *" }'),
    'policies.orders.schedule.cron',
    {},
  ],
  ['schedule-empty', policyWith('schedule: {}'), 'policies.orders.schedule.every', {}],
  [
    'time-of-day-useless',
    policyWith('schedule: { every: 24h, at: "02:30" }'),
    'policies.orders.schedule.at',
    { every: written('24h') },
  ],
  [
    'longer-than-interval',
    policyWith('schedule: { every: 1d, window: 25h }'),
    'policies.orders.schedule.window',
    { duration: { kind: 'written', value: written('25h') }, interval: '1d' },
  ],
  [
    'grace-longer-than-timeout',
    policyWith('drain: { grace: 1h }'),
    'policies.orders.drain.grace',
    {
      grace: { kind: 'written', value: written('1h') },
      timeout: { kind: 'default', text: '30m' },
    },
  ],
  [
    'destination-fields-missing',
    mapped('{ userlist: orders/userlist.txt }'),
    PRIMARY,
    { missing: ['username', 'password'], isPrimary: true, userlist: true },
  ],
  [
    'format-without-field',
    mapped(`${SECRETS}\n        format: { sslrootcert: system }`),
    'policies.orders.publish[0].format.sslrootcert',
    { key: 'sslrootcert', fields: ['service', 'env', 'url'] },
  ],
  [
    'field-not-expressible',
    mapped(`{ env: orders/env }`).replace('    logins:', '    password: { symbols: "+\\\\" }\n    logins:'),
    'policies.orders.publish[0].secrets.env',
    { field: 'env', part: 'password', why: 'backslash' },
  ],
  [
    'secret-name-invalid',
    mapped('{ username: orders/username, password: orders/../password }'),
    `${PRIMARY}.password`,
    { name: written('orders/../password'), store: 'file' },
  ],
  [
    'secret-written-twice',
    onAws('{ username: prod/db#login, password: prod/db#login }'),
    `${PRIMARY}.password`,
    { name: written('prod/db#login'), other: other(30) },
  ],
  [
    'secret-whole-and-by-key',
    onAws('{ username: prod/db, password: prod/db#password }'),
    `${PRIMARY}.password`,
    { name: written('prod/db#password'), other: other(30) },
  ],
  [
    'secret-of-other-destination',
    also('{ username: orders/u, password: orders/p }'),
    'policies.orders.publish[1].secrets.username',
    { name: written('orders/u'), shared: 'folder', other: other(30) },
  ],
  [
    'secret-spelt-differently',
    onAws(`{ username: prod/db#u, password: "${ARN}#p" }`),
    `${PRIMARY}.password`,
    { name: written(`${ARN}#p`), other: other(30) },
  ],
  [
    'secret-is-folder',
    mapped('{ username: orders, password: orders/password }'),
    `${PRIMARY}.username`,
    { name: written('orders'), other: other(48, 'password') },
  ],
];

/** The username of the primary, or another field of it, in the column where it is written. */
function other(column: number, field = 'username') {
  return { path: `${PRIMARY}.${field}`, place: { file: 'k.yaml', line: 12, column } };
}

const WARNINGS: readonly Case[] = [
  [
    'rotator-secret-shared',
    rotator('').replace('path: secrets', 'path: secrets, mode: "0640"'),
    'policies.self.publish[0].store',
    { group: null },
  ],
  [
    'tls-any-public-ca',
    connected('tls: { mode: verify-ca }'),
    'connections.db.tls.mode',
    { host: written('db.internal') },
  ],
  [
    'tls-off',
    connected('tls: { mode: disable }'),
    'connections.db.tls.mode',
    { host: written('db.internal') },
  ],
  [
    'tls-unverified',
    url('postgresql://u@h/d?sslmode=require'),
    'connections.db.url (sslmode)',
    { host: { kind: 'parameter', name: 'host' } },
  ],
  [
    'plaintext-allowed',
    `queue: { redis: "redis://redis", tls: { mode: disable } }\n${VALID}`,
    'queue.redis',
    { scheme: 'rediss' },
  ],
  [
    'schedule-too-fast-for-aws',
    changed(
      ['connection: db', 'connection: db\n    schedule: { every: 5m }'],
      ['store: files', 'store: aws'],
      [SECRETS, '{ username: orders#u, password: orders#p }'],
    ),
    'policies.orders.publish[0].store',
    {},
  ],
  ['credential-in-two-secrets', changed(['orders/password', 'secret/password']), PRIMARY, { store: 'file' }],
];

/** Those that another test is about: of files, certificates, reloading, editing and commands. */
const ELSEWHERE: readonly FactCode[] = [
  'client-certificate-incomplete',
  'config-being-edited',
  'config-edited-meanwhile',
  'config-file-mounted',
  'config-file-unreadable',
  'config-folder-empty',
  'config-invalid',
  'config-not-extended',
  'config-not-reduced',
  'config-not-written',
  'config-path-unreadable',
  'config-reload-refused',
  'config-reloaded',
  'config-restart-needed',
  'configured-certificate-early',
  'configured-certificate-expired',
  'policy-unknown',
  'private-key-encrypted',
  'private-key-mismatch',
  'private-key-unreadable',
  'secret-file-exposed',
];

const foundAt = (path: string, fact: Pick<Fact, 'code' | 'params'>) =>
  expect.objectContaining({ file: 'k.yaml', path, fact }) as Problem;

describe('a problem is a fact with the place of its entry', () => {
  test.each(PROBLEMS)('%s', (code, yaml, path, params) => {
    expect(problemFactsOf(yaml)).toEqual([foundAt(path, { code, params } as Fact)]);
  });
});

describe('a warning is a fact with the place of its entry', () => {
  test.each(WARNINGS)('%s', (code, yaml, path, params) => {
    expect(load(yaml).warnings).toEqual([foundAt(path, { code, params } as Fact)]);
  });
});

test('a file that everybody may read is a warning with its name', () => {
  const cwd = folderOf({ 'k.yaml': connected('password: hunter2') });
  chmodSync(cwd, 0o755);
  chmodSync(`${cwd}/k.yaml`, 0o644);
  expect(loadConfig({ path: 'k.yaml', env: {}, cwd }).warnings).toEqual([
    foundAt('connections.db.password', {
      code: 'secret-file-exposed',
      params: { file: 'k.yaml', holds: 'literal' },
    }),
  ]);
});

test('every code about a configuration has a test', () => {
  const tested = [...PROBLEMS, ...WARNINGS].map(([code]) => code as string);
  expect([...new Set([...tested, ...ELSEWHERE])].sort()).toEqual(Object.keys(configMessages).sort());
});
