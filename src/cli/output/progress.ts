import type { ListrTask, ListrTaskWrapper } from 'listr2';
import type { Rotation, StepName } from '../../ledger/rotation.ts';
import { tell } from '../../messages/tell.ts';
import { visible } from '../../visible.ts';
import type { Io } from '../io.ts';
import type { RotationNews } from '../watch-rotations.ts';

/** The steps of a rotation, in order. */
type StepsOf = (rotation: Rotation) => readonly StepName[];

/**
 * Shows the progress of rotations on stderr: a live list on a terminal, otherwise a line for each
 * event.
 */
export async function showProgress(
  io: Io,
  news: AsyncIterable<RotationNews>,
  stepsOf: StepsOf,
): Promise<void> {
  if (io.stderr.isTTY) return showList(news, stepsOf);
  for await (const item of news) {
    const { policy } = item.rotation;
    if ('ended' in item) io.stderr.write(`${policy}: ${item.rotation.status}\n`);
    else io.stderr.write(`${policy}: ${item.event.step} ${describe(item)}\n`);
  }
}

function describe({ event }: Extract<RotationNews, { event: unknown }>): string {
  return event.fact ? `${event.kind}: ${tell(event.fact)}` : event.kind;
}

interface Line {
  settle(error?: Error): void;
  readonly settled: Promise<void>;
  task?: ListrTaskWrapper<unknown, never, never>;
}

async function showList(news: AsyncIterable<RotationNews>, stepsOf: StepsOf): Promise<void> {
  const lines = new Map<string, Map<StepName, Line>>();
  const { Listr } = await import('listr2');
  const list = new Listr([], {
    concurrent: true,
    exitOnError: false,
    fallbackRenderer: 'silent',
    // Its own listener ends the process at once, with 127.
    registerSignalListeners: false,
  });
  let running: Promise<unknown> | undefined;
  for await (const item of news) {
    const { rotation } = item;
    let steps = lines.get(rotation.id);
    if (!steps) {
      steps = new Map(stepsOf(rotation).map((name) => [name, openLine()]));
      lines.set(rotation.id, steps);
      list.add(taskOf(rotation, steps));
      running ??= list.run().catch(() => {});
    }
    if ('ended' in item) {
      for (const line of steps.values()) {
        line.settle(
          rotation.status === 'done'
            ? undefined
            : new Error(visible(rotation.lastFault ? tell(rotation.lastFault) : 'failed')),
        );
      }
    } else {
      const line = steps.get(item.event.step);
      if (item.event.kind === 'done') line?.settle();
      else if (line?.task && item.event.fact) line.task.output = visible(tell(item.event.fact));
    }
  }
  for (const steps of lines.values()) for (const line of steps.values()) line.settle(new Error('still open'));
  await running;
}

/** A rotation in the list, and a line for each of its steps. */
function taskOf({ policy }: Rotation, steps: ReadonlyMap<StepName, Line>): ListrTask {
  return {
    title: visible(policy),
    task: (_, task) =>
      task.newListr(
        [...steps].map(([name, state]) => ({
          title: name,
          task: (_, line) => {
            // Listr's type of a task names its renderer, which does not matter here.
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
