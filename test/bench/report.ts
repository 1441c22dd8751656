/** What a part of the benchmark found. */
export interface Section {
  readonly tables: readonly Table[];
  readonly bars?: readonly Bar[];
  /** Printed with --verbose, and never part of the page. */
  readonly details?: readonly string[];
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below the table. */
  readonly notes?: readonly string[];
}

/** A number that must not be exceeded, or must be reached. */
export interface Bar {
  readonly what: string;
  readonly found: number;
  readonly most?: number;
  readonly least?: number;
  readonly unit?: string;
}

/** A part as it ended: `failure` says why it could not be measured. */
export interface Ended {
  readonly letter: string;
  readonly title: string;
  readonly section?: Section;
  readonly failure?: string;
}

/** Numbers as a table shows them: three significant digits, or whole where there are more. */
export function figure(number: number, unit = ''): string {
  if (number === Number.POSITIVE_INFINITY) return 'never';
  if (!Number.isFinite(number)) return 'not measured';
  const text =
    Math.abs(number) >= 100 ? Math.round(number).toString() : String(Number(number.toPrecision(3)));
  return unit === '' ? text : `${text} ${unit}`;
}

export function isKept({ found, most, least }: Bar): boolean {
  return (
    Number.isFinite(found) && (most === undefined || found <= most) && (least === undefined || found >= least)
  );
}

export function sectionText({ letter, title, section, failure }: Ended, verbose: boolean): string {
  const parts = [`## (${letter}) ${title}`];
  if (failure !== undefined) parts.push(`Not measured: ${failure}`);
  for (const table of section?.tables ?? []) parts.push(table.title, markdown(table), ...(table.notes ?? []));
  if (verbose) parts.push(...(section?.details ?? []).map((text) => `\`\`\`\n${text}\n\`\`\``));
  return parts.join('\n\n');
}

const WHY_NOT = `Part (j) and [What a rotation asks, and why](development.md#what-a-rotation-asks-and-why) say what the
guarantee needs where a bar of a rotation is not kept.`;

/** All bars of all parts in one table. */
export function barsText(ended: readonly Ended[]): string {
  const rows = ended.flatMap(({ letter, section, failure }) => [
    ...(section?.bars ?? []).map((bar) => [
      `(${letter})`,
      bar.what,
      bar.most === undefined
        ? `at least ${figure(bar.least ?? 0, bar.unit)}`
        : `at most ${figure(bar.most, bar.unit)}`,
      figure(bar.found, bar.unit),
      isKept(bar) ? 'yes' : 'no',
    ]),
    ...(failure === undefined ? [] : [[`(${letter})`, 'all', '', 'not measured', 'no']]),
  ]);
  const table = markdown({ title: '', head: ['part', 'what', 'bar', 'found', 'kept'], rows });
  return `## The bars\n\n${table}${rows.some(([, , , , kept]) => kept === 'no') ? `\n\n${WHY_NOT}` : ''}`;
}

/** A table in Markdown, whose columns line up in a terminal too. */
export function markdown({ head, rows }: Table): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [
    line(first),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...others.map(line),
  ].join('\n');
}
