import { ConfigError, type Path } from '../config-error.ts';
import { problemAt } from './located.ts';
import { type ConfigSource, readTree } from './read-tree.ts';

/** What only the world can tell about an entry of a configuration that is valid in itself. */
export interface Fault {
  readonly path: Path;
  /** What is wrong; what is allowed. */
  readonly message: string;
}

/** The error that names the places of faults, as the configuration is written now. */
export function locatedError(source: ConfigSource, faults: readonly Fault[]): ConfigError {
  const { tree } = readTree(source, () => {});
  return new ConfigError(faults.map(({ path, message }) => problemAt(tree, path, message)));
}
