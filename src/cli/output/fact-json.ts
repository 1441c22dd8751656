import type { Fact } from '../../facts/fact.ts';
import { tell } from '../../messages/tell.ts';
import type { RotationReport } from '../../rotation/report.ts';

/** A fact as it stands in JSON beside its message. */
export function factJson({ code, params }: Fact): Pick<Fact, 'code' | 'params'> {
  return { code, params };
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
