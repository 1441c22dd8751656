import type { Rotation } from './rotation.ts';

/** A policy has one open rotation at most. Carries the one that is. */
export class RotationOpenError extends Error {
  override readonly name = 'RotationOpenError';
  readonly rotation: Rotation | undefined;

  constructor(policy: string, rotation: Rotation | undefined, options?: ErrorOptions) {
    const which = rotation
      ? ` (${rotation.id}, requested ${rotation.requestedAt.toISOString()} by ${rotation.requestedBy})`
      : '';
    super(`Policy ${policy} has a rotation open already${which}; see: keyturn status ${policy}`, options);
    this.rotation = rotation;
  }
}
