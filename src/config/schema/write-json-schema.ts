import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchema } from './json-schema.ts';

/** Writes the JSON Schema of the configuration to a file. */
export function writeJsonSchema(path: string): void {
  writeFileSync(path, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
}

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  writeJsonSchema('config/keyturn.schema.json');
}
