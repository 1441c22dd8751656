import type { Fact } from '../../facts/fact.ts';

/** Something that matters to a rotation, and how much. */
export interface Finding {
  /**
   * `fail`: stops a rotation, or consumers now; `warn`: endangers one; `skip`: could not be seen,
   * so nothing is claimed (G6).
   */
  readonly level: 'ok' | 'warn' | 'fail' | 'skip';
  /** One word for a heading, for instance `privileges`. */
  readonly about: string;
  readonly fact: Fact;
}

export function finding(level: Finding['level'], about: string, fact: Fact): Finding {
  return { level, about, fact };
}

/** Whether any of the findings stops a rotation. */
export function isStopped(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'fail');
}
