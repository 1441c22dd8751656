import { FIELDS, type Field, type Mapping, type SecretName } from '../../config/policy.ts';
import { parseSecretName } from '../../config/schema/policy-schema.ts';
import { suggested } from '../../config/schema/report-issue.ts';
import { fault } from '../../facts/fault.ts';

/**
 * Parses `field=name,field=name#key`, which may be given several times. Throws a fault for what is
 * no field, or no name.
 */
export function parseSecrets(given: string, before: Mapping = {}): Mapping {
  const mapping: Partial<Record<Field, SecretName>> = { ...before };
  for (const item of given.split(',')) {
    const [, name, secret] = /^([^=]+)=(.+)$/.exec(item.trim()) ?? [];
    if (name === undefined || secret === undefined || secret.includes('${')) {
      throw fault('secrets-option-invalid', { given: item, known: FIELDS });
    }
    const field = FIELDS.find((each) => each === name);
    if (field === undefined) {
      throw fault('secrets-field-unknown', { field: name, ...suggested(name, FIELDS), known: FIELDS });
    }
    if (mapping[field]) throw fault('secrets-field-repeated', { field });
    mapping[field] = parseSecretName(secret);
  }
  return mapping;
}
