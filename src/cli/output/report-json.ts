import { tell } from '../../messages/tell.ts';
import type { RotationReport } from '../../rotation/report.ts';
import { factJson } from './fact-json.ts';

/** A rotation as `--json` prints it: facts, and their messages. */
export function reportJson({ fault, warnings, ...report }: RotationReport) {
  return {
    ...report,
    warnings: warnings.map(({ fact, ...warning }) => ({ ...warning, text: tell(fact), ...factJson(fact) })),
    error: fault && tell(fault),
    fault: fault && factJson(fault),
  };
}
