import { type LedgerContext, nowOf } from '../ledger-context.ts';
import type { Rotation } from '../rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from '../rotation-row.ts';
import { seeConfigured, seeUnconfigured } from './configured.ts';
import { pruneEvents } from './prune-events.ts';
import { pruneActions, prunePolicies, pruneProvisions } from './prune-policies.ts';
import { type Position, pruneOpenLines, pruneRotations } from './prune-rotations.ts';

/** How a step of pruning ended. */
export interface Pruned {
  /** Where to continue with the rotations; undefined: at the oldest. */
  readonly position: Position | undefined;
  /** Whether nothing is left to prune. */
  readonly isDone: boolean;
}

/** What keeps the ledger from growing for ever. */
export interface Retention {
  /** Records that these policies are configured, and so are not forgotten. */
  see(policies: readonly string[]): Promise<void>;
  /** Begins to count how long policies are gone that no worker was seen to have. */
  seeOthers(): Promise<void>;
  /**
   * Removes what is over for longer than `keep`, in milliseconds: one bounded step. What the engine
   * needs stays.
   */
  prune(keep: number, from?: Position): Promise<Pruned>;
  /** The newest rotations that are over and may have left a version in a store. */
  leftStaged(limit: number): Promise<Rotation[]>;
  /** Records that a rotation has left nothing in a store. */
  discarded(id: string): Promise<void>;
}

export function retentionIn(ledger: LedgerContext): Retention {
  return {
    see: (policies) => seeConfigured(ledger, policies),
    seeOthers: () => seeUnconfigured(ledger),
    prune: (keep, from) => prune(ledger, keep, from),
    leftStaged: (limit) => leftStaged(ledger, limit),
    async discarded(id) {
      await ledger.pool.query(
        'UPDATE keyturn.rotation SET left_staged = false WHERE id = $1 AND left_staged',
        [id],
      );
    },
  };
}

async function prune(ledger: LedgerContext, keep: number, from: Position | undefined): Promise<Pruned> {
  const before = new Date(nowOf(ledger).getTime() - keep);
  const position = await pruneRotations(ledger, before, from);
  // One after the other: each needs a session of the state database.
  const others = [
    await pruneOpenLines(ledger, before),
    await pruneActions(ledger, before),
    await pruneEvents(ledger, before),
    await pruneProvisions(ledger, before),
    await prunePolicies(ledger, before),
  ];
  return { position, isDone: position === undefined && !others.includes(false) };
}

async function leftStaged({ pool }: LedgerContext, limit: number): Promise<Rotation[]> {
  const { rows } = await pool.query<RotationRow>(
    `SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
      WHERE left_staged AND status <> 'open' ORDER BY number DESC LIMIT $1`,
    [limit],
  );
  return rows.map(toRotation);
}
