import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/schema/json-schema.ts';

const COMMITTED = resolve(import.meta.dirname, '../../config/keyturn.schema.json');

test('the JSON Schema that is shipped is the generated one; `npm run schema` writes it', () => {
  expect(JSON.parse(readFileSync(COMMITTED, 'utf8'))).toEqual(jsonSchema());
});

test('every entry that has a restricted form may be a variable, and editors can explain it', () => {
  const text = JSON.stringify(jsonSchema());
  const port = text.match(/"port":(\{"description":"TCP.*?\}\]\})/)?.[1] ?? '{}';
  expect(JSON.parse(port)).toEqual({
    description: 'TCP port of the server.',
    default: 5432,
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 65_535 },
      { type: 'string', pattern: '\\$\\{' },
    ],
  });
});
