import { describe, expect, test } from 'vitest';
import { locate } from '../../src/config/yaml/locate.ts';
import type { Located } from '../../src/config/yaml/located.ts';
import { locatePlain } from '../../src/config/yaml/plain-yaml.ts';
import { parseYaml } from '../../src/config/yaml/read-yaml.ts';

const FILE = 'keyturn.yaml';

/** What the parser for all of YAML finds; undefined where it finds something wrong. */
function parsed(text: string): Located | undefined {
  const problems: unknown[] = [];
  const sources = { env: {}, read: () => ({ text: '' }) };
  const found = parseYaml(FILE, text, {
    take: (part) => locate(part, sources, (problem) => problems.push(problem)),
    takePlain: () => undefined,
  });
  return 'taken' in found && problems.length === 0 ? found.taken[0] : undefined;
}

const plain = (text: string) => locatePlain(FILE, { text, linesBefore: 0 });

const PLAIN = `# A fleet.
stores: { files: { type: file, path: secrets/of/all } }
`;

const ENTRY = `policies:
  orders-api:
    # What an entry contains is indented further.
    connection: db
    logins: ["orders_a", 'orders_b']
    owner: orders_owner

    autoRotate: true
    password: { length: 24, symbols: "!#$" }
    schedule:
      every: 30d
      at: "02:30"
      timezone: Europe/Berlin
    verify: []
    publish:
      - store: aws
        create: false
        secrets: { username: prod/db#username, password: prod/db#password }
      # The second one.
      - { store: files, secrets: {} }
      - files
`;

describe('The reader of plain YAML', () => {
  test.each([PLAIN, ENTRY, PLAIN + ENTRY])('reads what most configurations look like: %s', (text) => {
    expect(plain(text)).toBeDefined();
    expect(plain(text)).toEqual(parsed(text));
  });

  test.each([
    ...['a: 1', 'a: 0', 'a: 007', 'a: 1.5', 'a: 1e3', 'a: 0x1f', 'a: 0o17', 'a: 12345678901', 'a: 1_000'],
    ...['a: true', 'a: True', 'a: yes', 'a: FALSE', 'a: null', 'a: NULL', 'a: nulls', 'a: ~', 'a: .inf'],
    ...[
      'a: 10.0.0.1',
      'a: 30d',
      'a: 1e',
      'a: 5e-',
      'a: 0x',
      'a: 2024-01-31',
      'a: 02:30',
      'a: b#c',
      'a: b #c',
    ],
    ...['null: 1', 'true: 1', '7: 1', 'a:', 'a: ', 'a:b', 'a: b: c', 'a : b', 'a: b\n  c', 'a: b\n  c: d'],
    ...['a: "b\\n"', `a: 'it''s'`, 'a: "b" c', 'a: "b', 'a: "é"', 'a: é', 'a: "b\n  c"', `a: "'"`, `a: '"'`],
    ...['a: [b, c', 'a: [b, c,]', 'a: [b c]', 'a: [b: c]', 'a: [,]', 'a: [[b], [c]]', 'a: [b]]', 'a: []x'],
    ...['a: { b: c', 'a: {b: c}', 'a: { b: }', 'a: { b }', 'a: { b: c, b: d }', 'a: { "b": c }', 'a: {b:c}'],
    ...[
      'a: { b: c }\n  d: e',
      'a: [b]\n- c',
      'a:\n- b',
      'a:\n  - b\n- c',
      'a:\n  - b\n   c',
      'a:\n  - b: c\n    d: e',
    ],
    ...[
      'a:\n  -  b',
      'a:\n  -',
      'a:\n  - - b',
      'a:\n  - b: c\n     d: e',
      'a:\n  - b: c\n   d: e',
      'a:\n  - b:\n      c: d',
    ],
    ...[
      'a:\n  - b:\n    c: d',
      'a:\n  b: c\n d: e',
      'a:\n    b: c\n  d: e',
      'a: b\na: c',
      '- a',
      'a',
      '',
      '# a',
      'a: |\n  b',
    ],
    ...[
      'a: &b c',
      'a: *b',
      'a: !c d',
      'a: >\n b',
      '? a',
      '---\na: b',
      'a: b\n...',
      '%YAML 1.1\n---\na: b',
      '<<: b',
    ],
    ...[
      'a: b\t',
      '\ta: b',
      'a:\tb',
      'a: b\r\nc: d',
      'a: b  ',
      '\ufeffa: b',
      ' a: b',
      `a: "$\{B}"`,
      'a: [ ]',
      'a: {  }',
    ],
    ...[
      'a:\n  # c\n  b: d',
      'a:\n# c\n  b: d',
      'a: b\n  # c\nd: e',
      'a:\n  - b\n  # c\n  - d',
      'a: - b',
      'a: -',
      'a: -1',
      'a: +1',
    ],
    ...[
      '__proto__: b',
      'constructor: b',
      `${'a'.repeat(1_100)}: b`,
      'a: b,c',
      'a: b]',
      'a: [b,c]',
      'a: @b',
      'a: /b',
    ],
    ...[
      'a: <<',
      'a:\n\n\n  b: c\n\n',
      'a: b # c',
      'a: { b: c } # d',
      'a:  b',
      'a:  [b ,c ]',
      'a: {b: c ,d: e}',
      'a: {b:  c}',
    ],
  ])('never reads another value, or at another place, than the parser: %j', (text) => {
    const found = plain(text);
    if (found) expect(found).toEqual(parsed(text));
  });

  test('never reads what the parser would not, whatever is changed in a text', () => {
    const signs = [...'abn0179 :-#,[]{}"\'\n~|>&*!?%@`.\\/\t$'];
    let [seed, read] = [20_260_117, 0];
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    for (let turn = 0; turn < 3_000; turn += 1) {
      let text = ENTRY;
      for (let change = 0; change <= turn % 3; change += 1) {
        const at = random(text.length);
        const put = random(4) === 0 ? '' : signs[random(signs.length)];
        text = text.slice(0, at) + put + text.slice(at + random(3));
      }
      const found = plain(text);
      if (found === undefined) continue;
      read += 1;
      expect(found, text).toEqual(parsed(text));
    }
    expect(read).toBeGreaterThan(300);
  });
});
