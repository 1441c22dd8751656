import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { LedgerView } from './ledger-view.ts';
import { letsIn, lookAt } from './login-rows.ts';
import { runCommand } from './operator.ts';
import type { Publications } from './publications.ts';
import type { Watch } from './watch-doors.ts';

/** After the storm: a killed worker's jobs are taken over, the longest backoff passes, the last drain ends. */
const SETTLE_MS = 150_000;

/** Pauses every policy and waits until no rotation is open. Returns the policies that have one all the same. */
export async function settle(ledger: LedgerView, fleet: Fleet, { tally }: Watch): Promise<string[]> {
  const names = fleet.policies.map(({ name }) => name);
  await ledger.insist(
    'INSERT INTO keyturn.policy (name, first_seen_at, paused_at) SELECT name, now(), now() FROM unnest($1::text[]) AS name ON CONFLICT (name) DO UPDATE SET paused_at = now()',
    [names],
  );
  const deadline = Date.now() + SETTLE_MS;
  const open = () =>
    ledger.insist(
      "SELECT id, policy, coalesce(last_fault::text, last_error) AS last_error FROM keyturn.rotation WHERE status = 'open'",
    );
  let rows = await open();
  while (rows.length > 0 && Date.now() < deadline) {
    await sleep(500);
    rows = await open();
  }
  for (const { id, policy, last_error } of rows) {
    tally.violation({ guarantee: 'G5', policy, rotation: id, seen: `it is not over: ${last_error}` });
  }
  return rows.map(({ policy }): string => policy);
}

/** Rotates every policy once more: whatever was broken, nothing is a dead end. */
export async function rotateOnceMore(
  fleet: Fleet,
  stuck: readonly string[],
  { tally }: Watch,
): Promise<void> {
  const names = fleet.policies.map(({ name }) => name).filter((name) => !stuck.includes(name));
  await Promise.all(
    names.map(async (policy) => {
      const { code, said } = await runCommand(fleet, 'rotate', policy, '--wait', '--timeout', '90s').catch(
        (error: Error) => ({ code: undefined, said: error.message }),
      );
      if (code === 0) return;
      tally.violation({
        guarantee: 'G5',
        policy,
        seen: `after the storm keyturn rotate ends with ${code}: ${said.trim().slice(-1_000)}`,
      });
    }),
  );
}

/** At rest: what is published logs in, what was replaced does not, and the standby login lets nobody in. */
export async function examine(
  stores: ReadonlyMap<string, Publications>,
  fleet: Fleet,
  stuck: readonly string[],
  { target, tally }: Watch,
): Promise<void> {
  for (const { name: policy, logins } of fleet.policies) {
    const store = stores.get(policy);
    const published = await store?.read();
    const { logins: rows } = await lookAt((sql, values) => target.insist(sql, values), logins);
    if (!store || !published) {
      tally.violation({ guarantee: 'G1', policy, seen: 'at the end nothing is published' });
      continue;
    }
    if (!letsIn(rows.get(published.user), published.password)) {
      const seen = `at the end ${published.user} is published, which does not log in`;
      tally.violation({ guarantee: 'G1', policy, rotation: published.version, seen });
      continue;
    }
    if (stuck.includes(policy)) continue;
    const rotation = published.version;
    for (const old of store.all()) {
      if (old.version === rotation || !letsIn(rows.get(old.user), old.password)) continue;
      tally.violation({
        guarantee: 'G2',
        policy,
        rotation,
        seen: `at the end the password of ${old.user} from ${old.version} logs in`,
      });
    }
    const open = logins.filter((login) => rows.get(login)?.canLogin);
    if (open.length !== 1 || open[0] !== published.user) {
      const seen = `at the end ${open.join(' and ')} may log in, ${published.user} is published`;
      tally.violation({ guarantee: 'G2', policy, rotation, seen });
    }
  }
}
