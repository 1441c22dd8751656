import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAddress } from '../support/scenario.ts';
import type { Victims } from './faults.ts';
import { letsIn, lookAt } from './login-rows.ts';
import { askOnce } from './moving-target.ts';
import type { Random } from './random.ts';

/**
 * Makes a replica, cuts it off, and has it take the server's place as soon as a policy has published what was set since:
 * the new server lacks that password.
 */
export async function promoteReplica(victims: Victims, random: Random): Promise<boolean> {
  const { target, policies, tally, signal } = victims;
  await target.makeReplica();
  await sleep(random.between(1_000, 4_000), undefined, { signal }).catch(() => {});
  try {
    await target.cutReplicaOff();
  } catch {
    // The server has just crashed: there is nothing to catch up with.
    await target.dropReplica();
    return false;
  }
  // What is published a moment later was set a moment later, too.
  const cutAt = Date.now() + 500;
  const isLost = () => [...policies.values()].some(({ latest }) => latest && latest.firstSeen > cutAt);
  const end = Date.now() + 15_000;
  while (!isLost() && Date.now() < end && !signal.aborted) await sleep(20);
  await sleep(random.between(0, 1_000));
  await target.failOver((promoted) => assess(promoted, victims));
  tally.note('a replica was promoted');
  return true;
}

/** Marks the policies whose published login does not work on the new server: that is the failover's doing. */
async function assess(promoted: ServerAddress, { policies, harms, tally }: Victims): Promise<void> {
  for (const [policy, store] of policies) {
    const published = await store.read();
    const look = await lookAt((sql, values) => askOnce(promoted, sql, values), policy.logins);
    if (!published || letsIn(look.logins.get(published.user), published.password)) continue;
    const { user, version } = published;
    const other = policy.logins.find((login) => login !== user) ?? '';
    const works = store.of(other).some(({ password }) => letsIn(look.logins.get(other), password));
    const before = harms.of(policy.name);
    if (before) before.healedAt = Date.now();
    const harm = harms.begin({
      policy: policy.name,
      what: `${user} has lost its password at the failover`,
      user,
      version,
      committedAt: look.at,
      otherWorkedAt: works ? look.at : undefined,
      isAlone: !works,
    });
    tally.note(`${policy.name}: ${harm.what}, ${other} ${works ? 'works' : 'does not work either'}`);
  }
}
