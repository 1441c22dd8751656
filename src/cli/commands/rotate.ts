import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import { Fault, fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation, StepName } from '../../ledger/rotation.ts';
import { tell, tellError } from '../../messages/tell.ts';
import { isQueueFault } from '../../queue/queue-fault.ts';
import { type RotationReport, reportRotation } from '../../rotation/report.ts';
import { stepsOf } from '../../rotation/steps.ts';
import { interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { duration } from '../options/parse-option.ts';
import { confirm } from '../output/confirm.ts';
import { reportJson } from '../output/fact-json.ts';
import { showProgress } from '../output/progress.ts';
import { tellLeftOpen } from '../output/tell-left-open.ts';
import { tellOutsideChanges } from '../output/tell-outside-changes.ts';
import { heldUntil, isOpenAlready, requestRotation, tellNoWorker } from '../request-rotation.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { rotateByWorker } from '../rotate-by-worker.ts';
import { rotateHere } from '../rotate-here.ts';
import { STUCK_MS, untilStuck } from '../until-stuck.ts';
import { untilUnknown } from '../until-unknown.ts';
import { watchRotations } from '../watch-rotations.ts';
import { type ConfigOption, namedOrAll, withApp } from '../with-app.ts';
import { writeError } from '../write-error.ts';

interface Options extends ConfigOption, ReasonOption {
  readonly all?: true;
  readonly wait?: true;
  readonly inline?: boolean;
  readonly emergency?: true;
  readonly adopt?: boolean;
  /** With --adopt: the rotation that goes on. Left out: a new one begins. */
  readonly goesOn?: string;
  readonly yes?: true;
  readonly json?: true;
  readonly timeout?: number;
  /** With --inline while a worker is up: whether this process continues if the worker does not. */
  readonly helps?: boolean;
}

/** When an emergency gives up waiting, with exit code 3, unless `--timeout` says otherwise. */
const EMERGENCY_TIMEOUT_MS = 5 * 60_000;
/** How long to wait for a worker that is just starting. */
const WORKER_PATIENCE_MS = 5_000;
const FREE_POLL_MS = 500;

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
    .action((names: string[], options: Options) =>
      withApp(io, options, (app) => run(io, app, names, options)),
    );
}

async function run(io: Io, app: App, names: readonly string[], asked: Options): Promise<void> {
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
  options: Options,
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
      await enqueue(app, answer);
    }
  }
  writeQueued(io, requested, options);
  if (requested.length > 0 && !hasWorker) tellNoWorker(io);
}

/** With --inline the queue is optional: if it cannot be reached, `answer` is used. */
function unreachable<Answer>({ inline }: Options, answer: Answer): (error: unknown) => Answer {
  return (error) => {
    if (inline && isQueueFault(error)) return answer;
    throw error;
  };
}

/** With --emergency, ends the drains of open rotations. Returns whether there are any. */
async function escalateOpen(app: App, policies: readonly Policy[], options: Options): Promise<boolean> {
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

async function enqueue(app: App, rotation: Rotation): Promise<void> {
  const queue = await app.queue();
  await queue.enqueue(rotation);
}

function writeQueued(io: Io, rotations: readonly Rotation[], { json }: Options): void {
  if (json) io.stdout.json(rotations.map((rotation) => reportJson(reportRotation(rotation, []))));
  else for (const { id, policy } of rotations) io.stdout.write(`${policy}: rotation ${id} is queued\n`);
}

async function requestAndWait(
  io: Io,
  app: App,
  policies: readonly Policy[],
  options: Options,
): Promise<void> {
  const { emergency, json } = options;
  const timeout = options.timeout ?? (emergency ? EMERGENCY_TIMEOUT_MS : undefined);
  const ledger = await app.ledger();
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const stopped = interrupted().then(() => 'interrupted' as const);
  const expired = expiry(timeout, signal);
  const watched = { rotations: [] as Rotation[], complete: false };
  const work = async () => {
    await Promise.all(
      policies.map(async (policy) => {
        const rotation = await requestWhenFree(io, app, policy, options, signal);
        if (!rotation) return;
        watched.rotations.push(rotation);
        await start(app, rotation, options, signal);
      }),
    );
    watched.complete = true;
  };
  // Waiting ends when an inline rotation cannot continue. One that continues is followed in the
  // ledger.
  const all = Promise.all([
    work(),
    showProgress(io, watchRotations(ledger, watched, signal), stepNames(app)),
  ]);
  const names = policies.map(({ name }) => name);
  const stuck = emergency ? untilStuck(ledger, names, signal) : new Promise<never>(() => {});
  const unknown = untilUnknown(ledger, () => watched.rotations, { signal });
  const ended = all.then(() => 'done' as const);
  const end = await Promise.race([ended, stopped, expired, stuck, unknown]).finally(() => giveUp.abort());
  await all.catch(() => {});
  const ids = watched.rotations.map(({ id }) => id);
  await tellEnd(io, ledger, { policies, ids, end, json, hasWorker: !options.inline });
}

/** Resolves when the time is up; without a timeout never. */
function expiry(timeout: number | undefined, signal: AbortSignal): Promise<'expired' | 'done'> {
  if (timeout === undefined) return new Promise(() => {});
  return sleep(timeout, 'expired' as const, { ref: false, signal }).catch(() => 'done');
}

function stepNames(app: App): (rotation: Rotation) => readonly StepName[] {
  return (rotation) => stepsOf({ policy: app.policy(rotation.policy), rotation }).map(({ name }) => name);
}

/** Runs a rotation in this process, or has a worker run it. */
async function start(app: App, rotation: Rotation, options: Options, signal: AbortSignal): Promise<void> {
  if (options.inline) await rotateHere(app, rotation.id, signal);
  else if (options.helps) await rotateByWorker(app, rotation, signal);
  else await enqueue(app, rotation);
}

/** Prints the results of the rotations that were waited for, and sets the exit code. */
async function tellEnd(
  io: Io,
  ledger: Ledger,
  {
    policies,
    ids,
    end,
    json,
    hasWorker,
  }: {
    readonly policies: readonly Policy[];
    readonly ids: readonly string[];
    readonly end: 'done' | 'interrupted' | 'expired' | 'stuck' | Fault;
    readonly json: true | undefined;
    readonly hasWorker: boolean;
  },
): Promise<void> {
  const events = await ledger.events(ids);
  const rows = (await Promise.all(ids.map((id) => ledger.find(id)))).filter((row) => row !== undefined);
  const replaced = rows.map(({ replaces }) => replaces);
  const reports = rows
    .filter(({ id }) => !replaced.includes(id))
    .map((rotation) => reportRotation(rotation, events));
  if (json) io.stdout.json(reports.map(reportJson));
  else for (const report of reports) io.stdout.write(`${sentence(report)}\n`);
  if (end instanceof Fault) throw end;
  if (end === 'stuck') await tellStuck(io, ledger, { policies, own: ids, json });
  if (end === 'interrupted' || end === 'expired') await tellLeftOpen(io, ledger, { policies, hasWorker });
  if (end === 'interrupted') io.exit(130);
  else if (end === 'expired') io.exit(3);
  else if (end === 'stuck' || reports.some(({ status }) => status !== 'done')) io.exit(1);
}

/**
 * Says what an emergency gave up waiting for: its own rotations, or those that were open before.
 */
async function tellStuck(
  io: Io,
  ledger: Ledger,
  {
    policies,
    own,
    json,
  }: {
    readonly policies: readonly Policy[];
    readonly own: readonly string[];
    readonly json: true | undefined;
  },
): Promise<void> {
  for (const { name } of policies) {
    for (const { id, lastFault } of await ledger.open(name)) {
      if (json) {
        if (lastFault) writeError(io, new Fault(lastFault), { json });
        continue;
      }
      if (!own.includes(id)) {
        io.stderr.write(
          `${name}: rotation ${id} was open before and does not end, so no new one was opened: ${lastFault && tell(lastFault)}\n`,
        );
      }
      io.stderr.write(
        `${name}: rotation ${id} stays open, and a worker keeps retrying it; see: keyturn status ${name}. Fix the cause; if no worker is up, run again: keyturn rotate ${name} --emergency --inline\n`,
      );
    }
  }
}

/**
 * Opens a rotation as soon as the open one has ended. Returns undefined if the signal is aborted
 * before.
 */
async function requestWhenFree(
  io: Io,
  app: App,
  policy: Policy,
  options: Options,
  signal: AbortSignal,
): Promise<Rotation | undefined> {
  let told: string | undefined;
  while (!signal.aborted) {
    const answer = await requestRotation(app, policy, options);
    if (!isOpenAlready(answer)) return answer;
    const { rotation } = answer.fact.params;
    if (rotation && told !== rotation.id) {
      told = rotation.id;
      // Without a worker, no other process would run it.
      const how = options.inline ? 'goes on with' : 'waits for';
      io.stderr.write(
        `${policy.name}: ${how} rotation ${rotation.id}, which is open${heldUntil(policy, answer)}\n`,
      );
      if (options.inline) await rotateHere(app, rotation.id, signal);
    }
    await sleep(FREE_POLL_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

async function workerUp(app: App, patience: number): Promise<boolean> {
  const deadline = performance.now() + patience;
  while ((await app.workers()) === 0) {
    if (performance.now() >= deadline) return false;
    await sleep(200);
  }
  return true;
}

async function confirmRisk(policies: readonly Policy[], options: Options): Promise<void> {
  if (options.yes || !(options.all || options.emergency || options.adopt)) return;
  const names = policies.map(({ name }) => name).join(', ');
  const risk = options.emergency ? ' at once, cutting the sessions that use the old login' : '';
  const adopting = options.adopt ? ', taking over what was changed' : '';
  await confirm(`Rotate ${names}${risk}${adopting}?`);
}

function sentence({ policy, status, incoming, outgoing, fault, rotation }: RotationReport): string {
  const revoked = outgoing === null ? 'its old password is refused' : `${outgoing} is revoked`;
  if (status === 'done') return `${policy}: ${incoming} is published, ${revoked}`;
  if (status === 'failed') return `${policy}: failed: ${fault && tell(fault)}`;
  return `${policy}: rotation ${rotation} is still open${fault ? `: ${tell(fault)}` : ''}`;
}
