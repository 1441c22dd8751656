import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import type { Fact } from '../../facts/fact.ts';
import { factOf } from '../../facts/fault.ts';
import { tell } from '../../messages/tell.ts';
import { refuseMissingPlanRights } from '../../roles/plan/plan-rights.ts';
import { planRestore, type RestorePlan } from '../../roles/restore/plan-restore.ts';
import { restore } from '../../roles/restore/restore.ts';
import { withRestore } from '../../roles/restore/with-restore.ts';
import type { Io } from '../io.ts';
import { confirm } from '../output/confirm.ts';
import { factJson } from '../output/fact-json.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, namedOrAll, withApp } from '../with-app.ts';
import { writeSql } from './roles/write-sql.ts';

interface Options extends ConfigOption, ReasonOption {
  readonly all?: true;
  readonly sql?: true;
  readonly json?: true;
  readonly yes?: true;
}

/** What became of one policy, or would. */
interface Restored {
  readonly policy: string;
  readonly login: string | null;
  readonly state: 'works' | 'refused' | 'restored' | 'failed';
  readonly plan: RestorePlan | undefined;
  /** Why PostgreSQL refuses the login, or why it was not restored. */
  readonly fact: Fact | undefined;
}

export function registerRestore(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--all', 'look at every policy')
    .option('--sql', 'only print the SQL, for an administrator to run')
    .option('--yes', 'answer the question with yes')
    .option('--json', 'print JSON; with --yes what was done, else what would be')
    .action((names: string[], options: Options) =>
      withApp(io, options, (app) => run(io, app, names, options)),
    );
}

async function run(io: Io, app: App, names: readonly string[], options: Options): Promise<void> {
  const { all, sql, json, yes } = options;
  const write = (line: string) => {
    if (!json && !sql) io.stdout.write(line);
  };
  // In JSON each result has its own error.
  const told = json ? { ...io, stderr: { ...io.stderr, write: () => {} } } : io;
  const seen: Restored[] = [];
  // One after another: they may share a server that has few connections left.
  for (const policy of namedOrAll(app, names, all)) {
    const looked = await look(app, policy, sql ? 'administrator' : 'rotator');
    seen.push(looked);
    tellLooked(told, write, looked);
  }
  if (sql) return writeScripts(io, seen);
  const broken = seen.filter(({ state }) => state === 'refused');
  if (broken.length > 0 && !yes && !json) await confirm(questionOf(broken));
  const asks = json && !yes;
  const results = asks ? seen : await restoreEach(told, app, { seen, write, options });
  if (json) io.stdout.json(results.map(restoredJson));
  if (results.some(({ state }) => state === 'failed' || state === 'refused')) io.exit(1);
}

async function look(app: App, policy: Policy, executor: 'rotator' | 'administrator'): Promise<Restored> {
  const { name } = policy;
  try {
    return await withRestore(app, policy, async (context) => {
      const plan = await planRestore(context, executor);
      const { refused } = plan;
      if (refused && executor === 'rotator') {
        await refuseMissingPlanRights(context, { ...plan.roles, changes: plan.changes }, 'restore');
      }
      const { username: login } = plan.credential;
      return { policy: name, login, state: refused ? 'refused' : 'works', plan, fact: refused };
    });
  } catch (error) {
    return { policy: name, login: null, state: 'failed', plan: undefined, fact: factOf(error) };
  }
}

async function restoreEach(
  io: Io,
  app: App,
  {
    seen,
    write,
    options,
  }: {
    readonly seen: readonly Restored[];
    readonly write: (line: string) => void;
    readonly options: ReasonOption;
  },
): Promise<Restored[]> {
  const results: Restored[] = [];
  for (const looked of seen) {
    const { policy, state, plan } = looked;
    if (state !== 'refused' || !plan) {
      results.push(looked);
      continue;
    }
    try {
      await withRestore(app, app.policy(policy), (context) =>
        restore(context, { agreed: plan, ...requester(options) }),
      );
      results.push({ ...looked, state: 'restored' });
      write(`${policy}: ${plan.credential.username} logs in again`);
    } catch (error) {
      const failed: Restored = { ...looked, state: 'failed', fact: factOf(error) };
      results.push(failed);
      tellLooked(io, write, failed);
    }
  }
  return results;
}

function tellLooked(
  io: Io,
  write: (line: string) => void,
  { policy, login, state, plan, fact }: Restored,
): void {
  if (state === 'works') write(`${policy}: ${login} logs in; there is nothing to restore`);
  if (state === 'failed' && fact) io.stderr.write(`keyturn: ${policy}: ${tell(fact)}`);
  if (state !== 'refused' || !fact || !plan) return;
  write(`${policy}: ${login} is refused: ${tell(fact)}`);
  for (const { does } of plan.changes) write(`${policy}: ${tell(does)}`);
}

function questionOf(broken: readonly Restored[]): string {
  const [first, ...others] = broken;
  const rest = others.length === 0 ? '' : ` and ${others.length} more`;
  return `Make these changes, so that what ${first?.policy}${rest} publishes logs in again?`;
}

function writeScripts(io: Io, seen: readonly Restored[]): void {
  for (const { policy, plan } of seen) {
    if (!plan) continue;
    const { database } = plan.roles.current;
    writeSql(
      io,
      `What ${policy} publishes: run this in the database ${database.name} as a superuser.`,
      plan.changes,
    );
  }
  if (seen.some(({ state }) => state === 'failed')) io.exit(1);
}

function restoredJson({ policy, login, state, plan, fact }: Restored) {
  return {
    policy,
    login,
    state,
    changes: (plan?.changes ?? []).map(({ does }) => ({ what: tell(does), ...factJson(does) })),
    error: fact ? tell(fact) : null,
    fault: fact ? factJson(fact) : null,
  };
}
