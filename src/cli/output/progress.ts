import { Listr, type ListrTask, type ListrTaskWrapper } from 'listr2';
import type { Rotation, StepName } from '../../ledger/rotation.ts';
import { visible } from '../../visible.ts';
import type { Io } from '../io.ts';
import type { Happening } from '../watch-rotations.ts';

/** Which steps a rotation has, in their order. */
type StepsOf = (rotation: Rotation) => readonly StepName[];

/**
 * Shows rotations as they go on, on stderr: a live list on a terminal, else a line for each event.
 */
export async function showProgress(
  io: Io,
  happenings: AsyncIterable<Happening>,
  stepsOf: StepsOf,
): Promise<void> {
  if (io.stderr.isTTY) return showList(happenings, stepsOf);
  for await (const happening of happenings) {
    const { policy } = happening.rotation;
    if ('ended' in happening) io.stderr.write(`${policy}: ${happening.rotation.status}\n`);
    else io.stderr.write(`${policy}: ${happening.event.step} ${describe(happening)}\n`);
  }
}

function describe({ event }: Extract<Happening, { event: unknown }>): string {
  return event.detail ? `${event.kind}: ${event.detail}` : event.kind;
}

interface Line {
  settle(error?: Error): void;
  readonly settled: Promise<void>;
  task?: ListrTaskWrapper<unknown, never, never>;
}

async function showList(happenings: AsyncIterable<Happening>, stepsOf: StepsOf): Promise<void> {
  const lines = new Map<string, Map<StepName, Line>>();
  const list = new Listr([], { concurrent: true, exitOnError: false, fallbackRenderer: 'silent' });
  let running: Promise<unknown> | undefined;
  for await (const happening of happenings) {
    const { rotation } = happening;
    let steps = lines.get(rotation.id);
    if (!steps) {
      steps = new Map(stepsOf(rotation).map((name) => [name, openLine()]));
      lines.set(rotation.id, steps);
      list.add(taskOf(rotation, steps));
      running ??= list.run().catch(() => {});
    }
    if ('ended' in happening) {
      for (const line of steps.values()) {
        line.settle(
          rotation.status === 'done' ? undefined : new Error(visible(rotation.lastError ?? 'failed')),
        );
      }
    } else {
      const line = steps.get(happening.event.step);
      if (happening.event.kind === 'done') line?.settle();
      else if (line?.task && happening.event.detail) line.task.output = visible(happening.event.detail);
    }
  }
  for (const steps of lines.values()) for (const line of steps.values()) line.settle(new Error('still open'));
  await running;
}

/** A rotation in the list, with a line for each of its steps. */
function taskOf({ policy }: Rotation, steps: ReadonlyMap<StepName, Line>): ListrTask {
  return {
    title: visible(policy),
    task: (_, task) =>
      task.newListr(
        [...steps].map(([name, state]) => ({
          title: name,
          task: (_, line) => {
            // Listr's type of a task names its renderer, of which a line has no use.
            state.task = line as never;
            return state.settled;
          },
        })),
        { concurrent: false, exitOnError: true },
      ),
  };
}

function openLine(): Line {
  const { promise, resolve, reject } = withResolvers();
  promise.catch(() => {});
  return { settled: promise, settle: (error) => (error ? reject(error) : resolve()) };
}

// Promise.withResolvers comes with Node.js 22.
function withResolvers() {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
