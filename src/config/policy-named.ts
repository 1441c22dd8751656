import { shownName } from './checks/credential-like.ts';
import type { Config } from './config.ts';
import type { Policy } from './policy.ts';
import { nearest } from './schema/nearest.ts';

/** A policy was asked for that the configuration does not have. */
export class UnknownPolicyError extends Error {
  override readonly name = 'UnknownPolicyError';
}

/** Throws an UnknownPolicyError that suggests the nearest name. */
export function policyNamed({ policies }: Config, name: string): Policy {
  const policy = policies.get(name);
  if (policy) return policy;
  const names = [...policies.keys()];
  const like = nearest(name, names);
  throw new UnknownPolicyError(
    `There is no policy ${JSON.stringify(shownName(name))}; ${like ? `did you mean ${like}?` : `there is ${names.join(', ') || 'none'}`}`,
  );
}
