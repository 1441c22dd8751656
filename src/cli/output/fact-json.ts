import type { Fact } from '../../facts/fact.ts';
import type { Problem } from '../../facts/problem.ts';
import { tell } from '../../messages/tell.ts';
import type { RotationReport } from '../../rotation/report.ts';

/** A fact as it stands in JSON beside its message. */
export function factJson({ code, params }: Fact): Pick<Fact, 'code' | 'params'> {
  return { code, params };
}

/** An error as `--json` prints it on stderr. */
export function errorJson(error: Fact) {
  return { message: tell(error), ...factJson(error) };
}

/** A problem of the configuration as `--json` prints it: where it is, and what it is. */
export function problemJson({ fact, ...place }: Problem) {
  return { ...place, ...errorJson(fact) };
}

/** A rotation as `--json` prints it: facts and their messages. */
export function reportJson({ fault, warnings, ...report }: RotationReport) {
  return {
    ...report,
    warnings: warnings.map(({ fact, ...warning }) => ({ ...warning, text: tell(fact), ...factJson(fact) })),
    error: fault && tell(fault),
    fault: fault && factJson(fault),
  };
}
