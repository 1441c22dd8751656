import type { ConfigPolicyFacts } from '../../facts/config/config-policy-facts.ts';
import type { LoginPart, WhyInexpressible } from '../../facts/inexpressible.ts';
import type { Messages } from '../message.ts';

const PARTS: Readonly<Record<LoginPart, string>> = {
  username: 'username',
  password: 'password',
  host: 'host',
  database: 'name of the database',
  sslrootcert: 'path of the root certificate',
  url: 'URL',
};

const OTHERS = 'map username and password, or another field';

const WHYS: Readonly<Record<WhyInexpressible, { readonly text: string; readonly advice: string }>> = {
  'control-character': { text: 'it has a line break or another control character', advice: OTHERS },
  'outer-blank': { text: 'it begins or ends with a blank, which programs cut off', advice: OTHERS },
  'too-long': { text: 'it is longer than 241 bytes, and older programs take no longer line', advice: OTHERS },
  backslash: {
    text: 'it has, or may have, a backslash, and programs read that differently',
    advice: `take the backslash out of password.symbols, or ${OTHERS}`,
  },
  'both-quotes': {
    text: 'it has, or may have, a single quote together with ", $ or `',
    advice: `take the single quote out of password.symbols, or ${OTHERS}`,
  },
  socket: {
    text: 'it is the folder of a socket, and each build of libpq looks that up under another name',
    advice: 'map service in place of pgpass',
  },
  'looks-like-verifier': {
    text: 'it looks like a verifier, and PgBouncer would take it for one',
    advice: 'leave format.userlist out',
  },
};

export const configFormatMessages: Messages<
  Pick<ConfigPolicyFacts, 'field-not-expressible' | 'format-without-field'>
> = {
  'field-not-expressible': {
    text: ({ field, part, why }) => `The field ${field} cannot hold the ${PARTS[part]}: ${WHYS[why].text}`,
    advice: ({ why }) => WHYS[why].advice,
    means:
      'A format such as `service` or `env` has no way to write a value so that all programs read the same. Nothing was written. A policy whose passwords could break a format is refused when the configuration is read.',
    example: { field: 'env', part: 'password', why: 'backslash' },
  },
  'format-without-field': {
    text: ({ fields }) => `has no effect, as the destination does not map ${fields.join(', ')}`,
    advice: ({ fields }) =>
      `leave it out, or map ${fields.length === 1 ? fields.join('') : `one of ${fields.join(', ')}`}`,
    means: 'A key of `format` says how to write a field that the destination does not have.',
    example: { key: 'userlist', fields: ['userlist'] },
  },
};
