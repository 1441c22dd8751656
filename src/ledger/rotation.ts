import type { Fact } from '../facts/fact.ts';
import type { Requester } from './audit/requester.ts';

/** The seven steps of a rotation, in their order. */
export const STEP_NAMES = ['check', 'stage', 'set', 'verify', 'publish', 'drain', 'revoke'] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** Why a rotation was requested; `first` is the one that fills an empty store. */
export type Reason = 'first' | 'schedule' | 'manual' | 'emergency';

/** One rotation as the ledger has it. Never a password. */
export interface Rotation extends Required<Requester> {
  /** UUID, also the version token in the stores. */
  readonly id: string;
  readonly policy: string;
  readonly reason: Reason;
  readonly requestedAt: Date;
  /** The slot that it serves; null for one that was asked for. */
  readonly slot: Date | null;
  readonly status: 'open' | 'done' | 'failed';
  /** Resolved once by `check`, then frozen. */
  readonly incoming: string | null;
  /** Stays null where the rotator's own password is rotated. */
  readonly outgoing: string | null;
  /**
   * When the incoming login was first seen published everywhere; the drain deadline counts from
   * here.
   */
  readonly publishedAt: Date | null;
  readonly finishedAt: Date | null;
  /**
   * Who had it rolled back; from then on the outgoing login is the one that is published, and the
   * incoming one goes.
   */
  readonly rolledBackBy: string | null;
  /** The token of the version that becomes current again. */
  readonly rolledBackTo: string | null;
  /** Whether it takes over what was changed outside keyturn, where others stop. */
  readonly adopt: boolean;
  /** The rotation in whose place it was opened, since PostgreSQL refused that one's password. */
  readonly replaces: string | null;
  /** Failures in a row since something last succeeded. */
  readonly attempts: number;
  /** Why it failed last, or how it was ended. */
  readonly lastFault: Fact | null;
  /** Since when the incoming login may have its new password. */
  readonly setBegunAt: Date | null;
  /** Since when the new version may be published in some secret. */
  readonly publishBegunAt: Date | null;
  /**
   * Since when replicas have not replayed what the rotation waits for, before publish and again
   * after it.
   */
  readonly replicasBehindSince: Date | null;
  /** When the outgoing login was shut out, on the proof that the published one logs in. */
  readonly outgoingShutAt: Date | null;
  /** When the last look at the outgoing login's sessions was announced. */
  readonly lastLookAt: Date | null;
}

/** Whether a rotation ended without success, and nobody rolled it back. */
export function hasFailed({ status, rolledBackBy }: Pick<Rotation, 'status' | 'rolledBackBy'>): boolean {
  return status === 'failed' && rolledBackBy === null;
}

/**
 * What a step that waits has recorded beside the reason, for later runs. The first instant stays.
 */
export type Mark = 'replicasBehindSince' | 'outgoingShutAt' | 'lastLookAt';

/** One line of the history: append-only. */
export interface Event {
  readonly rotation: string;
  readonly at: Date;
  readonly step: StepName;
  readonly kind: 'started' | 'done' | 'waiting' | 'failed' | 'warning';
  /** Whether it happened on the way back. */
  readonly back: boolean;
  /** What it waits for, why it failed, what it warns of. */
  readonly fact: Fact | null;
}
