import { expect, test } from 'vitest';
import { dropTargetOf } from '../../src/roles/drop/drop-target.ts';
import { refuseRotator } from '../../src/roles/refuse-rotator.ts';
import { load, VALID } from '../config/config-folder.ts';

const YAML = `${VALID}  self:
    type: rotator
    connection: db
    publish:
      - store: files
        secrets: { username: keyturn/username, password: keyturn/password }
`;

test("the login of a rotator's policy is neither made nor dropped by keyturn, and it is said who makes it", () => {
  const config = load(YAML);
  const reason =
    'Policy self is of type rotator: an administrator makes its login, by what this prints: keyturn roles rotator db';
  const self = [...config.policies.values()].find(({ name }) => name === 'self');
  expect(() => self && refuseRotator(self)).toThrow(reason);
  expect(() => dropTargetOf('self', config, new Map())).toThrow(reason);
  expect(dropTargetOf('orders', config, new Map())?.logins).toEqual(['orders_a', 'orders_b']);
});
