import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { editToDetach } from '../../config/edit/edit-config.ts';
import { requireReplaceable } from '../../config/edit/replace-file.ts';
import type { Mapping, Policy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { tell } from '../../messages/tell.ts';
import { detach } from '../../rotation/detach.ts';
import type { Io } from '../io.ts';
import { parseSecrets } from '../options/secrets-option.ts';
import { confirm } from '../output/confirm.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';
import { attachmentJson, commitOf, isMapping, namesOf, optionOf, showEdit } from './attach/attachment.ts';

interface Options extends ConfigOption, ReasonOption {
  readonly store: string;
  readonly secrets?: Mapping;
  readonly delete?: true;
  readonly json?: true;
  readonly yes?: true;
}

export function registerDetach(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .requiredOption('--store <name>', 'the store, as the configuration names it')
    .option(
      '--secrets <field=name,...>',
      'which destination of that store, if there are several',
      parseSecrets,
    )
    .option('--delete', 'delete its secrets, too')
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--yes', 'answer the question with yes')
    .option('--json', 'print JSON; with --yes what was done, else what would be')
    .action((name: string, options: Options) =>
      withApp(io, options, (app) => run(io, app, app.policy(name), options)),
    );
}

async function run(io: Io, app: App, policy: Policy, options: Options): Promise<void> {
  const { json, yes } = options;
  const deletes = options.delete === true;
  const index = indexOf(app, policy, options);
  const destination = app.destinations(policy)[index];
  const configured = policy.publish[index];
  if (!destination || !configured) throw new Error(`Policy ${policy.name} has no destination ${index}`);
  const { store, secrets } = configured;
  const edit = editToDetach(app.source, policy.name, index);
  await requireReplaceable(edit);
  const { name: file, line } = edit;
  const params = { policy: policy.name, store, secrets: namesOf(secrets), file, line, deletes };
  if (!json) showEdit(io, tell(fact('attachment-ends', params)), edit.lines, '-');
  if (json && !yes) {
    return io.stdout.json(attachmentJson(policy, configured, edit, { state: 'planned', deleted: false }));
  }
  if (!yes) await confirm(deletes ? 'Detach it, and delete its secrets?' : 'Detach it?');
  await using view = await app.view(policy);
  await detach(view, {
    ledger: await app.ledger(),
    requester: requester(options),
    destination,
    deletes,
    commit: commitOf(edit),
  });
  const done = { policy: policy.name, store, deleted: deletes };
  if (json)
    return io.stdout.json(attachmentJson(policy, configured, edit, { state: 'detached', deleted: deletes }));
  io.stdout.write(tell(fact('attachment-ended', done)));
}

/** Which destination is meant. Throws a fault unless it is one, and not the primary. */
function indexOf(app: App, policy: Policy, { store, secrets }: Options): number {
  const names = app.destinations(policy).map(({ name }) => name);
  const found = policy.publish.flatMap((each, index) =>
    each.store === store && (secrets === undefined || isMapping(each.secrets, secrets)) ? [index] : [],
  );
  const [index, ...others] = found;
  if (index === undefined) {
    const inStore = policy.publish.flatMap((each, at) =>
      each.store === store ? [{ destination: String(names[at]), secrets: optionOf(each.secrets) }] : [],
    );
    throw fault('attachment-not-there', { policy: policy.name, store, known: names, inStore });
  }
  if (others.length > 0) {
    const destinations = found.map((each) => String(names[each]));
    throw fault('attachment-ambiguous', { policy: policy.name, destinations });
  }
  if (index > 0) return index;
  throw fault('attachment-is-primary', { policy: policy.name, isOnly: policy.publish.length === 1 });
}
