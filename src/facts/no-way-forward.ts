import type { FactCode } from './fact.ts';
import { Fault } from './fault.ts';

/**
 * The codes of faults that no try gets past, as long as nobody puts something right by hand. An
 * emergency ends such a rotation and takes its place; a rotation on its way back ends there.
 */
const NO_WAY_FORWARD: ReadonlySet<FactCode> = new Set<FactCode>([
  'ledger-names-other-logins',
  'published-password-altered',
  'staged-version-lost',
  'staged-version-of-another-login',
]);

export function isNoWayForward(error: unknown): boolean {
  return error instanceof Fault && NO_WAY_FORWARD.has(error.fact.code);
}
