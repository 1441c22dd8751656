import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { fact } from '../../../facts/fact.ts';
import { fault } from '../../../facts/fault.ts';
import { tell } from '../../../messages/tell.ts';
import { connectRotator } from '../../../postgres/connection/connect-rotator.ts';
import { dropRoles } from '../../../roles/drop/drop-roles.ts';
import { dropTargetOf } from '../../../roles/drop/drop-target.ts';
import { refuseDrop } from '../../../roles/drop/refuse-drop.ts';
import { policiesSharing } from '../../../roles/policies-sharing.ts';
import type { Io } from '../../io.ts';
import { confirm } from '../../output/confirm.ts';
import { factJson } from '../../output/fact-json.ts';
import { addReasonOption, type ReasonOption, requester } from '../../requester.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

interface Options extends ConfigOption, ReasonOption {
  readonly confirm?: string;
  readonly json?: true;
}

export function registerDrop(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--confirm <policy>', "the policy's name again, which answers the question in advance")
    .option('--json', 'print JSON')
    .action((name: string, options: Options) => withApp(io, options, (app) => run(io, app, name, options)));
}

async function run(io: Io, app: App, name: string, options: Options): Promise<void> {
  if (options.confirm !== undefined && options.confirm !== name) {
    throw fault('drop-confirmed-wrongly', { policy: name });
  }
  const ledger = await app.ledger();
  const target = dropTargetOf(name, app.config, await ledger.provisions.latest());
  // It throws, and suggests the nearest name.
  if (!target) return void app.policy(name);
  const connection = await app.target(target.connection);
  const context = {
    ledger,
    connection,
    others: policiesSharing(app.config, 'server', target.connection).filter((policy) => policy.name !== name),
    destinations: target.isConfigured ? app.destinations(app.policy(name)) : [],
    ...requester(options),
  };
  const { logins } = target;
  await using session = await connectRotator(connection);
  await refuseDrop(session.client, target, context);
  if (options.confirm === undefined) {
    await confirm(`Drop the logins ${logins.join(' and ')} of ${name}, on ${target.connection}?`, {
      answer: name,
      option: `--confirm ${name}`,
    });
  }
  const { facts, ...outcome } = await dropRoles(session.client, target, context);
  const lines = facts.map(tell);
  if (options.json) io.stdout.json({ policy: name, ...outcome, lines, facts: facts.map(factJson) });
  else for (const line of lines) io.stdout.write(`${name}: ${line}\n`);
  io.stderr.write(`${name}: ${tell(fact('secrets-kept', {}))}\n`);
}
