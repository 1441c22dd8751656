// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { addDestination, type Edited, takeDestination } from '../../../src/config/edit/edit-publish.ts';
import { entryLine } from '../../../src/config/edit/entry-lines.ts';
import type { NotEditable } from '../../../src/config/edit/publish-list.ts';
import type { Destination } from '../../../src/config/policy.ts';

const NEW: Destination = {
  store: 'aws',
  create: true,
  secrets: {
    username: { secret: 'prod/orders', key: 'username' },
    password: { secret: 'prod/orders', key: 'password' },
  },
};
const ENTRY =
  '{ store: aws, create: true, secrets: { username: prod/orders#username, password: prod/orders#password } }';
/** As YAML has it. */
const PLAIN = parse(ENTRY);

const BASE = `policies:
  orders:
    connection: db # the database
    logins: [orders_a,   orders_b]
    publish:
      - store: files
        secrets: { username: orders/username, password: orders/password }
`;

function edited(result: Edited | NotEditable): Edited {
  if ('why' in result) throw new Error(`not editable: ${JSON.stringify(result)}`);
  return result;
}

function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

/** The same in other styles, each of which keeps its bytes. */
const AWKWARD: readonly (readonly [string, string])[] = [
  ['as it is written usually', BASE],
  ['with CRLF', BASE.replaceAll('\n', '\r\n')],
  ['without a line end at its end', BASE.trimEnd()],
  ['with CRLF and without a line end at its end', BASE.trimEnd().replaceAll('\n', '\r\n')],
  ['with a byte order mark', `\uFEFF${BASE}`],
  [
    'with the list not indented',
    BASE.replace('      - store', '    - store').replace('        secrets', '      secrets'),
  ],
  ['with wide dashes', BASE.replace('- store', '-   store').replace('        secrets', '          secrets')],
  [
    'with comments around',
    BASE.replace('/password }', '/password } # why').concat('      # - store: old\n\n  # next\n'),
  ],
  ['with a document begin and end', `%YAML 1.2\n---\n# ours\n${BASE}...\n`],
  ['with trailing blanks and tabs', BASE.replace('db #', 'db  \t#').replace('files\n', 'files \t \n')],
  [
    'with another policy and sections behind',
    `${BASE}  other:\n    connection: db\n    publish: [{ store: x, secrets: { url: y } }]\nstores: {files: {type: file}}\n`,
  ],
  [
    'with block secrets',
    BASE.replace(
      '{ username: orders/username, password: orders/password }',
      '\n          "username":   \'orders/username\'\n          password: orders/password',
    ),
  ],
  [
    'with brackets over several lines',
    BASE.replace('orders/username, ', 'orders/username,\n          # inside\n          '),
  ],
  [
    'with a text block at the end',
    BASE.replace(
      '{ username: orders/username, password: orders/password }',
      '\n          username: orders/username\n          password: >-\n            orders/password\n',
    ),
  ],
  ['with references', BASE.replace('orders/username', '"${NAME}/username"').replace('db #', '"${DB:-db}" #')],
  [
    'with quoted keys',
    BASE.replace('policies', '"policies"').replace('orders:', "'orders':").replace('publish', '"publish"'),
  ],
  ['with anchors elsewhere', `x: &x { a: 1 }\ny: *x\n${BASE}`],
  [
    'with several destinations',
    BASE.concat('\n      # the second\n      - store: b\n        secrets: { url: b/url }\n'),
  ],
  ['with a long file', `${'# filler\n'.repeat(9_000)}${BASE}`],
];

describe('A destination is added and taken out again, with all other characters as they were,', () => {
  test.each(AWKWARD)('in a file %s', (_, text) => {
    const added = edited(addDestination(text, 'orders', NEW));
    const before = parse(text.replace('\uFEFF', '')).policies.orders.publish;
    const after = parse(added.text.replace('\uFEFF', '')).policies.orders.publish;
    expect(after).toEqual([...before, PLAIN]);
    // Nothing but new lines.
    const rest = lines(added.text);
    const begin = added.line - 1;
    expect(rest.slice(begin, begin + added.lines.length).map((line) => line.trimEnd())).toEqual(added.lines);
    rest.splice(begin, added.lines.length);
    expect(rest.join('').replace(/\r?\n$/, '')).toBe(text.replace(/\r?\n$/, ''));
    expect(added.text.includes('\r\n')).toBe(text.includes('\r\n'));
    expect(/[^\r]\n/.test(added.text)).toBe(/[^\r]\n/.test(text));
    const taken = edited(takeDestination(added.text, 'orders', before.length));
    expect(taken.text).toBe(text);
    expect(taken.lines).toEqual(added.lines);
  });
});

describe('A file is not edited, and the place is told,', () => {
  test.each([
    [
      'where the list is in brackets',
      BASE.replace(/publish:[\s\S]*/, 'publish: [{ store: files, secrets: { url: a/b } }]\n'),
      'brackets',
      5,
      14,
    ],
    [
      'where the policy is in brackets',
      'policies:\n  orders: { publish: [{ store: a }] }\n',
      'brackets',
      2,
      11,
    ],
    ['where all policies are in brackets', 'policies: { orders: { publish: [] } }\n', 'brackets', 1, 11],
    [
      'where the list is an alias',
      `x: &p\n  - store: a\n${BASE.replace(/publish:[\s\S]*/, 'publish: *p\n')}`,
      'alias',
      7,
      14,
    ],
    [
      'where the list has an anchor',
      `${BASE.replace('publish:', 'publish: &p')}  two:\n    publish: *p\n`,
      'anchor',
      6,
      7,
    ],
    ['where the policy has an anchor', BASE.replace('orders:', 'orders: &o'), 'anchor', 3, 5],
    ['where the list has a tag', BASE.replace('publish:', 'publish: !!set'), 'tag', 6, 7],
    [
      'where a variable stands for the list',
      BASE.replace(/publish:[\s\S]*/, 'publish: "${PUBLISH}"\n'),
      'not-found',
      5,
      14,
    ],
    [
      'where the policy is merged',
      `base: &b\n  publish:\n    - store: a\npolicies:\n  orders:\n    <<: *b\n`,
      'not-found',
      6,
      5,
    ],
    ['where the dash has a line of its own', BASE.replace('- store', '-\n        store'), 'unclear', 7, 9],
    [
      'where the last destination is an alias of an anchor',
      `x: &d { store: a }\n${BASE}      - *d\n`,
      undefined,
      0,
      0,
    ],
  ] as const)('%s', (_, text, why, line, column) => {
    const result = addDestination(text, 'orders', NEW);
    if (why === undefined) expect(parse(edited(result).text).policies.orders.publish).toHaveLength(3);
    else expect(result).toEqual({ why, line, column });
  });

  test('where an anchor in what is taken out is used elsewhere', () => {
    const text = `${BASE}      - store: b\n        secrets: &s { url: b/url }\n  two:\n    publish:\n      - store: c\n        secrets: *s\n`;
    expect(takeDestination(text, 'orders', 1)).toMatchObject({ why: 'unclear', line: 8 });
  });
});

test('a destination that is taken out takes its own comments, and leaves those around it', () => {
  const text = `${BASE}      # about b\n      - store: b # here\n        # inside\n        secrets: { url: b/url }\n      # behind\n`;
  expect(edited(takeDestination(text, 'orders', 1)).text).toBe(`${BASE}      # about b\n      # behind\n`);
});

test('long secrets have a line each, and names that YAML would take for something else have quotes', () => {
  const secrets = Object.fromEntries(
    ['username', 'password', 'host', 'port', 'database'].map((field) => [
      field,
      { secret: `production/orders/${field}` },
    ]),
  );
  const added = edited(
    addDestination(BASE, 'orders', {
      store: 'yes',
      create: false,
      secrets: { ...secrets, url: { secret: '5', key: 'a: b' } },
    }),
  );
  expect(added.lines.slice(0, 3)).toEqual([
    '      - store: "yes"',
    '        secrets:',
    '          username: production/orders/username',
  ]);
  expect(parse(added.text).policies.orders.publish[1]).toMatchObject({
    store: 'yes',
    secrets: { url: '5#a: b' },
  });
});

test('whatever the names are, they are read back, and what to add by hand says the same', () => {
  const name = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 })
    .filter((text) => !/^[^#]*#$|^#/.test(text));
  fc.assert(
    fc.property(name, name, (store, secret) => {
      const destination = { store, create: false, secrets: { url: { secret } } };
      const added = edited(addDestination(BASE, 'orders', destination));
      const wanted = { store, secrets: { url: secret } };
      expect(parse(added.text).policies.orders.publish[1]).toEqual(wanted);
      expect(parse(entryLine(destination))[0]).toEqual(wanted);
      expect(edited(takeDestination(added.text, 'orders', 1)).text).toBe(BASE);
    }),
    { numRuns: 300 },
  );
});
