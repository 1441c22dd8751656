import { isForbidden } from '../../postgres/connection/database-error.ts';
import type { LoginsPreview } from '../context/rotation-view.ts';
import { privilegeFindings } from '../findings/privilege-findings.ts';
import { refuse } from '../findings/refuse.ts';

/**
 * Throws a fault that names every right that the rotator lacks for this rotation, and the statement
 * that gives it.
 */
export async function refuseMissingPrivileges(view: LoginsPreview): Promise<void> {
  refuse(await privilegeFindings(view));
}

/**
 * Throws what a statement that alters a role threw. Where PostgreSQL says that a right is missing,
 * a fault that says which, if that can be told: somebody changed the roles since `check`.
 */
export async function rethrowNamingPrivileges(view: LoginsPreview, error: unknown): Promise<never> {
  if (isForbidden(error)) await refuseMissingPrivileges(view);
  throw error;
}
