import { missingPrivileges, readServer } from '../../postgres/connection/rotator.ts';
import type { LoginsView } from '../context/rotation-context.ts';
import { mayTerminate } from '../may-terminate.ts';
import type { Finding } from './finding.ts';
import { missingFindings } from './missing-findings.ts';

/** The rights that the rotator lacks for a rotation, with the statements that give them. */
export async function privilegeFindings(view: LoginsView): Promise<Finding[]> {
  const client = await view.rotator();
  const missing = await missingPrivileges(client, view.policy.logins, { mayTerminate: mayTerminate(view) });
  if (missing.length === 0) return [];
  const { rotator } = await readServer(client);
  return missingFindings(rotator, missing);
}
