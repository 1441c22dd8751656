import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { connect } from '../../../postgres/connection/connect.ts';
import { dropRoles } from '../../../roles/drop/drop-roles.ts';
import { dropTargetOf } from '../../../roles/drop/drop-target.ts';
import { refuseDrop } from '../../../roles/drop/refuse-drop.ts';
import { neighboursOf } from '../../../roles/neighbours-of.ts';
import type { Io } from '../../io.ts';
import { confirm } from '../../output/confirm.ts';
import { writeJson } from '../../output/table.ts';
import { requester } from '../../requester.ts';
import { UsageError } from '../../usage-error.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

interface Options extends ConfigOption {
  readonly confirm?: string;
  readonly json?: true;
}

export function registerDrop(roles: Command, io: Io): void {
  roles
    .command('drop <policy>')
    .description("drop a policy's logins, and the owner that was made for them; asks for the policy's name")
    .option('--config <path>', 'file or folder', 'config/')
    .option('--confirm <policy>', "the policy's name once more, instead of being asked")
    .option('--json', 'print JSON')
    .action((name: string, options: Options) => withApp(io, options, (app) => run(io, app, name, options)));
}

async function run(io: Io, app: App, name: string, options: Options): Promise<void> {
  if (options.confirm !== undefined && options.confirm !== name) {
    throw new UsageError(`--confirm has to be the policy's name, ${name}; nothing was done`);
  }
  const ledger = await app.ledger();
  const target = dropTargetOf(name, app.config, await ledger.provisions.latest());
  // Says which policies there are.
  if (!target) return void app.policy(name);
  const connection = await app.target(target.connection);
  const witnesses = {
    ledger,
    connection,
    others: neighboursOf(app.config, target.connection, 'server').filter((policy) => policy.name !== name),
    destinations: target.isConfigured ? app.destinations(app.policy(name)) : [],
    requestedBy: requester(io),
  };
  const { logins } = target;
  await using session = await connect(connection);
  await refuseDrop(session.client, target, witnesses);
  if (options.confirm === undefined) {
    await confirm(`Drop the logins ${logins.join(' and ')} of ${name}, on ${target.connection}?`, {
      answer: name,
      option: `--confirm ${name}`,
    });
  }
  const { lines, ...outcome } = await dropRoles(session.client, target, witnesses);
  if (options.json) writeJson(io, { policy: name, ...outcome, lines });
  else for (const line of lines) io.stdout.write(`${name}: ${line}\n`);
  io.stderr.write(`${name}: what is in the secret store stays; delete it there\n`);
}
