import { createInterface } from 'node:readline/promises';
import { visible } from '../../visible.ts';
import { Interrupted } from '../interrupted-error.ts';
import { UsageError } from '../usage-error.ts';

/** What has to be typed, letter for letter, and the option that says it beforehand. */
export interface Expected {
  readonly answer: string;
  readonly option: string;
}

const YES: Expected = { answer: 'yes', option: '--yes' };

/**
 * Goes on only after the expected answer, by default `yes`: nothing is trimmed, no case is ignored. Throws a UsageError
 * for any other answer, at the end of input and where nobody can be asked, and Interrupted on Ctrl-C.
 */
export async function confirm(question: string, { answer, option }: Expected = YES): Promise<void> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new UsageError(`${question} Nobody is here to be asked; add ${option}`);
  }
  const prompt = createInterface({ input: stdin, output: stderr });
  let interrupt = () => {};
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: Error) => {
      stderr.write('\n');
      reject(error);
    };
    // In the terminal's raw mode Ctrl-C is a key; it is a signal where somebody sends one.
    interrupt = () => stop(new Interrupted());
    prompt.on('SIGINT', interrupt);
    process.once('SIGINT', interrupt);
    prompt.once('close', () => stop(new UsageError('Nothing was done')));
  });
  try {
    const given = await Promise.race([prompt.question(visible(`${question} Type ${answer}: `)), stopped]);
    prompt.removeAllListeners('close');
    if (given !== answer) throw new UsageError('Nothing was done');
  } finally {
    process.removeListener('SIGINT', interrupt);
    prompt.close();
  }
}
