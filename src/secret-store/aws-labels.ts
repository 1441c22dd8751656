import type { Stage } from './secret-store.ts';

/** How AWS Secrets Manager calls the stages. */
export const LABELS: Readonly<Record<Stage, string>> = {
  current: 'AWSCURRENT',
  pending: 'AWSPENDING',
  previous: 'AWSPREVIOUS',
};

/** The labels of each version of a secret, by VersionId. The service does not tell of versions that have none. */
export type Labels = ReadonlyMap<string, readonly string[]>;

/** Whether a version is at one of the stages; undefined stands for a secret that does not exist. */
export function isAt(labels: Labels | undefined, token: string, ...stages: readonly Stage[]): boolean {
  return stages.some((stage) => labels?.get(token)?.includes(LABELS[stage]));
}

/** The version that is at a stage. */
export function holderOf(labels: Labels, stage: Stage): string | undefined {
  return [...labels.keys()].find((token) => isAt(labels, token, stage));
}
