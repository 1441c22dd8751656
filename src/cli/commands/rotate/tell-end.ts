import type { Policy } from '../../../config/policy.ts';
import { Fault } from '../../../facts/fault.ts';
import type { Ledger } from '../../../ledger/ledger.ts';
import { tell } from '../../../messages/tell.ts';
import { type RotationReport, reportRotation } from '../../../rotation/report.ts';
import type { Io } from '../../io.ts';
import { reportJson } from '../../output/fact-json.ts';
import { tellLeftOpen } from '../../output/tell-left-open.ts';
import { writeError } from '../../write-error.ts';

/** Prints the results of the rotations that were waited for, and sets the exit code. */
export async function tellEnd(
  io: Io,
  ledger: Ledger,
  {
    policies,
    ids,
    end,
    json,
    hasWorker,
  }: {
    readonly policies: readonly Policy[];
    readonly ids: readonly string[];
    readonly end: 'done' | 'interrupted' | 'expired' | 'stuck' | Fault;
    readonly json: true | undefined;
    readonly hasWorker: boolean;
  },
): Promise<void> {
  const events = await ledger.events(ids);
  const rows = (await Promise.all(ids.map((id) => ledger.find(id)))).filter((row) => row !== undefined);
  const replaced = rows.map(({ replaces }) => replaces);
  const reports = rows
    .filter(({ id }) => !replaced.includes(id))
    .map((rotation) => reportRotation(rotation, events));
  if (json) io.stdout.json(reports.map(reportJson));
  else for (const report of reports) io.stdout.write(`${sentence(report)}\n`);
  if (end instanceof Fault) throw end;
  if (end === 'stuck') await tellStuck(io, ledger, { policies, own: ids, json });
  if (end === 'interrupted' || end === 'expired') await tellLeftOpen(io, ledger, { policies, hasWorker });
  if (end === 'interrupted') io.exit(130);
  else if (end === 'expired') io.exit(3);
  else if (end === 'stuck' || reports.some(({ status }) => status !== 'done')) io.exit(1);
}

/**
 * Says what an emergency gave up waiting for: its own rotations, or those that were open before.
 */
async function tellStuck(
  io: Io,
  ledger: Ledger,
  {
    policies,
    own,
    json,
  }: {
    readonly policies: readonly Policy[];
    readonly own: readonly string[];
    readonly json: true | undefined;
  },
): Promise<void> {
  for (const { name } of policies) {
    for (const { id, lastFault } of await ledger.open(name)) {
      if (json) {
        if (lastFault) writeError(io, new Fault(lastFault), { json });
        continue;
      }
      if (!own.includes(id)) {
        io.stderr.write(
          `${name}: rotation ${id} was open before and does not end, so no new one was opened: ${lastFault && tell(lastFault)}\n`,
        );
      }
      io.stderr.write(
        `${name}: rotation ${id} stays open, and a worker keeps retrying it; see: keyturn status ${name}. Fix the cause; if no worker is up, run again: keyturn rotate ${name} --emergency --inline\n`,
      );
    }
  }
}

function sentence({ policy, status, incoming, outgoing, fault, rotation }: RotationReport): string {
  const revoked = outgoing === null ? 'its old password is refused' : `${outgoing} is revoked`;
  if (status === 'done') return `${policy}: ${incoming} is published, ${revoked}`;
  if (status === 'failed') return `${policy}: failed: ${fault && tell(fault)}`;
  return `${policy}: rotation ${rotation} is still open${fault ? `: ${tell(fault)}` : ''}`;
}
