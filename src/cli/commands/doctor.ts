import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { exposedFiles } from '../../config/config.ts';
import { counted } from '../../counted.ts';
import { type Diagnosis, diagnose } from '../../doctor/diagnose.ts';
import { remedyLines, remedyOf, statementsOf, textOf } from '../../messages/tell.ts';
import type { Finding } from '../../rotation/findings/finding.ts';
import type { Io } from '../io.ts';
import { wrapped } from '../output/wrapped.ts';
import { type ConfigOption, choosePolicies, withApp } from '../with-app.ts';

/** In less space, texts are left to the terminal to wrap. */
const NARROWEST = 24;

export function registerDoctor(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--json', 'print JSON')
    .action((names: string[], options: ConfigOption & { json?: true }) =>
      withApp(io, options, async (app) => {
        const diagnoses = await diagnose(partsOf(app), choosePolicies(app, names), progress(io));
        if (options.json) io.stdout.json(diagnoses.flatMap(report));
        else write(io, diagnoses);
        if (countOf(diagnoses, 'fail') > 0) io.exit(1);
      }),
    );
}

function partsOf(app: App) {
  const { clock, config, ledger, queue, connection, destinations } = app;
  return {
    clock,
    stores: config.stores,
    exposed: exposedFiles(config),
    ledger,
    queue,
    connection,
    destinations,
  };
}

/** A progress line on a terminal, which is erased at the end. */
function progress(io: Io): (done: number, of: number) => void {
  return (done, of) => io.stderr.passing(done < of ? `looked at ${done} of ${of}` : '');
}

function report({ connection, policy, findings }: Diagnosis) {
  return findings.map(({ about, level, fact }) => ({
    policy,
    connection,
    about,
    level,
    code: fact.code,
    params: fact.params,
    text: textOf(fact),
    remedy: remedyOf(fact) ?? null,
    sql: statementsOf(fact),
  }));
}

function write(io: Io, diagnoses: readonly Diagnosis[]): void {
  const all = diagnoses.flatMap(({ findings }) => findings);
  const width = Math.max(...all.map(({ about }) => about.length));
  const indent = ' '.repeat(width + 10);
  const room = roomFor(io, indent.length);
  for (const { connection, policy, findings } of diagnoses) {
    io.stdout.write(`${policy ?? (connection === null ? 'keyturn' : `connection ${connection}`)}\n`);
    for (const { level, about, fact } of findings) {
      const marked = { text: level.padEnd(4), colour: COLOURS[level] };
      const [first, ...rest] = wrapped(textOf(fact), room);
      io.stdout.write('  ', marked, `  ${about.padEnd(width)}  ${first}\n`);
      for (const line of [...rest, ...remedyLines(fact).flatMap((remedy) => remedyIn(remedy, room))]) {
        io.stdout.write(`${indent}${line}\n`);
      }
    }
  }
  const counts = [
    counted(countOf(diagnoses, 'fail'), 'failure'),
    counted(countOf(diagnoses, 'warn'), 'warning'),
    `${counted(countOf(diagnoses, 'skip'), 'check')} skipped`,
  ];
  io.stdout.write(`${counts.join(', ')}\n`);
}

/** The space beside an indent; unlimited where there is no terminal, or a very narrow one. */
function roomFor(io: Io, indent: number): number {
  const room = (io.stdout.columns ?? Number.POSITIVE_INFINITY) - indent;
  return room < NARROWEST ? Number.POSITIVE_INFINITY : room;
}

/** What is to be run stays in one piece, to be copied. */
function remedyIn(remedy: string, room: number): string[] {
  return remedy.startsWith('run: ') ? [remedy] : wrapped(remedy, room);
}

function countOf(diagnoses: readonly Diagnosis[], level: Finding['level']): number {
  return diagnoses.flatMap(({ findings }) => findings).filter((finding) => finding.level === level).length;
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'cyan' } as const;
