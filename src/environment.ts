export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Everything else gets it from here. */
export const environment: Environment = { ...process.env };

/** Read by the AWS SDK: https://github.com/aws/aws-sdk-js-v3/issues/7983 */
const AWS_NODE_WARNING_OFF = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/**
 * Prepares the environment for the libraries that read it. Removes libpq's variables: pg reads them
 * wherever an option is empty, in BullMQ's sessions too, and some options cannot be set to nothing
 * (PGOPTIONS, PGREPLICATION). `environment` keeps them, for `${PGPASSWORD}` in a configuration.
 * DEBUG goes too: with it the Redis client prints each command, and AUTH with its password. The
 * client reads it when it is loaded, which is later. The AWS SDK does not warn of Node.js 20, which
 * keyturn supports; `false` in the environment makes it warn.
 */
export function prepareEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PG') || name === 'DEBUG') delete process.env[name];
  }
  process.env[AWS_NODE_WARNING_OFF] ??= 'true';
}
