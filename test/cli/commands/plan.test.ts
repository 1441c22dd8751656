import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../../src/postgres/identifier.ts';
import { adminOf } from '../../support/admin.ts';
import { startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins).replace('timeout: 5s', 'timeout: 60s'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

async function plan(): Promise<{
  code: number | null;
  rotation: string | null;
  states: string[];
  text: string;
}> {
  const { code, stdout } = await run('plan', 'app', '--json');
  const [{ rotation, steps }] = JSON.parse(stdout);
  return {
    code,
    rotation,
    states: steps.map(({ step, state }: { step: string; state: string }) => `${step} ${state}`),
    text: steps.map(({ text }: { text: string }) => text).join('\n'),
  };
}

const AHEAD = [
  'check next',
  'stage then',
  'set then',
  'verify then',
  'publish then',
  'drain then',
  'revoke then',
];

test('on a new policy it names the login that would come in, and changes nothing', async () => {
  const [a, b] = workspace.logins;
  const { code, rotation, states, text } = await plan();
  expect({ code, rotation, states }).toEqual({ code: 0, rotation: null, states: AHEAD });
  expect(text).toContain(`${a} comes in, ${b} goes out`);
  expect(await plan()).toMatchObject({ states: AHEAD });
  expect(JSON.parse((await run('history', '--json')).stdout)).toEqual([]);
  await expect(readFile(join(workspace.folder, 'secrets', 'app', 'username'))).rejects.toThrow();
});

test('on an idle policy it names the other login, and who is logged in as the published one', async () => {
  const [a, b] = workspace.logins;
  await run('rotate', 'app', '--inline');
  const client = new pg.Client({
    connectionString: (await run('url', 'app')).stdout.trim(),
    application_name: 'shop',
  });
  await client.connect();
  const { states, text } = await plan();
  await client.end();
  expect(states).toEqual(AHEAD);
  expect(text).toContain(`${b} comes in, ${a} goes out`);
  expect(text).toContain(`until ${a} has no session (now: shop@127.0.0.1 (idle))`);
});

test('on a draining policy it says what is done and who is waited for', async () => {
  const [a] = workspace.logins;
  await run('rotate', 'app', '--inline');
  const client = new pg.Client({
    connectionString: (await run('url', 'app')).stdout.trim(),
    application_name: 'shop',
  });
  await client.connect();
  const rotating = startCli(['rotate', 'app', '--inline'], { cwd: workspace.folder });
  await rotating.says('drain waiting');
  const { rotation, states, text } = await plan();
  expect(rotation).toMatch(/^[0-9a-f-]{36}$/);
  expect(states).toEqual([
    'check done',
    'stage done',
    'set done',
    'verify done',
    'publish done',
    'drain next',
    'revoke then',
  ]);
  expect(text).toContain(`until ${a} has no session (now: shop@127.0.0.1 (idle)); in `);
  await client.end();
  expect(await rotating.exited).toBe(0);
});

test('it warns of what belongs to a login and not to an owner, as does the history once rotated', async () => {
  const [a] = workspace.logins;
  {
    await using admin = await adminOf(inject('postgres'), workspace.target);
    await admin.client.query(
      `CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${quoteIdentifier(a)}`,
    );
  }
  const warning = `${a} itself owns 1 object in database ${workspace.target} (table public.orders)`;
  const planned = await run('plan', 'app');
  expect(planned.code).toBe(0);
  expect(planned.stdout).toContain(`check warning: ${warning}`);
  const rotated = await run('rotate', 'app', '--inline');
  expect(rotated.stderr).toContain(`app: check warning: ${warning}`);
  expect((await run('history')).stdout).toContain(`: check warning: ${warning}`);
  expect(JSON.parse((await run('history', '--json')).stdout)).toMatchObject([
    { status: 'done', warnings: [{ step: 'check', text: expect.stringContaining(warning) }] },
  ]);
});

test('where a rotation would be refused it says so, with the remedy, and exits with 1', async () => {
  await workspace.configure(filePolicy([workspace.logins[0], 'missing one']));
  const { code, states, text } = await plan();
  expect({ code, states }).toEqual({ code: 1, states: ['check refused'] });
  expect(text).toContain('CREATE ROLE "missing one" NOLOGIN');
});
