import type { Stage } from '../secret-store.ts';

/**
 * A stage, or what a version has that is written to see whether it can be, so that it takes the
 * label of no other.
 */
export type Label = Stage | 'rehearsal';

/** How AWS Secrets Manager calls the stages. */
export const LABELS: Readonly<Record<Label, string>> = {
  current: 'AWSCURRENT',
  pending: 'AWSPENDING',
  previous: 'AWSPREVIOUS',
  rehearsal: 'KEYTURNREHEARSAL',
};

/**
 * The labels of each version of a secret, by VersionId. The service does not tell of versions that
 * have none.
 */
export type Labels = ReadonlyMap<string, readonly string[]>;

/** Whether a version is at one of the stages; undefined stands for a secret that does not exist. */
export function isAt(labels: Labels | undefined, token: string, ...stages: readonly Label[]): boolean {
  return stages.some((stage) => labels?.get(token)?.includes(LABELS[stage]));
}

/** The version that is at a stage. */
export function holderOf(labels: Labels, stage: Label): string | undefined {
  return [...labels.keys()].find((token) => isAt(labels, token, stage));
}
