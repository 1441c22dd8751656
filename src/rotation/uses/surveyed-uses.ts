import { type LoginUse, mergeUses } from '../../postgres/sessions/sessions.ts';
import type { PolicyView } from '../context/policy-view.ts';

/**
 * Who uses the policy's logins, on the primary and on every replica, as of the survey. Throws when
 * any of them cannot be seen (G6).
 */
export async function surveyedUses(view: PolicyView): Promise<Map<string, LoginUse>> {
  const survey = await view.survey();
  const replicas = await Promise.all(view.replicas.map(({ uses }) => uses(view.policy.logins)));
  return mergeUses([survey.uses(), ...replicas]);
}
