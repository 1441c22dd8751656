import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connect, type Target } from '../../src/postgres/connection/connect.ts';
import { withPolicyLock } from '../../src/postgres/locks/policy-lock.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { openFloor, ROW } from './floor.ts';
import { processorTime, progress } from './measure.ts';
import { countRows } from './one-rotation.ts';
import { many } from './options.ts';
import { loginsOf, mappingOf, NO_DRAIN, openPlace, PASSWORD, type Place, ROTATOR } from './place.ts';
import { figure, type Section } from './report.ts';
import { openBenchApp, queueAll, startWorker, untilAllOver } from './request.ts';
import { seed } from './seed.ts';

const IN_FLIGHT = 8;
const PATIENCE_S = 240;
/** How many statements of a rotation write to the ledger, its request among them. */
const LEDGER_WRITES = 9;
/** Processes that have ended count as soon as their parent has waited for them. */
const SETTLE_MS = 200;

/** Processor time in milliseconds: of the client, and of the server's processes. */
interface Spent {
  readonly client: number;
  readonly server: number;
}

/** A part of a rotation that is measured alone, and which guarantee needs it. */
interface Part {
  readonly what: string;
  readonly neededFor: string;
  readonly act: () => Promise<unknown>;
}

/** (j) Where the processor time of a rotation goes, and what the guarantee needs it for. */
export async function measureProcessor(): Promise<Section> {
  const policies = many(200, 40);
  await using place = await openPlace({ policies, settings: { max_connections: '300' } });
  await place.configure(NO_DRAIN);
  await seed(place);
  const server = await postmasterOf(place);
  const keyturn = await ofKeyturn(place, server);
  const rows = await countRows(place);
  await using floor = await openFloor(place, policies, IN_FLIGHT);
  const here = (count: number, act: () => Promise<unknown>) => spent({ pid: 'self', server, count }, act);
  await floor.rate(IN_FLIGHT);
  const bare = await here(policies, () => floor.rate(IN_FLIGHT));
  const honest = await here(policies, () => floor.rate(IN_FLIGHT, rows));
  const parts: [Part, Spent][] = [];
  await using rotator = await connect(targetOf(place, ROTATOR));
  for (const part of await partsOf(place, rotator.client)) {
    progress(part.what);
    await repeat(10, part.act);
    const count = many(100, 20);
    parts.push([part, await here(count, () => repeat(count, part.act))]);
  }
  const line = (what: string, { client, server }: Spent, neededFor = '') => [
    what,
    ...[client, server, client + server].map((time) => figure(time)),
    neededFor,
  ];
  return {
    tables: [
      {
        title: `Processor time of one rotation, in a run of ${policies} with 8 in flight, and of its parts alone.`,
        head: ['what', 'client, ms', 'server, ms', 'both, ms', 'needed for'],
        rows: [
          line('bare floor', bare),
          line('honest floor', honest),
          line('keyturn', keyturn),
          ...parts.map(([{ what, neededFor }, time]) => line(what, time, neededFor)),
        ],
        notes: [
          'The client of keyturn is a worker, that of a floor this process. The parts are measured one at a time, by code of keyturn where it has it. What is left of a rotation is what it asks before it changes anything, BullMQ, and the triggers of the ledger.',
        ],
      },
    ],
  };
}

async function ofKeyturn(place: Place, server: number): Promise<Spent> {
  await using app = await openBenchApp(place);
  const worker = await startWorker(place);
  try {
    const turn = async () => {
      const { go } = await queueAll(place, app);
      return spent({ pid: worker.pid, server, count: place.policies.length }, async () => {
        await go();
        await untilAllOver(place, PATIENCE_S);
      });
    };
    await turn();
    return await turn();
  } finally {
    await worker.stop();
  }
}

function targetOf({ target: { host, port }, workspace: { target: database } }: Place, user: string): Target {
  return { host, port, database, user, password: PASSWORD, tls: { mode: 'disable' } };
}

async function partsOf(place: Place, rotator: pg.Client): Promise<readonly Part[]> {
  const [policy = ''] = place.policies;
  const [login] = loginsOf(policy);
  await place.admin.query(`ALTER ROLE ${login} LOGIN PASSWORD '${scramVerifier(PASSWORD)}'`);
  const store = openFileStore({ name: 'files', path: join(place.workspace.folder, 'parts') });
  const mapping = mappingOf(policy);
  return [
    {
      what: 'two logins with the new password',
      neededFor: 'G1: before publish, and before the old login is shut out',
      act: () =>
        repeat(2, async () => {
          await using _session = await connect(targetOf(place, login), { kind: 'consumer' });
        }),
    },
    {
      what: 'three transactions with the lock of the policy',
      neededFor: 'G4: set, publish and revoke, each by whoever may alter the logins, and by nobody else',
      act: () => repeat(3, () => withPolicyLock(rotator, loginsOf(policy), async () => {})),
    },
    {
      what: `${LEDGER_WRITES} commits of a row of the ledger`,
      neededFor: 'G4: a step is recorded before the next changes anything',
      act: () => repeat(LEDGER_WRITES, () => place.state.query(ROW, [randomUUID()])),
    },
    {
      what: 'a version staged, promoted and read back in files',
      neededFor: 'G2, G3: the store is the journal',
      act: async () => {
        const token = randomUUID();
        await store.stage(mapping, token, { username: login, password: PASSWORD }, { create: true });
        await store.promote(mapping, token);
        await store.read(mapping, 'current');
      },
    },
    {
      what: 'the verifier of a password',
      neededFor: 'G3: PostgreSQL gets no password',
      act: async () => scramVerifier(PASSWORD),
    },
  ];
}

async function repeat(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < count; round += 1) await act();
}

/** What a client and the server spend on each of so many. */
async function spent(
  { pid, server, count }: { readonly pid: number | 'self'; readonly server: number; readonly count: number },
  act: () => Promise<unknown>,
): Promise<Spent> {
  const [client, ofServer] = [(await processorTime(pid)).own, await timeOfServer(server)];
  await act();
  await sleep(SETTLE_MS);
  return {
    client: ((await processorTime(pid)).own - client) / count,
    server: ((await timeOfServer(server)) - ofServer) / count,
  };
}

/** Of all processes of a server, also of those that have ended. */
async function timeOfServer(postmaster: number): Promise<number> {
  const { own, children } = await processorTime(postmaster);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const times = await Promise.all(pids.map((pid) => processorTime(pid).catch(() => undefined)));
  return times.reduce((sum, time) => (time?.parent === postmaster ? sum + time.own : sum), own + children);
}

async function postmasterOf({ admin }: Place): Promise<number> {
  const { rows } = await admin.query<{ text: string }>(
    "SELECT pg_catalog.pg_read_file('postmaster.pid') AS text",
  );
  return Number.parseInt(rows[0]?.text ?? '', 10);
}
