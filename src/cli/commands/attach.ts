import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { type ConfigEdit, editToAttach } from '../../config/edit/edit-config.ts';
import { requireReplaceable } from '../../config/edit/replace-file.ts';
import type { Destination, Mapping, Policy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { tell } from '../../messages/tell.ts';
import { attach } from '../../rotation/attach.ts';
import type { Io } from '../io.ts';
import { parseSecrets } from '../options/secrets-option.ts';
import { confirm } from '../output/confirm.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';
import { attachmentJson, commitOf, isMapping, namesOf, showEdit } from './attach/attachment.ts';
import { ofOptions } from './attach/refused-options.ts';

interface Options extends ConfigOption, ReasonOption {
  readonly store: string;
  readonly secrets: Mapping;
  readonly create?: true;
  readonly json?: true;
  readonly yes?: true;
}

export function registerAttach(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .requiredOption('--store <name>', 'the store, as the configuration names it')
    .requiredOption('--secrets <field=name,...>', 'what to publish where', parseSecrets)
    .option('--create', 'make secrets that do not exist')
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--yes', 'answer the question with yes')
    .option('--json', 'print JSON; with --yes what was done, else what would be')
    .action((name: string, options: Options) =>
      withApp(io, options, (app) => run(io, app, app.policy(name), options)),
    );
}

async function run(io: Io, app: App, policy: Policy, options: Options): Promise<void> {
  const { json, yes, store, secrets } = options;
  const added: Destination = { store, secrets, create: options.create === true };
  refuseTwice(app, policy, added);
  const edit = editFor(app, policy, added);
  await requireReplaceable(edit);
  const { name: file, line } = edit;
  const shown = fact('attachment-publishes', {
    policy: policy.name,
    store,
    secrets: namesOf(secrets),
    file,
    line,
  });
  if (!json) showEdit(io, tell(shown), edit.lines, '+');
  if (json && !yes)
    return io.stdout.json(attachmentJson(policy, added, edit, { state: 'planned', login: null }));
  if (!yes) await confirm('Publish to this destination, too?');
  await using view = await app.view(policy);
  const login = await attach(view, {
    ledger: await app.ledger(),
    requester: requester(options),
    destination: app.destination(policy, added),
    commit: commitOf(edit),
  });
  if (json)
    return io.stdout.json(attachmentJson(policy, added, edit, { state: 'attached', login: login ?? null }));
  const done =
    login === undefined
      ? fact('attachment-awaits-rotation', { policy: policy.name, store })
      : fact('attachment-published', { policy: policy.name, store, login });
  io.stdout.write(tell(done));
}

function editFor(app: App, policy: Policy, added: Destination): ConfigEdit {
  try {
    return editToAttach(app.source, policy.name, added);
  } catch (error) {
    throw ofOptions(policy, error);
  }
}

function refuseTwice(app: App, policy: Policy, { store, secrets }: Destination): void {
  const index = policy.publish.findIndex((each) => each.store === store && isMapping(each.secrets, secrets));
  const same = app.destinations(policy)[index];
  if (same === undefined) return;
  throw fault('attachment-there-already', { policy: policy.name, destination: same.name });
}
