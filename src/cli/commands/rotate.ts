import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { tellError } from '../../messages/tell.ts';
import { isQueueFault } from '../../queue/queue-fault.ts';
import { reportRotation } from '../../rotation/report.ts';
import type { Io } from '../io.ts';
import { duration } from '../options/parse-option.ts';
import { confirm } from '../output/confirm.ts';
import { reportJson } from '../output/fact-json.ts';
import { tellOutsideChanges } from '../output/tell-outside-changes.ts';
import { heldUntil, isOpenAlready, requestRotation, tellNoWorker } from '../request-rotation.ts';
import { addReasonOption, requester } from '../requester.ts';
import { namedOrAll, withApp } from '../with-app.ts';
import { writeError } from '../write-error.ts';
import { EMERGENCY_TIMEOUT_MS, type RotateOptions } from './rotate/options.ts';
import { STUCK_MS } from './rotate/until-stuck.ts';
import { requestAndWait } from './rotate/wait.ts';

/** How long to wait for a worker that is just starting. */
const WORKER_PATIENCE_MS = 5_000;

export function registerRotate(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--all', 'rotate every policy; asks first')
    .option('--wait', 'show progress and wait for the end')
    .option(
      '--timeout <duration>',
      'with --wait: stop waiting after this time, such as 10m (exit code 3)',
      duration('--timeout'),
    )
    .option(
      '--inline',
      'rotate in this process if no worker is up, or in any case with --emergency; implies --wait',
    )
    .option(
      '--emergency',
      `for a leaked password: ends the sessions at once, without grace or drain; asks first; stops waiting after ${STUCK_MS / 1000} s of failures (exit code 1), or after ${EMERGENCY_TIMEOUT_MS / 60_000} min`,
    )
    .option('--adopt', 'adopt what others changed in the secrets of one policy; shows it and asks first')
    .option('--yes', 'answer the question with yes')
    .option('--json', 'print JSON')
    .action((names: string[], options: RotateOptions) =>
      withApp(io, options, (app) => run(io, app, names, options)),
    );
}

async function run(io: Io, app: App, names: readonly string[], asked: RotateOptions): Promise<void> {
  const { all } = asked;
  const policies = namedOrAll(app, names, all);
  const [first, ...others] = policies;
  if (asked.adopt && (all || !first || others.length > 0)) {
    throw fault('adopt-needs-one-policy', {});
  }
  // The answer covers only the changes that were shown.
  const adoption = asked.adopt && first ? await tellOutsideChanges(io, app, first) : { adopt: false };
  const options = { ...asked, ...adoption };
  await confirmRisk(policies, options);
  // A leaked password stays in use while an open rotation drains, so an emergency ends the drain.
  const isOpen = await escalateOpen(app, policies, options);
  const wait = Boolean(options.wait || options.inline || isOpen);
  // A worker that was stopped counts as up for some time. An emergency cannot wait for that.
  const inline =
    Boolean(options.inline) &&
    (Boolean(options.emergency) || (await app.workers().catch(unreachable(options, 0))) === 0);
  if (wait && !inline && !(await workerUp(app, WORKER_PATIENCE_MS))) {
    throw fault('no-worker-to-rotate', {}, { remedies: [command('start')] });
  }

  if (wait) await requestAndWait(io, app, policies, { ...options, inline, helps: Boolean(options.inline) });
  else await requestAndQueue(io, app, policies, options);
}

/** Opens rotations, and leaves them to a worker. */
async function requestAndQueue(
  io: Io,
  app: App,
  policies: readonly Policy[],
  options: RotateOptions,
): Promise<void> {
  // Ask this first: if the queue cannot be reached, no rotation must be opened that would wait for
  // the sweep.
  const hasWorker = await workerUp(app, 0);
  const requested: Rotation[] = [];
  for (const policy of policies) {
    const answer = await requestRotation(app, policy, options);
    if (isOpenAlready(answer)) {
      if (options.json) writeError(io, answer, { json: true });
      else {
        io.stderr.write(
          `keyturn: ${tellError(answer)}${heldUntil(policy, answer)}; with --wait this one follows it\n`,
        );
      }
      io.exit(1);
    } else {
      requested.push(answer);
      await (await app.queue()).enqueue(answer);
    }
  }
  writeQueued(io, requested, options);
  if (requested.length > 0 && !hasWorker) tellNoWorker(io);
}

/** With --inline the queue is optional: if it cannot be reached, `answer` is used. */
function unreachable<Answer>({ inline }: RotateOptions, answer: Answer): (error: unknown) => Answer {
  return (error) => {
    if (inline && isQueueFault(error)) return answer;
    throw error;
  };
}

/** With --emergency, ends the drains of open rotations. Returns whether there are any. */
async function escalateOpen(app: App, policies: readonly Policy[], options: RotateOptions): Promise<boolean> {
  if (!options.emergency) return false;
  const ledger = await app.ledger();
  const open = (await Promise.all(policies.map(({ name }) => ledger.open(name)))).flat();
  for (const { id } of open) {
    const escalated = await ledger.escalate(id, requester(options));
    if (!escalated) continue;
    const queue = await app.queue();
    await queue.hurry(escalated).catch(unreachable(options, undefined));
  }
  return open.length > 0;
}

function writeQueued(io: Io, rotations: readonly Rotation[], { json }: RotateOptions): void {
  if (json) io.stdout.json(rotations.map((rotation) => reportJson(reportRotation(rotation, []))));
  else for (const { id, policy } of rotations) io.stdout.write(`${policy}: rotation ${id} is queued\n`);
}

async function workerUp(app: App, patience: number): Promise<boolean> {
  const deadline = performance.now() + patience;
  while ((await app.workers()) === 0) {
    if (performance.now() >= deadline) return false;
    await sleep(200);
  }
  return true;
}

async function confirmRisk(policies: readonly Policy[], options: RotateOptions): Promise<void> {
  if (options.yes || !(options.all || options.emergency || options.adopt)) return;
  const names = policies.map(({ name }) => name).join(', ');
  const risk = options.emergency ? ' at once, cutting the sessions that use the old login' : '';
  const adopting = options.adopt ? ', taking over what was changed' : '';
  await confirm(`Rotate ${names}${risk}${adopting}?`);
}
