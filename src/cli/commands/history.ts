import type { Command } from 'commander';
import { tell } from '../../messages/tell.ts';
import { type RotationReport, reportRotation } from '../../rotation/report.ts';
import type { Io } from '../io.ts';
import { count } from '../options/parse-option.ts';
import { reportJson } from '../output/fact-json.ts';
import { writeTable } from '../output/table.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerHistory(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--limit <n>', 'how many rotations to list', count('--limit'), 20)
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: ConfigOption & { limit: number; json?: true }) =>
      withApp(io, options, async (app) => {
        const ledger = await app.ledger();
        const rotations = await ledger.latest({
          limit: options.limit,
          // By name, because a policy that was removed still has its history.
          ...(name === undefined ? {} : { policy: name }),
        });
        // One that is neither configured nor in the ledger is a slip of the pen.
        if (name !== undefined && rotations.length === 0) app.policy(name);
        const events = await ledger.events(rotations.map(({ id }) => id));
        const reports = rotations.map((rotation) => reportRotation(rotation, events));
        if (options.json) return io.stdout.json(reports.map(reportJson));
        writeTable(
          io,
          ['requested', 'policy', 'status', 'by', 'incoming', 'outgoing', 'took', 'steps'],
          reports.map(row),
        );
        for (const { rotation, warnings, fault } of reports) {
          for (const { step, fact } of warnings) {
            io.stdout.write(`${rotation}: ${step} warning: ${tell(fact)}\n`);
          }
          if (fault) io.stdout.write(`${rotation}: ${tell(fault)}\n`);
        }
      }),
    );
}

function row(report: RotationReport): string[] {
  const took = report.finishedAt && Date.parse(report.finishedAt) - Date.parse(report.requestedAt);
  return [
    report.requestedAt,
    report.policy,
    report.status,
    [
      ...new Set([report.reason, report.requestedBy]),
      ...(report.adopt ? ['adopt'] : []),
      ...(report.replaces ? [`in place of ${report.replaces}`] : []),
    ].join(', '),
    report.incoming ?? '-',
    report.outgoing ?? '-',
    took === null ? '-' : `${(took as number) / 1000} s`,
    report.steps.map(({ name, ms }) => `${name} ${ms === null ? '…' : `${ms} ms`}`).join(', '),
  ];
}
