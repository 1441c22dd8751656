import { constants } from 'node:os';
import { fault } from '../../../facts/fault.ts';

/** What to do with a program whose credential has changed. */
export type OnRotate =
  | { readonly kind: 'restart' }
  | { readonly kind: 'none' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** Those that ask a program to read again. Others would end it, or are not for programs. */
const SIGNALS = ['HUP', 'USR1', 'USR2', 'WINCH', 'CONT'] as const;

/** Of `--on-rotate`. Throws `exec-on-rotate-unknown`. */
export function onRotate(given: string): OnRotate {
  if (given === 'restart' || given === 'none') return { kind: given };
  const name = /^signal:(?:SIG)?(.+)$/i.exec(given)?.[1]?.toUpperCase();
  const signal = SIGNALS.find((known) => known === name);
  if (signal === undefined) throw fault('exec-on-rotate-unknown', { given, signals: SIGNALS });
  return { kind: 'signal', signal: `SIG${signal}` };
}

/** The exit code for a process that a signal has ended, as of a shell. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
