import { setTimeout as sleep } from 'node:timers/promises';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import type { Harm } from './harms.ts';
import type { Publications } from './publications.ts';
import type { Watch } from './watch-doors.ts';

/** Until when a harm is healed or the ledger says that something is wrong. Longer than a worker that died is waited for. */
const QUIET_MS = 90_000;
/** How long keyturn gets to heal what it complains of, before somebody does it by hand. */
const PATIENCE_MS = 60_000;

/** Checks that what the harness broke is healed or complained of, and mends it by hand in the end, as an operator does. */
export async function watchHarms(
  stores: ReadonlyMap<string, Publications>,
  { target, ledger, harms, tally, signal }: Watch,
): Promise<void> {
  while (!signal.aborted) {
    for (const harm of harms.open()) {
      if (harm.committedAt === undefined) continue;
      const age = Date.now() - harm.since;
      const complaint = await ledger.complaint(harm.policy);
      if (complaint !== undefined && harm.loudAt === undefined) {
        harm.loudAt = Date.now();
        tally.note(`${harm.policy}: ${harm.what} is told of: ${complaint}`);
      }
      if (age < (harm.loudAt === undefined ? QUIET_MS : PATIENCE_MS) || harm.undone) continue;
      if (harm.loudAt === undefined) {
        tally.violation({
          guarantee: 'G5',
          policy: harm.policy,
          rotation: harm.version,
          seen: `${harm.what}, and for ${Math.round(age / 1_000)} s it was neither healed nor told`,
        });
      }
      harm.undone = await undo(harm, stores.get(harm.policy)?.latest, target);
      if (harm.undone) tally.fault('mended by hand');
    }
    await sleep(500, undefined, { signal }).catch(() => {});
  }
}

/**
 * Where keyturn brought in the other login, a limit or an expiry that was set by hand stays on the one that rests: check
 * names it, with the statement that takes it off, and an administrator runs that.
 */
export async function mendStandbys(
  stores: ReadonlyMap<string, Publications>,
  { target, harms }: Pick<Watch, 'target' | 'harms'>,
): Promise<void> {
  for (const { policy, user } of harms.all) {
    if (stores.get(policy)?.latest?.user === user) continue;
    await target.ask(`ALTER ROLE ${quoteIdentifier(user)} VALID UNTIL 'infinity' CONNECTION LIMIT -1`);
  }
}

async function undo(
  { policy: _ }: Harm,
  published: { readonly user: string; readonly password: string } | undefined,
  target: Watch['target'],
): Promise<boolean> {
  if (!published) return false;
  const login = quoteIdentifier(published.user);
  const verifier = quoteLiteral(scramVerifier(published.password));
  try {
    await target.ask(
      `ALTER ROLE ${login} LOGIN PASSWORD ${verifier} VALID UNTIL 'infinity' CONNECTION LIMIT -1`,
    );
    return true;
  } catch {
    return false;
  }
}
