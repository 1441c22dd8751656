import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type App, openApp } from '../../app.ts';
import { counted } from '../../counted.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { connect } from '../../postgres/connection/connect.ts';
import { refusedAs } from '../../postgres/connection/refused-as.ts';
import { policyStatus } from '../../rotation/status.ts';
import { interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { duration } from '../options/parse-option.ts';
import { runClient } from './demo/client.ts';
import { CLIENTS, CONFIGURATION, POLICY, SAMPLE_DATABASE } from './demo/configuration.ts';
import { type PublishedLogin, readPublishedLogin } from './demo/published-login.ts';
import { newTally, type Tally } from './demo/tally.ts';
import { openView } from './demo/view.ts';

/** How long to wait for the last rotation, which may still be draining when the time is up. */
const SETTLE_MS = 20_000;

export function registerDemo(subcommand: Command, io: Io): void {
  subcommand
    .addOption(
      new Option('--duration <duration>', 'how long the demo runs')
        .argParser(duration('--duration'))
        .default(40_000, '40s'),
    )
    .action((options: { duration: number }) => demo(io, options.duration));
}

async function demo(io: Io, time: number): Promise<void> {
  const stop = new AbortController();
  interrupted().then(() => stop.abort());
  // A fixed place, so that the next demo can remove what a killed one left behind.
  const home = join(io.cwd, '.keyturn', 'demo');
  io.stdout.write('Starting PostgreSQL, a worker and eight clients; this takes some seconds.');
  io.stdout.write('');
  await mkdir(join(home, 'config'), { recursive: true });
  await writeFile(join(home, 'config', 'keyturn.yaml'), CONFIGURATION);
  try {
    await using app = await openApp({
      configPath: join(home, 'config'),
      env: { KEYTURN_LOG_LEVEL: 'fatal' },
      cwd: home,
      ephemeral: true,
    });
    if (!stop.signal.aborted) await show(io, app, { home, time, stop });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  if (stop.signal.aborted) io.exit(130);
}

interface Demo {
  readonly home: string;
  /** How long it lasts, in milliseconds. */
  readonly time: number;
  readonly stop: AbortController;
}

async function show(io: Io, app: App, demo: Demo): Promise<void> {
  const connection = await app.connection(app.policy(POLICY));
  {
    await using session = await connect(connection);
    await session.client.query(SAMPLE_DATABASE);
  }
  await app.work();

  const tally = newTally();
  const seen = new Map<string, PublishedLogin>();
  const read = async () => {
    const login = await readPublishedLogin(join(demo.home, '.keyturn', 'secrets', 'shop'));
    if (login) seen.set(login.version, login);
    return login;
  };
  const ended = new AbortController();
  const signal = AbortSignal.any([demo.stop.signal, ended.signal]);
  const { host, port, database } = connection;
  const clients = Array.from({ length: CLIENTS }, () =>
    runClient({ server: { host, port, database }, read, tally, signal }),
  );
  const rotations = await watch(io, app, tally, demo);
  ended.abort();
  await Promise.all(clients);

  const current = await read();
  const replaced = [...seen.values()].filter(({ version }) => version !== current?.version);
  const alive = demo.stop.signal.aborted ? undefined : await stillAlive(replaced, connection);
  writeResult(io, { rotations, tally, replaced: replaced.length, alive });
}

/**
 * Shows what happens until the time is up and the last rotation has ended. Returns all rotations.
 */
async function watch(io: Io, app: App, tally: Tally, { time, stop }: Demo): Promise<Rotation[]> {
  const policy = app.policy(POLICY);
  const ledger = await app.ledger();
  const view = openView(io);
  const began = Date.now();
  for (;;) {
    const elapsed = Date.now() - began;
    const rotations = await ledger.latest({ policy: POLICY, limit: 1_000 });
    const last = rotations[0];
    await using context = await app.view(app.policy(POLICY));
    const history = last && { last, lastDoneAt: null };
    view({
      elapsed,
      duration: time,
      status: await policyStatus(policy, history, { timing: await ledger.timing(POLICY), context }),
      rotations,
      events: await ledger.events(last ? [last.id] : []),
      tally,
    });
    if (stop.signal.aborted || elapsed > time + SETTLE_MS) return rotations;
    if (elapsed > time && last?.status !== 'open') return rotations;
    await sleep(250, undefined, { signal: stop.signal }).catch(() => {});
  }
}

interface Result {
  readonly rotations: readonly Rotation[];
  readonly tally: Tally;
  /** How many logins were published and then replaced. */
  readonly replaced: number;
  /**
   * The replaced logins that can still log in. There must be none. Undefined where the demo was
   * interrupted: then nobody tried.
   */
  readonly alive: readonly PublishedLogin[] | undefined;
}

function writeResult(io: Io, { rotations, tally, replaced, alive }: Result): void {
  const done = rotations.filter(({ status }) => status === 'done').length;
  io.stdout.write('\n');
  for (const fault of tally.faults) io.stdout.write(`fault: ${fault}\n`);
  for (const { username } of alive ?? [])
    io.stdout.write(`fault: a replaced password of ${username} still logs in\n`);
  const passwords = counted(replaced, 'replaced password');
  io.stdout.write(
    alive === undefined
      ? `interrupted; ${passwords} not tried\n`
      : `${passwords} tried, ${alive.length} still log in\n`,
  );
  io.stdout.write(
    `demo: ${counted(done, 'rotation')}, ${counted(tally.queries, 'query', 'queries')}, ${tally.failedQueries} failed queries, ${tally.refusedLogins} refused logins\n`,
  );
  const good = tally.failedQueries + tally.refusedLogins + (alive?.length ?? 0) === 0;
  if (!good || done === 0 || rotations.some(({ status }) => status !== 'done')) io.exit(1);
}

/** The replaced logins that PostgreSQL still lets in. */
async function stillAlive(
  logins: readonly PublishedLogin[],
  connection: Parameters<typeof connect>[0],
): Promise<PublishedLogin[]> {
  const alive: PublishedLogin[] = [];
  for (const login of logins) {
    try {
      await using _session = await connect(
        { ...connection, user: login.username, password: login.password },
        { kind: 'consumer' },
      );
      alive.push(login);
    } catch (error) {
      if (refusedAs(error) === undefined) throw error;
    }
  }
  return alive;
}
