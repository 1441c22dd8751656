import { isForbidden } from '../postgres/database-error.ts';
import { privilegeFindings } from './findings/privilege-findings.ts';
import { refuse } from './findings/refuse.ts';
import type { RotationView } from './rotation-context.ts';

/** Throws a Refusal that names every right that the rotator lacks for this rotation, and the statement that gives it. */
export async function refuseMissingPrivileges(view: RotationView): Promise<void> {
  refuse(await privilegeFindings(view));
}

/**
 * Throws what a statement that alters a role threw. Where PostgreSQL says that a right is missing, a Refusal that says
 * which, if that can be told: somebody changed the roles since `check`.
 */
export async function rethrowNamingPrivileges(view: RotationView, error: unknown): Promise<never> {
  if (isForbidden(error)) await refuseMissingPrivileges(view);
  throw error;
}
