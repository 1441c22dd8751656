import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy, Schedule } from '../../config/policy.ts';
import { formatDuration } from '../../config/values/duration.ts';
import type { Timing } from '../../ledger/timing.ts';
import { slotContext } from '../../rotation/due-rotation.ts';
import { calendarOf } from '../../schedule/calendar.ts';
import { describeSlot, type SlotDescription } from '../../schedule/describe-slot.ts';
import { nextSlots, type SlotContext } from '../../schedule/next-slot.ts';
import type { Io } from '../io.ts';
import { count } from '../options/count-option.ts';
import { instant } from '../options/instant-option.ts';
import { relative } from '../output/relative.ts';
import { writeJson, writeTable } from '../output/table.ts';
import { UsageError } from '../usage-error.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

interface Options extends ConfigOption {
  readonly all?: true;
  readonly next?: number;
  readonly from?: number;
  readonly json?: true;
}

export function registerSchedule(program: Command, io: Io): void {
  program
    .command('schedule [policy]')
    .description("the next slots, in the policy's zone; with --all those of every policy, in order")
    .option('--config <path>', 'file or folder', 'config/')
    .option('--all', 'the calendar of every policy')
    .option('--next <n>', 'how many; default 5, with --all 20', count)
    .option('--from <instant>', 'slots after this; default now', instant)
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: Options) =>
      withApp(io, options, async (app) => {
        if ((name === undefined) === (options.all === undefined)) {
          throw new UsageError('Name a policy, or give --all');
        }
        if (name === undefined) await writeCalendar(io, app, options);
        else await writeSlots(io, app, app.policy(name), options);
      }),
    );
}

async function writeSlots(
  io: Io,
  app: App,
  policy: Policy,
  { next = 5, from, json }: Options,
): Promise<void> {
  const ledger = await app.ledger();
  const timing = await ledger.timing(policy.name);
  const { schedule } = policy;
  const now = app.clock.now();
  const slots = schedule
    ? nextSlots(schedule, { ...contextOf(policy, timing, from), after: from ?? now }, next)
    : [];
  const described = schedule ? slots.map((slot) => describeSlot(schedule, policy.name, slot)) : [];
  if (json)
    return writeJson(
      io,
      described.map(({ iso }) => iso),
    );
  io.stdout.write(`${policy.name}: ${headline(policy, timing, described[0])}\n`);
  if (!schedule || described.length === 0) return;
  writeTable(
    io,
    ['slot', 'when', 'note'],
    described.map((slot) => [slot.iso, relative(slot.iso, now), noteOf(schedule, slot)]),
  );
}

async function writeCalendar(io: Io, app: App, { next = 20, from, json }: Options): Promise<void> {
  const ledger = await app.ledger();
  const policies = [...app.config.policies.values()].filter(({ autoRotate }) => autoRotate);
  const timings = await ledger.timings(policies.map(({ name }) => name));
  const now = app.clock.now();
  const schedules = new Map<string, Schedule>();
  const sources = policies.flatMap((policy) => {
    const timing = timings.get(policy.name);
    if (!policy.schedule || !timing || timing.pausedAt) return [];
    schedules.set(policy.name, policy.schedule);
    return [{ schedule: policy.schedule, context: contextOf(policy, timing, from) }];
  });
  const { entries, crowds } = calendarOf(sources, from ?? now, next);
  const rows = entries.map(({ policy, slot }) => {
    const schedule = schedules.get(policy) as Schedule;
    return { policy, schedule, slot: describeSlot(schedule, policy, slot) };
  });
  for (const crowd of crowds) {
    const at = new Date(crowd[0]?.slot ?? 0).toISOString();
    io.stderr.write(
      `keyturn: ${crowd.length} rotations start within a minute of ${at}; spread them with jitter\n`,
    );
  }
  if (json)
    return writeJson(
      io,
      rows.map(({ policy, slot }) => ({ policy, slot: slot.iso })),
    );
  writeTable(
    io,
    ['slot', 'when', 'policy', 'note'],
    rows.map(({ policy, schedule, slot }) => [
      slot.iso,
      relative(slot.iso, now),
      policy,
      noteOf(schedule, slot),
    ]),
  );
  const held = [...timings].filter(([, { pausedAt }]) => pausedAt).map(([name]) => name);
  if (held.length > 0) io.stdout.write(`paused: ${held.join(', ')}\n`);
}

/** With --from the question is what a schedule says, not what is still to be done: slots acted on are told as well. */
function contextOf(policy: Policy, timing: Timing, from: number | undefined): SlotContext {
  const { lastSlot, ...context } = slotContext(policy, timing);
  return from === undefined && lastSlot !== undefined ? { ...context, lastSlot } : context;
}

function headline(
  { schedule, autoRotate }: Policy,
  { pausedAt, pausedBy }: Timing,
  first: SlotDescription | undefined,
): string {
  if (!schedule) return 'no schedule, it rotates only when asked';
  const parts = [ruleOf(schedule)];
  if (schedule.window !== undefined)
    parts.push(`starts within ${formatDuration(schedule.window)} or not at all`);
  if (first && first.jitter > 0) parts.push(`jitter moves it by ${Math.round(first.jitter / 1000)} s`);
  if (!autoRotate) parts.push('autoRotate is false, it rotates only when asked');
  if (pausedAt) parts.push(`paused since ${pausedAt.toISOString()} by ${pausedBy}`);
  return parts.join('; ');
}

function ruleOf(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return `cron ${schedule.cron} in ${schedule.timezone}`;
    case 'interval':
      return `every ${formatDuration(schedule.interval)}`;
    case 'days': {
      const { days, at, timezone } = schedule;
      const time = [at.hour, at.minute].map((part) => String(part).padStart(2, '0')).join(':');
      return `every ${days === 1 ? 'day' : `${days} days`} at ${time} in ${timezone}`;
    }
  }
}

function noteOf(schedule: Schedule, { clockChange, isRepeated }: SlotDescription): string {
  if (clockChange !== 0) {
    return `the clock jumps over the time due that day, so it is ${formatDuration(Math.abs(clockChange))} later`;
  }
  if (isRepeated) return 'the clock shows this time twice that day, it is the first';
  return schedule.window === undefined ? '' : `or within ${formatDuration(schedule.window)}`;
}
