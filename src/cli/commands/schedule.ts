import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy, Schedule } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import type { Timing } from '../../ledger/timing.ts';
import { slotContext } from '../../rotation/due-rotation.ts';
import { calendarOf } from '../../schedule/calendar.ts';
import { describeSlot } from '../../schedule/describe-slot.ts';
import { nextSlots, type SlotContext } from '../../schedule/next-slot.ts';
import type { Io } from '../io.ts';
import { count, instant } from '../options/parse-option.ts';
import { countedFrom, headline, noteOf } from '../output/describe-schedule.ts';
import { relative, writeTable } from '../output/table.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

interface Options extends ConfigOption {
  readonly all?: true;
  readonly next?: number;
  readonly from?: number;
  readonly json?: true;
}

export function registerSchedule(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--all', 'list the slots of all policies, in order')
    .option('--next <n>', 'how many slots; default: 5, or 20 with --all', count('--next'))
    .option('--from <instant>', 'list the slots after this instant; default: now', instant('--from'))
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: Options) =>
      withApp(io, options, async (app) => {
        if ((name === undefined) === (options.all === undefined)) {
          throw fault('no-policy-named', {});
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
  if (json) return io.stdout.json(described.map(({ iso }) => iso));
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
    // Every entry comes from a policy that is in the map.
    const schedule = schedules.get(policy) as Schedule;
    return { policy, schedule, slot: describeSlot(schedule, policy, slot) };
  });
  warnOfCrowds(io, crowds);
  if (json) {
    const counted = countedBy(policies, timings);
    return io.stdout.json(
      rows.map(({ policy, slot }) => ({ policy, slot: slot.iso, countedFrom: counted.get(policy) ?? null })),
    );
  }
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

/** From when the slots of each policy are counted. */
function countedBy(policies: readonly Policy[], timings: ReadonlyMap<string, Timing>) {
  return new Map(
    policies.map((policy) => {
      const timing = timings.get(policy.name);
      return [policy.name, timing && countedFrom(policy, timing)];
    }),
  );
}

function warnOfCrowds(io: Io, crowds: ReturnType<typeof calendarOf>['crowds']): void {
  for (const crowd of crowds) {
    const at = new Date(crowd[0]?.slot ?? 0).toISOString();
    io.stderr.write(
      `keyturn: ${crowd.length} rotations start within a minute of ${at}; spread them with jitter\n`,
    );
  }
}

/**
 * With --from, slots that were acted on are shown too, because the question is what the schedule
 * says.
 */
function contextOf(policy: Policy, timing: Timing, from: number | undefined): SlotContext {
  const { lastSlot, ...context } = slotContext(policy, timing);
  return from === undefined && lastSlot !== undefined ? { ...context, lastSlot } : context;
}
