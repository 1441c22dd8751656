import stringWidth from 'string-width';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { keyturn } from '../support/keyturn.ts';
import { inTerminal } from '../support/terminal.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

const COLUMNS = 80;
const LONG = 'a-policy-whose-name-is-as-long-as-the-names-that-some-people-li';

let workspace: Workspace;
beforeEach(async () => {
  const logins = ['a', 'b'].map((end) => uniqueName(`the_login_of_a_team_${end}`)) as [string, string];
  workspace = await openWorkspace(inject('postgres'), { logins });
});
afterEach(() => workspace[Symbol.asyncDispose]());

test('tables and findings fit a terminal of 80 columns, with long names, and lose nothing', async () => {
  const schedule =
    '    schedule: { every: 30d, at: "02:30", timezone: Europe/Berlin, window: 2h, jitter: 1h }\n';
  await workspace.configure(filePolicy(workspace.logins, schedule).replace('  app:\n', `  ${LONG}:\n`));
  await keyturn(['rotate', LONG, '--inline'], { cwd: workspace.folder });
  const tables = [
    [['status'], LONG],
    [['history'], LONG],
    [['schedule', LONG], ''],
    [['schedule', '--all'], LONG],
    [['plan', LONG], ''],
    [['doctor', LONG], ''],
    [['roles', 'list'], LONG],
  ] as const;
  for (const [args, name] of tables) {
    const { shown } = await inTerminal(args, '', { cwd: workspace.folder, columns: COLUMNS });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours, and the progress line that is erased.
    const lines = shown.replace(/\x1b\[[\d;]*[A-Za-z]|^.*\r(?!\n)/gm, '').split(/\r?\n/);
    const rows = tableIn(lines, args);
    expect(rows.length, args.join(' ')).toBeGreaterThan(1);
    for (const row of rows) expect(stringWidth(row), row).toBeLessThanOrEqual(COLUMNS);
    // A name that was broken is whole when its pieces are put together: they stand under each other.
    if (name !== '') expect(piecesIn(rows), args.join(' ')).toContain(name);
  }
  // To a pipe each row is one line.
  const { stdout } = await keyturn(['history'], { cwd: workspace.folder });
  expect(stdout).toMatch(new RegExp(`^\\S+Z  ${LONG}  done .* check \\d+ ms, stage`, 'm'));
});

/** The lines of the table: sentences before and after it are left to the terminal, as are what is to be run. */
function tableIn(lines: readonly string[], args: readonly string[]): string[] {
  if (args[0] === 'doctor') return lines.filter((line) => !line.includes('run: '));
  const start = lines.findIndex((line) => /^(POLICY|REQUESTED|SLOT|STEP|LOGIN) /.test(line));
  const end = lines.findIndex((line, index) => index > start && /^(\S+: |keyturn: |$)/.test(line));
  return lines.slice(start, end === -1 ? undefined : end);
}

/** The cells of each column, put together without spaces. */
function piecesIn(rows: readonly string[]): string {
  const starts = new Set(
    rows.flatMap((row) => [...row.matchAll(/(?<=^| {2})\S/g)].map(({ index }) => index)),
  );
  return [...starts]
    .map((start) => rows.map((row) => (/^.*?(?= {2}|$)/.exec(row.slice(start)) ?? [''])[0]).join(''))
    .join('\n');
}
