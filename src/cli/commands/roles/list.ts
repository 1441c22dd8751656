import type { Command } from 'commander';
import { tell } from '../../../messages/tell.ts';
import type { ListedLogin } from '../../../roles/list-roles.ts';
import type { Io } from '../../io.ts';
import { factJson } from '../../output/fact-json.ts';
import { relative, writeTable } from '../../output/table.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';
import { gatherLogins } from './gather-logins.ts';

interface Options extends ConfigOption {
  readonly all?: true;
  readonly json?: true;
}

export function registerList(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--all', 'list all other roles that can log in too')
    .option('--json', 'print JSON')
    .action((options: Options) =>
      withApp(io, options, async (app) => {
        const listed = await gatherLogins(app, { all: options.all === true });
        if (options.json) io.stdout.json(listed.map(listedJson));
        else write(io, listed, app.clock.now());
        const errors = listed.flatMap((each) => errorOf(each) ?? []);
        // In JSON each login has its own.
        if (!options.json) for (const error of new Set(errors)) io.stderr.write(`keyturn: ${error}\n`);
        if (errors.length > 0) io.exit(1);
      }),
    );
}

function listedJson(listed: ListedLogin) {
  const { faults, ...login } = listed;
  return { ...login, error: errorOf(listed), faults: faults.map(factJson) };
}

function errorOf({ faults }: ListedLogin): string | null {
  return faults.map(tell).join('; ') || null;
}

function write(io: Io, listed: readonly ListedLogin[], now: number): void {
  writeTable(
    io,
    ['login', 'policy', 'state', 'made by', 'sessions', 'member of', 'last rotated'],
    listed.flatMap((each) => (each.login === null ? [] : [rowOf(each, each.login, now)])),
  );
}

function rowOf(each: ListedLogin, login: string, now: number): string[] {
  return [
    login,
    each.policy ?? '-',
    each.state ?? (each.policy === null ? '-' : 'unknown'),
    each.state === 'missing' ? '-' : each.made ? 'keyturn' : 'found',
    each.sessions === null ? unseen(each) : String(each.sessions),
    each.memberOf === null ? unseen(each) : each.memberOf.join(', ') || '-',
    lastRotated(each, now),
  ];
}

/** What to print for null: nothing if the login does not exist, otherwise that it is unknown. */
function unseen({ state }: ListedLogin): string {
  return state === 'missing' ? '-' : 'unknown';
}

function lastRotated({ lastRotatedAt, policy, state }: ListedLogin, now: number): string {
  if (lastRotatedAt !== null) return relative(lastRotatedAt, now);
  return policy === null || state === 'removed' ? '-' : 'never';
}
