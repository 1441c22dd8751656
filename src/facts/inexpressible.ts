/** What of a login a format cannot write. Never its value: it may be the password (G3). */
export interface Inexpressible {
  readonly part: LoginPart;
  readonly why: WhyInexpressible;
}

export type LoginPart = 'username' | 'password' | 'host' | 'database' | 'sslrootcert' | 'url';

export type WhyInexpressible =
  /** A line break or another control character. */
  | 'control-character'
  /** It begins or ends with a blank, which readers cut off. */
  | 'outer-blank'
  /** The line would be longer than readers take. */
  | 'too-long'
  | 'backslash'
  /** A quote, together with what only the other quote can hold. */
  | 'both-quotes'
  /** A folder of a socket, which libpq looks up under another name. */
  | 'socket'
  /** A password that readers would take for a verifier. */
  | 'looks-like-verifier';
