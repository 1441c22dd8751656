import { privilegeFindings } from './findings/privilege-findings.ts';
import { refuse } from './findings/refuse.ts';
import type { RotationView } from './rotation-context.ts';

/** Throws a Refusal that names every right that the rotator lacks for this rotation, and the statement that gives it. */
export async function refuseMissingPrivileges(view: RotationView): Promise<void> {
  refuse(await privilegeFindings(view));
}
