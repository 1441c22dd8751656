import { Fault, factOf } from '../facts/fault.ts';
import type { StepName } from '../ledger/rotation.ts';
import { loginsOf } from './context/rotation-logins.ts';
import type { RotationRun } from './context/rotation-view.ts';
import type { Notice, Step, Wait } from './step.ts';
import { type StepGroup, stepGroups } from './steps.ts';
import type { Unwritten } from './unwritten.ts';
import { warn } from './warn.ts';

/** A step that threw; it has the fact of what was thrown. */
export class StepError extends Fault {
  readonly step: StepName;

  constructor(step: StepName, cause: unknown) {
    super(factOf(cause), { cause });
    this.step = step;
  }
}

/** One run through the steps. */
interface Turn {
  readonly context: RotationRun;
  readonly unwritten: Unwritten;
  /** Steps that were done before this run began. */
  readonly before: ReadonlySet<StepName>;
  /** What steps have told of themselves in this run. */
  readonly notices: Map<StepName, readonly Notice[]>;
}

/**
 * Runs each step of a rotation that is not done, until one has to wait. Returns what it waits for,
 * or undefined when every step is done; then the last lines are still unwritten. Throws a
 * StepError.
 */
export async function advance(context: RotationRun, unwritten: Unwritten): Promise<Wait | undefined> {
  const turn = { context, unwritten, before: await doneBefore(context), notices: new Map() };
  for (const group of stepGroups(context)) {
    const wait = await runGroup(turn, group);
    if (wait) return wait;
  }
  return undefined;
}

async function doneBefore({ ledger, rotation }: RotationRun): Promise<ReadonlySet<StepName>> {
  // `check` is the first step, and it freezes the logins.
  if (rotation.incoming === null) return new Set();
  const isBack = rotation.rolledBackTo !== null;
  const events = await ledger.events([rotation.id]);
  return new Set(
    events.filter(({ kind, back }) => kind === 'done' && back === isBack).map(({ step }) => step),
  );
}

async function runGroup(turn: Turn, group: StepGroup): Promise<Wait | undefined> {
  const [first, ...others] = group;
  if (others.length > 0 && !(await naming(first, () => first.isDone(turn.context)))) {
    return runUnderOneLock(turn, group);
  }
  for (const step of group) {
    const wait = await naming(step, () => run(turn, step));
    if (wait) return wait;
    await naming(step, () => close(turn, step));
  }
  return undefined;
}

async function runUnderOneLock(turn: Turn, group: StepGroup): Promise<Wait | undefined> {
  let current = group[0];
  const last = group.at(-1) ?? current;
  turn.unwritten.started(current.name);
  const wait = await namingWhich(
    () => current,
    () =>
      turn.context.holding(async () => {
        for (const step of group) {
          current = step;
          const wait = await run(turn, step);
          if (wait) return wait;
          if (step !== last) await close(turn, step);
        }
        return undefined;
      }),
  );
  // After the commit: before it, the last step has changed nothing.
  if (!wait) await naming(last, () => close(turn, last));
  return wait;
}

/** Runs a step unless its effect is there. Returns what it waits for. */
async function run({ context, unwritten, notices }: Turn, step: Step): Promise<Wait | undefined> {
  if (await step.isDone(context)) return undefined;
  unwritten.started(step.name);
  // Whoever was superseded changes nothing.
  await unwritten.write();
  const result = await step.run(context);
  if (result === undefined) return undefined;
  if (!('until' in result)) {
    unwritten.result(result);
    if (result.notices) notices.set(step.name, result.notices);
    return undefined;
  }
  if (result.warning !== undefined) await warn(context, step.name, result.warning);
  const { reason } = context.rotation;
  await unwritten.waiting(step.name, result);
  // Somebody who made an emergency of it meanwhile does not wait so long.
  return context.rotation.reason === reason ? result : { ...result, until: context.clock.now() };
}

/** Records a step whose effect is there. */
async function close({ context, unwritten, before, notices }: Turn, step: Step): Promise<void> {
  if (before.has(step.name)) return;
  // Asked here: a crash may have ended the process before `run` told them.
  const told = notices.get(step.name) ?? (await step.warnings?.(context, loginsOf(context))) ?? [];
  for (const notice of told) await warn(context, step.name, notice);
  unwritten.done(step.name);
  // The grace counts from here.
  if (step.name === 'publish') await unwritten.write();
}

function naming<Result>(step: Step, act: () => Promise<Result>): Promise<Result> {
  return namingWhich(() => step, act);
}

/** Has what is thrown say in which step that was. */
async function namingWhich<Result>(which: () => Step, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof StepError ? error : new StepError(which().name, error);
  }
}
