import { ConfigError } from '../config/config-error.ts';
import { factOf, isFault } from '../facts/fault.ts';
import { isWrongRequest } from '../facts/wrong-request.ts';
import { tellError, tellProblem } from '../messages/tell.ts';
import { visibleJson } from '../visible.ts';
import type { Io } from './io.ts';
import { errorJson, problemJson } from './output/fact-json.ts';

/**
 * Writes on stderr what a command threw, once. Each problem of a configuration has its own line,
 * with its place. With `json` each line is a JSON object `{ "error": … }`.
 */
export function writeError(
  io: Pick<Io, 'stderr'>,
  thrown: unknown,
  { json = false }: { readonly json?: boolean | undefined } = {},
): void {
  const error = firstOf(thrown);
  if (json) {
    const errors =
      error instanceof ConfigError ? error.problems.map(problemJson) : [errorJson(factOf(error))];
    for (const each of errors) io.stderr.write(visibleJson(JSON.stringify({ error: each })));
  } else if (error instanceof ConfigError) {
    for (const problem of error.problems) io.stderr.write(tellProblem(problem));
  } else {
    io.stderr.write(`keyturn: ${tellError(error)}`);
  }
}

/**
 * 0 done, 1 failed or a finding, 2 wrong usage or configuration, 3 timed out while waiting, 130
 * interrupted.
 */
export function exitCodeOf(thrown: unknown): number {
  const error = firstOf(thrown);
  if (isFault(error, 'interrupted')) return 130;
  if (isFault(error, 'policy-unknown') || isWrongRequest(error) || error instanceof ConfigError) return 2;
  return 1;
}

/**
 * If closing fails after a fault, `await using` throws a SuppressedError with the fault in
 * `suppressed`.
 */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'suppressed' in thrown ? firstOf(thrown.suppressed) : thrown;
}
