import { createInterface } from 'node:readline/promises';
import { fault } from '../../facts/fault.ts';
import { visible } from '../../visible.ts';

/** What to type, letter for letter, and the option that answers in advance. */
export interface Expected {
  readonly answer: string;
  readonly option: string;
}

const YES: Expected = { answer: 'yes', option: '--yes' };

/**
 * Continues only after the expected answer, by default `yes`. It does not trim the answer and does
 * not ignore case. Throws `not-confirmed` for any other answer and at the end of input,
 * `confirmation-impossible` if nobody can be asked, and `interrupted` on Ctrl-C.
 */
export async function confirm(question: string, { answer, option }: Expected = YES): Promise<void> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw fault('confirmation-impossible', { question, option });
  const prompt = createInterface({ input: stdin, output: stderr });
  let interrupt = () => {};
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: Error) => {
      stderr.write('\n');
      reject(error);
    };
    // In the terminal's raw mode Ctrl-C is a key. A signal can only come from another process.
    interrupt = () => stop(fault('interrupted', {}));
    prompt.on('SIGINT', interrupt);
    process.once('SIGINT', interrupt);
    prompt.once('close', () => stop(fault('not-confirmed', {})));
  });
  try {
    const given = await Promise.race([prompt.question(visible(`${question} Type ${answer}: `)), stopped]);
    prompt.removeAllListeners('close');
    if (given !== answer) throw fault('not-confirmed', {});
  } finally {
    process.removeListener('SIGINT', interrupt);
    prompt.close();
  }
}
