import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { tell } from '../../../messages/tell.ts';
import { carryOut } from '../../../roles/carry-out.ts';
import { planRoles } from '../../../roles/plan/roles-plan.ts';
import { withRoles } from '../../../roles/with-roles.ts';
import type { Io } from '../../io.ts';
import { addReasonOption, type ReasonOption, requester } from '../../requester.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';
import { type AccessOptions, addAccessOptions, requestedAccess } from './access-options.ts';
import { writePlan } from './write-plan.ts';

interface Options extends ConfigOption, AccessOptions, ReasonOption {
  readonly sql?: true;
  readonly json?: true;
}

export function registerCreate(subcommand: Command, io: Io): void {
  addReasonOption(addAccessOptions(subcommand))
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--sql', 'only print the SQL, for an administrator to run')
    .option('--json', 'print JSON')
    .action((name: string, options: Options) => withApp(io, options, (app) => run(io, app, name, options)));
}

async function run(io: Io, app: App, name: string, options: Options): Promise<void> {
  const { sql, json } = options;
  const requested = requestedAccess(options);
  await withRoles(app, app.policy(name), async (context) => {
    if (sql)
      return writePlan(io, await planRoles(context, { ...requested, executor: 'administrator' }), options);
    const ledger = await app.ledger();
    const write = (line: string) => {
      if (!json) io.stdout.write(`${name}: ${line}\n`);
    };
    const plan = await carryOut(
      context,
      { ...requested, executor: 'rotator' },
      { ledger, kind: 'create', ...requester(options), onChange: ({ does }) => write(tell(does)) },
    );
    const isLeft = plan.left.some(({ code }) => code === 'privileges-left-to-superuser');
    const done = isLeft ? 'done, but for what is left' : 'done';
    write(plan.changes.length === 0 && !isLeft ? 'nothing to do' : done);
    writePlan(io, plan, options);
    if (isLeft) io.exit(1);
  });
}
