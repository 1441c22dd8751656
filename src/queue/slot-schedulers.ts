import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import { toQueueTime } from './queue-time.ts';
import { JOB, type Scheduling, untilNotDeadlocked, untilThere } from './schedulers.ts';

const SLOT_PREFIX = 'slot-';
/** How long a scheduler may stand at a slot that has come, before it counts as stuck. */
const JUST_COME_MS = 30_000;
/**
 * Two clocks never agree to the millisecond; and a slot that is looked at too early waits for the
 * sweep.
 */
const CLOCK_MARGIN_MS = 50;
const CLOCK_TOLERANCE_MS = 1_000;
/** For more policies than this, all schedulers are read in one request. */
const FEW = 50;

/** The instants at which schedulers run next, by policy. */
type Present = ReadonlyMap<string, number>;

/** The instant at which BullMQ has to run a slot, by the machine's clock. */
export function slotTime(instant: number, clock: Clock | undefined): number {
  return toQueueTime(instant, clock) + (clock ? CLOCK_MARGIN_MS : 0);
}

/** Makes the schedulers of slots those of the policies in `due`, each at its instant. */
export async function scheduleSlots(scheduling: Scheduling, due: ReadonlyMap<string, number>): Promise<void> {
  const present = await readAll(scheduling);
  const gone = [...present.keys()].filter((policy) => !due.has(policy));
  await correct(
    scheduling,
    present,
    new Map([...due, ...gone.map((policy) => [policy, undefined] as const)]),
  );
}

/** Makes the schedulers of some policies right; undefined: it has none. */
export async function adjustSlots(
  scheduling: Scheduling,
  due: ReadonlyMap<string, number | undefined>,
): Promise<void> {
  const present = due.size > FEW ? await readAll(scheduling) : await readSome(scheduling, [...due.keys()]);
  await correct(scheduling, present, due);
}

/** Makes the schedulers that are missing. */
export async function restoreSlots(scheduling: Scheduling, due: ReadonlyMap<string, number>): Promise<void> {
  const present = await readAll(scheduling);
  await correct(scheduling, present, new Map([...due].filter(([policy]) => !present.has(policy))));
}

/** Has BullMQ ask anew when a policy is due; its \`pattern\` carries the policy's name. */
export async function rescheduleSlot({ queue }: Scheduling, policy: string): Promise<void> {
  const job = { name: 'slot', data: { policy }, opts: JOB };
  await untilThere(() => queue.upsertJobScheduler(SLOT_PREFIX + policy, { pattern: policy }, job));
}

async function correct(
  scheduling: Scheduling,
  present: Present,
  due: ReadonlyMap<string, number | undefined>,
): Promise<void> {
  const gone: string[] = [];
  const wrong: [string, number][] = [];
  for (const [policy, instant] of due) {
    const next = present.get(policy);
    if (instant === undefined) gone.push(...(next === undefined ? [] : [policy]));
    else if (!isRight(scheduling, next, instant)) wrong.push([policy, instant]);
  }
  // Those that come first are made first.
  wrong.sort(([, one], [, other]) => one - other);
  const make = ([policy, instant]: [string, number]) => makeSlot(scheduling, policy, instant);
  await pMap(wrong, make, { concurrency: scheduling.madeAtOnce });
  const remove = (policy: string) =>
    untilNotDeadlocked(() => scheduling.queue.removeJobScheduler(SLOT_PREFIX + policy));
  await pMap(gone, remove, { concurrency: scheduling.atOnce });
}

/** Makes a policy's scheduler, for an instant that is known. */
async function makeSlot(scheduling: Scheduling, policy: string, instant: number): Promise<void> {
  scheduling.known.set(policy, instant);
  try {
    await rescheduleSlot(scheduling, policy);
  } finally {
    scheduling.known.delete(policy);
  }
}

function isRight({ clock }: Scheduling, next: number | undefined, instant: number): boolean {
  if (next === undefined) return false;
  const now = Date.now();
  const tolerance = clock ? CLOCK_TOLERANCE_MS : 0;
  // A slot that has just come is being acted on; BullMQ asks for the next one when its job begins.
  return Math.abs(next - slotTime(instant, clock)) <= tolerance || (next <= now && now - next < JUST_COME_MS);
}

/** In one request: BullMQ's own \`getJobSchedulers\` makes one for each scheduler besides. */
async function readAll({ backend }: Scheduling): Promise<Present> {
  const present = new Map<string, number>();
  const flat = await backend.getJobSchedulersRange(0, -1, true);
  for (let index = 0; index < flat.length; index += 2) {
    const key = flat[index] ?? '';
    if (key.startsWith(SLOT_PREFIX)) present.set(key.slice(SLOT_PREFIX.length), Number(flat[index + 1]));
  }
  return present;
}

async function readSome({ queue, atOnce }: Scheduling, policies: readonly string[]): Promise<Present> {
  const found = await pMap(
    policies,
    async (policy) => [policy, (await queue.getJobScheduler(SLOT_PREFIX + policy))?.next] as const,
    { concurrency: atOnce },
  );
  return new Map(found.flatMap(([policy, next]) => (next === undefined ? [] : [[policy, next] as const])));
}
