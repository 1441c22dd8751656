/** What is wrong, and what to do, by code. No parameter is ever a password. */
const MESSAGES = {
  'source-unknown': ({ type }) =>
    `There is no source ${type}. Use file, aws-secrets-manager or custom as the type.`,
  'option-invalid': ({ option, given }) =>
    `The option ${option} is ${given}. Give a number of milliseconds, or leave it out.`,
  'secret-name-invalid': ({ secret }) =>
    `${secret} is not the name of a secret. Give a name, or name#key for one key of a JSON secret.`,
  'secrets-apart': ({ username, password }) =>
    `${username} and ${password} are in two folders, so they change at two instants. Use files of one folder.`,
  'secret-missing': ({ secret }) =>
    `There is no secret ${secret}. Check its name and place, and that a rotation has published it.`,
  'secret-empty': ({ secret }) =>
    `The secret ${secret} is empty. Rotate the policy, so that keyturn fills it.`,
  'secret-not-json': ({ secret }) =>
    `The secret ${secret} holds no JSON object. Give its name without #key, or publish it with a key.`,
  'secret-binary': ({ secret }) =>
    `The secret ${secret} is binary. Use a secret that holds text, as keyturn publishes it.`,
  'key-missing': ({ secret, key }) =>
    `The secret ${secret} has no text under the key ${key}. Check the key, and that a rotation has published it.`,
  'version-missing': ({ secret, version }) =>
    `The secret ${secret} has no version ${version}, which is the current one of the password. Publish both secrets by one destination of a policy.`,
  'folder-without-versions': ({ folder }) =>
    `${folder} has no link ..data, so two files of it can be of two versions. Let keyturn publish there, or use one JSON file with both.`,
  'link-foreign': ({ folder }) =>
    `The link ..data in ${folder} leads out of it. Let keyturn or Kubernetes make it.`,
  'file-unreadable': ({ path, errno }) =>
    `Cannot read ${path}: ${errno}. Check who may read it; docs/files.md of keyturn says how to open it to a group.`,
  'source-changing': ({ source }) =>
    `${source} changed during each read of it. Try again; if it stays so, look for who keeps writing there.`,
  'source-denied': ({ action, secret, detail }) =>
    `AWS refused ${action} of ${secret}: ${detail}. Allow the action for this role, and check its credentials.`,
  'source-unreachable': ({ action, secret, detail }) =>
    `AWS did not answer ${action} of ${secret}: ${detail}. Check network, region and endpoint.`,
  'source-plaintext': ({ secret }) =>
    `The secret ${secret} would be asked for without TLS. Use an endpoint that begins with https://.`,
  'source-failed': () => 'Reading the credential failed. What the source threw is in `cause`.',
  'source-invalid': () =>
    'read() gave no username and password. Have it return { username, password } with two texts.',
  'read-timeout': ({ timeout }) =>
    `Reading the credential took longer than ${timeout} ms. Check the source, or raise \`timeout\`.`,
  'package-missing': ({ package: name }) => `The package ${name} is not installed. Run npm install ${name}.`,
  'listener-failed': () => 'A listener of onChange threw an error. Correct the listener; it is in `cause`.',
  closed: () => 'The credentials were closed before they were read. Close them after what uses them.',
} satisfies Record<string, (params: Params) => string>;

type Params = Readonly<Record<string, string | number>>;

export type CredentialErrorCode = keyof typeof MESSAGES;

/** Why a credential could not be read. `code` stays the same over versions; the message may not. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  readonly code: CredentialErrorCode;
  readonly params: Params;

  constructor(code: CredentialErrorCode, params: Params = {}, options: { readonly cause?: unknown } = {}) {
    super(messageOf(code, params), options);
    this.code = code;
    this.params = params;
  }
}

function messageOf(code: CredentialErrorCode, params: Params): string {
  const message: (params: Params) => string = MESSAGES[code];
  return message(params);
}
