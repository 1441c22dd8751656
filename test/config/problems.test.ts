// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import { expect, test } from 'vitest';
import { changed, problemsOf, VALID } from './config-folder.ts';

const SECRETS = '{ username: orders/username, password: orders/password }';
const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf';

/** The valid configuration with one more entry in its policy, on line 9. */
const policyWith = (entry: string) => changed(['    logins:', `    ${entry}\n    logins:`]);
const scheduled = (schedule: string) => policyWith(`schedule: ${schedule}`);
const connected = (entry: string) => changed(['user: keyturn', `user: keyturn, ${entry}`]);
const mapped = (secrets: string) => changed([SECRETS, secrets]);
const onAws = (secrets: string) => changed(['store: files', 'store: aws'], [SECRETS, secrets]);
/** A second destination, its secrets on line 14. */
const alsoPublishing = (secrets: string) =>
  changed([SECRETS, `${SECRETS}\n      - store: files\n        secrets: ${secrets}`]);

const ROLE_RULE = '1 to 63 bytes, and not pg_…, public or none, which PostgreSQL keeps for itself';
const CRON_RULE =
  'a cron expression of 5 fields (minute, hour, day, month, weekday), or 6 that begin with seconds';
const EVERY_RULE = 'a number and a unit, for example 30d, 2w or 12h';
const DURATION_RULE = 'a whole number and s, m, h, d or w, such as 90s or 5m';
const PATH_RULE =
  'a relative path such as orders/password, without empty parts, ".", control characters and parts that begin with ".."';
const SYMBOLS_RULE =
  'different punctuation characters of ASCII, such as "-_.!"; letters and digits are always used';
const NO_CERTIFICATE =
  'holds no certificate that can be read; must be PEM with nothing but whole ones between BEGIN CERTIFICATE and END CERTIFICATE';
const HOST_RULE = 'one host name, IP address or absolute folder of a socket, without the port';

test('the configuration that the others are variations of is valid', () => {
  expect(problemsOf(VALID)).toEqual([]);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'an empty file',
    '# nothing but a comment\n',
    'k.yaml:1:1 connections: is missing; must be a mapping of names to connections',
    'k.yaml:1:1 stores: is missing; must be a mapping of names to stores',
    'k.yaml:1:1 policies: is missing; must be a mapping of names to policies',
  ],
  ['a list', '- a\n', 'k.yaml:1:1: is a list; must be a mapping with connections, stores and policies'],
  [
    'a section without entries',
    'connections: {}\nstores: {}\npolicies:\n',
    'k.yaml:3:10 policies: is empty; must be a mapping of names to policies',
  ],
  [
    'a misspelt section',
    changed(['policies:', 'polcies:']),
    'k.yaml:1:1 policies: is missing; must be a mapping of names to policies',
    'k.yaml:6:1 polcies: unknown key "polcies"; did you mean "policies"?',
  ],
  [
    'a misspelt key',
    policyWith('drain: { grce: 1m }'),
    'k.yaml:9:14 policies.orders.drain.grce: unknown key "grce"; did you mean "grace"?',
  ],
  [
    'a key that is near to none',
    changed(['region: eu-central-1', 'colour: red']),
    'k.yaml:5:37 stores.aws.colour: unknown key "colour"; known: "type", "region", "endpoint", "tls", "role", "kmsKey", "description", "tags", "replicaRegions"',
  ],
  [
    'files that every user could read',
    changed(['path: secrets', 'path: secrets, mode: "0644"']),
    'k.yaml:4:45 stores.files.mode: "0644" is not valid; must be "0600", "0640", "0400" or "0440"; other users never get in, so name a group instead',
  ],
  [
    'files that a group could write to',
    changed(['path: secrets', 'path: secrets, mode: 0660']),
    'k.yaml:4:45 stores.files.mode: 660 is not valid; must be "0600", "0640", "0400" or "0440"; other users never get in, so name a group instead',
  ],
  [
    'a group that may not read',
    changed(['path: secrets', 'path: secrets, group: orders, mode: "0600"']),
    'k.yaml:4:60 stores.files.mode: "0600" is not valid; must be "0640" or "0440" where a group is to read the files',
  ],
  [
    'a group that is an option of a command',
    changed(['path: secrets', 'path: secrets, group: --reference=/etc/shadow']),
    'k.yaml:4:46 stores.files.group: "--reference=/etc/shadow" is not valid; must be the name of a group, or a gid',
  ],
  [
    'a name that is no slug, and what is wrong under it',
    changed(['  orders:', '  Orders_API:'], ['[orders_a, orders_b]', '[orders_a]']),
    'k.yaml:7:3 policies.Orders_API: name "Orders_API" is not valid; must be 1 to 63 of a-z, 0-9 and -, the first not -',
    'k.yaml:9:13 policies.Orders_API.logins: has 1 entry; must be a list of two logins',
  ],
])('%s is refused with its place and what is allowed', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'a tab, and nothing of what comes of it',
    'policies:\n  app:\n\tlogins: [a, b]\n    connection: db\n    publish:\n      - store: files\n',
    'k.yaml:3:1: a tab where the line is indented; indent with spaces',
  ],
  ['a tab', 'a:\n\tb: 1', 'k.yaml:2:1: a tab where the line is indented; indent with spaces'],
  [
    'a second document',
    `${VALID}---\na: 1\n`,
    'k.yaml:13:1: a second document begins here; a file must be one YAML document',
  ],
  ['a brace that is not closed', 'a: {b: 1\nc: 2', 'k.yaml:1:4: "{" is never closed; add "}"'],
  ['a bracket that is not closed', 'a:\n  - [b, [c]\n  - d', 'k.yaml:2:5: "[" is never closed; add "]"'],
  [
    'an indentation that fits nothing',
    'a:\n   b: 1\n  c: 2',
    'k.yaml:3:1: the indentation matches nothing above; entries of one mapping or list must be indented alike',
  ],
  ['a tag', 'a: !hunter2 x', 'k.yaml:1:4: a tag that means nothing here; quote a value that begins with !'],
  [
    'a reference between brackets',
    connected('password: ${PASSWORD}'),
    'k.yaml:2:72: "${" between brackets; quote the value',
  ],
  [
    'an alias without anchor',
    connected('password: *hunter2'),
    'k.yaml:2:71 connections.db.password: an alias without an anchor; quote a value that begins with *',
  ],
  [
    'an alias inside its own anchor',
    policyWith('verify: &v [*v]'),
    'k.yaml:9:17 policies.orders.verify[0][0]: an alias without an anchor; quote a value that begins with *',
  ],
  [
    'a key twice',
    changed(['connection: db', 'connection: db\n    connection: db']),
    'k.yaml:9:5 policies.orders.connection: "connection" is defined already at k.yaml:8:5; define it once',
  ],
  [
    'a key of JavaScript itself',
    changed(['  orders:', '  __proto__:']),
    'k.yaml:7:3 policies: the key is no plain word; write one plain word',
  ],
  [
    'a key that is a list',
    policyWith('? [a]\n    : b'),
    'k.yaml:9:7 policies.orders: the key is no plain word; write one plain word',
  ],
])('YAML with %s is refused without quoting it', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'no user',
    changed([', user: keyturn', '']),
    'k.yaml:2:3 connections.db.user: is missing; must be the name of the rotator, a role',
  ],
  [
    'no host but what only goes with one',
    changed(['host: db.internal, ', 'port: 5433, ']),
    'k.yaml:2:3 connections.db.host: is missing, but port, user is there; add host, or leave only database for the embedded PostgreSQL',
  ],
  [
    'the port in the host',
    changed(['host: db.internal', 'host: db.internal:5432']),
    `k.yaml:2:15 connections.db.host: "db.internal:5432" is not valid; must be ${HOST_RULE}`,
  ],
  [
    'port 0',
    connected('port: 0'),
    'k.yaml:2:67 connections.db.port: 0 is not valid; must be a whole number from 1 to 65535',
  ],
  [
    'a password that YAML reads as a number',
    connected('password: 0123'),
    'k.yaml:2:71 connections.db.password: is a number, not text (quote it); must be the password of the rotator; leave it out if the server asks for none',
  ],
  [
    'an empty password',
    connected('password: ""'),
    'k.yaml:2:71 connections.db.password: is empty; must be the password of the rotator; leave it out if the server asks for none',
  ],
  [
    'an unknown TLS mode',
    connected('tls: { mode: prefer }'),
    'k.yaml:2:74 connections.db.tls.mode: "prefer" is not valid; must be disable, require, verify-ca or verify-full',
  ],
  [
    'TLS material that does not exist',
    connected('tls: { ca: missing.pem }'),
    'k.yaml:2:72 connections.db.tls.ca: file "missing.pem" does not exist; must be a readable PEM file',
  ],
  [
    'a certificate without key',
    connected('tls: { cert: k.yaml }'),
    'k.yaml:2:61 connections.db.tls.key: is missing; must be there with cert, or leave both out',
    `k.yaml:2:74 connections.db.tls.cert: ${NO_CERTIFICATE}`,
  ],
  [
    'a key without certificate',
    connected('tls: { key: k.yaml }'),
    'k.yaml:2:61 connections.db.tls.cert: is missing; must be there with key, or leave both out',
    'k.yaml:2:73 connections.db.tls.key: holds no private key that can be read; must be PEM, such as BEGIN PRIVATE KEY',
  ],
  [
    'a CA that mode require would not check',
    connected('tls: { mode: require, ca: k.yaml }'),
    'k.yaml:2:87 connections.db.tls.ca: has no use with mode require; set mode to verify-ca or verify-full',
  ],
  [
    'a CA with TLS off',
    connected('tls: { mode: disable, ca: k.yaml }'),
    'k.yaml:2:87 connections.db.tls.ca: has no use with mode disable; leave it out, or set mode to verify-full',
  ],
  [
    'a PgBouncer that is not in a list',
    connected('pgbouncer: { host: pool }'),
    'k.yaml:2:72 connections.db.pgbouncer: is a mapping; must be a list of mappings with host, user and password',
  ],
  [
    'slips in each of two PgBouncers',
    connected('pgbouncer: [{ host: pool, usr: console }, { host: pool:6432, user: console, password: 1 }]'),
    'k.yaml:2:73 connections.db.pgbouncer[0].user: is missing; must be the name of a user in stats_users or admin_users',
    'k.yaml:2:87 connections.db.pgbouncer[0].usr: unknown key "usr"; did you mean "user"?',
    `k.yaml:2:111 connections.db.pgbouncer[1].host: "pool:6432" is not valid; must be ${HOST_RULE}`,
    'k.yaml:2:147 connections.db.pgbouncer[1].password: is a number, not text (quote it); must be the password of that user; leave it out if the PgBouncer asks for none',
  ],
  [
    'TLS material of a PgBouncer that does not exist',
    connected('pgbouncer: [{ host: pool, user: console, tls: { ca: missing.pem } }]'),
    'k.yaml:2:113 connections.db.pgbouncer[0].tls.ca: file "missing.pem" does not exist; must be a readable PEM file',
  ],
  [
    'a PgBouncer before the embedded PostgreSQL',
    changed([
      'host: db.internal, database: orders, user: keyturn',
      'database: orders, pgbouncer: [{ host: pool, user: console }]',
    ]),
    'k.yaml:2:3 connections.db.host: is missing, but pgbouncer is there; add host, or leave only database for the embedded PostgreSQL',
  ],
  [
    'TLS over a Unix socket',
    changed(['host: db.internal', 'host: /run/pg, tls: { mode: verify-full }']),
    'k.yaml:2:37 connections.db.tls.mode: verify-full over a Unix socket, which has no TLS; must be disable or left out',
  ],
  [
    'replicas that are no list',
    connected('replicas: db-2.internal'),
    'k.yaml:2:71 connections.db.replicas: "db-2.internal" is not valid; must be a list of standby servers, each with host and port',
  ],
  [
    'a replica without host',
    connected('replicas: [{ port: 5433 }]'),
    'k.yaml:2:72 connections.db.replicas[0].host: is missing; must be one host name, IP address or absolute folder of a socket, without the port',
  ],
  [
    'a replica that has a user of its own',
    connected('replicas: [{ host: db-2.internal, user: other }]'),
    'k.yaml:2:95 connections.db.replicas[0].user: unknown key "user"; known: "host", "port", "servername"',
  ],
  [
    'a replica that is the primary itself',
    connected('replicas: [{ host: DB.internal, port: 5432 }]'),
    'k.yaml:2:80 connections.db.replicas[0].host: "DB.internal" is the primary itself; must be a standby server that no other entry names',
  ],
  [
    'the same replica twice',
    connected('replicas: [{ host: db-2.internal, port: 5432 }, { host: db-2.internal }]'),
    'k.yaml:2:117 connections.db.replicas[1].host: "db-2.internal" is listed twice, with the same port; must be a standby server that no other entry names',
  ],
  [
    'replicas but no host, which is the embedded PostgreSQL',
    changed(['host: db.internal, ', ''], [', user: keyturn', ', replicas: [{ host: db-2.internal }]']),
    'k.yaml:2:3 connections.db.host: is missing, but replicas is there; add host, or leave only database for the embedded PostgreSQL',
  ],
])('a connection with %s is refused', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'one login',
    changed(['[orders_a, orders_b]', '[orders_a]']),
    'k.yaml:9:13 policies.orders.logins: has 1 entry; must be a list of two logins',
  ],
  [
    'a login that PostgreSQL reserves',
    changed(['orders_a', 'pg_orders']),
    `k.yaml:9:14 policies.orders.logins[0]: "pg_orders" is not valid; must be the name of a login: ${ROLE_RULE}`,
  ],
  [
    'a login of more than 63 bytes',
    changed(['orders_a', 'é'.repeat(32)]),
    `k.yaml:9:14 policies.orders.logins[0]: "${'é'.repeat(32)}" is not valid; must be the name of a login: ${ROLE_RULE}`,
  ],
  [
    'the same login twice',
    changed(['orders_b', 'orders_a']),
    'k.yaml:9:24 policies.orders.logins[1]: "orders_a" is listed twice; must be two different logins',
  ],
  [
    'its own rotator',
    changed(['orders_b', 'keyturn']),
    'k.yaml:9:24 policies.orders.logins[1]: "keyturn" is the rotator of connection "db"; must be a login that keyturn does not use itself',
  ],
  [
    'an owner that is a login',
    policyWith('owner: orders_b'),
    'k.yaml:9:12 policies.orders.owner: "orders_b" is a login of policy "orders"; must be a role of its own that cannot log in',
  ],
  [
    'a misspelt connection',
    changed(['  db:', '  orders-db:'], ['connection: db', 'connection: orders-bd']),
    'k.yaml:8:17 policies.orders.connection: unknown connection "orders-bd"; did you mean "orders-db"?',
  ],
  [
    'a misspelt store',
    changed(['- store: files', '- store: file']),
    'k.yaml:11:16 policies.orders.publish[0].store: unknown store "file"; did you mean "files"?',
  ],
  [
    'a store that is near to none',
    changed(['- store: files', '- store: vault']),
    'k.yaml:11:16 policies.orders.publish[0].store: unknown store "vault"; known: "files", "aws"',
  ],
  [
    'a password that is too short',
    policyWith('password: { length: 15 }'),
    'k.yaml:9:25 policies.orders.password.length: 15 is not valid; must be a whole number from 16 to 128',
  ],
  [
    'a letter among the symbols',
    policyWith('password: { symbols: "-a" }'),
    `k.yaml:9:26 policies.orders.password.symbols: "-a" is not valid; must be ${SYMBOLS_RULE}`,
  ],
  [
    'a symbol twice',
    policyWith('password: { symbols: "-_-" }'),
    `k.yaml:9:26 policies.orders.password.symbols: "-_-" is not valid; must be ${SYMBOLS_RULE}`,
  ],
  [
    'yes for true, which YAML 1.2 reads as text',
    policyWith('autoRotate: yes'),
    'k.yaml:9:17 policies.orders.autoRotate: "yes" is not valid; must be true or false',
  ],
])('a policy with %s is refused', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'neither every nor cron',
    scheduled('{}'),
    'k.yaml:9:5 policies.orders.schedule.every: is missing; must be there, such as every: 30d, or cron instead',
  ],
  [
    'both',
    scheduled('{ every: 1d, cron: "0 0 * * *" }'),
    'k.yaml:9:34 policies.orders.schedule.cron: cannot be combined with every; must be one of the two',
  ],
  [
    'an interval of nothing',
    scheduled('{ every: 0d }'),
    `k.yaml:9:24 policies.orders.schedule.every: "0d" is not valid; must be ${EVERY_RULE}`,
  ],
  [
    'an interval in words',
    scheduled('{ every: 30 days }'),
    `k.yaml:9:24 policies.orders.schedule.every: "30 days" is not valid; must be ${EVERY_RULE}`,
  ],
  [
    'a time of day and an interval of hours',
    scheduled('{ every: 24h, at: "02:30" }'),
    'k.yaml:9:33 policies.orders.schedule.at: has no use with an interval of "24h"; leave it out, or set every to days or weeks such as 1d',
  ],
  [
    'a time of day and cron',
    scheduled('{ cron: "0 0 * * *", at: "02:30" }'),
    'k.yaml:9:40 policies.orders.schedule.at: has no use with cron, which names its times; leave it out',
  ],
  [
    'a time of day that no day has',
    scheduled('{ every: 1d, at: "24:00" }'),
    'k.yaml:9:32 policies.orders.schedule.at: "24:00" is not valid; must be a time of day HH:MM from 00:00 to 23:59',
  ],
  [
    'a cron expression of seven fields',
    scheduled('{ cron: "0 0 0 * * * 2030" }'),
    `k.yaml:9:23 policies.orders.schedule.cron: "0 0 0 * * * 2030" is not valid; must be ${CRON_RULE}`,
  ],
  [
    'a nickname for a cron expression',
    scheduled('{ cron: "@daily" }'),
    `k.yaml:9:23 policies.orders.schedule.cron: "@daily" is not valid; must be ${CRON_RULE}`,
  ],
  [
    'a minute that no hour has',
    scheduled('{ cron: "61 * * * *" }'),
    `k.yaml:9:23 policies.orders.schedule.cron: "61 * * * *" is not valid; must be ${CRON_RULE}`,
  ],
  [
    'a cron expression that never fires',
    scheduled('{ cron: "0 0 30 2 *" }'),
    'k.yaml:9:23 policies.orders.schedule.cron: "0 0 30 2 *" is not valid; must be a cron expression that fires at some time; this one never does',
  ],
  [
    'a misspelt time zone',
    scheduled('{ every: 1d, timezone: Europe/Berln }'),
    'k.yaml:9:38 policies.orders.schedule.timezone: "Europe/Berln" is not valid; must be an IANA time zone; did you mean "Europe/Berlin"?',
  ],
  [
    'an offset for a time zone',
    scheduled('{ every: 1d, timezone: "+02:00" }'),
    'k.yaml:9:38 policies.orders.schedule.timezone: "+02:00" is not valid; must be an IANA time zone such as Europe/Berlin',
  ],
  [
    'a window of nothing',
    scheduled('{ every: 1d, window: 0s }'),
    'k.yaml:9:36 policies.orders.schedule.window: "0s" is not valid; must be a whole number above 0 and s, m, h, d or w, such as 90s or 5m',
  ],
  [
    'a window longer than the interval',
    scheduled('{ every: 1d, window: 25h }'),
    'k.yaml:9:36 policies.orders.schedule.window: "25h" is longer than the time between two slots (1d); must be no longer',
  ],
  [
    'a jitter longer than the interval',
    scheduled('{ every: 1w, jitter: 8d }'),
    'k.yaml:9:36 policies.orders.schedule.jitter: "8d" is longer than the time between two slots (1w); must be no longer',
  ],
  [
    'a grace longer than the interval, by default',
    scheduled('{ every: 1m }'),
    'k.yaml:7:3 policies.orders.drain.grace: the default of 5m is longer than the time between two slots (1m); must be no longer',
  ],
  [
    'a grace longer than the shortest gap of a cron expression',
    policyWith('schedule: { cron: "0,10 2 * * *" }\n    drain: { grace: 15m }'),
    'k.yaml:10:21 policies.orders.drain.grace: "15m" is longer than the time between two slots (10m); must be no longer',
  ],
  [
    'a grace longer than the timeout',
    policyWith('drain: { grace: 1h }'),
    'k.yaml:9:21 policies.orders.drain.grace: "1h" is longer than timeout, the default of 30m; must be no longer, as both begin at publish',
  ],
  [
    'a grace without unit',
    policyWith('drain: { grace: "300" }'),
    `k.yaml:9:21 policies.orders.drain.grace: "300" is not valid; must be ${DURATION_RULE}`,
  ],
])('a policy whose times have %s is refused', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test.each<readonly [what: string, yaml: string, ...problems: string[]]>([
  [
    'no destination',
    changed([`publish:\n      - store: files\n        secrets: ${SECRETS}`, 'publish: []']),
    'k.yaml:10:14 policies.orders.publish: has 0 entries; must be a list of at least one destination',
  ],
  [
    'a primary that maps only a userlist',
    mapped('{ userlist: orders/userlist.txt }'),
    'k.yaml:12:18 policies.orders.publish[0].secrets: maps no username and no password, and no field that has both; the password cannot be read back from a userlist; must map username and password, or one of url, service, pgpass and env, as this is the primary',
  ],
  [
    'a format that does not exist',
    mapped(`${SECRETS}\n        format: { userlist: md5, service: "[orders]", sslcert: /x }`),
    'k.yaml:13:29 policies.orders.publish[0].format.userlist: "md5" is not valid; must be scram or plain',
    'k.yaml:13:43 policies.orders.publish[0].format.service: "[orders]" is not valid; must be 1 to 63 of A-Z, a-z, 0-9, _, . and -, the first a letter or digit',
    'k.yaml:13:55 policies.orders.publish[0].format.sslcert: unknown key "sslcert"; known: "service", "sslrootcert", "userlist"',
  ],
  [
    'formats that cannot hold its passwords, logins or host',
    mapped('{ env: orders/env, pgpass: orders/pgpass, service: orders/service }')
      .replace('    logins: [orders_a', `    password: { symbols: "'$" }\n    logins: ["orders_a "`)
      .replace('db.internal', '/run/postgresql'),
    'k.yaml:13:25 policies.orders.publish[0].secrets.env: The field env cannot hold the password: it has, or may have, a single quote together with ", $ or `; take the single quote out of password.symbols, or map username and password, or another field',
    'k.yaml:13:45 policies.orders.publish[0].secrets.pgpass: The field pgpass cannot hold the host: it is the folder of a socket, and each build of libpq looks that up under another name; map service in place of pgpass',
    'k.yaml:13:69 policies.orders.publish[0].secrets.service: The field service cannot hold the username: it begins or ends with a blank, which programs cut off; map username and password, or another field',
  ],
  [
    'a destination that maps half a login',
    alsoPublishing('{ username: other/username }'),
    'k.yaml:14:18 policies.orders.publish[1].secrets: maps no password, and no field that has both; must map username and password, or one of url, service, pgpass, env and userlist',
  ],
  [
    'a secret mapped twice',
    alsoPublishing(SECRETS),
    'k.yaml:14:30 policies.orders.publish[1].secrets.username: "orders/username" is written by policies.orders.publish[0].secrets.username (k.yaml:12:30) already; must be a secret or key of its own',
    'k.yaml:14:57 policies.orders.publish[1].secrets.password: "orders/password" is written by policies.orders.publish[0].secrets.password (k.yaml:12:57) already; must be a secret or key of its own',
  ],
  [
    'a key mapped twice',
    onAws('{ username: prod/db#login, password: prod/db#login }'),
    'k.yaml:12:55 policies.orders.publish[0].secrets.password: "prod/db#login" is written by policies.orders.publish[0].secrets.username (k.yaml:12:30) already; must be a secret or key of its own',
  ],
  [
    'a secret mapped both whole and by key',
    onAws('{ username: prod/db, password: prod/db#password }'),
    'k.yaml:12:49 policies.orders.publish[0].secrets.password: "prod/db#password" is written as a whole and by key, here and by policies.orders.publish[0].secrets.username (k.yaml:12:30); must be one or the other',
  ],
  [
    'a secret by its name and by its ARN',
    onAws(`{ username: prod/db#u, password: "${ARN}#p" }`),
    `k.yaml:12:51 policies.orders.publish[0].secrets.password: "${ARN}#p" is the secret of policies.orders.publish[0].secrets.username (k.yaml:12:30) under another name; must be spelt alike`,
  ],
  [
    'two destinations that share a folder',
    alsoPublishing('{ url: orders/url, username: orders/u, password: orders/p }'),
    'k.yaml:14:47 policies.orders.publish[1].secrets.username: the folder of "orders/u" belongs to another destination, see policies.orders.publish[0].secrets.username (k.yaml:12:30); must be one of its own, as one version covers everything in it',
  ],
  [
    'a secret that is also a folder',
    mapped('{ username: orders, password: orders/password }'),
    'k.yaml:12:30 policies.orders.publish[0].secrets.username: "orders" is also the folder of policies.orders.publish[0].secrets.password (k.yaml:12:48); must be a file or a folder',
  ],
  [
    'a path that leaves the store',
    mapped('{ username: /orders/username, password: orders/../password }'),
    `k.yaml:12:30 policies.orders.publish[0].secrets.username: "/orders/username" is not valid in a store of type file; must be ${PATH_RULE}`,
    `k.yaml:12:58 policies.orders.publish[0].secrets.password: "orders/../password" is not valid in a store of type file; must be ${PATH_RULE}`,
  ],
  [
    "a path into the store's own folders",
    mapped('{ username: orders/..data, password: orders//password }'),
    `k.yaml:12:30 policies.orders.publish[0].secrets.username: "orders/..data" is not valid in a store of type file; must be ${PATH_RULE}`,
    `k.yaml:12:55 policies.orders.publish[0].secrets.password: "orders//password" is not valid in a store of type file; must be ${PATH_RULE}`,
  ],
  [
    'a name that AWS does not take',
    onAws('{ username: "a b", password: "arn:aws:s3:::bucket" }'),
    'k.yaml:12:30 policies.orders.publish[0].secrets.username: "a b" is not valid in a store of type aws-secrets-manager; must be 1 to 512 of A-Z, a-z, 0-9 and /_+=.@-, or the ARN of a secret',
    'k.yaml:12:47 policies.orders.publish[0].secrets.password: "arn:aws:s3:::bucket" is not valid in a store of type aws-secrets-manager; must be 1 to 512 of A-Z, a-z, 0-9 and /_+=.@-, or the ARN of a secret',
  ],
  [
    'an empty name or key',
    mapped('{ username: "orders/u#", password: "#p" }'),
    'k.yaml:12:30 policies.orders.publish[0].secrets.username: "orders/u#" is not valid; must be the name of a secret, or name#key for a key of a JSON secret',
    'k.yaml:12:53 policies.orders.publish[0].secrets.password: "#p" is not valid; must be the name of a secret, or name#key for a key of a JSON secret',
  ],
  [
    'a field that does not exist',
    mapped('{ user: orders/u, password: orders/p }'),
    'k.yaml:12:20 policies.orders.publish[0].secrets.user: unknown key "user"; known: "username", "password", "host", "port", "database", "engine", "url", "service", "pgpass", "env", "userlist"',
  ],
])('a policy whose publish has %s is refused', (_, yaml, ...problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

const second = (policy: string, store = 'files') => `${VALID}  invoices:
    connection: ${policy}
    logins: [invoices_a, orders_a]
    publish:
      - store: ${store}
        secrets: { username: invoices/username, password: invoices/password }
`;

test('a login in two policies of one server is refused, whatever connection leads there', () => {
  const yaml = second('same').replace(
    'stores:',
    '  same: { host: DB.internal, port: 5432, database: invoices, user: rotator }\nstores:',
  );
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:16:26 policies.invoices.logins[1]: "orders_a" is a login of policy "orders" too (k.yaml:10:14), on the same server; must be in one policy only',
  ]);
});

test('a login of the same name on another server is another login', () => {
  const yaml = second('other').replace(
    'stores:',
    '  other: { host: db.internal, port: 5433, database: orders, user: orders_b }\nstores:',
  );
  expect(problemsOf(yaml)).toEqual([]);
});

test('databases of the embedded PostgreSQL share their logins', () => {
  const yaml = second('b')
    .replace(
      '  db: { host: db.internal, database: orders, user: keyturn }',
      '  a: { database: orders }\n  b: { database: invoices }',
    )
    .replace('connection: db', 'connection: a');
  expect(problemsOf(yaml)).toHaveLength(1);
});

test('two entries for one file store are one store', () => {
  const yaml = second('db', 'again')
    .replace('invoices_a, orders_a', 'invoices_a, invoices_b')
    .replace('policies:', '  again: { type: file, path: ./x/../secrets }\npolicies:')
    .replaceAll('invoices/', 'orders/');
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:19:30 policies.invoices.publish[0].secrets.username: "orders/username" is written by policies.orders.publish[0].secrets.username (k.yaml:13:30) already; must be a secret or key of its own',
    'k.yaml:19:57 policies.invoices.publish[0].secrets.password: "orders/password" is written by policies.orders.publish[0].secrets.password (k.yaml:13:57) already; must be a secret or key of its own',
  ]);
});

test('secrets of one name in two accounts are two secrets', () => {
  const other = ARN.replace('123456789012', '210987654321');
  const yaml = changed(
    ['store: files', 'store: aws'],
    [
      SECRETS,
      `{ username: "${ARN}#u", password: "${ARN}#p" }\n      - store: aws\n        secrets: { username: "${other}#u", password: "${other}#p" }`,
    ],
  );
  expect(problemsOf(yaml)).toEqual([]);
});

test('everything that is wrong is reported at once, also in one entry', () => {
  const yaml = changed(
    ['user: keyturn', 'usr: keyturn, tls: { ca: no.pem }'],
    ['type: file, path: secrets', 'type: files'],
    ['connection: db', 'connection: bd\n    colour: red\n    schedule: { every: 1h, window: 2h }'],
    ['orders_b', 'orders_a'],
    ['password: orders/password', 'pasword: x'],
  );
  expect(problemsOf(yaml)).toEqual([
    'k.yaml:2:3 connections.db.user: is missing; must be the name of the rotator, a role',
    'k.yaml:2:46 connections.db.usr: unknown key "usr"; did you mean "user"?',
    'k.yaml:2:71 connections.db.tls.ca: file "no.pem" does not exist; must be a readable PEM file',
    'k.yaml:4:18 stores.files.type: "files" is not valid; must be file, aws-secrets-manager, aws-parameter-store, vault, kubernetes or module; did you mean "file"?',
    'k.yaml:8:17 policies.orders.connection: unknown connection "bd"; did you mean "db"?',
    'k.yaml:9:5 policies.orders.colour: unknown key "colour"; known: "description", "type", "connection", "logins", "owner", "schedule", "autoRotate", "retryFor", "password", "verify", "drain", "probe", "heal", "publish"',
    'k.yaml:10:36 policies.orders.schedule.window: "2h" is longer than the time between two slots (1h); must be no longer',
    'k.yaml:11:24 policies.orders.logins[1]: "orders_a" is listed twice; must be two different logins',
    'k.yaml:14:47 policies.orders.publish[0].secrets.pasword: unknown key "pasword"; did you mean "password"?',
  ]);
});

const URL = 'https://hooks.example.com/keyturn';
const SIGNING = `whsec_${Buffer.alloc(32, 'k').toString('base64')}`;
const sinkWith = (entry: string) => `events: { sinks: { ops: { type: webhook, ${entry} } } }\n${VALID}`;
const mailWith = (more: string) =>
  `events: { sinks: { ops: { type: mail, host: smtp.example.com, from: k@example.com, ${more} } } }\n${VALID}`;
const hook = (more: string) => sinkWith(`url: "${URL}", secrets: [${SIGNING}]${more}`);
const at = (url: string) => sinkWith(`url: "${url}", secrets: [${SIGNING}]`);

test.each<readonly [what: string, yaml: string, problem: RegExp]>([
  [
    'a URL with credentials',
    at('https://user:hunter2@hooks.example.com/'),
    /^k\.yaml:1:47 events\.sinks\.ops\.url: has a user or a password in the URL; leave them out/,
  ],
  [
    'a URL without TLS',
    at('http://hooks.example.com/'),
    /:1:47 events\.sinks\.ops\.url: is not encrypted; write https/,
  ],
  [
    'a private address',
    at('https://10.0.0.1/'),
    /events\.sinks\.ops\.url: names a loopback, link-local or private address/,
  ],
  ['this machine', at('https://localhost/'), /events\.sinks\.ops\.url: names a loopback/],
  [
    'no URL',
    at('hooks.example.com'),
    /events\.sinks\.ops\.url: the value is not valid; must be a URL that begins with https/,
  ],
  [
    'a secret that is none',
    sinkWith(`url: "${URL}", secrets: ["${SIGNING}", "hunter2"]`),
    /events\.sinks\.ops\.secrets\[1\]: is not a signing secret; must be whsec_/,
  ],
  [
    'a secret that is not base64',
    sinkWith(`url: "${URL}", secrets: ["whsec_hunter2hunter2hunter2hunter2hun"]`),
    /events\.sinks\.ops\.secrets\[0\]: is not a signing secret/,
  ],
  [
    'a short secret',
    sinkWith(`url: "${URL}", secrets: ["whsec_aHVudGVyMg=="]`),
    /secrets\[0\]: is not a signing secret/,
  ],
  [
    'no secret',
    sinkWith(`url: "${URL}", secrets: []`),
    /secrets: has 0 entries; must be a list of at least one signing secret/,
  ],
  [
    'an unknown type',
    hook(', types: [rotation.faild]'),
    /events\.sinks\.ops\.types\[0\]: "rotation\.faild" is not valid; must be rotation\.started, .* or credential\.restored/,
  ],
  [
    'an unknown policy',
    hook(', policies: [ordrs]'),
    /events\.sinks\.ops\.policies\[0\]: unknown policy "ordrs"; did you mean "orders"\?/,
  ],
  [
    'a long timeout',
    hook(', timeout: 5m'),
    /events\.sinks\.ops\.timeout: "5m" is not valid; must be a duration from 1s to 60s/,
  ],
  [
    'an unknown key',
    hook(', fromat: cloudevents'),
    /events\.sinks\.ops\.fromat: unknown key "fromat"; did you mean "format"\?/,
  ],
  [
    'an unknown kind',
    `events: { sinks: { ops: { type: pager } } }\n${VALID}`,
    /events\.sinks\.ops\.type: "pager" is not valid; must be /,
  ],
  [
    'a chat without a URL',
    `events: { sinks: { ops: { type: slack } } }\n${VALID}`,
    /events\.sinks\.ops\.url: is missing; must be a URL/,
  ],
  [
    'a mail to two in one',
    mailWith('to: ["a@example.com, b@example.com"]'),
    /events\.sinks\.ops\.to\[0\]: .* is not valid; must be one mail address/,
  ],
  [
    'a header in an address',
    mailWith('to: ["a@example.com\\r\\nBcc: b@example.com"]'),
    /events\.sinks\.ops\.to\[0\]: .*must be one mail address/,
  ],
  [
    'a mail in plaintext',
    mailWith('to: [a@example.com], tls: { mode: disable }'),
    /events\.sinks\.ops\.tls\.mode: nothing goes to a mail server beyond loopback in plaintext/,
  ],
  [
    'a user without a password',
    mailWith('to: [a@example.com], user: keyturn'),
    /events\.sinks\.ops\.password: is missing although user is there/,
  ],
  [
    'no program',
    `events: { sinks: { ops: { type: command, command: [] } } }\n${VALID}`,
    /events\.sinks\.ops\.command: has 0 entries; must be a list with a program and its arguments/,
  ],
  [
    'a shell line for a program',
    `events: { sinks: { ops: { type: command, command: "tell | it" } } }\n${VALID}`,
    /events\.sinks\.ops\.command: .*must be a list with a program/,
  ],
  [
    'an unknown section',
    `events: { sink: {} }\n${VALID}`,
    /events\.sink: unknown key "sink"; did you mean "sinks"\?/,
  ],
])('a sink with %s is refused at its line, and its secrets are not repeated', (_what, yaml, expected) => {
  const found = problemsOf(yaml);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
  expect(found.join()).not.toMatch(/hunter2|whsec_[a-zA-Z]/);
});
