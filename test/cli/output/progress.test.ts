import { expect, inject, test } from 'vitest';
import { adminOf } from '../../support/admin.ts';
import { inTerminal } from '../../support/terminal.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { openWorkspace } from '../../support/workspace.ts';

test("G6: a terminal shows the steps that a rotation has, and of the rotator's own no other", async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await using admin = await adminOf(inject('postgres'));
  const rotator = uniqueName('rotator');
  await admin.client.query(`CREATE ROLE ${rotator} LOGIN SUPERUSER PASSWORD 'configured'`);
  await workspace.configure(
    `stores: { files: { type: file, path: secrets } }
policies:
  self:
    type: rotator
    connection: db
    verify: ["SELECT pg_sleep(2)"] # long enough to be drawn
    publish: [{ store: files, create: true, secrets: { username: self/username, password: self/password } }]
`,
    { connection: { user: rotator, password: 'configured' } },
  );
  const { code, shown } = await inTerminal(['rotate', 'self', '--inline'], '', { cwd: workspace.folder });
  expect(code, shown).toBe(0);
  for (const step of ['check', 'stage', 'set', 'verify', 'publish']) expect(shown).toContain(` ${step}`);
  expect(shown).not.toMatch(/drain|revoke/);
  await admin.client.query(`DROP ROLE ${rotator}`);
});
