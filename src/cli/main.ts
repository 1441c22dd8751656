#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { environment } from '../environment.ts';
import { registerCommands } from './commands.ts';
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

// Only the message, because an error of pg can carry its client, which has the password.
process.on('uncaughtException', async (error) => {
  // It holds even if the command ends while the messages are loaded.
  process.exitCode = 1;
  const { tellError } = await import('../messages/tell.ts');
  io.stderr.write(`keyturn: ${tellError(error)}\n`);
  await flushed();
  process.exit(1);
});

// It is no fault if the reader stops reading (`keyturn history | head`).
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
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    // The messages take longer to load than all that a command without a fault needs.
    const { exitCodeOf, writeError } = await import('./write-error.ts');
    writeError(io, error);
    process.exitCode = exitCodeOf(error);
  }
}

// The command has ended. A connection to a stalled server must not keep the process alive.
await flushed();
process.exit();

/**
 * Resolves when the reader has received everything that was written: a pipe takes only 64 KiB at
 * once.
 */
async function flushed(): Promise<void> {
  const ends = [process.stdout, process.stderr].map(
    (stream) => new Promise((done) => stream.write('', done)),
  );
  await Promise.all(ends);
}

/** Help has many lines, and all of its text is our own. */
function linesTo(output: Output): (text: string) => void {
  return (text) => {
    for (const line of text.replace(/\n$/, '').split('\n')) output.write(line);
  };
}
