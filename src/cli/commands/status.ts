import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import pMap from 'p-map';
import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import { tell } from '../../messages/tell.ts';
import { isQueueFault } from '../../queue/queue-fault.ts';
import { type PolicyState, type PolicyStatus, policyStatus } from '../../rotation/status.ts';
import { interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { describeRequest } from '../output/describe-requester.ts';
import { factJson } from '../output/fact-json.ts';
import { relative, writeTable } from '../output/table.ts';
import { type ConfigOption, choosePolicies, withApp } from '../with-app.ts';

/** A server has a limited number of connections, and many policies may share it. */
const PARALLEL = { concurrency: 8 };

const WATCH_INTERVAL_MS = 2_000;

export function registerStatus(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--json', 'print JSON')
    .option('--watch', 'repeat it every 2 s until Ctrl-C')
    .action((names: string[], options: ConfigOption & { json?: true; watch?: true }) =>
      withApp(io, options, async (app) => {
        const policies = choosePolicies(app, names);
        const show = async () => {
          const [statuses, fault] = await Promise.all([readStatus(app, policies), queueFault(app)]);
          if (options.watch && !options.json) io.stdout.move('clear screen');
          write(io, statuses, app.clock.now(), options.json);
          if (statuses.some(isAlarming)) io.exit(1);
          if (fault !== undefined) io.stderr.write(`keyturn: ${tell(fault)}\n`);
        };
        if (!options.watch) return show();
        const stop = interrupted();
        let going = true;
        stop.then(() => {
          going = false;
        });
        while (going) {
          await show();
          await Promise.race([sleep(WATCH_INTERVAL_MS, undefined, { ref: false }), stop]);
        }
      }),
    );
}

async function readStatus(app: App, policies: readonly Policy[]): Promise<PolicyStatus[]> {
  const ledger = await app.ledger();
  const names = policies.map(({ name }) => name);
  const [summary, timings, broken] = await Promise.all([
    ledger.summary(names),
    ledger.timings(names),
    ledger.probes.broken(names),
  ]);
  return pMap(
    policies,
    async (policy) => {
      await using context = await app.view(policy);
      const timing = timings.get(policy.name) ?? (await ledger.timing(policy.name));
      return await policyStatus(policy, summary.get(policy.name), {
        timing,
        context,
        broken: broken.get(policy.name),
      });
    },
    PARALLEL,
  );
}

/** Whether somebody has to look at a policy. */
function isAlarming({ state, reachable }: PolicyStatus): boolean {
  return !reachable || state === 'failed' || state === 'overdue' || state === 'broken';
}

/** A fault that stops the rotation of all policies, if there is one. */
async function queueFault(app: App): Promise<Fact | undefined> {
  const ledger = await app.ledger();
  // A standby server does not know the sessions of its primary.
  if (await ledger.isReadOnly()) return fact('state-read-only', { server: null, detail: null });
  try {
    if ((await app.workers()) > 0) return undefined;
    return fact('nothing-rotates-by-itself', {}, command('start'));
  } catch (error) {
    if (isQueueFault(error)) return error.fact;
    throw error;
  }
}

function write(io: Io, statuses: readonly PolicyStatus[], now: number, json: true | undefined): void {
  if (json) {
    io.stdout.json(statuses.map(statusJson));
    return;
  }
  writeTable(
    io,
    ['policy', 'state', 'active', 'standby', 'sessions', 'last rotated', 'next rotation'],
    statuses.map((status) => [
      status.policy,
      { text: status.state, colour: COLOURS[status.state] },
      status.active ?? '-',
      status.standby ?? '-',
      status.sessions
        ? Object.entries(status.sessions)
            .map(([login, count]) => `${login}: ${count}`)
            .join(', ')
        : 'unknown',
      status.lastRotatedAt === null ? 'never' : relative(status.lastRotatedAt, now),
      nextRotation(status, now),
    ]),
  );
  for (const status of statuses) {
    const { policy, clockWarning, openRotation, paused } = status;
    const texts = faultTexts(status);
    if (paused) {
      io.stdout.write(`${policy}: paused since ${paused.requestedAt} by ${describeRequest(paused)}\n`);
    }
    if (openRotation) {
      const { rotation, requestedAt } = openRotation;
      const who = describeRequest(openRotation);
      io.stdout.write(`${policy}: rotation ${rotation} was asked for at ${requestedAt} by ${who}\n`);
    }
    if (texts.length > 0) io.stdout.write(`${policy}: ${texts.join('; ')}\n`);
    if (clockWarning !== null) io.stdout.write(`${policy}: ${tell(clockWarning)}\n`);
  }
}

/** A status as `--json` prints it: facts and their messages. */
function statusJson(status: PolicyStatus) {
  const { faults, clockWarning, lastFailure, ...rest } = status;
  const texts = faultTexts(status);
  const fault = faults[0] ?? lastFailure?.fault;
  return {
    ...rest,
    lastError: texts.length > 0 ? texts.join('; ') : null,
    fault: fault ? factJson(fault) : null,
    lastFailure: lastFailure && { ...lastFailure, fault: factJson(lastFailure.fault) },
    clockWarning: clockWarning && tell(clockWarning),
  };
}

/** What is wrong now, then what went wrong last. */
function faultTexts({ faults, lastFailure }: PolicyStatus): string[] {
  if (lastFailure === null) return faults.map(tell);
  const { failedAt: at, fault: cause } = lastFailure;
  const last = at === null ? cause : fact('rotation-failed', { at, cause, adopt: false });
  return [...faults, last].map(tell);
}

function nextRotation({ state, nextRotationAt }: PolicyStatus, now: number): string {
  if (nextRotationAt !== null) return relative(nextRotationAt, now);
  return state === 'paused' ? 'when resumed' : 'when asked';
}

const COLOURS: Readonly<Record<PolicyState, 'green' | 'yellow' | 'red' | 'cyan'>> = {
  new: 'cyan',
  active: 'green',
  rotating: 'yellow',
  draining: 'yellow',
  retrying: 'red',
  failed: 'red',
  overdue: 'red',
  paused: 'cyan',
  broken: 'red',
};
