import type { Fact } from '../facts/fact.ts';
import type { Requester } from '../ledger/audit/requester.ts';
import type { Event, Rotation, StepName } from '../ledger/rotation.ts';

/** A rotation and its history. `ms` is null while the step lasts. */
export interface RotationReport extends Required<Requester> {
  readonly rotation: string;
  readonly policy: string;
  readonly status: Rotation['status'];
  readonly reason: Rotation['reason'];
  readonly adopt: boolean;
  readonly replaces: string | null;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
  readonly incoming: string | null;
  readonly outgoing: string | null;
  readonly steps: readonly {
    readonly name: StepName;
    readonly startedAt: string;
    readonly ms: number | null;
  }[];
  readonly warnings: readonly { readonly step: StepName; readonly at: string; readonly fact: Fact }[];
  readonly fault: Fact | null;
}

export function reportRotation(rotation: Rotation, events: readonly Event[]): RotationReport {
  const own = events.filter((event) => event.rotation === rotation.id);
  const isSame = (one: Event) => (other: Event) => other.step === one.step && other.back === one.back;
  const done = (event: Event) => own.filter(isSame(event)).find(({ kind }) => kind === 'done');
  return {
    rotation: rotation.id,
    policy: rotation.policy,
    status: rotation.status,
    reason: rotation.reason,
    requestedBy: rotation.requestedBy,
    requestedHost: rotation.requestedHost,
    requestedReason: rotation.requestedReason,
    adopt: rotation.adopt,
    replaces: rotation.replaces,
    requestedAt: rotation.requestedAt.toISOString(),
    finishedAt: rotation.finishedAt?.toISOString() ?? null,
    incoming: rotation.incoming,
    outgoing: rotation.outgoing,
    steps: own
      // The first event of a step, usually its start. After a crash a step may have an end only.
      .filter((event, index) => own.findIndex(isSame(event)) === index)
      .map((event) => {
        const { step, at } = event;
        const end = done(event);
        return { name: step, startedAt: at.toISOString(), ms: end ? end.at.getTime() - at.getTime() : null };
      }),
    warnings: own
      .filter(({ kind }) => kind === 'warning')
      .flatMap(({ step, at, fact }) => (fact === null ? [] : [{ step, at: at.toISOString(), fact }])),
    fault: rotation.lastFault,
  };
}
