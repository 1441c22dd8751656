import type { Action } from '../../../ledger/audit/actions.ts';
import { tell } from '../../../messages/tell.ts';
import { type RotationReport, reportRotation } from '../../../rotation/report.ts';
import { reportJson } from '../../output/fact-json.ts';
import type { PastRotation } from './read-history.ts';

/** A rotation as a line of `history --since --json`. */
export function rotationLine({ rotation, events }: PastRotation) {
  const report: RotationReport = reportRotation(rotation, events);
  const { rolledBackBy, publishedAt } = rotation;
  return {
    type: 'rotation',
    at: report.requestedAt,
    ...reportJson(report),
    publishedAt: publishedAt?.toISOString() ?? null,
    rolledBackBy,
  } as const;
}

/** An action as a line of it. */
export function actionLine({ id: _id, at, kind, finishedAt, fact, ...action }: Action) {
  return {
    type: 'action',
    at: at.toISOString(),
    action: kind,
    ...action,
    finishedAt: finishedAt?.toISOString() ?? null,
    message: fact && tell(fact),
    code: fact?.code ?? null,
    params: fact?.params ?? null,
  } as const;
}
