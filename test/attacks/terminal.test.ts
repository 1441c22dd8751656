import { expect, inject, test } from 'vitest';
import { inTerminal } from '../support/terminal.ts';
import { openWorkspace } from '../support/workspace.ts';

test('attack: a message of PostgreSQL moves nothing on the terminal that shows the steps', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  const raise = "DO $x$ BEGIN RAISE EXCEPTION E'a\\\\x1b]0;title\\\\x07\\\\r\\\\u202eb'; END $x$";
  await workspace.configure(`stores: { files: { type: file, path: secrets } }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(workspace.logins)}
    verify: ["${raise}"]
    drain: { grace: 0s, timeout: 1s }
    publish: [{ store: files, create: true, secrets: { username: app/username, password: app/password } }]
`);
  const { code, shown } = await inTerminal(['rotate', 'app', '--inline'], '', { cwd: workspace.folder });
  expect(code, shown).toBe(1);
  // Once in the list of steps, and once as the result.
  expect(shown.split('a\\u001b]0;title\\u0007\\u000d\\u202eb').length).toBeGreaterThan(2);
  for (const sent of ['\x1b]', '\x07', '\u202e']) expect(shown).not.toContain(sent);
});
