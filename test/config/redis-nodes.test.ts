import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderOf, load, problemFactsOf, problemsOf, VALID, warningsOf } from './config-folder.ts';

const given = (redis: string) => `queue: { redis: ${redis} }\n${VALID}`;

const codesOf = (yaml: string) =>
  problemFactsOf(yaml).map(({ line, column, path, fact }) => [`${line}:${column}`, path, fact.code]);

describe('sentinels', () => {
  test('are hosts with or without a port, as text or as a mapping; beyond loopback they are verify-full', () => {
    const { queueRedis } = load(
      given(
        '{ sentinels: [s1.internal, "s2.internal:26380", "[fd00::1]:26381", "[fd00::2]", { host: "fd00::3" }, { host: s4, port: 1 }], name: mymaster }',
      ),
    );
    expect(queueRedis).toEqual({
      sentinels: [
        { host: 's1.internal', port: 26_379 },
        { host: 's2.internal', port: 26_380 },
        { host: 'fd00::1', port: 26_381 },
        { host: 'fd00::2', port: 26_379 },
        { host: 'fd00::3', port: 26_379 },
        { host: 's4', port: 1 },
      ],
      name: 'mymaster',
      database: 0,
      tls: { mode: 'verify-full' },
      plaintext: false,
    });
  });

  test('have credentials of their own', () => {
    const yaml = given(
      `{ sentinels: [localhost], name: m, database: "3", username: keyturn, password: "\${DATA}", sentinelUsername: watcher, sentinelPassword: "\${WATCH}" }`,
    );
    expect(load(yaml, { env: { DATA: 'd', WATCH: 'w' } }).queueRedis).toEqual({
      sentinels: [{ host: 'localhost', port: 26_379 }],
      name: 'm',
      database: 3,
      username: 'keyturn',
      password: 'd',
      sentinelUsername: 'watcher',
      sentinelPassword: 'w',
      tls: { mode: 'disable' },
      plaintext: false,
    });
  });
});

test('a cluster is some of its nodes, and its TLS that of all', () => {
  expect(
    load(given('{ cluster: ["10.0.0.1", "10.0.0.2:7001"], tls: { mode: require } }')).queueRedis,
  ).toEqual({
    cluster: [
      { host: '10.0.0.1', port: 6_379 },
      { host: '10.0.0.2', port: 7_001 },
    ],
    tls: { mode: 'require' },
    plaintext: false,
  });
});

test('plaintext beyond loopback needs tls: { mode: disable }, and is a warning then', () => {
  const yaml = given('{ cluster: [localhost, redis-1.internal], tls: { mode: disable } }');
  expect(load(yaml).queueRedis).toMatchObject({ tls: { mode: 'disable' }, plaintext: true });
  expect(warningsOf(yaml)).toEqual([
    'k.yaml:1:72 queue.redis.tls.mode: the connection to "redis-1.internal" is not encrypted; better is verify-full',
  ]);
});

test.each([
  ['{ sentinels: [s1] }', '1:10', 'queue.redis.name', 'config-entry-missing'],
  ['{ sentinels: [], name: m }', '1:30', 'queue.redis.sentinels', 'config-entry-invalid'],
  ['{ sentinels: s1, name: m }', '1:30', 'queue.redis.sentinels', 'config-entry-invalid'],
  ['{ sentinels: [s1, "s2:99999"], name: m }', '1:35', 'queue.redis.sentinels[1]', 'config-entry-invalid'],
  [
    '{ sentinels: [{ host: s1, port: x }], name: m }',
    '1:49',
    'queue.redis.sentinels[0].port',
    'config-entry-invalid',
  ],
  [
    '{ sentinels: [{ host: s1, prot: 1 }], name: m }',
    '1:43',
    'queue.redis.sentinels[0].prot',
    'config-key-unknown',
  ],
  ['{ sentinels: [{ port: 1 }], name: m }', '1:31', 'queue.redis.sentinels[0].host', 'config-entry-missing'],
  ['{ sentinels: [/tmp/redis.sock], name: m }', '1:31', 'queue.redis.sentinels[0]', 'config-entry-invalid'],
  ['{ sentinels: [s1], name: m, database: -1 }', '1:55', 'queue.redis.database', 'config-entry-invalid'],
  ['{ sentinels: [s1], name: m, pasword: x }', '1:45', 'queue.redis.pasword', 'config-key-unknown'],
  ['{ cluster: [n1], database: 1 }', '1:34', 'queue.redis.database', 'config-key-unknown'],
  ['{ cluster: [n1], sentinels: [s1], name: m }', '1:34', 'queue.redis.sentinels', 'config-key-unknown'],
  ['{ cluster: [n1], tls: { mode: off } }', '1:47', 'queue.redis.tls.mode', 'config-entry-invalid'],
  ['{ cluster: [n1], tls: { ca: ./nowhere.pem } }', '1:45', 'queue.redis.tls.ca', 'pem-unreadable'],
  ['{ cluster: [n1], tls: { key: k } }', '1:34', 'queue.redis.tls.cert', 'client-certificate-incomplete'],
  ['{ host: n1 }', '1:17', 'queue.redis', 'config-entry-invalid'],
  ['[n1]', '1:17', 'queue.redis', 'config-entry-invalid'],
  ['{ cluster: [n1] }, tls: { mode: disable }', '1:36', 'queue.tls', 'queue-plaintext-misplaced'],
])('%s is refused with its place', (redis, place, path, code) => {
  expect(codesOf(given(redis))).toContainEqual([place, path, code]);
});

test('an unknown key names the nearest one, and a node what it may be', () => {
  expect(problemsOf(given('{ cluster: [{ hots: n1 }, "n2:x"] }'))).toEqual([
    expect.stringMatching(/^k\.yaml:1:\d+ queue\.redis\.cluster\[0\]\.host: is missing/),
    expect.stringMatching(/^k\.yaml:1:\d+ queue\.redis\.cluster\[0\]\.hots: .*host/),
    'k.yaml:1:43 queue.redis.cluster[1]: "n2:x" is not valid; must be a host with or without its port, such as redis.internal:6379, or a mapping with host and port',
  ]);
});

test.each([
  '{ cluster: ["redis://:hunter2@n1:6379"] }',
  '{ cluster: ["user:hunter2@n1"] }',
  '{ cluster: [n1], password: { hunter2: x } }',
  '{ sentinels: [s1], name: "hunter2 x", sentinelPassword: 7 }',
])('G3: nothing of a password shows in what is wrong with %s', (redis) => {
  const problems = problemsOf(given(redis));
  expect(problems).not.toEqual([]);
  expect(problems.join('\n').replaceAll('password: { hunter2', '')).not.toMatch(/hunter2(?!:)/);
});

test('G3: warns of a password that every user of the machine may read', () => {
  const folder = folderOf({ pw: 'hunter2' });
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'pw'), 0o644);
  const yaml = given(`{ sentinels: [s1], name: m, sentinelPassword: "\${file:${join(folder, 'pw')}}" }`);
  expect(warningsOf(yaml)).toContainEqual(expect.stringContaining('queue.redis.sentinelPassword'));
});
