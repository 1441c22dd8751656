import type { Action } from '../../../ledger/audit/actions.ts';
import { tell } from '../../../messages/tell.ts';
import type { RotationReport } from '../../../rotation/report.ts';
import { strangersMessage } from '../../../visible.ts';
import type { Io } from '../../io.ts';
import { describeRequester } from '../../output/describe-requester.ts';
import { writeTable } from '../../output/table.ts';

const HEADINGS = ['requested', 'policy', 'status', 'by', 'incoming', 'outgoing', 'took', 'steps'];

/** What happened, newest first: a row each, and below the table what rows have no room for. */
export function writeHistory(
  io: Io,
  reports: readonly RotationReport[],
  actions: readonly Action[],
  limit: number,
): void {
  const past = [
    ...reports.map((report) => ({
      at: report.requestedAt,
      row: rotationRow(report),
      notes: notesOf(report),
    })),
    ...actions.map((action) => ({
      at: action.at.toISOString(),
      row: actionRow(action),
      notes: notesOfAction(action),
    })),
  ];
  const shown = past
    .sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0))
    .slice(0, limit);
  writeTable(
    io,
    HEADINGS,
    shown.map(({ row }) => row),
  );
  for (const { notes } of shown) for (const note of notes) io.stdout.write(note);
}

function rotationRow(report: RotationReport): string[] {
  const took = report.finishedAt && Date.parse(report.finishedAt) - Date.parse(report.requestedAt);
  return [
    report.requestedAt,
    report.policy,
    report.status,
    [
      ...new Set([report.reason, describeRequester(report)]),
      ...(report.adopt ? ['adopt'] : []),
      ...(report.replaces ? [`in place of ${report.replaces}`] : []),
    ].join(', '),
    report.incoming ?? '-',
    report.outgoing ?? '-',
    took === null ? '-' : `${(took as number) / 1000} s`,
    report.steps.map(({ name, ms }) => `${name} ${ms === null ? '…' : `${ms} ms`}`).join(', '),
  ];
}

function notesOf({ rotation, warnings, fault, requestedReason }: RotationReport): string[] {
  return [
    ...(requestedReason === null ? [] : [`${rotation}: reason: ${strangersMessage(requestedReason)}`]),
    ...warnings.map(({ step, fact }) => `${rotation}: ${step} warning: ${tell(fact)}`),
    ...(fault ? [`${rotation}: ${tell(fault)}`] : []),
  ];
}

function actionRow(action: Action): string[] {
  const { at, policy, kind, status } = action;
  const told = { open: `${kind} begun`, done: kind, failed: `${kind} failed` }[status];
  return [at.toISOString(), policy, told, describeRequester(action), '-', '-', '-', ''];
}

function notesOfAction({ at, policy, kind, status, fact, rotation, requestedReason }: Action): string[] {
  const what = `${policy}: ${kind} at ${at.toISOString()}`;
  return [
    ...(requestedReason === null ? [] : [`${what}: reason: ${strangersMessage(requestedReason)}`]),
    ...(rotation === null ? [] : [`${what}: rotation ${rotation}`]),
    ...(status === 'open' ? [`${what}: it was begun, and nobody saw whether it was done`] : []),
    ...(fact ? [`${what}: ${tell(fact)}`] : []),
  ];
}
