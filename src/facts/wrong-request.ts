import type { FactCode } from './fact.ts';
import { isFault } from './fault.ts';

/**
 * The codes that say that the command line or the configuration asks for what cannot be: exit code
 * 2.
 */
const WRONG_REQUESTS: readonly FactCode[] = [
  'access-level-unknown',
  'drop-confirmed-wrongly',
  'exec-command-missing',
  'exec-env-malformed',
  'exec-field-unknown',
  'exec-fields-missing',
  'exec-on-rotate-unknown',
  'exec-placeholder-unknown',
  'exec-policy-not-in-store',
  'exec-secret-name-invalid',
  'exec-secrets-malformed',
  'exec-source-unclear',
  'exec-store-unknown',
  'exec-value-missing',
  'heroku-unsupported',
  'neon-unsupported',
  'owner-level-without-owner',
  'platform-unknown',
  'role-name-unsuitable',
  'roles-not-creatable',
  'rotator-connection-ambiguous',
  'rotator-connection-unknown',
  'rotator-not-needed',
  'rotator-policy-without-roles',
  'schemas-missing',
  'sink-unknown',
  'adopt-needs-one-policy',
  'attachment-ambiguous',
  'attachment-is-primary',
  'attachment-not-there',
  'attachment-not-valid',
  'attachment-there-already',
  'secrets-field-repeated',
  'secrets-field-unknown',
  'secrets-option-invalid',
  'confirmation-impossible',
  'event-id-invalid',
  'events-and-dead',
  'log-level-unknown',
  'no-event-named',
  'no-policy-named',
  'no-sink',
  'option-not-a-count',
  'option-not-a-duration',
  'option-not-a-reason',
  'option-not-since',
  'option-in-future',
  'option-not-an-instant',
  'option-too-long',
  'not-confirmed',
  'policies-and-all',
  'usage-wrong',
];

/** Whether it is the request itself that is wrong, so that nothing but another request can help. */
export function isWrongRequest(error: unknown): boolean {
  return isFault(error, ...WRONG_REQUESTS);
}
