import { fault } from '../facts/fault.ts';
import { shownName } from './checks/credential-like.ts';
import type { Config } from './config.ts';
import type { Policy } from './policy.ts';
import { suggested } from './schema/report-issue.ts';

/** Throws a `policy-unknown` that suggests the nearest name. */
export function policyNamed({ policies }: Config, name: string): Policy {
  const policy = policies.get(name);
  if (policy) return policy;
  const known = [...policies.keys()];
  throw fault('policy-unknown', { name: shownName(name), ...suggested(name, known), known });
}
