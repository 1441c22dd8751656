import type pg from 'pg';
import type { Fact } from '../../src/facts/fact.ts';
import { factOf } from '../../src/facts/fault.ts';
import { statementsOf } from '../../src/messages/tell.ts';

/** The command lines among the remedies of a fact, without `keyturn`. */
export function commandsOf({ remedies = [] }: Fact): string[] {
  return remedies.flatMap((remedy) =>
    remedy.kind === 'command' ? [remedy.command.replace(/^keyturn /, '')] : [],
  );
}

/** Runs the statements that a fact gives, one by one, as they are. Throws where it gives none. */
export async function runStatements(client: pg.Client, fact: Fact): Promise<void> {
  const statements = statementsOf(fact);
  if (statements.length === 0) throw new Error(`${fact.code} gives no statement`);
  for (const statement of statements) await client.query(statement);
}

/**
 * The fact of this code among these, what caused them, and what their check found. Throws where
 * there is none.
 */
export function factNamed(code: Fact['code'], facts: readonly (Fact | null | undefined)[]): Fact {
  const found = facts.flatMap(withParts).find((fact) => fact.code === code);
  if (!found) throw new Error(`There is no ${code} among ${JSON.stringify(facts)}`);
  return found;
}

function withParts(fact: Fact | null | undefined): Fact[] {
  if (!fact) return [];
  const { cause, findings = [] } = fact.params as { cause?: Fact | null; findings?: Fact[] };
  return [fact, ...[cause, ...findings].flatMap(withParts)];
}

/** The fact with which something fails. */
export async function failureOf(action: Promise<unknown>): Promise<Fact> {
  return action.then(() => {
    throw new Error('It did not fail');
  }, factOf);
}
