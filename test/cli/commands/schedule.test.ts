import { DateTime } from 'luxon';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
const scheduled = (schedule: string, more = '') =>
  workspace.configure(filePolicy(workspace.logins, `    schedule: ${schedule}\n${more}`));

describe('keyturn schedule', () => {
  test("lists the next slots with the zone's offset, as JSON a list of instants", async () => {
    await scheduled('{ every: 1d, at: "02:30", timezone: Europe/Berlin }');
    const { code, stdout } = await run('schedule', 'app', '--next', '3', '--from', '2027-03-27', '--json');
    expect({ code, slots: JSON.parse(stdout) }).toEqual({
      code: 0,
      slots: [
        '2027-03-27T02:30:00.000+01:00',
        '2027-03-28T03:30:00.000+02:00',
        '2027-03-29T02:30:00.000+02:00',
      ],
    });
  });

  test('says on which days daylight saving changes one, and how', async () => {
    await scheduled('{ cron: "30 2 * * *", timezone: Europe/Berlin, window: 2h }');
    const spring = await run('schedule', 'app', '--next', '2', '--from', '2027-03-27T12:00Z');
    const [rule, headings, ...rows] = spring.stdout.trimEnd().split('\n');
    expect(rule).toBe('app: cron 30 2 * * * in Europe/Berlin; starts within 2h or not at all');
    expect(headings).toMatch(/^SLOT +WHEN +NOTE$/);
    expect(rows).toEqual([
      expect.stringMatching(
        /^2027-03-28T03:30:00\.000\+02:00 {2}in .* {2}the clock jumps over the time due that day, so it is 1h later$/,
      ),
      expect.stringMatching(/^2027-03-29T02:30:00\.000\+02:00 {2}in .* {2}or within 2h$/),
    ]);
    const autumn = await run('schedule', 'app', '--next', '1', '--from', '2027-10-30T12:00Z');
    expect(autumn.stdout).toContain('the clock shows this time twice that day, it is the first');
  });

  test('says what jitter does, that a policy rotates only when asked, and by whom it is paused', async () => {
    await scheduled('{ every: 7d, at: "02:30", jitter: 1h }', '    autoRotate: false\n');
    const { stdout } = await run('schedule', 'app');
    expect(stdout).toMatch(
      /^app: every 7 days at 02:30 in UTC; counted from \d{4}-\d\d-\d\d, as if a worker first saw it now; jitter moves it by \d+ s; autoRotate is false/,
    );
    expect(stdout.split('\n')).toHaveLength(8);
    await workspace.configure(filePolicy(workspace.logins));
    expect(await run('schedule', 'app')).toMatchObject({
      code: 0,
      stdout: 'app: no schedule, it rotates only when asked\n',
    });
  });

  test('does not count as having seen the policy, so that a first start later has missed nothing', async () => {
    await scheduled('{ every: 1m }');
    await run('schedule', 'app');
    await run('status');
    expect((await run('schedule', 'app', '--next', '1', '--json')).code).toBe(0);
  });

  test('says from when the slots are counted: the first sight, the last rotation, and nothing for a cron', async () => {
    await scheduled('{ every: 30d, at: "02:30", timezone: Europe/Berlin }');
    const today = DateTime.now().setZone('Europe/Berlin').toISODate();
    const { stdout } = await run('schedule', 'app', '--next', '1');
    expect(stdout).toContain(`counted from ${today}, as if a worker first saw it now\n`);
    await run('rotate', 'app', '--inline');
    expect((await run('schedule', 'app')).stdout).toContain(`counted from ${today}, its last rotation\n`);
    const [first] = JSON.parse((await run('schedule', '--all', '--json')).stdout);
    expect(first.countedFrom).toEqual({ since: 'rotation', at: expect.stringMatching(/Z$/) });
    await scheduled('{ every: 12h }');
    expect((await run('schedule', 'app')).stdout).toContain(
      `counted from ${first.countedFrom.at}, its last rotation\n`,
    );
    await scheduled('{ cron: "30 2 * * *" }');
    expect((await run('schedule', 'app')).stdout).not.toContain('counted from');
    expect(JSON.parse((await run('schedule', '--all', '--json')).stdout)[0].countedFrom).toBeNull();
  });

  test('--all is the calendar of the fleet in order, and warns of a crowd', async () => {
    const policies = Array.from(
      { length: 12 },
      (_, index) => `  app-${index}:
    connection: db
    logins: ["a${index}", "b${index}"]
    schedule: { every: ${index === 0 ? '1d' : '7d'}, at: "${index === 0 ? '01:00' : '02:30'}" }
    publish: [{ store: files, secrets: { username: "${index}/username", password: "${index}/password" } }]
`,
    );
    await workspace.configure(
      `stores: { files: { type: file, path: secrets } }\npolicies:\n${policies.join('')}`,
    );
    const { code, stdout, stderr } = await run(
      'schedule',
      '--all',
      '--next',
      '3',
      '--from',
      '2027-03-01',
      '--json',
    );
    const slots: { policy: string; slot: string }[] = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(slots.map(({ slot }) => slot)).toEqual(slots.map(({ slot }) => slot).sort());
    expect(slots[0]).toEqual({
      policy: 'app-0',
      slot: '2027-03-01T01:00:00.000Z',
      countedFrom: { since: 'not-seen', at: expect.any(String) },
    });
    const crowded = await run('schedule', '--all', '--next', '20', '--from', '2027-03-01');
    expect(crowded.stderr).toMatch(
      /11 rotations start within a minute of .*T02:30:00.000Z; spread them with jitter/,
    );
    expect(crowded.stdout).toMatch(/^SLOT +WHEN +POLICY +NOTE\n/);
    expect(stderr).toBe('');
  });

  test.each([
    [['schedule'], 'Name a policy, or give --all'],
    [['schedule', 'app', '--all'], 'Name a policy, or give --all'],
    [['schedule', 'app', '--next', 'many'], 'a whole number from 1'],
    [['schedule', 'app', '--from', 'tomorrow'], 'an ISO 8601 instant'],
    [['schedule', 'ap'], 'did you mean app?'],
  ])('%j is a usage error', async (args, message) => {
    await scheduled('{ every: 1d }');
    expect(await run(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
      stdout: '',
    });
  });
});

describe('keyturn pause and resume', () => {
  const state = async () => JSON.parse((await run('status', '--json')).stdout)[0];

  test('hold back the schedule, as status says, and nothing else', async () => {
    await scheduled('{ every: 1d, at: "02:30" }');
    await run('rotate', 'app', '--inline');
    expect(await run('pause', 'app')).toMatchObject({
      code: 0,
      stdout: 'app: paused; resume it with: keyturn resume app\n',
    });
    expect((await run('pause', 'app')).stdout).toMatch(/^app: paused already, since .* by /);
    expect(await state()).toMatchObject({
      state: 'paused',
      active: workspace.logins[0],
      nextRotationAt: null,
    });
    expect((await run('status')).stdout).toContain('when resumed');
    expect((await run('schedule', 'app')).stdout).toContain('; paused since ');
    expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
    expect((await run('resume', 'app')).stdout).toMatch(/^app: resumed; next rotation .*T02:30:00.000Z\n$/);
    expect((await run('resume', 'app')).stdout).toMatch(/^app: was not paused; next rotation /);
    expect(await state()).toMatchObject({ state: 'active', nextRotationAt: expect.stringMatching(/T02:30/) });
  });

  test('of a policy that is not configured are refused', async () => {
    await scheduled('{ every: 1d }');
    for (const command of ['pause', 'resume']) {
      expect(await run(command, 'ap')).toMatchObject({ code: 2, stderr: expect.stringContaining('app') });
    }
  });
});
