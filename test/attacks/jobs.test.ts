import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../src/open-log.ts';
import type { JobHandlers } from '../../src/queue/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { logQueueFaults } from '../../src/state.ts';
import { openBull, QUEUE_BACKENDS } from '../support/queue-backends.ts';

const nextSlot = async () => undefined;

describe.each(QUEUE_BACKENDS)('a stranger who may write to the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);

  /** Runs a worker over jobs that somebody else queued, until its log has a line for each; the last is one of ours. */
  async function run(jobs: readonly { readonly name: string; readonly data: object }[]) {
    await using place = await open();
    const lines: Record<string, unknown>[] = [];
    const called: string[] = [];
    const log = openLog('info', { write: (line) => lines.push(JSON.parse(line)) });
    const handler = (name: string) => async () => {
      called.push(name);
      if (name === 'slot') throw new Error('the last of them');
    };
    const handlers: JobHandlers = {
      rotate: handler('rotate'),
      slot: handler('slot'),
      sweep: handler('sweep'),
      deliver: handler('deliver'),
    };
    const bull = openBull(place.backend);
    const queue = openQueue(place.backend, { nextSlot, onFault: logQueueFaults(log) });
    for (const { name, data } of jobs) {
      await bull.add(name, data, { attempts: 1_000, removeOnFail: false, backoff: 0 });
    }
    const worker = await queue.work(handlers);
    await expect.poll(() => lines.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(jobs.length);
    const failed = await bull.getFailedCount();
    // Dropping the database afterwards may end a session that is still closing, which is logged too.
    const seen = [...lines];
    await worker.close();
    await queue.close();
    await bull.close();
    return { lines: seen, called, failed };
  }

  it('attack: a job named constructor is no handler, and is not tried again', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'nobody\x1b[2J'];
    const { lines, called, failed } = await run(names.map((name) => ({ name, data: {} })));
    expect(called).toEqual([]);
    expect(failed).toBe(names.length);
    expect(lines).toHaveLength(names.length);
    expect(lines.map(({ msg }) => msg)).toContain(
      'the job constructor failed: it has a name that keyturn has no jobs of; remove who queued it',
    );
    expect(JSON.stringify(lines)).toContain('the job nobody\\\\u001b[2J failed');
  });

  it('attack: a job whose rotation is no UUID does not reach the ledger, and is not tried again', async () => {
    const { lines, called, failed } = await run([{ name: 'rotate', data: { rotation: "'; DROP TABLE x" } }]);
    expect([called, failed]).toEqual([[], 1]);
    expect(lines[0]).toMatchObject({
      code: 'job-failed',
      params: { job: 'rotate', cause: { code: 'job-without-rotation' } },
    });
  });

  it('attack: the data of a job is not merged into the log', async () => {
    const rotation = randomUUID();
    const data = {
      rotation,
      policy: 'p',
      level: 60,
      msg: 'rotated',
      time: 0,
      name: 'root',
      secret: 's3cret',
    };
    const { lines } = await run([{ name: 'slot', data }]);
    expect(lines[0]).toMatchObject({
      level: 50,
      rotation,
      policy: 'p',
      name: 'keyturn',
      msg: 'the job slot failed: the last of them',
    });
    expect(Object.keys(lines[0] ?? {})).not.toContain('secret');
    expect(lines[0]?.time).not.toBe(0);
  });
});

test('attack: an escape sequence in a log is shown, in its JSON and in what its message is', () => {
  const lines: string[] = [];
  const log = openLog('info', { write: (line) => lines.push(line) });
  log.error({ policy: 'a\x9b2J\n' }, 'a message of PostgreSQL\x1b]0;title\x07\u202e\nrun: x');
  const [line = ''] = lines;
  expect(line).toMatch(/^[^\p{Cc}\p{Cf}]*\n$/u);
  expect(JSON.parse(line)).toMatchObject({
    policy: 'a\\u009b2J\\u000a',
    msg: 'a message of PostgreSQL\\u001b]0;title\\u0007\\u202e\\u000arun: x',
  });
});
