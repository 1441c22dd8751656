import type { ExecFacts } from '../facts/exec-facts.ts';
import type { Messages } from './message.ts';

export const execMessages: Messages<ExecFacts> = {
  'exec-command-missing': {
    text: () => 'There is no command to run',
    advice: 'give it after two hyphens: keyturn exec orders-api -- node server.js',
    means: '`keyturn exec` runs what comes after `--`. There was no `--`, or nothing after it.',
    example: {},
  },
  'exec-source-unclear': {
    text: () => 'It is not clear where to read the credential',
    advice: 'name one policy, or give --store with --secrets username=NAME,password=NAME',
    means:
      '`keyturn exec` reads what a policy publishes, or secrets of a store. It was given neither, both, or more than one policy.',
    example: {},
  },
  'exec-store-unknown': {
    text: ({ store, known, near }) =>
      `There is no store ${JSON.stringify(store)}; ${near === undefined ? listOf(known) : `did you mean ${near}?`}`,
    means: '`--store` names an entry of `stores` in the configuration. There is none of that name.',
    example: { store: 'flies', known: ['files', 'aws'], near: 'files' },
  },
  'exec-policy-not-in-store': {
    text: ({ policy, store, published }) =>
      `${policy} does not publish to the store ${store}; it publishes to ${published.join(', ')}`,
    advice: 'leave out --store, or name one of those',
    means: '`--store` with a policy chooses one of its destinations. None of them is in that store.',
    example: { policy: 'orders-api', store: 'files', published: ['aws'] },
  },
  'exec-secrets-malformed': {
    text: ({ given }) => `--secrets has ${JSON.stringify(given)}, which is no field with a secret`,
    advice: 'give --secrets username=NAME,password=NAME, or NAME#KEY for one key of a JSON secret',
    means: '`--secrets` takes fields with the names of secrets, with commas between them.',
    example: { given: 'username' },
  },
  'exec-secret-name-invalid': {
    text: ({ store, secret }) => `${JSON.stringify(secret)} cannot be the name of a secret in ${store}`,
    advice: 'give the name as in the publish of the policy',
    means: 'The type of the store has no secrets of such a name.',
    example: { store: 'files', secret: '../password' },
  },
  'exec-field-unknown': {
    text: ({ given, known, near }) =>
      `There is no field ${JSON.stringify(given)}; ${near === undefined ? listOf(known) : `did you mean ${near}?`}`,
    means: '`--secrets` maps fields of a login. There is no such field.',
    example: { given: 'usrname', known: ['username', 'password'], near: 'username' },
  },
  'exec-fields-missing': {
    text: ({ missing }) => `--secrets does not say where ${missing.join(' and ')} is`,
    advice: 'give --secrets username=NAME,password=NAME',
    means:
      'Without a policy, `--secrets` has to name the secrets of the username and of the password, or one that has both, such as `url`.',
    example: { missing: ['password'] },
  },
  'exec-env-malformed': {
    text: ({ name }) => `--env has ${JSON.stringify(name)}, which is no name of a variable`,
    advice:
      'give --env NAME={template}, such as --env DATABASE_URL={url}, or --env NAME to pass a variable on',
    means:
      'The name of an environment variable has letters, digits and underscores, and begins with no digit.',
    example: { name: 'DATABASE-URL' },
  },
  'exec-placeholder-unknown': {
    text: ({ name, placeholder, known, near }) =>
      `--env ${name} has {${placeholder}}; ${near === undefined ? listOf(known) : `did you mean {${near}}?`}`,
    means: 'A template of `--env` has a word in braces that stands for nothing.',
    example: {
      name: 'DATABASE_URL',
      placeholder: 'uri',
      known: ['username', 'password', 'url'],
      near: 'url',
    },
  },
  'exec-value-missing': {
    text: ({ name, placeholder }) => `Nothing says what {${placeholder}} is, which ${name} needs`,
    advice: ({ placeholder }) =>
      placeholder === 'sslmode'
        ? 'name a policy: its connection says it'
        : `name a policy whose connection says it, or publish the field and give --secrets ${placeholder}=NAME; an embedded PostgreSQL has a port only while it runs`,
    means:
      'The value is neither among the secrets that are read, nor in the connection of a policy. A store alone says only what is published there.',
    example: { name: 'DATABASE_URL', placeholder: 'url' },
  },
  'exec-value-with-nul': {
    text: ({ name }) => `${name} would have a NUL byte, which no environment variable can have`,
    advice: 'correct the secret in its store',
    means: 'A secret that the variable is made from has a NUL byte. keyturn makes no such password.',
    example: { name: 'PGPASSWORD' },
  },
  'exec-on-rotate-unknown': {
    text: ({ given, signals }) =>
      `--on-rotate is ${JSON.stringify(given)}; must be restart, none, or signal: with one of ${signals.join(', ')}`,
    means: '`--on-rotate` says what `keyturn exec` does with the program when the credential has changed.',
    example: { given: 'reload', signals: ['HUP', 'USR1'] },
  },
  'exec-not-published': {
    text: ({ store, secrets }) =>
      `The store ${store} has no username and password in ${secrets.join(' and ')}`,
    advice: 'check the names, and rotate the policy that publishes there',
    means: 'The secrets do not exist, are empty, or have no current version with both fields.',
    example: { store: 'files', secrets: ['app/username', 'app/password'] },
  },
  'exec-program-not-started': {
    text: ({ program, errno }) => `Cannot start ${program}: ${errno}`,
    advice: ({ errno }) =>
      errno === 'E2BIG'
        ? 'shorten its arguments, or the secrets and variables that it gets'
        : 'check that it is on PATH and may be executed',
    means: 'The system could not start the command of `keyturn exec`.',
    example: { program: 'sever', errno: 'ENOENT' },
  },
};

function listOf(known: readonly string[]): string {
  return known.length === 0 ? 'there is none' : `there is ${known.join(', ')}`;
}
