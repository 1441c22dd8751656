import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { carryOut } from '../../../roles/carry-out.ts';
import { circumstancesOf } from '../../../roles/circumstances-of.ts';
import { planRoles, refuseMissingRights } from '../../../roles/roles-plan.ts';
import type { Io } from '../../io.ts';
import { confirm } from '../../output/confirm.ts';
import { requester } from '../../requester.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';
import { addWishOptions, type WishOptions, wishOf } from './wish-options.ts';
import { withRoles } from './with-roles.ts';
import { writePlan } from './write-plan.ts';

interface Options extends ConfigOption, WishOptions {
  readonly sql?: true;
  readonly json?: true;
  readonly yes?: true;
}

export function registerRepair(roles: Command, io: Io): void {
  addWishOptions(roles.command('repair <policy>'))
    .description(
      'put back what drifted: memberships, grants, ownership, who can log in; shows it first and asks',
    )
    .option('--config <path>', 'file or folder', 'config/')
    .option('--sql', 'only print the statements, for an administrator to run')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action((name: string, options: Options) => withApp(io, options, (app) => run(io, app, name, options)));
}

async function run(io: Io, app: App, name: string, options: Options): Promise<void> {
  const { sql, json, yes } = options;
  const policy = app.policy(name);
  const [primary] = app.destinations(policy);
  const tell = (line: string) => {
    if (!json && !sql) io.stdout.write(`${name}: ${line}\n`);
  };
  await withRoles(app, policy, async (context) => {
    const ledger = await app.ledger();
    const asked = {
      ...wishOf(options),
      executor: sql ? 'administrator' : 'rotator',
      circumstances: () => circumstancesOf(policy, ledger, primary),
    } as const;
    const plan = await planRoles(context, asked);
    for (const { what } of plan.changes) tell(what);
    writePlan(io, plan, options);
    if (plan.left.length > 0) io.exit(1);
    if (plan.changes.length === 0) return tell('nothing to do');
    if (sql) return;
    await refuseMissingRights(context, plan, 'repair');
    if (!yes) await confirm(`Do this to the roles of ${name}?`);
    await carryOut(context, asked, {
      ledger,
      kind: 'repair',
      requestedBy: requester(io),
      agreed: plan,
      // What only shows once the rest is done.
      onChange: ({ what, sql: done }) => {
        if (!plan.changes.some((shown) => shown.sql === done)) tell(what);
      },
    });
    tell('done');
  });
}
