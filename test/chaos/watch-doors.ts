import { setTimeout as sleep } from 'node:timers/promises';
import { type FleetPolicy, GRACE_MS } from './fleet.ts';
import type { Harm, Harms } from './harms.ts';
import type { LedgerView } from './ledger-view.ts';
import { type Look, letsIn, lookAt } from './login-rows.ts';
import type { MovingTarget } from './moving-target.ts';
import type { Publication, Publications } from './publications.ts';
import { wasProven, wasSet } from './server-log.ts';
import type { Tally } from './tally.ts';

export interface Watch {
  readonly target: MovingTarget;
  readonly ledger: LedgerView;
  readonly harms: Harms;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

const POLL_MS = 60;
/** How exact the clocks of one machine are when they are compared. */
const CLOCK_MS = 20;

/**
 * Looks at both logins of a policy all the time. At each look one of them must let in who has the right password (G1),
 * and a login that is shut must have been replaced for as long as the grace lasts (G2). All is measured by what the
 * server says of the commits, and by reads that began before or ended after: a slow machine hides, but invents nothing.
 */
export async function watchDoors(policy: FleetPolicy, store: Publications, watch: Watch): Promise<void> {
  const told = new Set<string>();
  let last: Look | undefined;
  let before = await store.read();
  while (!watch.signal.aborted) {
    const look = await lookAt((sql, values) => watch.target.ask(sql, values), policy.logins).catch(
      () => undefined,
    );
    const after = await store.read();
    if (look) {
      watch.tally.looks += 1;
      if (last) await judgeShut(policy, store, { ...watch, last, look });
      // Only then it is certain what was published at the instant of the look.
      if (before && before.version === after?.version) {
        await judgePublished(policy, store, { ...watch, told, look, published: after });
      }
      last = look;
    }
    before = after;
    await sleep(POLL_MS, undefined, { signal: watch.signal }).catch(() => {});
  }
}

async function judgeShut(
  policy: FleetPolicy,
  store: Publications,
  { last, look, harms, ledger, tally }: Watch & { readonly last: Look; readonly look: Look },
): Promise<void> {
  for (const row of look.logins.values()) {
    const { name, canLogin, alteredAt } = row;
    const isNewlyShut =
      last.logins.get(name)?.canLogin === true && !canLogin && alteredAt > last.at - CLOCK_MS;
    if (!isNewlyShut || harms.all.some((harm) => harm.user === name && harm.committedAt === alteredAt))
      continue;
    const shut = store.of(name).at(-1);
    if (!shut || alteredAt >= shut.lastSeen + GRACE_MS - CLOCK_MS) continue;
    const instead = store.latest;
    const ids = [shut.version, ...(instead ? [instead.version] : [])];
    if (policy.mayLeak && (await ledger.hasEmergency(ids))) continue;
    const age = Math.round(alteredAt - shut.lastSeen);
    tally.violation({
      guarantee: 'G2',
      policy: policy.name,
      rotation: instead?.version,
      seen:
        age < 0
          ? `${name} was shut at ${time(alteredAt)}, though it was published ${-age} ms later still (${shut.version})`
          : `${name} was shut at ${time(alteredAt)}, at most ${age} ms after it was replaced, before its grace of ${GRACE_MS} ms`,
    });
  }
}

interface Judged extends Watch {
  readonly told: Set<string>;
  readonly look: Look;
  readonly published: Publication;
}

async function judgePublished(policy: FleetPolicy, store: Publications, judged: Judged): Promise<void> {
  const { look, published, harms, tally, told } = judged;
  const harm = harms.of(policy.name);
  if (letsIn(look.logins.get(published.user), published.password)) {
    told.delete(published.version);
    if (harm?.committedAt !== undefined && look.at > harm.committedAt) {
      harm.healedAt = Date.now();
      tally.note(`${policy.name}: ${harm.what} is healed ${harm.undone ? 'by hand' : 'by keyturn'}`);
    }
    return;
  }
  const late = harm ?? (await lossAtFailover(policy, judged));
  if (late) return judgeHarmed(policy, store, { ...judged, harm: late });
  if (told.has(published.version)) return;
  told.add(published.version);
  tally.violation({
    guarantee: 'G1',
    policy: policy.name,
    rotation: published.version,
    seen: `${published.user} is published, but at ${time(look.at)} ${describe(look, published)}`,
  });
}

/** What is published since a failover may have been set before it, and lost with the old server. */
async function lossAtFailover(policy: FleetPolicy, judged: Judged): Promise<Harm | undefined> {
  const { target, look, published, harms } = judged;
  const { failedOverAt } = target;
  if (failedOverAt === undefined) return undefined;
  if (await wasSet(target, published.user, { from: failedOverAt, to: look.at })) return undefined;
  const { user, version } = published;
  const what = `${user} has lost its password at the failover`;
  return harms.begin({ policy: policy.name, what, user, version, committedAt: failedOverAt });
}

/** While what the harness broke is not healed, the other login must go on to let in who knows its password. */
async function judgeHarmed(
  policy: FleetPolicy,
  store: Publications,
  { harm, look, target, tally, published }: Judged & { readonly harm: Harm },
): Promise<void> {
  const { committedAt } = harm;
  if (committedAt === undefined || look.at < committedAt || harm.isAlone) return;
  const other = policy.logins.find((login) => login !== published.user) ?? '';
  const row = look.logins.get(other);
  if (store.of(other).some(({ password }) => letsIn(row, password))) {
    harm.otherWorkedAt = look.at;
    return;
  }
  // One that can log in with another password is being brought in.
  if (!row || row.canLogin) return;
  const shutAt = row.alteredAt;
  const workedAt = harm.otherWorkedAt ?? committedAt;
  harm.isAlone = true;
  // It was shut before; or while the proof that comes before was right; or after it had got a password that is not published yet.
  if (harm.otherWorkedAt === undefined || shutAt <= committedAt) return;
  const replaced = store.before(published)?.lastSeen ?? published.firstSeen;
  if (await wasProven(target, published.user, { from: replaced + GRACE_MS, to: committedAt })) {
    tally.fault('hand too late');
    return;
  }
  if (await wasSet(target, other, { from: workedAt, to: shutAt })) return;
  tally.violation({
    guarantee: 'G1, G2',
    policy: policy.name,
    rotation: published.version,
    seen: `${other} was shut at ${time(shutAt)} though ${published.user}, which is published, was refused since ${time(committedAt)} (${harm.what}): nobody gets in`,
  });
}

function describe(look: Look, { user }: Publication): string {
  const row = look.logins.get(user);
  if (!row) return 'it does not exist';
  if (!row.canLogin) return `it is NOLOGIN since ${time(row.alteredAt)}`;
  if (row.isBarred) return 'it is expired or has no connections';
  return `it has another password since ${time(row.alteredAt)}`;
}

function time(instant: number): string {
  return new Date(instant).toISOString().slice(11, 23);
}
