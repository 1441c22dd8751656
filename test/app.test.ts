import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { type App, openApp } from '../src/app.ts';
import { rotateHere } from '../src/cli/commands/rotate/rotate-here.ts';
import { quoteIdentifier } from '../src/postgres/identifier.ts';
import { adminOf } from './support/admin.ts';
import { startCli } from './support/cli.ts';
import { uniqueName } from './support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from './support/workspace.ts';

const FIRST = 'what-is-configured';

const ROTATOR_POLICY = `  self:
    type: rotator
    connection: db
    publish:
      - { store: files, create: true, secrets: { username: self/username, password: self/password } }
`;

function open({ folder }: Workspace): Promise<App> {
  return openApp({ configPath: 'config', cwd: folder, env: { KEYTURN_LOG_LEVEL: 'silent' } });
}

async function rotate(app: App, policy: string) {
  const ledger = await app.ledger();
  const id = randomUUID();
  const rotation = await ledger.request({ id, policy, reason: 'manual', requestedBy: 'test' });
  if (rotation) await rotateHere(app, rotation.id, new AbortController().signal);
  return ledger.find(id);
}

test("a rotator's policy is in force for every policy on that server, in this process and in the next", async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await using admin = await adminOf(inject('postgres'));
  const rotator = uniqueName('rotator');
  await admin.client.query(`CREATE ROLE ${rotator} LOGIN CREATEROLE PASSWORD '${FIRST}'`);
  await admin.client.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${rotator}`);
  for (const login of workspace.logins) {
    const options = 'WITH ADMIN OPTION, INHERIT FALSE, SET FALSE';
    await admin.client.query(`GRANT ${quoteIdentifier(login)} TO ${rotator} ${options}`);
  }
  await workspace.configure(filePolicy(workspace.logins) + ROTATOR_POLICY, {
    connection: { user: rotator, password: FIRST },
  });
  {
    await using app = await open(workspace);
    // Known from before, and obsolete once the other policy has rotated.
    expect(await rotate(app, 'app')).toMatchObject({ status: 'done', lastFault: null });
    expect(await rotate(app, 'self')).toMatchObject({ status: 'done', incoming: rotator, lastFault: null });
    expect(await rotate(app, 'app')).toMatchObject({ status: 'done', lastFault: null });
  }
  await using next = await open(workspace);
  expect(await rotate(next, 'self')).toMatchObject({ status: 'done', lastFault: null });
  expect(await rotate(next, 'app')).toMatchObject({ status: 'done', lastFault: null });
  const password = await readFile(join(workspace.folder, 'secrets/self/password'), 'utf8');
  await workspace.logIn({ user: rotator, password });
  await expect(workspace.logIn({ user: rotator, password: FIRST })).rejects.toMatchObject({ code: '28P01' });
  await admin.client.query(`DROP OWNED BY ${rotator}`);
  await admin.client.query(`DROP ROLE ${rotator}`);
});

test.skipIf(inject('redis') === undefined)(
  'what is still being opened when another part fails is closed as well, so a command ends',
  async () => {
    await using workspace = await openWorkspace(inject('postgres'));
    await workspace.configure(filePolicy(workspace.logins), {
      redis: `${inject('redis')}`,
      state: 'postgresql://nobody:none@127.0.0.1:1/none?sslmode=disable',
    });
    await using running = startCli(['rotate', 'app', '--emergency', '--yes'], { cwd: workspace.folder });
    await running.says('ECONNREFUSED');
    expect(await Promise.race([running.exited, sleep(15_000, 'it does not end')])).toBe(1);
  },
);
