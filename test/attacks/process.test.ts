import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { adminOf } from '../support/admin.ts';
import { cli, MAIN, startCli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { occurrences } from '../support/occurrences.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterAll(() => workspace[Symbol.asyncDispose]());

const MANY = 800;
const many = `policies:\n${Array.from({ length: MANY }, (_, index) => `  p${index}: {}\n`).join('')}`;

/** Runs a command whose output nobody reads before the pipe is full or the command has ended. */
async function slowly(args: readonly string[], name: 'stdout' | 'stderr') {
  const only = name === 'stdout' ? '2>/dev/null' : '2>&1 >/dev/null';
  // A pipe of the shell: Node.js reads away what a child has left when it ends.
  const script = `"$@" ${only} | (sleep 2; cat)`;
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, MAIN, ...args], {
    cwd: workspace.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  return text;
}

test('a slow reader of a pipe gets all of stdout, and all of stderr', async () => {
  await workspace.configure(many);
  const json = JSON.parse(await slowly(['validate', '--json'], 'stdout'));
  const lines = (await slowly(['validate'], 'stderr')).split('\n');
  expect(json.problems.length).toBeGreaterThan(MANY);
  expect(lines.length).toBe(json.problems.length + 1);
  expect(lines.join('\n').length).toBeGreaterThan(2 * 65_536);
});

test.each(['stdout', 'stderr'] as const)(
  'a reader of %s that goes away ends a command quietly',
  async (name) => {
    await workspace.configure(many);
    const args = name === 'stdout' ? ['validate', '--json'] : ['validate'];
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: workspace.folder, stdio: 'pipe' });
    const other = child[name === 'stdout' ? 'stderr' : 'stdout'];
    let said = '';
    other.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
    child[name].once('data', () => child[name].destroy());
    await new Promise((done) => child.once('close', done));
    expect(said).toBe('');
  },
);

test('a password that every user of the machine may read is a warning of validate, doctor and start', async () => {
  await workspace.configure(filePolicy(workspace.logins));
  await chmod(workspace.folder, 0o755);
  await chmod(join(workspace.folder, 'config', 'keyturn.yaml'), 0o644);
  const told =
    'every user of this machine may read config/keyturn.yaml, which has a password in it; run: chmod o-r config/keyturn.yaml';
  const options = { cwd: workspace.folder };
  expect((await keyturn(['validate'], options)).stderr).toContain(told);
  expect((await keyturn(['doctor'], options)).stdout).toMatch(
    new RegExp(`warn +files +.*${told.replace('; ', '\\n +')}\n`),
  );
  await using worker = startCli(['start'], options);
  await worker.says(told);
  await chmod(workspace.folder, 0o700);
});

const REDIS = inject('redis');

test.skipIf(REDIS === undefined)(
  'G3: DEBUG and NODE_DEBUG print no password of Redis, PostgreSQL or the target',
  async () => {
    await using admin = await adminOf(inject('postgres'));
    const [redisPassword, rotatorPassword] = [`redis-${randomUUID()}`, `rotator-${randomUUID()}`];
    const rotator = uniqueName('rotator');
    await admin.client.query(`CREATE ROLE ${rotator} SUPERUSER LOGIN PASSWORD '${rotatorPassword}'`);
    const url = new URL(`${REDIS}/14`);
    url.username = 'nobody';
    url.password = redisPassword;
    await workspace.configure(filePolicy(workspace.logins), {
      redis: url.href,
      connection: { user: rotator, password: rotatorPassword },
    });
    for (const env of [{ DEBUG: '*', PGPASSWORD: '' }, { NODE_DEBUG: 'net,tls,http,stream' }]) {
      const rotated = await cli(['rotate', 'app', '--inline', '--wait'], { cwd: workspace.folder, env });
      const status = await cli(['status'], { cwd: workspace.folder, env });
      const passwords = [redisPassword, rotatorPassword, (await workspace.published()).password];
      expect(rotated.stdout, rotated.stderr.slice(-500)).toContain('is published');
      expect(occurrences(rotated.stdout + rotated.stderr + status.stdout + status.stderr, passwords)).toEqual(
        [],
      );
    }
    await admin.client.query(`DROP ROLE ${rotator}`);
  },
);
