import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import { parseDuration } from '../../src/config/values/duration.ts';
import { startAwsProxy } from '../support/aws-proxy.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { examine, rotateOnceMore, settle } from './at-rest.ts';
import { holdSessions, tryLogins } from './consumers.ts';
import { openCrew } from './crew.ts';
import { kindsOf } from './faults.ts';
import { openFleet } from './fleet.ts';
import { Harms } from './harms.ts';
import { LedgerView, watchHistory } from './ledger-view.ts';
import { MovingTarget } from './moving-target.ts';
import { operate } from './operator.ts';
import { Publications } from './publications.ts';
import { randomFrom } from './random.ts';
import { startRedisVictim } from './redis-victim.ts';
import { storm } from './storm.ts';
import { describeFaults, openTally } from './tally.ts';
import { watchDoors } from './watch-doors.ts';
import { mendStandbys, watchHarms } from './watch-harms.ts';

const DURATION = parseDuration(process.env.KEYTURN_CHAOS_DURATION ?? '60s') ?? 60_000;
const SEED = Number(process.env.KEYTURN_CHAOS_SEED ?? 1);
const ON_REDIS = process.env.KEYTURN_CHAOS_QUEUE === 'redis';
const ONLY = (process.env.KEYTURN_CHAOS_ONLY ?? '').split(',').filter((kind) => kind !== '');
const VERBOSE = process.env.KEYTURN_CHAOS_VERBOSE === '1';
const WORKERS = 4;

test('the guarantees hold while everything fails (G1 to G5)', async () => {
  const tally = openTally({ verbose: VERBOSE });
  await using target = await MovingTarget.start();
  await using state = await startPostgres();
  await using proxy = await startTcpProxy(target);
  const emulator = inject('aws');
  await using aws = emulator ? await startAwsProxy(emulator) : undefined;
  await using redis = ON_REDIS ? await startRedisVictim() : undefined;
  const stateUrl = `postgresql://${[state.user, state.password].map(encodeURIComponent).join(':')}@${state.host}:${state.port}/postgres`;
  await using fleet = await openFleet({
    target: target.address(),
    targetPort: proxy.port,
    stateUrl,
    redisUrl: redis?.url,
    aws: emulator && aws ? { direct: emulator, throughProxy: aws.url } : undefined,
    size: { files: 4, aws: 2 },
  });
  // The logins themselves are not to be lost.
  await target.ask('CHECKPOINT');
  await using ledger = new LedgerView(stateUrl);
  await using crew = await openCrew(fleet.folder, WORKERS);
  const ended = new AbortController();
  const { signal } = ended;
  setMaxListeners(0, signal);
  const harms = new Harms();
  const watch = { target, ledger, harms, tally, signal, database: fleet.database };
  const policies = new Map(
    fleet.policies.map((policy) => [
      policy,
      new Publications(policy, (rotation) =>
        tally.violation({ guarantee: 'G4', policy: policy.name, rotation, seen: 'it has two passwords' }),
      ),
    ]),
  );
  const stores = new Map([...policies].map(([{ name }, store]) => [name, store]));
  const watching = [
    watchHistory(ledger, tally, signal),
    watchHarms(stores, watch),
    ...[...policies].flatMap(([policy, store]) => [
      watchDoors(policy, store, watch),
      tryLogins(policy, store, watch),
      holdSessions(policy, store, watch),
    ]),
  ];

  const calm = new AbortController();
  setMaxListeners(0, calm.signal);
  const isOperated = ONLY.length === 0 || ONLY.includes('operator');
  const operating = isOperated
    ? operate(fleet, randomFrom(SEED + 1), { ledger, signal: calm.signal })
    : { emergencies: 0, rollbacks: 0 };
  await storm({
    victims: { ...watch, signal: calm.signal, crew, policies, state, proxy, aws, redis },
    kinds: kindsOf(ONLY, { redis, aws }),
    duration: DURATION,
    seed: SEED,
    calm,
  });
  const deeds = await operating;
  tally.note('the storm is over');

  await settleHarms(harms);
  const stuck = await settle(ledger, fleet, watch);
  await mendStandbys(stores, watch);
  await rotateOnceMore(fleet, stuck, watch);
  await examine(stores, fleet, stuck, watch);
  ended.abort();
  await Promise.all(watching);
  await refuseSecrets(crew.log(), ledger, { stores, tally });
  const done = await ledger.insist("SELECT count(*)::int AS n FROM keyturn.rotation WHERE status = 'done'");
  const rotations: number = done[0]?.n;

  for (const policy of tally.violated) {
    process.stdout.write(`the history of ${policy}:\n  ${(await ledger.history(policy)).join('\n  ')}\n`);
  }
  const count = [...tally.faults.values()].reduce((sum, each) => sum + each, 0);
  process.stdout.write(
    `chaos: among them ${deeds.emergencies} emergencies and ${deeds.rollbacks} rollbacks asked for\n`,
  );
  const line = `chaos: seed ${SEED}, ${rotations} rotations, ${count} faults (${describeFaults(tally.faults)}), ${tally.logins} logins tried, ${tally.looks} looks at both logins, ${tally.violations.length} violations`;
  if (process.env.KEYTURN_CHAOS_RESULT) await writeFile(process.env.KEYTURN_CHAOS_RESULT, line);
  expect(tally.violations).toEqual([]);
  expect(rotations).toBeGreaterThan(0);
});

/** Waits until what the harness broke is whole again; it is mended by hand in the end. */
async function settleHarms(harms: Harms): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (harms.open().length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** No password is in a log of keyturn's or in the ledger (G3). */
async function refuseSecrets(
  log: string,
  ledger: LedgerView,
  { stores, tally }: { stores: ReadonlyMap<string, Publications>; tally: ReturnType<typeof openTally> },
): Promise<void> {
  const dump = await ledger.insist(
    'SELECT json_agg(r)::text AS rotations, (SELECT json_agg(e)::text FROM keyturn.event AS e) AS events FROM keyturn.rotation AS r',
  );
  const told = `${log}${dump[0]?.rotations}${dump[0]?.events}`;
  for (const [policy, store] of stores) {
    for (const { password, version: rotation } of store.all()) {
      if (!told.includes(password)) continue;
      tally.violation({
        guarantee: 'G3',
        policy,
        rotation,
        seen: 'its password is in the log of a worker or in the ledger',
      });
    }
  }
}
