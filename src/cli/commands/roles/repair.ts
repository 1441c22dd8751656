import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { tell } from '../../../messages/tell.ts';
import { carryOut } from '../../../roles/carry-out.ts';
import { refuseMissingPlanRights } from '../../../roles/plan/plan-rights.ts';
import { readRepairContext } from '../../../roles/plan/repair-context.ts';
import { planRoles } from '../../../roles/plan/roles-plan.ts';
import { withRoles } from '../../../roles/with-roles.ts';
import type { Io } from '../../io.ts';
import { confirm } from '../../output/confirm.ts';
import { addReasonOption, type ReasonOption, requester } from '../../requester.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';
import { type AccessOptions, addAccessOptions, requestedAccess } from './access-options.ts';
import { writePlan } from './write-plan.ts';

interface Options extends ConfigOption, AccessOptions, ReasonOption {
  readonly sql?: true;
  readonly json?: true;
  readonly yes?: true;
}

export function registerRepair(subcommand: Command, io: Io): void {
  addReasonOption(addAccessOptions(subcommand))
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--sql', 'only print the SQL, for an administrator to run')
    .option('--yes', 'answer the question with yes')
    .option('--json', 'print JSON')
    .action((name: string, options: Options) => withApp(io, options, (app) => run(io, app, name, options)));
}

async function run(io: Io, app: App, name: string, options: Options): Promise<void> {
  const { sql, json, yes } = options;
  const policy = app.policy(name);
  const [primary] = app.destinations(policy);
  const write = (line: string) => {
    if (!json && !sql) io.stdout.write(`${name}: ${line}\n`);
  };
  await withRoles(app, policy, async (context) => {
    const ledger = await app.ledger();
    const asked = {
      ...requestedAccess(options),
      executor: sql ? 'administrator' : 'rotator',
      repair: () => readRepairContext(policy, ledger, primary),
    } as const;
    const plan = await planRoles(context, asked);
    for (const { does } of plan.changes) write(tell(does));
    writePlan(io, plan, options);
    if (plan.left.length > 0) io.exit(1);
    if (plan.changes.length === 0) return write('nothing to do');
    if (sql) return;
    await refuseMissingPlanRights(context, plan, 'repair');
    if (!yes) await confirm(`Make these changes to the roles of ${name}?`);
    await carryOut(context, asked, {
      ledger,
      kind: 'repair',
      ...requester(options),
      agreed: plan,
      // Some changes only show when the others are made.
      onChange: ({ does, sql: made }) => {
        if (!plan.changes.some((shown) => shown.sql === made)) write(tell(does));
      },
    });
    write('done');
  });
}
