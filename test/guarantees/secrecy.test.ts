import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { type CliResult, type RunningCli, startCli } from '../support/cli.ts';
import { occurrences } from '../support/occurrences.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { uniqueName } from '../support/unique-name.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

const redis = inject('redis');
/** The tests of the queue take those from 1 on. */
const REDIS_DATABASE = '15';

/** Of PostgreSQL, turned up so that it writes down all it hears. */
const TALKATIVE = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_connections: 'on',
  log_disconnections: 'on',
  log_min_messages: 'debug1',
  log_error_verbosity: 'verbose',
  log_replication_commands: 'on',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  'pg_stat_statements.track_utility': 'on',
};

const GOOD_ROTATIONS = 4;
const POLICIES = ['good', 'unverified', 'unwritable', 'misplaced', 'shut-out'] as const;
const WRONG_PASSWORD = `wrong "'%${randomUUID()}`;

test('the search finds a secret as it is, encoded and escaped, within other text', () => {
  const secret = `aA0?'";\\&%@/: ${randomUUID()}`;
  const around = (text: string) => `before ${text} after`;
  const planted = [
    around(secret),
    around(encodeURIComponent(secret)),
    around(JSON.stringify(JSON.stringify({ secret })).replaceAll("'", "''")),
    around(JSON.stringify({ secret })),
    around(`'${secret.replaceAll("'", "''")}'`),
    around(Buffer.from(secret).toString('hex').toUpperCase()),
    ...['', 'x', 'xy', 'xyz'].map((prefix) => Buffer.from(`${prefix}${secret} and`).toString('base64')),
    Buffer.from(`x${secret}`).toString('base64url'),
  ];
  for (const text of planted) expect(occurrences(text, ['other', secret])).not.toEqual([]);
  expect(occurrences(planted.join('\n'), [randomUUID()])).toEqual([]);
});

describe.each([
  ['PostgreSQL', true],
  ['Redis', redis !== undefined],
] as const)('with the queue on %s', (backend, available) => {
  const onRedis = backend === 'Redis';
  const redisUrl = `${redis}/${REDIS_DATABASE}`;
  let server: PostgresServer;
  let workspace: Workspace;
  /** Everything but the stores in which a password could be, by what it is called here. */
  let seen: Map<string, string>;
  let secrets: readonly string[];
  let reports: readonly Report[];

  beforeAll(async () => {
    if (!available) return;
    server = await startPostgres({ settings: TALKATIVE });
    workspace = await openWorkspace(server);
    await using admin = await adminOf(server, workspace.target);
    await admin.client.query('CREATE EXTENSION pg_stat_statements');
    await configure();

    const passwords = collectPasswords(join(workspace.folder, 'secrets'));
    const commandLines = new Set<string>();
    const monitor = onRedis ? await watchRedis(redisUrl) : undefined;
    const env = { KEYTURN_LOG_LEVEL: 'trace' };
    const ended: CliResult[] = [];
    const run = async (...args: string[]) => {
      const running = startCli(args, { cwd: workspace.folder, env });
      await noteCommandLine(running, commandLines);
      const code = await running.exited;
      ended.push({ code, stdout: running.stdout(), stderr: running.stderr() });
      return ended.at(-1)?.stdout ?? '';
    };
    const worker = startCli(['start'], { cwd: workspace.folder, env });
    const databases: string[] = [];
    let told: string | undefined;
    try {
      await worker.says('keyturn is ready');
      await noteCommandLine(worker, commandLines);
      const rotated: Report[] = [];
      for (let round = 0; round < GOOD_ROTATIONS; round += 1) {
        rotated.push(...JSON.parse(await run('rotate', 'good', '--wait', '--json')));
      }
      for (const policy of POLICIES.slice(1)) {
        const rotating = run('rotate', policy, '--wait', '--json');
        databases.push(await dumpState());
        if (onRedis) monitor?.keep(await dumpRedis(redisUrl));
        rotated.push(...JSON.parse(await rotating));
      }
      await run('status', '--json');
      await run('history', '--limit', '50', '--json');
      await run('plan');
      reports = rotated;
      await noteCommandLine(worker, commandLines);
    } finally {
      await worker[Symbol.asyncDispose]();
      secrets = [...(await passwords.stop()), server.password, WRONG_PASSWORD];
      databases.push(await dumpState());
      if (onRedis) monitor?.keep(await dumpRedis(redisUrl));
      told = await monitor?.stop();
    }
    const { rows: statements } = await admin.client.query('SELECT query FROM pg_stat_statements');
    seen = new Map([
      ["PostgreSQL's log", await server.readLog()],
      ['pg_stat_statements', statements.map(({ query }) => query).join('\n')],
      ['the state database', databases.join('\n')],
      ['the output of the worker', worker.stdout() + worker.stderr()],
      ['the output of the commands', ended.map(({ stdout, stderr }) => stdout + stderr).join('\n')],
      ['the command lines', [...commandLines].join('\n')],
      ...(told === undefined ? [] : ([['Redis', told]] as const)),
    ]);
  }, 240_000);

  afterAll(async () => {
    if (!available) return;
    await workspace?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    if (onRedis) await clearRedis(redisUrl);
  });

  /** A policy whose rotations succeed, and one for each way to fail: before, at and after staging. */
  async function configure(): Promise<void> {
    await using admin = await adminOf(server);
    const pairs = new Map<string, readonly [string, string]>([['good', workspace.logins]]);
    for (const policy of POLICIES.slice(1)) {
      const pair = [uniqueName('a'), uniqueName('b')] as const;
      for (const login of pair) await admin.client.query(`CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`);
      pairs.set(policy, pair);
    }
    // A folder where the store wants a file: refused for root as for anyone.
    await mkdir(join(workspace.folder, 'secrets', 'unwritable', 'username'), { recursive: true });
    const policies = POLICIES.map((policy) => [
      policy,
      {
        connection: { misplaced: 'misplaced', 'shut-out': 'shut-out' }[policy as string] ?? 'db',
        logins: pairs.get(policy),
        // With what has to be quoted or encoded somewhere.
        password: { length: 64, symbols: '\'"\\%' },
        // Long enough for the staged password to be collected, though the rotation then fails and takes it back.
        verify: policy === 'unverified' ? ['SELECT pg_sleep(0.5)', 'SELECT 1 FROM nowhere'] : ['SELECT 1'],
        drain: { grace: '1s', timeout: '5s' },
        publish: [
          {
            store: 'files',
            create: true,
            secrets: { username: `${policy}/username`, password: `${policy}/password` },
          },
          {
            store: 'files',
            create: true,
            secrets: { url: `${policy}-json/login#url`, password: `${policy}-json/login#password` },
          },
        ],
      },
    ]);
    const { host, port, user, password } = server;
    const elsewhere = {
      misplaced: { host, port, user, password, database: 'nowhere' },
      'shut-out': { host, port, user, password: WRONG_PASSWORD, database: workspace.target },
    };
    await writeFile(
      join(workspace.folder, 'config', 'more.yaml'),
      `connections: ${JSON.stringify(elsewhere)}\n`,
    );
    await workspace.configure(
      `stores: { files: { type: file, path: secrets } }\npolicies: ${JSON.stringify(Object.fromEntries(policies))}\n`,
      onRedis ? { redis: redisUrl } : {},
    );
  }

  /** Every row of every table in which keyturn or its queue keeps something, as text. */
  async function dumpState(): Promise<string> {
    await using session = await adminOf(server, workspace.state);
    const { rows: tables } = await session.client.query(
      `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
        WHERE table_schema IN ('keyturn', 'bullmq') AND table_type = 'BASE TABLE'`,
    );
    const dumped: string[] = [];
    for (const { schema, name } of tables) {
      const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
      const { rows } = await session.client.query(
        `SELECT to_json(entry)::text AS text FROM ${table} AS entry`,
      );
      dumped.push(`table ${schema}.${name}`, ...rows.map(({ text }) => text));
    }
    return dumped.join('\n');
  }

  test.skipIf(!available)(
    'no password is in any log, statement, table, key, output or command line (G3)',
    () => {
      for (const [place, text] of seen)
        expect({ place, found: occurrences(text, secrets) }).toEqual({ place, found: [] });
    },
  );

  test.skipIf(!available)('and each of these was looked into while rotations succeeded and failed', () => {
    expect(reports.map(({ policy, status }) => `${policy}: ${status}`)).toEqual([
      ...Array.from({ length: GOOD_ROTATIONS }, () => 'good: done'),
      'unverified: failed',
      'unwritable: failed',
      'misplaced: failed',
      'shut-out: failed',
    ]);
    // The four that were published, the one that was taken back, two of the rotator.
    expect(new Set(secrets).size).toBe(GOOD_ROTATIONS + 3);

    const has = (place: string, text: string | RegExp) =>
      expect({ place, text, found: seen.get(place)?.match(text) !== null }).toEqual({
        place,
        text,
        found: true,
      });
    const alter = (login: string) =>
      new RegExp(`ALTER ROLE "${login}" LOGIN PASSWORD 'SCRAM-SHA-256\\$4096:`);
    has("PostgreSQL's log", alter(workspace.logins[0]));
    has("PostgreSQL's log", /connection authenticated: .*method=scram-sha-256/);
    has("PostgreSQL's log", /DETAIL: .* [Pp]arameters: \$1 = /);
    has('pg_stat_statements', /ALTER ROLE/);
    has('the state database', /table keyturn\.rotation\n.*good/);
    has('the state database', /relation \W+nowhere\W+ does not exist/);
    has('the output of the worker', /"level":20\b/);
    has('the output of the worker', /rotation failed: .*relation \\"nowhere\\" does not exist/);
    has('the output of the commands', '"status": "failed"');
    has('the command lines', 'main.js\0start');
    has('the command lines', 'main.js\0rotate\0good');
    if (onRedis) {
      has('Redis', /"keyturn:keyturn:/);
      for (const { rotation } of reports) has('Redis', rotation);
    } else {
      has('the state database', /table bullmq\./);
    }
  });
});

interface Report {
  readonly rotation: string;
  readonly policy: string;
  readonly status: string;
}

async function noteCommandLine({ process: { pid } }: RunningCli, lines: Set<string>): Promise<void> {
  lines.add(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
}

/** Reads every version that a file store ever has, also those that it hides or takes back. */
function collectPasswords(root: string): { stop(): Promise<string[]> } {
  const found = new Set<string>();
  let going = true;
  const look = async () => {
    for (const folder of await readdir(root).catch(() => [])) {
      for (const version of await readdir(join(root, folder)).catch(() => [])) {
        if (!version.startsWith('..version-')) continue;
        const password = await readFile(join(root, folder, version, 'password'), 'utf8').catch(() => '');
        if (password) found.add(password);
      }
    }
  };
  const looking = (async () => {
    while (going) {
      await look();
      await sleep(20);
    }
  })();
  return {
    async stop() {
      going = false;
      await looking;
      await look();
      return [...found];
    },
  };
}

/** All that anyone tells a Redis, from now on. */
async function watchRedis(url: string): Promise<{ keep(text: string): void; stop(): Promise<string> }> {
  await clearRedis(url);
  // Not by ioredis: it takes what comes together with the answer to MONITOR for an answer to nothing, and throws.
  const { hostname, port, username, password } = new URL(url);
  const monitor = createConnection({ host: hostname, port: Number(port || 6379) }).setEncoding('utf8');
  let heard = '';
  monitor.on('data', (text) => {
    heard += text;
  });
  const hears = (text: string) =>
    new Promise<void>((done, fail) => {
      const look = () => {
        if (heard.includes(text)) done();
      };
      monitor.on('data', look).on('error', fail);
      look();
    });
  if (password) monitor.write(`AUTH ${username || 'default'} ${password}\r\n`);
  monitor.write('MONITOR\r\n');
  await hears('+OK');
  const client = new Redis(url);
  const kept: string[] = [];
  return {
    keep: (text) => kept.push(text),
    async stop() {
      // What it was told before this has been seen once this has.
      const mark = randomUUID();
      await client.echo(mark);
      await hears(mark);
      monitor.destroy();
      await client.quit();
      const lines = heard.split('\r\n').filter((line) => line.includes(` [${REDIS_DATABASE} `));
      return [...lines, ...kept].join('\n');
    },
  };
}

async function dumpRedis(url: string): Promise<string> {
  const client = new Redis(url);
  const lines: string[] = [];
  for (const key of await client.keys('*')) {
    const reading: Record<string, () => Promise<unknown>> = {
      string: () => client.get(key),
      hash: () => client.hgetall(key),
      list: () => client.lrange(key, 0, -1),
      set: () => client.smembers(key),
      zset: () => client.zrange(key, '0', '-1'),
      stream: () => client.xrange(key, '-', '+'),
    };
    const type = await client.type(key);
    // One that expired in between is of no type.
    lines.push(`${key} ${JSON.stringify(await reading[type]?.())}`);
  }
  await client.quit();
  return lines.join('\n');
}

/** Only what is ours: the server may be someone's own. */
async function clearRedis(url: string): Promise<void> {
  const client = new Redis(url);
  const keys = await client.keys('keyturn:*');
  if (keys.length > 0) await client.del(keys);
  await client.quit();
}
