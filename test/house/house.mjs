// npm run house -- [--json] [path…]
// Measures src/ and jobs/, or the paths below them that are given, against the rules of the house. Exits with 1 where
// one is missed.
import { parseArgs } from 'node:util';
import { measure } from './measure.mjs';
import { LIMITS, verdicts } from './rules.mjs';

// A reader that goes away (`npm run house | head`) is no fault.
process.stdout.on('error', () => process.exit());

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const house = measure(positionals);
const rules = verdicts(house);
const kept = rules.every((rule) => rule.kept);

if (values.json) {
  process.stdout.write(`${JSON.stringify({ kept, rules, ...house }, null, 2)}\n`);
} else {
  print(
    'files per folder',
    house.folders.map(({ folder, files }) => `${String(files).padStart(4)}  ${folder}`),
  );
  print(
    `functions over ${LIMITS.functionWithReason} lines`,
    house.functions
      .filter(({ lines }) => lines > LIMITS.functionWithReason)
      .map(
        ({ at, name, lines, reason }) =>
          `${String(lines).padStart(4)}  ${at} ${name}${reason ? ` (${reason})` : ''}`,
      ),
  );
  print(
    `comment lines over ${LIMITS.commentColumns} columns`,
    house.wideComments.map(({ at, columns }) => `${columns}  ${at}`),
  );
  for (const { kept, rule, found } of rules)
    process.stdout.write(`${kept ? 'ok    ' : 'MISSED'}  ${rule}: ${found}\n`);
}
process.exitCode = kept ? 0 : 1;

function print(title, lines) {
  process.stdout.write(`${title}\n${lines.map((line) => `  ${line}\n`).join('') || '  none\n'}\n`);
}
