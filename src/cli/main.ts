#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { environment } from '../app.ts';
import { tellError } from '../messages/tell.ts';
import { exitCodeOf, registerCommands, writeError } from './commands.ts';
import type { Io } from './io.ts';
import { type Output, openOutput } from './output/output.ts';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

const io: Io = {
  env: environment,
  cwd: process.cwd(),
  stdout: openOutput(process.stdout),
  stderr: openOutput(process.stderr),
  exit: (code) => {
    process.exitCode = code;
  },
};

// Only the message: an error of pg can carry its client, which has the password.
process.on('uncaughtException', (error) => {
  io.stderr.write(`keyturn: ${tellError(error)}\n`);
  void flushed().then(() => process.exit(1));
});

// A reader that goes away (`keyturn history | head`) is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

const program = new Command('keyturn')
  .description(manifest.description)
  .version(manifest.version)
  .exitOverride()
  .configureOutput({ writeOut: linesTo(io.stdout), writeErr: linesTo(io.stderr) })
  .showHelpAfterError('(keyturn --help lists the commands)');
registerCommands(program, io);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) writeError(io, error);
  process.exitCode = exitCodeOf(error);
}

// The command is over. A connection to a server that stalls must not keep the process alive.
await flushed();
process.exit();

/**
 * Resolves once everything that was written has gone to its reader: a pipe takes no more than 64
 * KiB at once.
 */
async function flushed(): Promise<void> {
  const ends = [process.stdout, process.stderr].map(
    (stream) => new Promise((done) => stream.write('', done)),
  );
  await Promise.all(ends);
}

/** Help has many lines, all of them our own. */
function linesTo(output: Output): (text: string) => void {
  return (text) => {
    for (const line of text.replace(/\n$/, '').split('\n')) output.write(line);
  };
}
