import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { exposedFiles } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { policyNamed } from '../../src/config/policy-named.ts';
import { fact } from '../../src/facts/fact.ts';
import { tellProblem } from '../../src/messages/tell.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import { changed, folderOf, load, problems, problemsOf, VALID, warningsOf } from '../config/config-folder.ts';
import { failureOf } from '../support/remedies.ts';

describe('nothing goes over a network in plaintext that does not say so', () => {
  const redis = (url: string, more = '') => `queue: { redis: "${url}"${more} }\n${VALID}`;
  const DISABLE = ', tls: { mode: disable }';
  const REFUSED =
    'k.yaml:1:17 queue.redis: goes over the network in plaintext, secrets and passwords too; must be rediss://, or have tls: { mode: disable } beside it to allow that';

  test.each(['redis://redis:6379', 'redis://:pw@10.0.0.1', 'redis://[2001:db8::1]:6379/1'])('%s', (url) => {
    expect(problemsOf(redis(url))).toEqual([REFUSED]);
    expect(warningsOf(redis(url, DISABLE))).toEqual([
      'k.yaml:1:17 queue.redis: goes over the network in plaintext, secrets and passwords too; better is rediss://',
    ]);
  });

  test.each(['redis://127.0.0.1', 'redis://localhost:6379', 'redis://:pw@[::1]:6379/2', 'rediss://redis'])(
    '%s is loopback or encrypted',
    (url) => expect(load(redis(url)).warnings).toEqual([]),
  );

  test('what is encrypted cannot say that it is not', () => {
    expect(problemsOf(redis('rediss://redis', DISABLE))).toEqual([
      'k.yaml:1:48 queue.tls.mode: is disable, but redis is rediss://, which is encrypted; leave tls out',
    ]);
  });

  test('AWS: an endpoint with http:// beyond loopback, from the store or from the environment', () => {
    const store = (more: string) => changed(['region: eu-central-1 }', `region: eu-central-1${more} }`]);
    const REST =
      'over the network in plaintext, secrets and passwords too; must be https://, or have tls: { mode: disable } beside it to allow that';
    expect(problemsOf(store(', endpoint: "http://aws:5000"'))).toEqual([
      `k.yaml:5:69 stores.aws.endpoint: goes ${REST}`,
    ]);
    expect(load(store(', endpoint: "http://aws:5000", tls: { mode: disable }')).warnings).toHaveLength(1);
    for (const fine of [', endpoint: "http://127.0.0.1:5000"', ', endpoint: "https://aws"', '']) {
      expect(load(store(fine)).warnings).toEqual([]);
    }
    for (const name of ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL']) {
      const env = { [name]: 'http://aws:5000' };
      expect(problemsOf(store(''), { env })).toEqual([
        `k.yaml:5:3 stores.aws.endpoint: ${name} goes ${REST}`,
      ]);
      expect(load(store(', endpoint: "https://aws"'), { env }).warnings).toEqual([]);
    }
  });
});

test('AWS: an endpoint with http:// beyond loopback of a profile is told nothing', async () => {
  const folder = folderOf({ config: '[default]\nendpoint_url = http://aws.invalid:5000\n' });
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'emulator');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'emulator');
  const read = async (more: { readonly tls?: { readonly mode: 'disable' } }) => {
    const store = openAwsSecretsManagerStore({ name: 'aws', region: 'eu-central-1', ...more });
    const names = { username: { secret: 'app', key: 'username' } };
    const refusal = await failureOf(store.read(names, 'current'));
    await store.close();
    return refusal;
  };
  try {
    const request = { store: 'aws', action: 'GetSecretValue', secret: 'app' };
    expect(await read({})).toEqual(fact('store-plaintext', { ...request, detail: 'PlaintextEndpointError' }));
    expect(await read({ tls: { mode: 'disable' } })).toEqual(
      fact('store-unreachable', {
        ...request,
        detail: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
      }),
    );
  } finally {
    vi.unstubAllEnvs();
  }
});

describe('a secret in a wrong place is never echoed', () => {
  const URL = 'postgresql://keyturn:hunter2@db.internal/orders';
  test.each([
    ['a connection', changed(['{ host: db.internal, database: orders, user: keyturn }', URL])],
    ['a host', changed(['host: db.internal', `host: "${URL}"`])],
    ['a piece of one as a host', changed(['host: db.internal', 'host: "keyturn:hunter2@db.internal"'])],
    ['a keyword string', changed(['host: db.internal', 'host: "host=db password=hunter2"'])],
    ['a default', changed(['host: db.internal', `host: "\${H:-${URL}}"`])],
    ['a store', changed(['{ type: file, path: secrets }', `"${URL}"`])],
    ['a store by name', changed(['store: files', `store: "${URL}"`])],
    ['a connection by name', changed(['connection: db', `connection: "${URL}"`])],
    ['a name', changed(['  db: {', `  "${URL}": {`])],
    ['an unknown key', changed(['user: keyturn', `user: keyturn, "${URL}": 1`])],
    ['a key without its space', changed(['user: keyturn', 'user: keyturn, password:hunter2'])],
    ['a key twice', changed(['user: keyturn', `"${URL}": 1, "${URL}": 2`])],
    ['the whole file', URL],
    ['a section', `connections: "${URL}"\n`],
    ['the path of a file', changed(['user: keyturn', `user: keyturn, password: "\${file:${URL}}"`])],
    ['an endpoint', changed(['region: eu-central-1', 'endpoint: "ftp://keyturn:hunter2@aws"'])],
  ])('%s', (_, yaml) => {
    const told = problemsOf(yaml);
    expect(told.length).toBeGreaterThan(0);
    expect(told.join('\n')).not.toContain('hunter2');
  });

  test('in place of a policy, or of the configuration', () => {
    expect(() => policyNamed(load(VALID), URL)).toThrow(
      expect.objectContaining({ fact: fact('policy-unknown', { name: '…', known: ['orders'] }) }),
    );
    const told = problems(() => loadConfig({ path: URL, env: {}, cwd: '/' }));
    expect(told.join()).toMatch(/^…: does not exist/);
  });
});

describe('a file for a value is a file', () => {
  const read = (folder: string, path: string) => {
    const yaml = changed(['user: keyturn', `user: keyturn, password: "\${file:${path}}"`]);
    writeFileSync(join(folder, 'k.yaml'), yaml);
    return problems(() => loadConfig({ path: 'k.yaml', env: {}, cwd: folder }));
  };
  const told = (path: string, fault: string) => [
    `k.yaml:2:71 connections.db.password: file "${path}" ${fault}; \${file:PATH} must name a readable file`,
  ];

  test('attack: a device that never ends, a named pipe that nobody writes to, a folder', () => {
    const folder = folderOf({});
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const NO_FILE = 'is a device, a pipe or a socket, not a file';
    expect(read(folder, '/dev/zero')).toEqual(told('/dev/zero', NO_FILE));
    expect(read(folder, 'pipe')).toEqual(told('pipe', NO_FILE));
    expect(read(folder, '.')).toEqual(told('.', 'is a folder, not a file'));
  });

  test('a file of 64 KiB is read, through links too, and a larger one is not', () => {
    const folder = folderOf({ small: 'x'.repeat(65_536), large: 'x'.repeat(65_537) });
    symlinkSync('small', join(folder, 'link'));
    expect(read(folder, 'link')).toEqual([]);
    expect(read(folder, 'large')).toEqual(told('large', 'is larger than 64 KiB'));
  });

  test('attack: a configuration that is a named pipe', () => {
    const folder = folderOf({});
    execFileSync('mkfifo', [join(folder, 'k.yaml')]);
    expect(problems(() => loadConfig({ path: 'k.yaml', env: {}, cwd: folder }))).toEqual([
      'k.yaml: is a device, a pipe or a socket, not a file; must be a readable YAML file',
    ]);
  });
});

describe('a warning for what every user of the machine may read', () => {
  /** In a folder that lets others pass, unlike that of other tests. */
  function exposed(yaml: string, modes: Readonly<Record<string, number>>) {
    const folder = folderOf({ 'k.yaml': yaml });
    chmodSync(folder, 0o755);
    for (const [name, mode] of Object.entries({ 'k.yaml': 0o600, ...modes })) {
      if (name !== 'k.yaml') writeFileSync(join(folder, name), 'hunter2');
      chmodSync(join(folder, name), mode);
    }
    const config = loadConfig({ path: 'k.yaml', env: { PW: 'hunter2' }, cwd: folder });
    return exposedFiles(config).map(tellProblem);
  }
  const withPassword = (password: string) =>
    changed(['user: keyturn', `user: keyturn, password: "${password}"`]);
  const BY = 'every user of this machine may read';

  test('a configuration with a password in it', () => {
    const told = [
      `k.yaml:2:71 connections.db.password: ${BY} k.yaml, which has a password in it; run: chmod o-r k.yaml`,
    ];
    expect(exposed(withPassword('hunter2'), { 'k.yaml': 0o644 })).toEqual(told);
    expect(exposed(withPassword('hunter2'), { 'k.yaml': 0o640 })).toEqual([]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
    expect(exposed(withPassword('${PW}'), { 'k.yaml': 0o644 })).toEqual([]);
    expect(exposed(VALID, { 'k.yaml': 0o644 })).toEqual([]);
  });

  test('a configuration with a URL that has one', () => {
    const url = (password: string) =>
      `state: { database: "postgresql://k:${password}@127.0.0.1/x" }\n${VALID}`;
    expect(exposed(url('hunter2'), { 'k.yaml': 0o644 })).toHaveLength(1);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
    expect(exposed(url('${PW}'), { 'k.yaml': 0o644 })).toEqual([]);
  });

  test('a file that a password is read from, and a key', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
    const yaml = withPassword('${file:pw}');
    expect(exposed(yaml, { pw: 0o444 })).toEqual([
      `k.yaml:2:71 connections.db.password: ${BY} pw, which has a password; run: chmod o-r pw`,
    ]);
    expect(exposed(yaml, { pw: 0o440 })).toEqual([]);
  });

  test('but not where a folder on the way keeps them out', () => {
    const folder = folderOf({});
    mkdirSync(join(folder, 'private'), { mode: 0o700 });
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'private', 'pw'), 'hunter2', { mode: 0o644 });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
    writeFileSync(join(folder, 'k.yaml'), withPassword('${file:private/pw}'));
    expect(exposedFiles(loadConfig({ path: 'k.yaml', env: {}, cwd: folder }))).toEqual([]);
  });
});
