import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { keyturn } from '../../support/keyturn.ts';
import { type Receiver, startReceiver } from '../../support/webhook-receiver.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
let workspace: Workspace;
let receiver: Receiver;
const run = (...args: string[]) => keyturn(['events', ...args], { cwd: workspace.folder });

beforeAll(async () => {
  workspace = await openWorkspace(inject('postgres'));
  receiver = await startReceiver(SECRET);
  const sink = `{ type: webhook, url: "${receiver.url}", secrets: [${SECRET}], allowPrivate: true }`;
  await workspace.configure(`events: { sinks: { ops: ${sink} } }\n${filePolicy(workspace.logins)}`);
  const { code } = await keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder });
  expect(code).toBe(0);
});
afterAll(async () => {
  await receiver?.[Symbol.asyncDispose]();
  await workspace?.[Symbol.asyncDispose]();
});

test('lists what happened, newest first, as a table and as JSON', async () => {
  const { stdout } = await run('app');
  expect(stdout.split('\n')[0]).toMatch(/^AT +POLICY +TYPE +SINKS +MESSAGE$/);
  const events = JSON.parse((await run('app', '--json', '--limit', '2')).stdout);
  expect(events).toMatchObject([
    { type: 'rotation.completed', policy: 'app', code: 'rotation-completed', deliveries: [] },
    { type: 'rotation.drained', policy: 'app' },
  ]);
  expect(events[0].message).toContain('is done');
  expect(JSON.parse((await run('--json', '--dead')).stdout)).toEqual([]);
  expect(await run('ap')).toMatchObject({ code: 2 });
});

test('tests a sink, and says why it does not take the event', async () => {
  expect(await run('test', 'ops')).toMatchObject({ code: 0 });
  expect(receiver.received.at(-1)?.event?.type).toBe('test');
  receiver.answer(500);
  const failed = await run('test', 'ops');
  receiver.answer(204);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('the receiver answered with status 500');
  const json = JSON.parse((await run('test', 'ops', '--json', '--config', 'config/keyturn.yaml')).stdout);
  expect(json).toEqual({ sink: 'ops', event: receiver.received.at(-1)?.event?.id, type: 'test' });
  const unknown = await run('test', 'opps');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('unknown sink "opps"; did you mean "ops"?');
});

test.each([
  [[], 'no event is named'],
  [['--dead', '5a1c2f0e-6f6b-4a0e-9a55-0f6a4c1f9d21'], 'events are named, and --dead means'],
  [['17'], '"17" is not the id of an event'],
  [['--dead', '--sink', 'opps'], 'unknown sink "opps"'],
])('redeliver %j is refused', async (args, text) => {
  const { code, stderr } = await run('redeliver', ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});

test('redelivers dead letters, of which there are none', async () => {
  expect(await run('redeliver', '--dead')).toMatchObject({ code: 0, stdout: '0 to be delivered again\n' });
});
