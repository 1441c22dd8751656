import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import { privilegesMissing } from '../../postgres/connection/rotator.ts';
import type { LoginsPreview } from '../context/rotation-view.ts';
import { mayTerminate } from '../may-terminate.ts';
import { type Finding, finding } from './finding.ts';

/**
 * The rights that the rotator lacks for a rotation, in one finding with each statement that gives
 * them once.
 */
export async function privilegeFindings(
  view: Pick<LoginsPreview, 'policy' | 'reason' | 'survey'>,
): Promise<Finding[]> {
  const { standing, server } = await view.survey();
  const lacks = privilegesMissing(standing, { mayTerminate: mayTerminate(view) });
  if (lacks.length === 0) return [];
  const { rotator } = server;
  const missing = lacks.map(({ right }) => right);
  const statements = new Set(lacks.map(({ remedy }) => remedy));
  return [
    finding('fail', 'privileges', fact('rotator-lacks-privileges', { rotator, missing }, sql(...statements))),
  ];
}
