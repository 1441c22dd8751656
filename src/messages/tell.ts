import type { Fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import type { Problem } from '../facts/problem.ts';
import type { Remedy } from '../facts/remedy.ts';
import { oneLineNames } from '../postgres/one-line-names.ts';
import type { Message, Quote } from './message.ts';
import { MESSAGES } from './messages.ts';
import { problemLine } from './problems.ts';

/**
 * What is the case, in a sentence without its remedy. A fact of the ledger may have another shape:
 * it is shown as data.
 */
export function textOf(fact: Fact): string {
  try {
    const text = messageOf(fact)?.text(fact.params, tell, QUOTE);
    if (text !== undefined) return text;
  } catch {}
  return `${fact.code} ${JSON.stringify(fact.params)}`;
}

/**
 * What puts a fact right, a line each: advice, then commands and configuration keys, then each
 * statement by itself.
 */
export function remedyLines(fact: Fact): string[] {
  return [...wordLines(fact), ...statementsOf(fact).map((statement) => `run: ${oneLineNames(statement)}`)];
}

/** What to do about a fact, in words; undefined where its code has no advice. */
export function adviceOf(fact: Fact): string | undefined {
  const { advice } = messageOf(fact) ?? {};
  if (typeof advice !== 'function') return advice;
  try {
    return advice(fact.params, QUOTE);
  } catch {
    return undefined;
  }
}

/** What puts a fact right other than SQL, as one text; undefined where nothing is known. */
export function remedyOf(fact: Fact): string | undefined {
  return wordLines(fact).join('; ') || undefined;
}

/** The statements among the remedies of a fact. */
export function statementsOf({ remedies = [] }: Fact): string[] {
  return remedies.flatMap((remedy) => (remedy.kind === 'sql' ? remedy.statements : []));
}

/** A fact in one line: what is the case, then what to do. */
export function tell(fact: Fact): string {
  const statements = statementsOf(fact).map(oneLineNames);
  return [tellWords(fact), ...(statements.length > 0 ? [`run: ${statements.join('; ')}`] : [])].join('; ');
}

/** Whatever was thrown, in one line. */
export function tellError(error: unknown): string {
  return tell(factOf(error));
}

const QUOTE: Quote = { text: textOf, words: tellWords, advice: adviceOf };

function tellWords(fact: Fact): string {
  return [textOf(fact), ...wordLines(fact)].join('; ');
}

function wordLines(fact: Fact): string[] {
  const advice = adviceOf(fact);
  return [...(advice === undefined ? [] : [advice]), ...(fact.remedies ?? []).flatMap(linesOf)];
}

/** A problem of the configuration in one line: its place, what is wrong, and what is allowed. */
export function tellProblem(problem: Problem): string {
  return problemLine(problem, tell);
}

function linesOf(remedy: Remedy): string[] {
  switch (remedy.kind) {
    case 'sql':
      return [];
    case 'command':
      return [`run: ${remedy.command}`];
    case 'config':
      return [`change ${remedy.path} in the configuration`];
  }
}

/** Undefined for a code that a newer release wrote into the ledger. */
function messageOf(fact: Fact): Message<Fact['params']> | undefined {
  // Each entry takes the parameters of its own code, which are those of the fact.
  if (!Object.hasOwn(MESSAGES, fact.code)) return undefined;
  return MESSAGES[fact.code] as Message<Fact['params']> | undefined;
}
