import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pTimeout from 'p-timeout';

/** How often /proc counts processor time in a second: USER_HZ is 100 on every Linux. */
const TICKS = 100;

export function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

export async function timed<Result>(
  act: () => Promise<Result>,
): Promise<readonly [milliseconds: number, result: Result]> {
  const began = performance.now();
  const result = await act();
  return [performance.now() - began, result];
}

export function median(numbers: readonly number[]): number {
  return percentile(numbers, 50);
}

/** The nearest rank; NaN of nothing. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** Waits for something in bounded time. The error names it. */
export function within<Result>(seconds: number, what: string, promise: Promise<Result>): Promise<Result> {
  return pTimeout(promise, { milliseconds: seconds * 1_000, message: `${what}: not within ${seconds} s` });
}

/** Asks again and again, until it is so. */
export async function until(
  seconds: number,
  what: string,
  isSo: () => Promise<boolean>,
  interval = 50,
): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(interval);
  }
}

/** Runs `act` with each number below `count`, so many at a time. */
export async function inParallel(
  count: number,
  inFlight: number,
  act: (index: number, lane: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (number: number) => {
    while (next < count) {
      const index = next;
      next += 1;
      await act(index, number);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)));
}

/** The parent of a process, and processor time in milliseconds: its own, and that of children that have ended. */
export async function processorTime(
  pid: number | 'self',
): Promise<{ readonly parent: number; readonly own: number; readonly children: number }> {
  // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in brackets, may hold spaces.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  const milliseconds = (ticks: number) => (ticks * 1_000) / TICKS;
  return {
    parent: fields[1] ?? Number.NaN,
    own: milliseconds(user + system),
    children: milliseconds(childUser + childSystem),
  };
}

/** Resident memory of a process, in MiB. */
export async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1_024;
}
