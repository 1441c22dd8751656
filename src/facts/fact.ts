import type { CheckFacts } from './check-facts.ts';
import type { CommandFacts } from './command-facts.ts';
import type { ConfigFacts } from './config-facts.ts';
import type { DatabaseFacts } from './database-facts.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import type { EventFacts } from './event-facts.ts';
import type { QueueFacts } from './queue-facts.ts';
import type { Remedy } from './remedy.ts';
import type { RolesFacts } from './roles-facts.ts';
import type { RotationFacts } from './rotation-facts.ts';
import type { StateFacts } from './state-facts.ts';
import type { StoreFacts } from './store-facts.ts';

/**
 * Every code, with its parameters: JSON values, never a secret. One interface for each area of the
 * house.
 */
export interface FactParams
  extends CheckFacts,
    CommandFacts,
    ConfigFacts,
    DatabaseFacts,
    DoctorFacts,
    EventFacts,
    QueueFacts,
    RolesFacts,
    RotationFacts,
    StateFacts,
    StoreFacts {}

export type FactCode = keyof FactParams;

/** Something keyturn found out, as data. src/messages/ makes the sentence. */
export type Fact<Code extends FactCode = FactCode> = {
  readonly [Each in Code]: {
    readonly code: Each;
    readonly params: FactParams[Each];
    /** What puts it right here and now. Absent: see the advice of the code. */
    readonly remedies?: readonly Remedy[];
  };
}[Code];

/** A fact, with the remedies that depend on the case. */
export function fact<Code extends FactCode>(
  code: Code,
  params: FactParams[Code],
  ...remedies: readonly Remedy[]
): Fact<Code> {
  // The compiler does not see that a code and its own parameters make one member of the union.
  return { code, params, ...(remedies.length > 0 ? { remedies } : {}) } as unknown as Fact<Code>;
}
